"""The one process that starts, watches and ends all steps of a run.

It is started as a program of its own (`main`), as PID 1 of its own namespace where the system allows, so that nothing
it started can outlive it. It imports as little as possible, because every run waits for it. It has one thread; a
socket to the orchestrator carries requests in and reports out, and its end means: kill everything and go.

Requests are frames of a 4-byte big-endian length and fields joined by NUL (none of them can contain one):
    run  NUMBER CWD TAG DESCRIPTORS ARGC ARG.. NAME=VALUE..     with 1 or 2 descriptors: output, or output and errors
    stop NUMBER GRACE_MS
Reports are lines:  `ready` · `fail NUMBER WHY ERRNO` (WHY: cwd, missing, denied, start) · `exit NUMBER STATUS KILLED`
"""

# ruff: noqa: PTH113, PTH123 - pathlib would take a third of the start-up time, and paths are bytes here

import _socket  # what `socket` wraps: the wrapper would add a quarter to the start-up time
import errno
import os
import select
import signal
import sys
import time

from cli_multi_rapid.system.lineage import Owner, descendants, mark_children, read

TICK_MS = 20
GIVE_UP_S = 0.5
_DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Step(Owner):
    """One command, and when and how it ends."""

    __slots__ = ("kill_at", "killed", "number", "status")

    def __init__(self, *, number: bytes, tag: bytes, mark: int, pid: int) -> None:
        super().__init__(tag=os.fsdecode(tag), mark=mark, pid=pid)
        self.number = number
        self.status: int | None = None
        self.kill_at: float | None = None
        self.killed: set[int] = set()


