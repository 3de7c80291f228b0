"""The orchestrator's end of the supervisor: how it is started, and what the two say to each other."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cli_multi_rapid.errors import CouldNotRun

Isolation = Literal["namespace", "group"]

_TOOL_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
_START = "import sys; sys.path.append(sys.argv.pop(1)); from cli_multi_rapid.system.supervisor import main; main()"
_READY = b"ready\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to start a supervisor: `wrapper` makes the namespace, Python with the options `python` works in it."""

    name: str
    isolation: Isolation
    wrapper: tuple[str, ...] = ()
    python: tuple[str, ...] = ("-I", "-S", "-c", _START)


def supervisor_modes(*, user_id: int | None = None) -> tuple[Mode, ...]:
    """Return the ways to start a supervisor on this system, best first; the last one works everywhere.

    Root keeps its own user namespace, because commands such as `chown` or `apt-get` fail in a new one. `user_id` is
    that of this process if not given.
    """
    group = Mode(name="group", isolation="group")
    setpriv, unshare = system_tool("setpriv"), system_tool("unshare")
    if not (setpriv and unshare):
        return (group,)
    is_root = (os.geteuid() if user_id is None else user_id) == 0
    base = (setpriv, "--pdeathsig", "KILL", unshare, *(() if is_root else ("--user", "--map-current-user")), "--pid")
    end = ("--fork", "--kill-child=KILL")
    return (
        Mode(name="namespace", isolation="namespace", wrapper=(*base, "--mount-proc", *end)),
        Mode(name="namespace-outer-proc", isolation="namespace", wrapper=(*base, *end)),
        group,
    )


class Supervision:
    """A running supervisor. `mode` tells which way it was started; `loop` is the event loop it belongs to."""

    def __init__(self, process: subprocess.Popen[bytes], link: socket.socket, *, mode: Mode) -> None:
        self.mode = mode
        self.loop = asyncio.get_running_loop()
        self._process = process
        self._link = link
        self._received = b""
        self._outbox: list[tuple[bytes, tuple[int, ...]]] = []

    def listen(self, *, report: Callable[[list[bytes]], None], lost: Callable[[], None]) -> None:
        """Call `report` with the words of each line that comes, and `lost` once when the supervisor is gone."""
        self._report = report
        self._lost = lost
        self.loop.add_reader(self._link, self._receive)

    def send(self, fields: Sequence[bytes], *, descriptors: tuple[int, ...] = ()) -> None:
        """Send one request. Takes `descriptors` over: they are closed here when they have been sent."""
        if self._link.fileno() < 0:
            close_descriptors(descriptors)
            return
        body = b"\0".join(fields)
        self._outbox.append((len(body).to_bytes(4, "big") + body, descriptors))
        if len(self._outbox) == 1:
            self._flush()

    def kill(self) -> None:
        """Kill the supervisor, and with it in a namespace everything below it."""
        self._process.kill()

    def close(self) -> None:
        """Hang up: the supervisor then kills everything and ends."""
        if self._link.fileno() < 0:
            return
        if not self.loop.is_closed():
            self.loop.remove_reader(self._link)
            self.loop.remove_writer(self._link)
        self._link.close()
        for _, descriptors in self._outbox:
            close_descriptors(descriptors)
        self._outbox.clear()

    def reap(self, *, limit_s: float) -> None:
        """Wait until the supervisor has ended, and kill it when it takes longer than `limit_s`. Blocks."""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    async def ended(self, *, limit_s: float) -> bool:
        """Wait until the supervisor has ended; False when it still runs after `limit_s`."""
        end, pause_s = time.monotonic() + limit_s, 0.0005
        while self._process.poll() is None:
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.02)
        return True

    def _receive(self) -> None:
        try:
            data = self._link.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._report(line.split())
        if not data and self._link.fileno() >= 0:
            self.close()
            self._lost()

    def _flush(self) -> None:
        """Send what waits, as far as the socket takes it; the event loop comes back for the rest."""
        while self._outbox:
            frame, descriptors = self._outbox[0]
            try:
                sent = socket.send_fds(self._link, [frame], descriptors) if descriptors else self._link.send(frame)
            except BlockingIOError:
                self.loop.add_writer(self._link, self._flush)
                return
            except ConnectionError:
                break  # the reader sees the end, too, and reports it
            close_descriptors(descriptors)
            if sent < len(frame):
                self._outbox[0] = (frame[sent:], ())
            else:
                del self._outbox[0]
        self.loop.remove_writer(self._link)


async def start_supervisor(
    *, inherit_fds: tuple[int, ...] = (), modes: Sequence[Mode] | None = None, patience_s: float = 5.0
) -> Supervision:
    """Start a supervisor by the first of `modes` that works; each has `patience_s` to report that it is ready.

    `inherit_fds` stay open in the supervisor until everything it started is dead; steps do not get them. Call it in
    the thread that stays: the supervisor ends with it.
    """
    for mode in supervisor_modes() if modes is None else modes:
        supervision = await _try(mode, inherit_fds=inherit_fds, patience_s=patience_s)
        if supervision is not None:
            return supervision
    message = f"no supervisor for child processes could be started with {sys.executable}"
    raise CouldNotRun(message, hint="check that this Python can start another one of itself")


def close_descriptors(descriptors: Iterable[int]) -> None:
    """Close descriptors that nobody needs any more."""
    for descriptor in descriptors:
        os.close(descriptor)


async def _try(mode: Mode, *, inherit_fds: tuple[int, ...], patience_s: float) -> Supervision | None:
    link, far_end = socket.socketpair()
    link.setblocking(False)
    folder = str(Path(__file__).absolute().parents[2])  # that of the package
    argv = [*mode.wrapper, sys.executable, *mode.python, folder]
    argv += [str(far_end.fileno()), mode.isolation, *map(str, inherit_fds)]
    try:
        process = _popen(argv, keep=(far_end.fileno(), *inherit_fds))
    except OSError:
        link.close()
        return None
    finally:
        far_end.close()
    supervision = Supervision(process, link, mode=mode)
    try:
        async with asyncio.timeout(patience_s):
            ready = await supervision.loop.sock_recv(link, len(_READY)) == _READY
    except (TimeoutError, ConnectionError):
        ready = False
    except asyncio.CancelledError:
        _discard(supervision)
        raise
    if ready:
        return supervision
    _discard(supervision)
    return None


def _popen(argv: list[str], *, keep: tuple[int, ...]) -> subprocess.Popen[bytes]:
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(
        argv, stdin=nowhere, stdout=nowhere, stderr=nowhere, pass_fds=keep, start_new_session=True, cwd="/"
    )


def _discard(supervision: Supervision) -> None:
    supervision.close()
    supervision.kill()
    supervision.reap(limit_s=1)


def system_tool(name: str) -> str:
    """Return the absolute path of a system tool, or "". Folders named relatively could be the project's own."""
    import shutil  # once a run

    folders = [folder for folder in os.get_exec_path() if folder.startswith("/")]
    return shutil.which(name, path=os.pathsep.join([*_TOOL_FOLDERS, *folders])) or ""
