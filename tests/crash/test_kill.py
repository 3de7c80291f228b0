"""kill -9 of the orchestrator before and after every commit of a run with parallel steps; the oracle is a file that the
steps themselves write, outside of the product."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("killing_driver.py")
STEPS = ("prepare", "slow", "quick", "join", "last")
MOST_COMMITS = 9
KILLS = [[(4, "after"), (3, "after"), (3, "before")], [(5, "before"), (1, "after"), (4, "after")]]

STEP = """\
import os, sys, time
name, seconds, oracle = sys.argv[1], float(sys.argv[2]), sys.argv[3]
def note(what):
    with open(oracle, "a") as file:
        file.write(f"{what} {name} {os.environ['CMR_ATTEMPT']}\\n")
note("start")
time.sleep(seconds)
open(os.path.join(os.environ["CMR_OUT"], "result.txt"), "w").write(f"result of {name}")
note("end")
"""

PHASE = """\
inputs: {{oracle: {{type: string}}}}
steps:
  - {{id: prepare, needs: [], run: [{python}, step.py, prepare, "0.02", "${{{{ inputs.oracle }}}}"], {rest}}}
  - {{id: slow, needs: [prepare], run: [{python}, step.py, slow, "0.3", "${{{{ inputs.oracle }}}}"], {rest}}}
  - {{id: quick, needs: [prepare], run: [{python}, step.py, quick, "0.02", "${{{{ inputs.oracle }}}}"], {rest}}}
  - {{id: join, needs: [slow, quick], run: [{python}, step.py, join, "0.02", "${{{{ inputs.oracle }}}}"], {rest}}}
gates: [deny]
finally:
  - {{id: last, run: [{python}, step.py, last, "0.02", "${{{{ inputs.oracle }}}}"], {rest}}}
