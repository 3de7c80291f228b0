"""4. Gates fail closed. What cannot be evaluated blocks. No flag skips a blocking gate without being recorded."""

import pytest

GATES = """\
schema: cmr/gates@v1
gates:
  coverage: {check: coverage, reports: [coverage.json], min: 85}
  tests: {check: tests, reports: [junit.xml]}
  tool: {check: command, format: json, run: [sh, -c, "RUN"]}
"""


@pytest.mark.parametrize(("gate", "files", "run"), [
    ("coverage", {}, ""), ("coverage", {"coverage.json": ""}, ""), ("coverage", {"coverage.json": "{"}, ""),
    ("coverage", {"coverage.json": '{"totals": {"percent_covered": 100}}'}, ""), ("tests", {"junit.xml": "<a/>"}, ""),
    ("tests", {}, ""), ("tool", {}, "exit 0"), ("tool", {}, "exit 9"), ("tool", {}, "echo no json"),
    ("tool", {}, "kill -9 $$"),
])  # fmt: skip
def test_what_cannot_be_evaluated_blocks(sandbox, gate, files, run):
    """Seen to fail with errors that count as warnings."""
    sandbox.write("config/compliance-gates.yaml", GATES.replace("RUN", run or "exit 3"))
    for path, text in files.items():
        sandbox.write(path, text)
    sandbox.phase("p", f"steps: [{{id: a, run: [echo]}}]\ngates: [{gate}]\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code in (1, 3), done.out
    found = sandbox.cmr("status", "last", "--json").data()
    assert found["gates"][0]["status"] in ("error", "fail")
    assert found["gates"][0]["blocks"] is True


def test_a_softer_level_is_recorded(sandbox):
    """The one flag that lets a gate not block says so in the record, and the run does not simply pass."""
    sandbox.write("config/compliance-gates.yaml", GATES.replace("RUN", "exit 9"))
    sandbox.phase("p", "steps: [{id: a, run: [echo]}]\ngates: [tool]\n")
    done = sandbox.cmr("run-phase", "p", "--level", "advisory")
    assert done.code == 0
    found = sandbox.cmr("status", "last", "--json").data()
    assert found["environment"]["level"] == found["gates"][0]["level"] == "advisory"
    assert found["verdict"]["status"] == "warn"
    assert "gate tool could not be evaluated" in done.out
