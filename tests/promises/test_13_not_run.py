"""13. A language or tool that was not there is reported as not run, never as passed."""

import pytest


@pytest.mark.parametrize(("step", "code", "status"), [
    ("{id: a, run: [no-such-tool]}", 3, "error"), ("{id: a, run: [echo], requires: [no-such-tool]}", 3, "error"),
    ("{id: a, run: [echo], requires: ['python:no_such_module']}", 3, "error"),
    ("{id: a, uses: notify, with: {text: hello}}", 0, "skipped"), ("{id: a, run: [echo], if: false}", 0, "skipped"),
])  # fmt: skip
def test_what_was_not_there_has_not_passed(sandbox, step, code, status):
    """Seen to fail with `notify` that counts as success where nothing was sent."""
    sandbox.phase("p", f"steps: [{step}]\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code == code
    found = sandbox.cmr("status", "last", "--json").data()
    assert found["phases"][0]["steps"][0]["status"] == status
    assert found["phases"][0]["steps"][0]["reason"]
    if status == "skipped":
        assert "p/a" in [one["name"] for one in found["not_run"]]
