"""1. A step recorded as finished is never run again for the same run, after any crash, `kill -9` or reboot (as far
as the disk honours fsync)."""

import shutil

import pytest

DONE = ("first", "second", "quick")


@pytest.fixture
def project(sandbox, oracle, tmp_path):
    """A phase whose step `slow` hangs beside `quick` until there is a file `go`.

    The tests fail where `resume` does not believe the record: with the events `step.finished` left out of what it
    folds, `first`, `second` and `quick` start twice.
    """
    text = 'outputs: {text: "made by ${{ run.id }}"}'
    hang = f'test -e "{tmp_path / "go"}" || sleep 60'
    sandbox.phase("p", f"""\
steps:
  - {{id: first, run: {oracle.step("first")}, writes: [], {text}}}
  - {{id: second, run: {oracle.step("second")}, writes: []}}
  - {{id: quick, run: {oracle.step("quick")}, writes: [], {text}}}
  - {{id: slow, needs: [second], run: {oracle.step("slow", hang)}, writes: []}}
  - id: last
    needs: [quick, slow]
    run: {oracle.step("last", 'echo "$FIRST and $QUICK"')}
    env: {{FIRST: "${{{{ steps.first.outputs.text }}}}", QUICK: "${{{{ steps.quick.outputs.text }}}}"}}
""")  # fmt: skip
    return sandbox


def statuses(project):
    run = project.cmr("status", "last", "--json").data()
    return {step["id"]: step["status"] for phase in run["phases"] for step in phase["steps"]}


@pytest.fixture
def at_work(project, oracle, begin):
    """The program in the middle of the phase: three steps are recorded, one runs."""
    working = begin(project.root, "run-phase", "p")
    working.until(lambda: oracle.starts()["slow"] and oracle.starts()["quick"])
    working.until(lambda: statuses(project).get("quick") == "success")
    return working


def check_that_only_the_rest_runs(project, oracle, go):
    assert "Interrupted" in project.cmr("status", "last").out
    go.touch()
    done = project.started("resume")
    assert done.code == 0, done.err
    assert oracle.starts() == {**dict.fromkeys(DONE, 1), "slow": 2, "last": 1}
    assert set(statuses(project).values()) == {"success"}
    run = project.cmr("status", "last", "--json").data()["run"]["run"]
    assert project.cmr("logs", "last", "last").out == f"made by {run} and made by {run}\n"
    again = project.cmr("resume")
    assert (again.code, "error[RUN-FINISHED]" in again.err) == (2, True)
    assert oracle.starts()["last"] == 1


def test_after_kill_9(project, at_work, oracle, tmp_path):
    at_work.kill()
    check_that_only_the_rest_runs(project, oracle, tmp_path / "go")


def test_after_a_reboot(project, at_work, oracle, state, tmp_path):
    """Nothing is left but what was on the disk at one instant; the processes are gone, and so are their locks."""
    shutil.copytree(state, tmp_path / "disk")
    at_work.kill()
    shutil.rmtree(state)
    (tmp_path / "disk").rename(state)
    check_that_only_the_rest_runs(project, oracle, tmp_path / "go")