"""
REST = 'writes: [], produces: {result: result.txt}, outputs: {text: "${{ artifacts.result }}"}'.replace(
    "produces: {result:", "produces: {NAME:"
).replace("artifacts.result", "artifacts.NAME")


@pytest.fixture
def diamond(sandbox, tmp_path):
    body = PHASE.format(python=json.dumps(sys.executable), rest="REST")
    lines = []
    for line in body.splitlines():
        name = line.partition("id: ")[2].partition(",")[0]
        lines.append(line.replace("REST", REST.replace("NAME", f"of_{name}")))
    sandbox.phase("diamond", "\n".join(lines) + "\n")
    sandbox.write("step.py", STEP)
    sandbox.write("config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates: {deny: {check: denylist}}\n")
    return sandbox


def drive(sandbox, oracle, *, kill_at, when, command=None):
    command = command or ("run-phase", "diamond", "--input", f"oracle={oracle}")
    return subprocess.run(
        (sys.executable, str(DRIVER), *command, "--json"),
        cwd=sandbox.root, env={**os.environ, "CMR_TRUST": "1", "KILL_AT": str(kill_at), "KILL_WHEN": when},
        capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


def recorded(kind):
    """Read the event log without the product."""
    (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
    connection = sqlite3.connect(f"file:{log}?mode=ro", uri=True)
    try:
        return [
            row[0].partition("/")[2] for row in connection.execute("SELECT step FROM event WHERE kind = ?", (kind,))
        ]
    finally:
        connection.close()


def lines(oracle):
    return [line.split() for line in oracle.read_text().splitlines()] if oracle.exists() else []


def starts(oracle):
    return Counter(name for what, name, _ in lines(oracle) if what == "start")


# What comes after a commit is what comes before the next one, but for the first, one in the middle, and the last.
@pytest.mark.parametrize(
    ("kill_at", "when"),
    [*((at, "before") for at in range(1, MOST_COMMITS + 1)), (1, "after"), (5, "after"), (8, "after")],
)
def test_a_killed_run_goes_on_where_it_was(diamond, tmp_path, kill_at, when):
    oracle = tmp_path / "oracle.txt"
    killed = drive(diamond, oracle, kill_at=kill_at, when=when)
    if killed.returncode == 99:
        pytest.skip(f"an uninterrupted run has fewer than {kill_at} commits")
    assert killed.returncode == -9, killed.stderr.decode()
    done_before = set(recorded("step.finished"))
    starts_before = starts(oracle)

    begun = bool(recorded("run.started"))
    command = ("resume", "last") if begun else ("run-phase", "diamond", "--input", f"oracle={oracle}")
    status = diamond.cmr("status", "last")
    if begun and not recorded("run.finished"):
        assert "Interrupted" in status.out
        assert "cli-multi-rapid resume" in status.out
    if recorded("run.finished"):
        again = diamond.cmr(*command)
        assert again.code == 2
        assert "error[RUN-FINISHED]" in again.err
    else:
        again = diamond.cmr(*command, "--json")
        assert again.code == 0, again.err

    for name in STEPS:
        again_started = starts(oracle)[name] - starts_before[name]
        assert again_started == (0 if name in done_before else 1), f"{name}: {lines(oracle)}"
    outputs = {step["id"]: step["outputs"] for step in final_steps(diamond)}
    assert outputs == {name: {"text": f"result of {name}"} for name in STEPS}
    assert Counter(recorded("step.finished")) == Counter(STEPS)
    assert_no_overlap(lines(oracle))


def final_steps(sandbox):
    report = sandbox.cmr("status", "last", "--json").data()
    assert report["run"]["status"] == "success"
    return [step for phase in report["phases"] for step in phase["steps"]]


def assert_no_overlap(noted):
    """No two attempts of a step at once: an attempt that goes on after the next one began would write its end there."""
    latest = {}
    for what, name, attempt in noted:
        if what == "start":
            assert int(attempt) > latest.get(name, 0)
            latest[name] = int(attempt)
        else:
            assert int(attempt) == latest[name]


@pytest.mark.parametrize("kills", KILLS)
def test_a_run_that_is_killed_again_and_again(diamond, tmp_path, kills):
    """Also while it is taken up again: what is recorded never runs again, nothing starts more than kills + 1 times."""
    oracle = tmp_path / "oracle.txt"
    command = None
    for kill_at, when in kills:
        done_before, starts_before = set(recorded("step.finished")) if command else set(), starts(oracle)
        killed = drive(diamond, oracle, kill_at=kill_at, when=when, command=command)
        assert killed.returncode == -9, killed.stderr.decode()
        assert not [name for name in done_before if starts(oracle)[name] != starts_before[name]]
        command = ("resume", "last")
    assert diamond.cmr(*command).code == 0
    assert max(starts(oracle).values()) <= len(kills) + 1
    assert {step["id"]: step["outputs"] for step in final_steps(diamond)} == {
        name: {"text": f"result of {name}"} for name in STEPS
    }
    assert_no_overlap(lines(oracle))
    assert recorded("gate.finished") == ["gate:deny"]


def test_three_deaths_without_progress_are_enough(diamond, tmp_path):
    oracle = tmp_path / "oracle.txt"
    for command in (None, ("resume", "last"), ("resume", "last")):
        assert drive(diamond, oracle, kill_at=3, when="before", command=command).returncode == -9
    stuck = diamond.cmr("resume")
    assert stuck.code == 1
    assert "error[RUN-STUCK]" in stuck.err
    assert "cli-multi-rapid rerun" in stuck.err
    assert "Stuck" in diamond.cmr("status", "last").out
    assert diamond.cmr("rerun").code == 0


def test_the_kill_test_covers_every_commit(diamond, tmp_path):
    """An uninterrupted run has at least one commit for each step, and fewer than are tried."""
    done = drive(diamond, tmp_path / "oracle.txt", kill_at=MOST_COMMITS + 1, when="before")
    assert done.returncode == 99
    count = int(done.stderr.decode().rpartition("only ")[2].split()[0])
    assert len(STEPS) < count <= MOST_COMMITS
