"""The supervisor itself: how it is started, what it inherits, and that nothing outlives the orchestrator."""

import asyncio
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest

import cli_multi_rapid
from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.system import lineage, supervision, supervisor
from cli_multi_rapid.system.process import SupervisedRunner
from cli_multi_rapid.system.supervision import Mode, start_supervisor, supervisor_modes
from cli_multi_rapid.system.survivors import Survivor, _kill, kill_survivors, survivors

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
MODES = supervisor_modes()
GROUP = MODES[-1]
SOURCE = str(Path(cli_multi_rapid.__file__).parents[1])


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request):
    return request.param


def started_mode(*modes, **options):
    async def main():
        started = await start_supervisor(modes=modes, **options)
        started.close()
        assert await started.ended(limit_s=5)
        return started.mode.name

    return asyncio.run(main())


@linux
def test_root_keeps_its_user_namespace_and_others_get_one():
    if not (shutil.which("setpriv") and shutil.which("unshare")):
        pytest.skip("this system has no setpriv or no unshare")
    assert [mode.isolation for mode in MODES] == ["namespace", "namespace", "group"]
    assert ["--user" in mode.wrapper for mode in supervisor_modes(user_id=0)] == [False, False, False]
    assert ["--user" in mode.wrapper for mode in supervisor_modes(user_id=1000)] == [True, True, False]
    assert ["--mount-proc" in mode.wrapper for mode in supervisor_modes()] == [True, False, False]
    assert all(Path(mode.wrapper[0]).is_absolute() for mode in MODES[:2])


def test_without_the_tools_there_is_the_group(monkeypatch):
    monkeypatch.setattr(supervision, "_TOOL_FOLDERS", ())
    monkeypatch.setenv("PATH", "relative:")
    assert supervisor_modes() == (Mode(name="group", isolation="group"),)


def test_ways_that_do_not_work_are_passed_over():
    gone = Mode(name="gone", isolation="group", wrapper=("/no/such/program",))
    ends = Mode(name="ends", isolation="group", wrapper=("false",))
    silent = Mode(name="silent", isolation="group", wrapper=("sh", "-c", "exec sleep 100"))
    outside = Mode(name="outside", isolation="namespace")  # claims a namespace without making one
    assert started_mode(gone, ends, silent, outside, GROUP, patience_s=1.5) == "group"


def test_no_way_at_all_is_an_error():
    with pytest.raises(CouldNotRun, match="no supervisor"):
        started_mode(Mode(name="ends", isolation="group", wrapper=("false",)))


def test_the_first_way_that_works_is_taken(mode):
    assert started_mode(mode, GROUP) == mode.name


def test_the_namespace_is_never_signalled_from_outside_of_it():
    """A slip here would kill every process of the machine."""
    slipped = supervisor.Supervisor(None, isolated=True, adopts=True)
    with pytest.raises(RuntimeError, match="only PID 1"):
        slipped._kill_namespace(0)


@linux
def test_the_lock_is_inherited_by_the_supervisor_and_by_no_step(mode, tmp_path):
    path = tmp_path / "lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    asked = Command(
        argv=("sh", "-c", "ls -l /proc/self/fd"), cwd="/", env={}, log=str(tmp_path / "log"), tag="t", timeout_s=9.0
    )

    async def main():
        runner = SupervisedRunner(modes=[mode], inherit_fds=(lock,))
        await runner.run(asked)
        os.close(lock)
        assert not can_lock(path), "the supervisor holds it now"
        await runner.close()

    asyncio.run(main())
    assert can_lock(path)
    listing = Path(asked.log).read_text()
    assert "pipe:" in listing
    assert str(path) not in listing


