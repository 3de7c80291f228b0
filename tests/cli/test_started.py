"""The program as users start it. Most tests call it in their own process; here both come to the same."""

import re

import pytest

GATES = "schema: cmr/gates@v1\ngates: {deny: {check: denylist}}\n"
STEPS = {
    "fails": "{id: a, run: [sh, -c, 'echo oh no; exit 3']}",
    "lacks": "{id: a, run: [no-such-program]}",
    "waits": "{id: a, approval: {}}",
}
CASES = [
    (0, "run-phase p --no-cache"), (0, "run-phase p --json"), (0, "run-job"), (0, "validate-compliance --no-cache"),
    (0, "plan p"), (1, "run-phase fails"), (2, "run-phase nothing"), (2, "run-phase p --input n"), (2, "resume"),
    (3, "run-phase lacks"), (4, "trust"), (4, "run-phase waits --no-resume"),
]  # fmt: skip


def told(done):
    """Return what it said, without what differs between any two runs: their names, hashes, moments and durations."""
    text = re.sub(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b|\b[0-9a-f]{40,64}\b", "NAME", f"{done.out}\n--\n{done.err}")
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?|_ms\": \d+|\b[\d.]+ ?m?s\b", "TIME", text)
    return done.code, text


@pytest.mark.parametrize(("code", "command"), CASES)
def test_it_ends_and_says_the_same(sandbox, code, command):
    for name, step in STEPS.items():
        sandbox.phase(name, f"steps:\n  - {step}\n")
    sandbox.write("config/compliance-gates.yaml", GATES)
    started, called = sandbox.started(*command.split()), sandbox.cmr(*command.split())
    assert started.code == code, started.err
    assert told(started) == told(called)


def test_a_limit_of_time_ends_it(sandbox):
    """How far it came by then is another matter each time."""
    sandbox.phase("lasts", "steps:\n  - {id: a, run: [sleep, '60']}\n")
    assert sandbox.started("run-phase", "lasts", "--timeout", "200ms").code == 124
