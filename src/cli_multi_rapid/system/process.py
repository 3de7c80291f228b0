"""Children under supervision: a step ends with all its processes, in time, and none outlives the orchestrator."""

import asyncio
import errno
import os
import time
from collections.abc import Sequence

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.process import Command, Exit, OutputSink
from cli_multi_rapid.system.lineage import TAG_NAME
from cli_multi_rapid.system.output import Outlet
from cli_multi_rapid.system.supervision import Isolation, Mode, Supervision, close_descriptors, start_supervisor
from cli_multi_rapid.system.survivors import kill_tagged

GRACE_S = 1.0
_ANSWER_S = 0.7  # how much longer than the grace the supervisor may take to end a step
_DRAIN_S = 0.2  # how long output is awaited from whoever still holds the pipe of a step that has ended
_END_S = 3.0
_GO_ON = "go on with:  cli-multi-rapid resume"
_KILLED_STATUS = 9  # the wait status of a process that SIGKILL ended


class SupervisedRunner:
    """Implements `ProcessRunner` by one supervisor, started with the first command.

    `inherit_fds` (the lock of the project) stay open until everything that was started is dead; steps do not get
    them. `modes` are the ways to start a supervisor, for tests. One runner belongs to one event loop at a time.
    """

    def __init__(self, *, inherit_fds: tuple[int, ...] = (), modes: Sequence[Mode] | None = None) -> None:
        self._inherit_fds = inherit_fds
        self._modes = modes
        self._supervision: Supervision | None = None
        self._starting: asyncio.Lock | None = None
        self._jobs: dict[bytes, _Job] = {}
        self._count = 0
        self._closed = False

    @property
    def isolation(self) -> Isolation | None:
        """Tell what holds children together: a `namespace`, or as a `group` only their tags. None before the first."""
        return self._supervision.mode.isolation if self._supervision is not None else None

    async def run(self, command: Command, *, on_output: OutputSink | None = None) -> Exit:
        """Run one command to its end; see `ProcessRunner.run`.

        With `Command.stdout` that file is emptied first, and `on_output` gets only what goes to the log. After a
        supervisor was killed the next command gets a new one.

        Raises:
            CouldNotRun: no supervisor could be started, or it was killed, and the command died with it.
            RuntimeError: the runner is closed.
        """
        supervision = self._supervision
        if supervision is None or supervision.loop is not asyncio.get_running_loop() or self._closed:
            supervision = await self._start()
        job = _Job(command, supervision)
        self._count += 1
        number = b"%d" % self._count
        try:
            fields = _request(number, command)
            descriptors = job.connect(on_output)
        except ValueError as error:
            return Exit(error=str(error))
        except OSError as error:
            job.finish()
            return Exit(error=f"the output cannot be stored in {error.filename or command.log}: {error.strerror}")
        self._jobs[number] = job
        supervision.send(fields, descriptors=descriptors)
        try:
            ended = await job.result(number)
        finally:
            del self._jobs[number]
        if job.lost and not ended.timed_out:
            raise CouldNotRun("the supervisor of this run was killed, and its steps died with it", hint=_GO_ON)
        return ended

    async def close(self) -> None:
        """Kill whatever still runs and end the supervision. Idempotent."""
        self._closed = True
        supervision, self._supervision = self._supervision, None
        if supervision is None:
            return
        supervision.close()
        if supervision.loop is asyncio.get_running_loop() and not await supervision.ended(limit_s=_END_S):
            supervision.kill()
        supervision.reap(limit_s=_END_S)
        self._lose_jobs(supervision)

    async def _start(self) -> Supervision:
        loop = asyncio.get_running_loop()
        if self._supervision is not None and self._supervision.loop is not loop:
            self._supervision.close()
            self._supervision.reap(limit_s=_END_S)
            self._supervision = self._starting = None
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if self._closed:
                raise RuntimeError("the runner is closed")
            if self._supervision is not None:
                return self._supervision
            return self._keep(await start_supervisor(inherit_fds=self._inherit_fds, modes=self._modes))

    def _keep(self, supervision: Supervision) -> Supervision:
        if self._closed:  # while it was starting
            supervision.close()
            supervision.reap(limit_s=_END_S)
            raise RuntimeError("the runner is closed")
        supervision.listen(report=self._report, lost=lambda: self._lost(supervision))
        self._supervision = supervision
        return supervision

    def _report(self, words: list[bytes]) -> None:
        kind, number, *rest = words
        job = self._jobs.get(number)
        if job is None:
            return
        if kind == b"exit":
            job.ended(status=int(rest[0]), killed=int(rest[1]))
        else:
            job.failed(why=rest[0], code=int(rest[1]))

    def _lost(self, supervision: Supervision) -> None:
        """The supervisor is dead. A namespace died with it; a group has to be found by its tags."""
        if self._supervision is supervision:
            self._supervision = None
        supervision.reap(limit_s=0.5)
        for job in self._jobs.values():
            job.lost = job.lost or job.supervision is supervision
        self._lose_jobs(supervision)

    def _lose_jobs(self, supervision: Supervision) -> None:
        for job in [job for job in self._jobs.values() if job.supervision is supervision]:
            is_group = supervision.mode.isolation == "group"
            killed = kill_tagged(job.command.tag.__eq__, wait_s=0.5)[0] if is_group else []
            job.ended(status=_KILLED_STATUS, killed=len(killed))


