"""The lock of a project, with real holders: alive, killed, and dead but for a supervisor that still dies."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import cli_multi_rapid
from cli_multi_rapid.errors import ProjectBusy, StateUnwritable
from cli_multi_rapid.system import lock as module
from cli_multi_rapid.system.lock import acquire, holder

SOURCES = str(Path(cli_multi_rapid.__file__).parent.parent)

HOLD = """
import subprocess, sys
from pathlib import Path
from cli_multi_rapid.system.lock import acquire
lock = acquire(Path(sys.argv[1]))
lock.name_run("RUN7")
if sys.argv[2] == "supervisor":
    subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=[lock.descriptor])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def hold(path):
    """Start a process that holds the lock, alone or with a supervisor that inherits it and lives until stdin ends."""
    running = []

    def start(kind="alone"):
        process = subprocess.Popen(
            (sys.executable, "-c", HOLD, str(path), kind),
            env={**os.environ, "PYTHONPATH": SOURCES}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in running:
        process.kill()
        with process:
            process.stdin.close()


@pytest.fixture
def pauses(monkeypatch):
    """Count the pauses of whoever waits, and do something in one of them; nobody really sleeps."""
    made = []

    def pause(seconds):
        made.append(seconds)
        if len(made) in pause.then:
            pause.then[len(made)]()

    pause.then = {}
    pause.made = made
    monkeypatch.setattr(module.time, "sleep", pause)
    return pause


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_second_one_is_told_who_holds_it(path, hold):
    process = hold()
    with pytest.raises(ProjectBusy) as busy:
        acquire(path)
    assert busy.value.exit_code == 75
    assert str(busy.value) == f"process {process.pid} on {socket.gethostname()} holds this project, run RUN7"
    assert busy.value.hint.endswith("cli-multi-rapid cancel RUN7")


def test_a_living_holder_is_not_waited_for_long(path, hold, pauses):
    hold()
    with pytest.raises(ProjectBusy):
        acquire(path)
    assert sum(pauses.made) < 0.3


def test_one_process_cannot_hold_it_twice(path):
    held = acquire(path)
    with pytest.raises(ProjectBusy, match=f"process {os.getpid()} "):
        acquire(path)
    held.release()


def test_letting_go_frees_it_and_can_be_repeated(path):
    first = acquire(path)
    first.release()
    first.release()
    second = acquire(path)
    first.release()
    assert holder(path) is not None, "the descriptor may have the same number"
    second.release()
    assert holder(path) is None


def test_it_is_free_at_once_when_its_holder_is_killed(path, hold, pauses):
    process = hold()
    assert holder(path)["pid"] == process.pid
    kill(process)
    acquire(path).release()
    assert pauses.made == []


def test_a_supervisor_that_outlives_its_orchestrator_keeps_it(path, hold, pauses):
    process = hold("supervisor")
    kill(process)
    assert holder(path)["run"] == "RUN7"
    with pytest.raises(ProjectBusy, match=f"process {process.pid} "):
        acquire(path)
    assert sum(pauses.made) >= 4.9, "a dead holder's supervisor is about to die and worth waiting for"


def test_a_dying_supervisor_is_waited_for(path, hold, pauses, monkeypatch):
    process = hold("supervisor")
    kill(process)
    ended = threading.Event()

    def tried(descriptor, *, real=module._try, **shared):
        if ended.is_set():
            for _ in range(10_000):
                if real(descriptor, **shared):
                    return True
        return real(descriptor, **shared)

    def end():
        process.stdin.close()
        while holder(path) is not None:
            pass
        ended.set()

    monkeypatch.setattr(module, "_try", tried)
    pauses.then[40] = end
    acquire(path).release()
    assert len(pauses.made) == 40


def test_ordinary_children_do_not_inherit_it(path):
    held = acquire(path)
    with subprocess.Popen(
        (sys.executable, "-c", "import sys; sys.stdin.read()"), stdin=subprocess.PIPE, close_fds=False
    ) as child:
        held.release()
        acquire(path).release()
        child.stdin.close()


def test_looking_does_not_disturb_who_takes_it(path, hold):
    stop, seen = threading.Event(), []

    def look():
        while not stop.is_set():
            seen.append(holder(path))

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(100):
            acquire(path).release()
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
    assert {note["pid"] for note in seen if note} <= {os.getpid()}


def test_those_who_look_do_not_take_each_other_for_a_holder(path, hold):
    kill(hold())
    import fcntl

    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert holder(path) is None


def test_nobody_holds_what_is_not_there_or_free(path):
    assert holder(path) is None
    assert not path.exists()
    acquire(path).release()
    assert holder(path) is None


def test_looking_changes_nothing(path):
    held = acquire(path)
    held.name_run("RUN")
    before = path.read_bytes()
    assert holder(path) == {"pid": os.getpid(), "host": socket.gethostname(), "run": "RUN"}
    assert path.read_bytes() == before
    held.release()


def test_a_shorter_note_leaves_nothing_of_a_longer_one(path):
    held = acquire(path)
    held.name_run("R" * 200)
    held.name_run("S")
    assert json.loads(path.read_text())["run"] == "S"
    held.release()
    assert acquire(path)._path == path
    assert json.loads(path.read_text())["run"] == ""


GARBAGE = {
    "nothing": b"",
    "bytes": b"\x00\xff\xfe",
    "a list": b"[1]",
    "half": b'{"pid": 1, "ho',
    "no number": b'{"pid": "x", "host": "HERE"}',
    "everybody": b'{"pid": -1, "host": "HERE"}',
    "my group": b'{"pid": 0, "host": "HERE"}',
    "true": b'{"pid": true, "host": "HERE"}',
    "too large": b'{"pid": 1000000000000000000000000000000, "host": "HERE"}',
    "infinite": b'{"pid": 1e999, "host": "HERE"}',
    "elsewhere": b'{"pid": 1, "host": "elsewhere", "run": "R"}',
    "deep": b"[" * 5000,
    "long": b" " * 100_000,
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_the_file_breaks_nothing(path, pauses, garbage):
    held = acquire(path)
    path.write_bytes(GARBAGE[garbage].replace(b"HERE", socket.gethostname().encode()))
    assert holder(path) is not None
    with pytest.raises(ProjectBusy):
        acquire(path)
    held.release()
    assert holder(path) is None
    acquire(path).release()
    assert json.loads(path.read_text())["pid"] == os.getpid()


def test_nobody_else_can_read_it(path):
    before = os.umask(0)
    try:
        acquire(path).release()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(StateUnwritable, match="cannot be opened: No such file"):
        acquire(tmp_path / "no" / "lock")
    with pytest.raises(StateUnwritable):
        acquire(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_and_lets_go(monkeypatch):
    closed = []
    monkeypatch.setattr(
        module.os, "close", lambda descriptor, real=os.close: closed.append(descriptor) or real(descriptor)
    )
    with pytest.raises(StateUnwritable, match="No space left"):
        acquire(Path("/dev/full"))
    assert len(closed) == 1
