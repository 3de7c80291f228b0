"""What an interrupted attempt left running, found by the tag in its environment."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from cli_multi_rapid.system.lineage import TAG_NAME, environment_tag

_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A running process. `started` tells it from a later one with the same number; its unit is the system's own."""

    pid: int
    started: float
    tag: str
    name: str


def survivors(tag_prefix: str) -> list[Survivor]:
    """Return the running processes whose tag begins with `tag_prefix`, except this one and its ancestors.

    Processes of other users, and those that cleared their environment, cannot be seen. Where there is no /proc it
    needs psutil, and finds nothing without it.
    """
    return _tagged(lambda tag: tag.startswith(tag_prefix))


def kill_survivors(tag_prefix: str, *, wait_s: float) -> tuple[list[Survivor], list[Survivor]]:
    """Kill what `survivors` finds, until nothing new shows up; return those that ended and those still alive.

    `wait_s` is how long they are awaited after SIGKILL.
    """
    return kill_tagged(lambda tag: tag.startswith(tag_prefix), wait_s=wait_s)


def kill_tagged(matches: Callable[[str], bool], *, wait_s: float) -> tuple[list[Survivor], list[Survivor]]:
    """Do what `kill_survivors` does, for the tags that match."""
    end = time.monotonic() + wait_s
    seen: dict[tuple[int, float], Survivor] = {}
    quiet = 0
    while True:
        alive = _tagged(matches)
        quiet = 0 if alive else quiet + 1
        for survivor in alive:
            seen[survivor.pid, survivor.started] = survivor
            _kill(survivor)
        # A process that is just starting another program shows no environment for an instant: look twice.
        if quiet == 2 or (alive and time.monotonic() >= end):
            left = {(survivor.pid, survivor.started) for survivor in alive}
            return [found for key, found in seen.items() if key not in left], alive
        time.sleep(_PAUSE_S)


def _tagged(matches: Callable[[str], bool]) -> list[Survivor]:
    spared = {os.getpid(), *_ancestors()}
    return [found for found in _all_tagged() if matches(found.tag) and found.pid not in spared]


def _all_tagged() -> Iterator[Survivor]:
    if sys.platform != "linux":
        yield from _all_tagged_by_psutil()
        return
    for pid in [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]:
        tag = environment_tag(pid)
        stat = _stat(pid) if tag is not None else None
        if tag is not None and stat is not None and stat.state not in "ZX":
            yield Survivor(pid=pid, started=stat.started, tag=tag, name=stat.name)


def _ancestors() -> Iterator[int]:
    """Give the numbers of our parent, its parent and so on, as far as they can be seen."""
    if sys.platform != "linux":
        yield from _ancestors_by_psutil()
        return
    stat = _stat(os.getpid())
    while stat is not None and stat.parent > 0:
        yield stat.parent
        stat = _stat(stat.parent)


def _kill(survivor: Survivor) -> None:
    """Send SIGKILL to exactly this process; a later one that got its number is spared."""
    try:
        if hasattr(os, "pidfd_open"):
            handle = os.pidfd_open(survivor.pid)
            try:
                if _started(survivor.pid) == survivor.started:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)
        elif _started(survivor.pid) == survivor.started:
            os.kill(survivor.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it has ended; or it will be reported as still alive


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stat:
    name: str
    state: str
    parent: int
    started: float


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (OSError, ValueError):
        return None
    # The name stands in parentheses and may contain any character, so everything is counted from the last one.
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    return _Stat(name=head.partition("(")[2], state=fields[0], parent=int(fields[1]), started=float(fields[19]))


def _started(pid: int) -> float | None:
    if sys.platform != "linux":
        return next((found.started for found in _all_tagged_by_psutil() if found.pid == pid), None)
    stat = _stat(pid)
    return stat.started if stat is not None else None


def _all_tagged_by_psutil() -> Iterator[Survivor]:
    psutil = _psutil()
    if psutil is None:
        return
    for process in psutil.process_iter():
        try:
            tag = process.environ().get(TAG_NAME)
            if tag is not None:
                yield Survivor(pid=process.pid, started=process.create_time(), tag=tag, name=process.name())
        except psutil.Error:
            continue  # it has ended, or belongs to somebody else


def _ancestors_by_psutil() -> Iterator[int]:
    psutil = _psutil()
    if psutil is not None:
        yield from (parent.pid for parent in psutil.Process().parents())


def _psutil() -> ModuleType | None:
    try:
        return import_module("psutil")
    except ImportError:
        return None