class Supervisor:
    """Runs steps for the orchestrator at the other end of `link`.

    `isolated`: this process is PID 1 of a namespace made for it. `adopts`: orphans become its children.
    """

    def __init__(self, link: _socket.socket, *, isolated: bool, adopts: bool) -> None:
        self._link = link
        self._isolated = isolated
        self._adopts = adopts
        self._steps: dict[bytes, Step] = {}
        self._running: dict[int, Step] = {}
        self._received = b""
        self._descriptors: list[int] = []
        self._first_mark = int.from_bytes(os.urandom(4), "big") << 24  # supervisors below this one have others

    def serve(self, wake: int) -> None:
        """Work until the orchestrator is gone or a signal other than SIGCHLD shows up on the descriptor `wake`."""
        poll = select.poll()
        poll.register(self._link.fileno(), select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(self._pause_ms())]
            if wake in ready and set(os.read(wake, 4096)) - {int(signal.SIGCHLD)}:
                return
            if self._link.fileno() in ready and not self._receive():
                return
            self._reap()
            self._settle()

    def destroy(self, *, limit_s: float = 2.0) -> None:
        """Kill every process below this one and wait until they are gone."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if self._isolated:
                gone = not self._kill_namespace(signal.SIGKILL)
            else:
                below = descendants() if self._adopts else list(self._running)
                gone = not [pid for pid in below if _send_signal(pid if self._adopts else -pid, signal.SIGKILL)]
            self._reap()
            if gone:
                return
            time.sleep(0.001)

    def _pause_ms(self) -> int | None:
        return TICK_MS if any(step.kill_at is not None for step in self._steps.values()) else None

    def _receive(self) -> bool:
        """Take what the orchestrator sent; False when it is gone."""
        flags: int = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, extras, _, _ = self._link.recvmsg(1 << 16, _socket.CMSG_SPACE(64), flags)
        except ConnectionError:
            return False
        for level, kind, content in extras:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                for at in range(0, len(content) - 3, 4):
                    descriptor = int.from_bytes(content[at : at + 4], sys.byteorder)
                    os.set_inheritable(descriptor, False)
                    self._descriptors.append(descriptor)
        self._received += data
        self._handle_frames()
        return bool(data)

    def _handle_frames(self) -> None:
        while len(self._received) >= 4:
            end = 4 + int.from_bytes(self._received[:4], "big")
            if len(self._received) < end:
                return
            fields = self._received[4:end].split(b"\0")
            self._received = self._received[end:]
            if fields[0] == b"run":
                self._run(fields[1:])
            elif fields[0] == b"stop":
                self._stop(fields[1], grace_s=int(fields[2]) / 1000)

    def _run(self, fields: list[bytes]) -> None:
        number, cwd, tag, descriptor_count, argc = fields[:5]
        descriptors = self._descriptors[: int(descriptor_count)]
        del self._descriptors[: int(descriptor_count)]
        argv = fields[5 : 5 + int(argc)]
        env = dict(entry.split(b"=", 1) for entry in fields[5 + int(argc) :])
        why = b"cwd"
        try:
            os.chdir(cwd)
            why = b"denied"
            program = find_program(argv[0], env.get(b"PATH", _DEFAULT_PATH))
            why = b"start" if program else b"missing"
            mark = self._first_mark + int(number)
            if self._adopts:
                mark_children(mark)
            pid = _spawn(program, argv, env, descriptors)
        except OSError as error:
            self._tell(b"fail %b %b %d\n" % (number, why, error.errno or 0))
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._steps[number] = self._running[pid] = Step(number=number, tag=tag, mark=mark, pid=pid)

    def _stop(self, number: bytes, *, grace_s: float) -> None:
        step = self._steps.get(number)
        if step is None:
            return
        kill_at = time.monotonic() + grace_s
        step.kill_at = kill_at if step.kill_at is None else min(kill_at, step.kill_at)
        if grace_s and step.status is None:
            self._signal_tree(step, signal.SIGTERM)

    def _tell(self, line: bytes) -> None:
        try:
            self._link.sendall(line)
        except ConnectionError:
            return  # the orchestrator is gone; the next poll sees it too

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            step = self._running.pop(pid, None)
            if step is not None:
                step.status = status

    def _settle(self) -> None:
        """Bring every step forward that has ended or has to end."""
        for step in list(self._steps.values()):
            if step.status is not None or step.kill_at is not None:
                self._settle_step(step, time.monotonic())

    def _settle_step(self, step: Step, now: float) -> None:
        if step.status is None:
            if step.kill_at is not None and now >= step.kill_at:
                step.killed.update(pid for pid in self._members(step) if pid != step.pid)
                self._signal_tree(step, signal.SIGKILL)
            return
        left = self._left_by(step)
        if left:
            # Only a step that was told to stop gives its children time; otherwise they end with it, at once.
            step.kill_at = now if step.kill_at is None else step.kill_at
            if now >= step.kill_at:
                step.killed.update(left)
                self._signal_tree(step, signal.SIGKILL)
            if now < step.kill_at + GIVE_UP_S:
                return
        del self._steps[step.number]
        self._tell(b"exit %b %d %d\n" % (step.number, step.status, len(step.killed)))

    def _left_by(self, step: Step) -> list[int]:
        """Return what runs of a step whose own process has ended. The usual case, nothing, is one system call."""
        if self._isolated and len(self._steps) == 1:
            if not self._kill_namespace(0):
                return []
            left = self._members(step)
            if not left:  # a process that just dies; or there is no /proc to see it in
                self._kill_namespace(signal.SIGKILL)
            return left
        if self._adopts and _child_count() == len(self._running):
            return []
        return self._members(step)

    def _members(self, step: Step) -> list[int]:
        """Return the running processes of a step, parents before children."""
        if not self._adopts:
            return [-step.pid] if _send_signal(-step.pid, 0) else []
        if len(self._steps) == 1:
            return list(descendants())
        return list(descendants(step=step, others=tuple(other for other in self._steps.values() if other is not step)))

    def _signal_tree(self, step: Step, number: int) -> None:
        if self._isolated and len(self._steps) == 1:
            self._kill_namespace(number)
            return
        for pid in self._members(step):
            _send_signal(pid, number)

    def _kill_namespace(self, number: int) -> bool:
        """Signal every other process of our own namespace; tell whether there was one."""
        if not self._isolated or os.getpid() != 1:
            msg = "only PID 1 of its own namespace may signal everything"
            raise RuntimeError(msg)
        return _send_signal(-1, number)


def find_program(name: bytes, path: bytes) -> bytes:
    """Return the file to execute for `name`, or b"" if there is none; PermissionError if none is executable.

    Relative entries of `path` count from the working directory. The working directory itself is never searched, so
    that a file of the project cannot stand in for a tool.
    """
    if b"/" in name:
        candidates = [name]
    else:
        folders = (folder for folder in path.split(b":") if folder[:1] == b"/" or os.path.normpath(folder) != b".")
        candidates = [folder + b"/" + name for folder in folders]
    denied = False
    for candidate in candidates:
        if not os.access(candidate, os.F_OK):
            continue
        is_file = os.path.isfile(candidate)
        if is_file and os.access(candidate, os.X_OK):
            return candidate
        denied = denied or is_file or b"/" in name
    if denied:
        raise PermissionError(errno.EACCES, "not executable")
    return b""


def main() -> None:
    """Serve the socket whose descriptor is the first argument; the second says `namespace` or `group`."""
    link = _socket.socket(fileno=int(sys.argv[1]))
    isolated = sys.argv[2] == "namespace"
    if isolated and os.getpid() != 1:
        sys.exit(1)  # the namespace was not made after all: the next way is tried
    for descriptor in [link.fileno(), *map(int, sys.argv[3:])]:
        os.set_inheritable(descriptor, False)
    wake, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    supervisor = Supervisor(link, isolated=isolated, adopts=isolated or _adopt_orphans())
    try:
        link.sendall(b"ready\n")
        supervisor.serve(wake)
    except ConnectionError:
        pass  # the orchestrator died before we were ready
    finally:
        supervisor.destroy()
    sys.exit(0)


def _spawn(program: bytes, argv: list[bytes], env: dict[bytes, bytes], descriptors: list[int]) -> int:
    if not program:
        raise FileNotFoundError(errno.ENOENT, "not found")
    return os.posix_spawn(
        program,
        argv,
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, b"/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, descriptors[0], 1),
            (os.POSIX_SPAWN_DUP2, descriptors[-1], 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
    )


def _adopt_orphans() -> bool:
    """Have orphans below us become our children, and end with our parent. Linux only."""
    if sys.platform != "linux":
        return False
    import ctypes  # slow, and needed in group mode only

    parent = os.getppid()
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    return prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 and bool(read("/proc/self/status"))


def _send_signal(pid: int, number: int) -> bool:
    """Signal a process; False if there is none (any more)."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False  # of another user: what we may not touch we cannot wait for either
    return True


def _child_count() -> int:
    """Return how many children this process has, ended ones included; -1 if the system does not tell."""
    try:
        with open("/proc/thread-self/children", "rb", buffering=0) as file:
            return len(file.read().split())
    except OSError:
        return -1
