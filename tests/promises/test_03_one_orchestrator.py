"""3. One project, one orchestrator. A second one refuses (exit code 75); nothing needs cleaning up after a crash."""

import json
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

SHORT_S = 5.0
"""A command that is not held up by anything takes a fraction of this."""


@pytest.fixture
def project(sandbox, oracle, tmp_path):
    """A phase that works until there is a file `go`, and one that is quick.

    The tests fail where the note in the lock file decides instead of the lock of the system (it outlives `kill -9`),
    where a lock that is held is taken for free, and where `--wait` gives up like everybody else.
    """
    until_go = f'while ! test -e "{tmp_path / "go"}"; do sleep 0.05; done'
    sandbox.phase("long", f"steps:\n  - {{id: s, run: {oracle.step('long', until_go)}, writes: []}}\n")
    sandbox.phase("quick", f"steps:\n  - {{id: s, run: {oracle.step('quick')}, writes: []}}\n")
    return sandbox


@pytest.fixture
def first(project, oracle, begin):
    """The first orchestrator, in the middle of its step."""
    working = begin(project.root, "run-phase", "long")
    working.until(lambda: oracle.starts()["long"])
    return working


def wait_at_the_lock(working):
    """Wait until a process has opened the lock of the project, and then longer than it takes to be refused."""
    descriptors = Path(f"/proc/{working.pid}/fd")
    if descriptors.exists():
        working.until(lambda: "lock" in set(opened_in(descriptors)))
    time.sleep(0.6)


def opened_in(descriptors):
    for one in descriptors.glob("*"):
        with suppress(OSError):  # it has been closed meanwhile
            yield one.readlink().name


def test_a_second_one_is_refused_and_told_who_works(project, first, oracle, make_sandbox, tmp_path):
    (project.root / "below").mkdir()
    for arguments in (("run-phase", "quick"), ("run-phase", "long"), ("run-job", "default"), ("resume",), ("rerun",)):
        refused = project.cmr(*arguments, cwd=project.root / "below")
        assert refused.code == 75, arguments
        assert f"error[PROJECT-BUSY]: process {first.pid} on {socket.gethostname()} holds this project" in refused.err
    told = json.loads(project.started("run-phase", "quick", "--json").out)["error"]
    assert (told["code"], str(first.pid) in told["message"]) == ("PROJECT-BUSY", True)
    assert "cli-multi-rapid cancel" in told["fix"]
    assert "Still running" in project.cmr("status", "last").out, "looking is not working"
    assert make_sandbox("other").cmr("run-phase", "p").code == 0, "another project is another matter"
    (tmp_path / "go").touch()
    assert first.end() == 0, first.text()
    assert oracle.starts() == {"long": 1}


def test_after_kill_9_the_next_command_works_at_once(project, first, oracle, tmp_path):
    first.kill()
    begin = time.monotonic()
    done = project.started("run-phase", "quick")
    assert done.code == 0, done.err
    assert time.monotonic() - begin < SHORT_S
    (tmp_path / "go").touch()
    run = project.cmr("status", "--json").data()["runs"][1]["run"]["run"]
    assert project.cmr("resume", run).code == 0
    assert oracle.starts() == {"long": 2, "quick": 1}


def test_one_that_waits_begins_when_the_first_has_ended(project, first, oracle, begin, tmp_path):
    second = begin(project.root, "run-phase", "quick", "--wait")
    wait_at_the_lock(second)
    assert second.process.poll() is None, second.text()
    assert not oracle.starts()["quick"]
    (tmp_path / "go").touch()
    assert first.end() == 0, first.text()
    assert second.end() == 0, second.text()
    assert oracle.starts() == {"long": 1, "quick": 1}


def test_one_that_waits_begins_when_the_first_was_killed(project, first, oracle, begin):
    second = begin(project.root, "run-phase", "quick", "--wait")
    wait_at_the_lock(second)
    assert second.process.poll() is None, second.text()
    first.kill()
    assert second.end() == 0, second.text()
    assert oracle.starts() == {"long": 1, "quick": 1}
