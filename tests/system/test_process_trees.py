"""Whole trees of processes: limits, cancellation, what steps leave behind, and the loss of the supervisor."""

import asyncio
import os
import select
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.system import process
from cli_multi_rapid.system.process import SupervisedRunner
from cli_multi_rapid.system.supervision import Mode, supervisor_modes

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes that leave their session are found on Linux only")
MEASURED = "import sys; sys.argv.pop(1); from cli_multi_rapid.system.supervisor import main; main()"
MODES = supervisor_modes()

# Three processes besides the shell itself: one in a session of its own, one forked twice, both deaf to SIGTERM and
# without the environment they were started with, and a plain one. All hold the pipe and, as descriptor 7, a FIFO.
TREE = """
exec 7>"$FIFO"
setsid env -i PATH="$PATH" sh -c 'trap "" TERM; echo up; while :; do sleep 100; done' &
(trap "" TERM; (env -i PATH="$PATH" sh -c 'echo up; while :; do sleep 100; done' &) )
sleep 100 &
"""


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request):
    measured = "COVERAGE_PROCESS_CONFIG" in os.environ
    return replace(request.param, python=("-c", MEASURED)) if measured else request.param


@pytest.fixture
def fifo(tmp_path):
    """A FIFO that every process of a tree holds open, so that its end of file proves that all of them are dead."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def all_dead(fifo, *, within_ms=0):
    poll = select.poll()
    poll.register(fifo, 0)
    return bool(poll.poll(within_ms))


@pytest.fixture
def command(tmp_path):
    def make(text, **changes):
        env = {"PATH": "/usr/bin:/bin", "FIFO": str(tmp_path / "fifo")}
        wanted = {"cwd": str(tmp_path), "env": env, "log": str(tmp_path / "log"), "timeout_s": 60.0}
        return Command(argv=("sh", "-c", text), **{**wanted, "tag": f"run-{token_hex(4)}/step/1", **changes})

    return make


class Lines:
    """Collects lines, of which several may come at once, and lets a test wait until enough of them came."""

    def __init__(self):
        self.seen = []
        self._came = asyncio.Event()

    def __call__(self, text):
        self.seen.extend(text.split("\n"))
        self._came.set()

    async def count(self, number):
        while len(self.seen) < number:
            self._came.clear()
            await self._came.wait()


def with_runner(mode, scenario):
    async def main():
        runner = SupervisedRunner(modes=[mode])
        try:
            return await scenario(runner)
        finally:
            await runner.close()

    return asyncio.run(main())


@linux
def test_a_step_ends_soon_after_its_limit_with_all_its_processes(mode, command, fifo):
    async def scenario(runner):
        lines = Lines()
        asked = command("trap '' TERM" + TREE + "while :; do sleep 100; done", timeout_s=0.5)
        running = asyncio.create_task(runner.run(asked, on_output=lines))
        await lines.count(2)
        assert not all_dead(fifo)
        return await running

    result = with_runner(mode, scenario)
    assert all_dead(fifo)
    assert (result.timed_out, result.signal, result.code) == (True, 9, None)
    assert 1500 <= result.duration_ms <= 2500
    assert result.leftover >= 3


def test_a_step_may_end_by_itself_when_its_limit_is_over(mode, command):
    asked = command("trap 'echo bye; exit 7' TERM; while :; do sleep 0.02; done", timeout_s=0.2)
    lines = Lines()
    result = with_runner(mode, lambda runner: runner.run(asked, on_output=lines))
    assert (result.timed_out, result.code, result.leftover) == (True, 7, 0)
    assert lines.seen[-1] == "bye"
    assert result.duration_ms < 1200


@linux
def test_children_have_the_grace_even_if_their_parent_dies_at_once(mode, command):
    child = "sh -c 'trap \"sleep 0.1; echo saved; exit\" TERM; echo up; while :; do sleep 0.02; done' & wait"
    lines = Lines()
    result = with_runner(mode, lambda runner: runner.run(command(child, timeout_s=0.4), on_output=lines))
    assert (result.timed_out, result.signal, result.leftover) == (True, 15, 0)
    assert (lines.seen[0], lines.seen[-1]) == ("up", "saved")


@linux
def test_cancelling_stops_the_whole_tree_first(mode, command, fifo):
    async def scenario(runner):
        lines = Lines()
        running = asyncio.create_task(runner.run(command(TREE + "wait"), on_output=lines))
        await lines.count(2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert all_dead(fifo)
        assert (await runner.run(command("exit 4"))).code == 4

    with_runner(mode, scenario)


def test_cancelling_twice_does_not_wait(mode, command):
    async def scenario(runner):
        lines = Lines()
        asked = command("trap '' TERM; echo up; while :; do sleep 0.02; done")
        running = asyncio.create_task(runner.run(asked, on_output=lines))
        await lines.count(1)
        begin = time.monotonic()
        running.cancel()
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return time.monotonic() - begin

    assert with_runner(mode, scenario) < 0.9


@linux
def test_what_a_step_leaves_behind_is_killed_and_counted(mode, command, fifo, tmp_path):
    async def scenario(runner):
        lines = Lines()
        # The step ends when it is told to, so that its children are certainly there.
        running = asyncio.create_task(runner.run(command(TREE + "cat go; exit 3"), on_output=lines))
        await lines.count(2)
        go.write_text("")
        return await running

    go = tmp_path / "go"
    os.mkfifo(go)
    result = with_runner(mode, scenario)
    assert all_dead(fifo)
    assert (result.code, result.timed_out) == (3, False)
    assert result.leftover >= 3
    assert result.duration_ms < 5000


@linux
def test_a_step_beside_is_not_harmed(mode, command, fifo, tmp_path):
    """The neighbour, of the same attempt, has a child in another session, too; both must live on."""
    neighbour = command("setsid sh -c 'cat go; echo child' & echo up; wait; exit 6", log=str(tmp_path / "neighbour"))
    os.mkfifo(tmp_path / "go")
    os.mkfifo(tmp_path / "ready")
    text = (
        "exec 7>$FIFO; setsid sh -c 'echo >ready; exec sleep 100' & (sleep 100 &); sleep 100 & read it <ready; exit 2"
    )
    leaving = command(text, tag=neighbour.tag)

    async def scenario(runner):
        lines = Lines()
        beside = asyncio.create_task(runner.run(neighbour, on_output=lines))
        await lines.count(1)
        left = await runner.run(leaving)
        assert all_dead(fifo)
        assert not beside.done()
        (tmp_path / "go").write_text("")
        return left, await beside, lines.seen

    left, beside, lines = with_runner(mode, scenario)
    assert (left.code, left.leftover) == (2, 3)
    assert (beside.code, beside.leftover) == (6, 0)
    assert lines == ["up", "child"]


# A process that left its session, lost its parent and has an empty environment; a second one gave its mark away, too.
HIDDEN = """(setsid env -i PATH="$PATH" sh -c 'trap "" TERM; echo up; while :; do sleep 100; done' &)\n"""
NAMELESS = HIDDEN.replace("setsid", "setsid prlimit --locks=unlimited")


@linux
@pytest.mark.parametrize("timeout_s", [0.5, 60.0], ids=["stopped", "ended"])
def test_nothing_outlives_its_step_by_hiding_while_others_run(mode, command, fifo, tmp_path, timeout_s):
    """What hides belongs to the step that ends; daemons of the neighbour, as nameless as that, live as long as it."""
    os.mkfifo(tmp_path / "theirs")
    theirs = os.open(tmp_path / "theirs", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("go", "end"):
        os.mkfifo(tmp_path / name)
    neighbour = command(
        f"exec 7>theirs\n(setsid sh -c 'echo up; exec sleep 100' &)\n{HIDDEN} cat go; exit 6",
        log=str(tmp_path / "neighbour"),
    )
    wait = "trap '' TERM; while :; do sleep 100; done" if timeout_s < 1 else "cat end; exit 3"
    hiding = command(f'exec 7>"$FIFO"\n{HIDDEN}{NAMELESS}{wait}', timeout_s=timeout_s)

    async def scenario(runner):
        lines, own = Lines(), Lines()
        beside = asyncio.create_task(runner.run(neighbour, on_output=lines))
        await lines.count(2)
        running = asyncio.create_task(runner.run(hiding, on_output=own))
        await own.count(2)
        if timeout_s > 1:
            (tmp_path / "end").write_text("")
        result = await running
        assert all_dead(fifo)
        assert not all_dead(theirs)
        assert not beside.done()
        (tmp_path / "go").write_text("")
        return result, await beside

    result, beside = with_runner(mode, scenario)
    assert all_dead(theirs)
    os.close(theirs)
    assert result.timed_out == (timeout_s < 1)
    assert result.duration_ms < 2500
    assert result.leftover >= 2
    assert (beside.code, beside.leftover) == (6, 3)


@linux
def test_a_limit_stops_only_its_own_step(mode, command, fifo, tmp_path):
    neighbour = command("echo up; cat go; exit 6", log=str(tmp_path / "neighbour"))
    os.mkfifo(tmp_path / "go")
    slow = command("trap '' TERM; exec 7>\"$FIFO\"; setsid sleep 100 & while :; do sleep 0.05; done", timeout_s=0.2)

    async def scenario(runner):
        lines = Lines()
        beside = asyncio.create_task(runner.run(neighbour, on_output=lines))
        await lines.count(1)
        stopped = await runner.run(slow)
        assert all_dead(fifo)
        (tmp_path / "go").write_text("")
        return stopped, await beside

    stopped, beside = with_runner(mode, scenario)
    assert (stopped.timed_out, stopped.signal) == (True, 9)
    assert (beside.code, beside.timed_out) == (6, False)


def test_output_is_not_awaited_from_a_process_outside(mode, command, tmp_path):
    """Somebody outside the tree got hold of the pipe; the step ends without waiting for that process."""
    give = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('given'); socket.send_fds(s, [b'x'], [1])"

    async def scenario(runner):
        lines = []
        asked = replace(command(""), argv=(sys.executable, "-c", give + "; print('end')"))
        running = asyncio.create_task(runner.run(asked, on_output=lines.append))
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        with connection:
            connection.setblocking(True)
            _, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, connection, 1, 1)
        result = await running
        os.close(descriptors[0])
        return result, lines

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "given"))
        listener.listen()
        listener.setblocking(False)
        result, lines = with_runner(mode, scenario)
    assert (result.code, result.leftover, lines) == (0, 0, ["end"])
    assert result.duration_ms < 3000


def test_steps_end_with_their_supervisor_and_the_next_gets_a_new_one(mode, command, fifo):
    async def scenario(runner):
        lines = Lines()
        asked = command('exec 7>"$FIFO"; setsid sh -c "echo up; sleep 100" & wait')
        running = asyncio.create_task(runner.run(asked, on_output=lines))
        await lines.count(1)
        runner._supervision.kill()
        with pytest.raises(CouldNotRun, match="the supervisor of this run was killed"):
            await running
        assert all_dead(fifo, within_ms=5000)
        return await runner.run(command("exit 4"))

    assert with_runner(mode, scenario).code == 4


@linux
def test_a_supervisor_that_does_not_answer_cannot_prolong_a_step(command, fifo):
    """In a group a step can stop its supervisor; in a namespace the system does not allow it."""
    asked = command('exec 7>"$FIFO"; kill -STOP $PPID; sleep 100', timeout_s=0.1)
    started = time.monotonic()
    result = with_runner(MODES[-1], lambda runner: runner.run(asked))
    assert (result.timed_out, result.signal) == (True, 9)
    assert time.monotonic() - started < 4
    assert all_dead(fifo)


@linux
def test_requests_wait_for_a_supervisor_that_is_busy(command):
    big = {"PATH": "/usr/bin:/bin", "BIG": "x" * 100_000}  # more at once than the socket holds

    async def scenario(runner):
        await runner.run(command("true"))
        supervisor = runner._supervision._process
        supervisor.send_signal(signal.SIGSTOP)
        running = [asyncio.create_task(runner.run(command(f"exit {n}", env=big))) for n in range(9)]
        await asyncio.sleep(0)
        assert runner._supervision._outbox
        supervisor.send_signal(signal.SIGCONT)
        return [result.code for result in await asyncio.gather(*running)]

    assert with_runner(MODES[-1], scenario) == list(range(9))


@linux
def test_closing_does_not_wait_for_a_supervisor_that_hangs(command, monkeypatch):
    monkeypatch.setattr(process, "_END_S", 0.05)
    big = {"PATH": "/usr/bin:/bin", "BIG": "x" * 100_000}

    async def scenario(runner):
        await runner.run(command("true"))
        before = len(list(Path("/proc/self/fd").iterdir()))
        runner._supervision._process.send_signal(signal.SIGSTOP)
        running = [asyncio.create_task(runner.run(command("exit 1", env=big))) for _ in range(9)]
        await asyncio.sleep(0)
        await runner.close()
        results = await asyncio.gather(*running)
        assert len(list(Path("/proc/self/fd").iterdir())) == before - 1, "only the socket was closed"
        return {result.signal for result in results}

    assert with_runner(MODES[-1], scenario) == {9}


@linux
def test_a_stop_that_comes_too_late_is_ignored(mode, command):
    async def scenario(runner):
        await runner.run(command("true"))
        runner._supervision.send([b"stop", b"1", b"0"])
        return await runner.run(command("exit 3"))

    assert with_runner(mode, scenario).code == 3


NO_ADOPTION = """
import sys
sys.argv.pop(1)
from cli_multi_rapid.system import supervisor
supervisor._adopt_orphans = lambda: False
supervisor.main()
"""


def test_where_orphans_cannot_be_adopted_the_session_is_ended(command, fifo):
    """What macOS can do: processes that stay in the session of their step end with it."""
    portable = Mode(name="portable", isolation="group", python=("-c", NO_ADOPTION))
    leaving = command('exec 7>"$FIFO"; (trap "" TERM; sleep 100) & exit 3')
    hanging = command('exec 7>"$FIFO"; trap "" TERM; sleep 100 & while :; do sleep 0.02; done', timeout_s=0.1)
    closing = command('exec 7>"$FIFO"; trap "" TERM; sleep 100 & echo up; while :; do sleep 0.02; done')

    async def scenario(runner):
        left = await runner.run(leaving)
        assert all_dead(fifo, within_ms=1000)
        stopped = await runner.run(hanging)
        assert all_dead(fifo, within_ms=1000)
        lines = Lines()
        running = asyncio.create_task(runner.run(closing, on_output=lines))
        await lines.count(1)
        await runner.close()
        assert all_dead(fifo, within_ms=1000)
        return left, stopped, await running

    left, stopped, closed = with_runner(portable, scenario)
    assert (left.code, left.leftover) == (3, 1)
    assert (stopped.signal, stopped.timed_out) == (9, True)
    assert closed.signal == 9


def test_closing_kills_what_runs_and_can_be_repeated(mode, command, fifo):
    async def scenario(runner):
        lines = Lines()
        asked = command("trap '' TERM; exec 7>\"$FIFO\"; echo up; while :; do sleep 0.02; done")
        running = asyncio.create_task(runner.run(asked, on_output=lines))
        await lines.count(1)
        await runner.close()
        assert all_dead(fifo)
        await runner.close()
        with pytest.raises(RuntimeError, match="closed"):
            await runner.run(asked)
        return await running

    assert with_runner(mode, scenario).signal == 9


def test_a_runner_that_ran_nothing_can_be_closed(mode):
    with_runner(mode, SupervisedRunner.close)


def test_closing_while_the_supervisor_starts(mode, command):
    async def scenario(runner):
        running = asyncio.create_task(runner.run(command("true")))
        await asyncio.sleep(0)
        await runner.close()
        with pytest.raises(RuntimeError, match="closed"):
            await running

    with_runner(mode, scenario)


def test_cancelling_while_the_supervisor_starts(mode, command):
    async def scenario(runner):
        running = asyncio.create_task(runner.run(command("true")))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return await runner.run(command("exit 5"))

    assert with_runner(mode, scenario).code == 5