def can_lock(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
ORCHESTRATOR = """
import asyncio, sys
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.system.process import SupervisedRunner
from cli_multi_rapid.system.supervision import supervisor_modes

TREE = '''
exec 7>"$FIFO"
setsid env -i PATH="$PATH" sh -c 'trap "" TERM; echo up; while :; do sleep 100; done' &
(trap "" TERM; (env -i PATH="$PATH" sh -c 'echo up; while :; do sleep 100; done' &) )
trap "" TERM HUP INT
echo up
while :; do sleep 100; done
'''

async def main(name, folder):
    modes = [mode for mode in supervisor_modes() if mode.name == name]
    env = {"PATH": "/usr/bin:/bin", "FIFO": folder + "/fifo"}
    command = Command(argv=("sh", "-c", TREE), cwd="/", env=env, log=folder + "/log", tag="killed/1", timeout_s=99.0)
    await SupervisedRunner(modes=modes).run(command, on_output=lambda line: print(line, flush=True))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def folder():
    """A folder that every user may write to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        os.mkfifo(Path(name, "fifo"))
        Path(name, "fifo").chmod(0o666)
        yield name


def kill_orchestrator(folder, argv):
    """Start an orchestrator, kill it when its tree of processes is up, and tell whether the whole tree then died."""
    fifo = os.open(Path(folder, "fifo"), os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(fifo, 0)
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": SOURCE}) as orchestrator:
            assert [orchestrator.stdout.readline() for _ in range(3)] == [b"up\n"] * 3
            assert not poll.poll(0), "the tree holds the FIFO"
            orchestrator.kill()
        return bool(poll.poll(5000))
    finally:
        os.close(fifo)


@linux
def test_nothing_outlives_an_orchestrator_that_is_killed(mode, folder):
    assert kill_orchestrator(folder, [sys.executable, "-c", ORCHESTRATOR, mode.name, folder])


@linux
@pytest.mark.parametrize("name", ["namespace", "namespace-outer-proc", "group"])
def test_nothing_outlives_the_orchestrator_of_an_ordinary_user(name, folder):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user, and only with setpriv")
    # This Python may be in a folder that only its owner can enter; then that of the system may do.
    probe = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import %s'], check=True)"
    probe %= "cli_multi_rapid.system.process"
    python = next((path for path in (sys.executable, "/usr/bin/python3") if as_nobody(path, "-c", probe)), None)
    if python is None:
        pytest.skip("an ordinary user may not read this Python or this source tree")
    modes = {mode.name: mode for mode in supervisor_modes(user_id=65534)}
    if name not in modes or not as_nobody(*modes[name].wrapper, "true"):
        pytest.skip("this system gives ordinary users no namespaces")
    assert kill_orchestrator(folder, [*NOBODY, python, "-c", ORCHESTRATOR, name, folder])


def as_nobody(*argv):
    env = {**os.environ, "PYTHONPATH": SOURCE}
    return subprocess.run([*NOBODY, *argv], stderr=subprocess.DEVNULL, env=env, check=False).returncode == 0


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_supervisor_ends_on_signals_with_all_below(mode, number, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    fifo = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    text = f"exec 7>fifo; (trap '' TERM INT HUP; setsid sleep 100) & kill -{int(number)} $PPID; sleep 100"
    asked = Command(
        argv=("sh", "-c", text), cwd=str(tmp_path), env={}, log=str(tmp_path / "log"), tag=token_hex(), timeout_s=30.0
    )

    async def main():
        runner = SupervisedRunner(modes=[mode])
        with pytest.raises(CouldNotRun):
            await runner.run(asked)
        await runner.close()

    asyncio.run(main())
    poll = select.poll()
    poll.register(fifo, 0)
    assert poll.poll(5000)
    os.close(fifo)


# the parts, called directly


def test_find_program(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "tool"
    tool.write_text("")
    monkeypatch.chdir(tmp_path / "bin")
    folder = os.fsencode(tmp_path / "bin")
    with pytest.raises(PermissionError):
        supervisor.find_program(b"tool", folder)
    tool.chmod(0o755)
    assert supervisor.find_program(b"tool", b"/nowhere:" + folder) == folder + b"/tool"
    assert supervisor.find_program(b"tool", b":.:./:../bin/.") == b"../bin/./tool"
    assert supervisor.find_program(b"tool", b":.:./") == b""
    assert supervisor.find_program(b"./tool", b"") == b"./tool"
    assert supervisor.find_program(b"bin", os.fsencode(tmp_path)) == b"", "a folder is not a program"


@pytest.fixture
def tagged():
    """Start processes with a tag; all are gone afterwards."""
    processes = []

    def start(tag):
        process = subprocess.Popen(["sleep", "100"], env={**os.environ, "CMR_TAG": tag}, start_new_session=True)
        processes.append(process)
        while sys.platform == "linux" and not Path(f"/proc/{process.pid}/environ").read_bytes():
            pass  # it shows no environment for an instant
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@linux
def test_survivors_are_found_by_the_beginning_of_their_tag(tagged):
    run = token_hex(4)
    first, second, _ = tagged(f"{run}/a/1"), tagged(f"{run}/b/1"), tagged(f"x{run}/a/1")
    found = survivors(f"{run}/")
    assert {(survivor.pid, survivor.tag) for survivor in found} == {
        (first.pid, f"{run}/a/1"),
        (second.pid, f"{run}/b/1"),
    }
    assert [survivor.pid for survivor in survivors(f"{run}/b/")] == [second.pid]
    assert {survivor.name for survivor in found} == {"sleep"}


@linux
def test_survivors_are_killed_and_others_spared(tagged):
    run = token_hex(4)
    wanted, other = tagged(f"{run}/a/1"), tagged(f"{run}/b/1")
    killed, alive = kill_survivors(f"{run}/a/", wait_s=5)
    assert ([survivor.pid for survivor in killed], alive) == ([wanted.pid], [])
    assert wanted.wait() == -signal.SIGKILL
    assert other.poll() is None
    assert kill_survivors(f"{run}/a/", wait_s=0) == ([], [])


@linux
def test_what_cannot_be_killed_in_time_is_reported(tagged, monkeypatch):
    process = tagged(tag := token_hex())
    monkeypatch.setattr("cli_multi_rapid.system.survivors._kill", lambda survivor: None)
    killed, alive = kill_survivors(tag, wait_s=0.05)
    assert (killed, [survivor.pid for survivor in alive]) == ([], [process.pid])


@linux
def test_a_process_that_got_the_number_of_another_is_spared(tagged):
    process = tagged(tag := token_hex())
    found = survivors(tag)[0]
    _kill(replace(found, started=found.started - 1))
    assert process.poll() is None
    _kill(found)
    assert process.wait() == -signal.SIGKILL
    _kill(found)  # no longer there: nothing happens


@linux
def test_a_sweep_spares_itself_and_its_ancestors():
    code = "from cli_multi_rapid.system.survivors import kill_survivors; print(kill_survivors('nested/', wait_s=0))"
    script = f'"{sys.executable}" -c "$CODE"; echo parent lives'
    env = {**os.environ, "CMR_TAG": "nested/a/1", "PYTHONPATH": SOURCE, "CODE": code}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["([], [])", "parent lives"]


@linux
def test_tags_are_read_from_environments(tagged):
    process = tagged("run/step/1")
    assert lineage.environment_tag(process.pid) == "run/step/1"
    with subprocess.Popen(["/bin/sleep", "100"], env={"XCMR_TAG": "a", "A": "CMR_TAG=b"}) as other:
        assert lineage.environment_tag(other.pid) is None
        other.kill()
    assert lineage.environment_tag(1 << 30) is None


@linux
def test_marks_are_inherited_and_read(monkeypatch):
    code = (
        "import os; from cli_multi_rapid.system import lineage; lineage.mark_children(77);"
        "print(lineage._mark(os.getpid()), flush=True);"
        "os.execve('/bin/sh', ['sh', '-c', 'setsid cat /proc/self/limits'], {'PATH': os.environ['PATH']})"
    )
    env = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    first, *limits = done.stdout.splitlines()
    assert first == "77"
    assert [line.split()[3] for line in limits if line.startswith("Max file locks")] == ["77"]
    assert lineage._mark(1 << 30) is None


@linux
def test_where_the_limit_cannot_be_changed_there_is_no_mark(monkeypatch):
    monkeypatch.setattr(lineage, "_LIMIT_OF_LOCKS", 999)
    lineage.mark_children(77)
    assert lineage._mark(os.getpid()) != 77


def test_survivors_by_psutil(tagged, monkeypatch):
    pytest.importorskip("psutil")
    monkeypatch.setattr("cli_multi_rapid.system.survivors.sys", type("System", (), {"platform": "darwin"}))
    process = tagged(tag := token_hex())
    found = survivors(tag)
    assert [(survivor.pid, survivor.name) for survivor in found] == [(process.pid, "sleep")]
    assert isinstance(found[0], Survivor)
    killed, alive = kill_survivors(tag, wait_s=5)
    assert (killed, alive) == (found, [])


def test_without_psutil_nothing_is_found(tagged, monkeypatch):
    monkeypatch.setattr("cli_multi_rapid.system.survivors.sys", type("System", (), {"platform": "darwin"}))
    monkeypatch.setitem(sys.modules, "psutil", None)
    tagged(tag := token_hex())
    assert survivors(tag) == []
