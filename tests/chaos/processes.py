"""Processes as the system shows them: who belongs to a case, and who of an earlier attempt is still alive."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from oracle import Line, read_lines

MARK = "CHAOS_CASE"
"""The variable in the environment of everything that a case starts."""

_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """A running process of a case. `inner` is its number in its own namespace."""

    pid: int
    inner: int
    command: str
    variables: dict[str, str]

    @property
    def tag(self) -> str:
        """Return the mark that the program puts on the processes of a step; empty for others."""
        return self.variables.get("CMR_TAG", "")


def can_look() -> bool:
    """Tell whether this system shows the environment of processes."""
    return sys.platform == "linux" and Path("/proc/self/environ").exists()


def alive(token: str) -> list[Alive]:
    """Return the running processes that carry the mark of a case. One that is about to end shows no environment."""
    if not can_look():
        return []
    mark = f"{MARK}={token}".encode()
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    found = [_look_at(pid, mark) for pid in pids]
    return [one for one in found if one is not None]


def kill_all(token: str, *, limit_s: float = 3.0) -> None:
    """Kill what is left of a case."""
    end = time.monotonic() + limit_s
    while (left := alive(token)) and time.monotonic() < end:
        for one in left:
            _kill_marked(one.pid, token)
        time.sleep(_PAUSE_S)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal, if there is still somebody to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _kill_marked(pid: int, token: str) -> None:
    """Kill exactly this process; a later one that got its number is spared."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _look_at(pid, f"{MARK}={token}".encode()) is not None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, listing.read_text().split())
        except OSError:
            continue
    return found


def supervisor_of(pid: int) -> int | None:
    """Return the supervisor of an orchestrator."""
    for child in children(pid):
        if b"supervisor import main" in _read(f"/proc/{child}/cmdline"):
            return child
    return None


def state_of(pid: int) -> str:
    """Return the letter by which the system says what a process does; empty if there is none."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].strip()[:1].decode()


class Watch:
    """Looks, whenever an attempt of a step begins, for living processes of an earlier one.

    A process that is seen afterwards was there when the attempt began; one that ends before it is seen is missed.
    """

    def __init__(self, oracle: Path, token: str, *, report: Callable[[str, str], None]) -> None:
        self._oracle = oracle
        self._token = token
        self._report = report
        self._seen = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(_PAUSE_S):
            lines = read_lines(self._oracle)
            for place in range(self._seen, len(lines)):
                if lines[place].what == "start":
                    self._look(lines, place)
            self._seen = len(lines)

    def _look(self, lines: list[Line], place: int) -> None:
        begun = lines[place]
        earlier = {(one.run, one.attempt): one for one in lines[:place] if _is_start_of(one, begun.key)}
        earlier.pop((begun.run, begun.attempt), None)
        for process in alive(self._token) if earlier else ():
            run, attempt = process.variables.get("CMR_RUN", ""), process.variables.get("CMR_ATTEMPT", "0")
            old = earlier.get((run, int(attempt)))
            if old is None or process.variables.get("CMR_STEP") != begun.key:
                continue
            kind = "overlap" if process.inner == old.pid else "survivor"
            who = f"process {process.pid} of attempt {attempt} of {begun.key}"
            self._report(kind, f"{who} was alive when attempt {begun.attempt} began")


def wait_for(condition: Callable[[], bool], *, limit_s: float) -> bool:
    """Wait until something holds; tell whether it does."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_S / 2)
    return True


def _is_start_of(line: Line, key: str) -> bool:
    return line.what == "start" and line.key == key


def _look_at(pid: int, mark: bytes) -> Alive | None:
    raw = _read(f"/proc/{pid}/environ")
    if mark not in raw.split(b"\0"):
        return None
    return Alive(
        pid=pid,
        inner=_inner(pid),
        command=_read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()[:120],
        variables=dict(_variables(raw)),
    )


def _variables(raw: bytes) -> Iterator[tuple[str, str]]:
    for entry in raw.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals:
            yield os.fsdecode(name), os.fsdecode(value)


def _inner(pid: int) -> int:
    for line in _read(f"/proc/{pid}/status").split(b"\n"):
        if line.startswith(b"NSpid:"):
            return int(line.split()[-1])
    return pid


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