class _Job:
    """One command on its way: its output, its limits, and what is known about its end."""

    def __init__(self, command: Command, supervision: Supervision) -> None:
        self.command = command
        self.supervision = supervision
        self._loop = supervision.loop
        self._outlets: list[Outlet] = []
        self._waiter: asyncio.Future[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._started = time.monotonic()
        self._finished = False
        self.lost = False
        self._stopping = False
        self._timed_out = False
        self._status: int | None = None
        self._killed = 0
        self._error = ""
        self._missing = False

    def connect(self, on_output: OutputSink | None) -> tuple[int, ...]:
        """Open the files and the pipes; return the descriptors that the child writes to."""
        command = self.command
        paths = [(command.stdout, None)] if command.stdout else []
        for path, sink in [*paths, (command.log, on_output)]:
            outlet = Outlet(
                path, cap_bytes=command.cap_bytes, secrets=command.secrets, sink=sink, fresh=path == command.stdout
            )
            self._outlets.append(outlet)
        descriptors: list[int] = []
        try:
            for outlet in self._outlets:
                descriptors.append(outlet.connect(self._loop, ended=self._check))  # noqa: PERF401 - kept if one fails
        except OSError:
            close_descriptors(descriptors)
            raise
        return tuple(descriptors)

    async def result(self, number: bytes) -> Exit:
        """Wait for the end, and see to it that there is one."""
        limit = self._loop.call_later(self.command.timeout_s, self._time_out, number)
        self._timers.append(limit)
        cancelled: asyncio.CancelledError | None = None
        try:
            while not self._finished:
                self._waiter = self._loop.create_future()
                try:
                    await self._waiter
                except asyncio.CancelledError as error:
                    # The first time there is a grace; whoever cancels again does not want to wait for it.
                    self._stop(number, grace_s=0.0 if cancelled else GRACE_S)
                    cancelled = error
        finally:
            for timer in self._timers:
                timer.cancel()
            self.finish()
        if cancelled is not None:
            raise cancelled
        return self._exit()

    def ended(self, *, status: int, killed: int) -> None:
        """Note that the child and all that it left behind are dead."""
        self._status, self._killed = status, killed
        self._drain()

    def failed(self, *, why: bytes, code: int) -> None:
        """Note that the child could not be started."""
        self._error = _explain(self.command, why, code)
        self._missing = why == b"missing"
        self._drain()

    def finish(self) -> None:
        """Close what `connect` opened. Idempotent."""
        for outlet in self._outlets:
            outlet.finish(self._loop)

    def _drain(self) -> None:
        self._check()
        if not self._finished:
            self._timers.append(self._loop.call_later(_DRAIN_S, self._wake))

    def _check(self) -> None:
        """Finish if the child has ended and nobody holds its pipes any more."""
        if (self._status is not None or self._error) and not any(outlet.is_open for outlet in self._outlets):
            self._wake()

    def _wake(self) -> None:
        self._finished = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _time_out(self, number: bytes) -> None:
        if self._status is None and not self._error:
            self._timed_out = True
            self._stop(number, grace_s=GRACE_S)

    def _stop(self, number: bytes, *, grace_s: float) -> None:
        if self._status is not None or self._error:
            return
        self.supervision.send([b"stop", number, b"%d" % (grace_s * 1000)])
        if not self._stopping:
            self._stopping = True
            self._timers.append(self._loop.call_later(GRACE_S + _ANSWER_S, self._insist))

    def _insist(self) -> None:
        """The supervisor does not answer, so a step could outlive its limit: end the supervisor, and all with it."""
        if self._status is None:
            self.supervision.kill()

    def _exit(self) -> Exit:
        code = os.waitstatus_to_exitcode(self._status) if self._status is not None else None
        return Exit(
            code=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            error=self._error,
            missing=self._missing,
            timed_out=self._timed_out,
            truncated=any(outlet.truncated for outlet in self._outlets),
            leftover=self._killed,
            output_bytes=sum(outlet.size_bytes for outlet in self._outlets),
            duration_ms=round((time.monotonic() - self._started) * 1000),
        )


def _request(number: bytes, command: Command) -> list[bytes]:
    """Return the fields of a `run` request; ValueError for what no process can be started with."""
    if not command.argv or not command.argv[0]:
        raise ValueError("the command is empty")
    env = {**command.env, TAG_NAME: command.tag}
    for name in env:
        if not name or "=" in name:
            raise ValueError(f"{name!r} cannot be the name of an environment variable")
    texts = [command.cwd, command.tag, "2" if command.stdout else "1", str(len(command.argv)), *command.argv]
    texts += [f"{name}={value}" for name, value in env.items()]
    if any("\0" in text for text in texts):
        raise ValueError("a command, its folder and its environment cannot contain NUL characters")
    return [b"run", number, *map(os.fsencode, texts)]


def _explain(command: Command, why: bytes, code: int) -> str:
    program = command.argv[0]
    match why, code:
        case b"missing", _:
            return f"{program}: no such file" if "/" in program else f"{program}: not found on the PATH of the command"
        case b"denied", errno.EACCES:
            return f"{program}: found, but it is not a file that may be executed"
        case b"start", errno.ENOENT:
            return f"{program}: its interpreter, named in its first line, does not exist"
        case b"cwd", _:
            return f"the folder {command.cwd} cannot be entered: {os.strerror(code)}"
    return f"{program}: cannot be started: {os.strerror(code)}"
