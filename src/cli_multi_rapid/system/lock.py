"""The lock of a project: one orchestrator at a time, freed by the system when its holder dies."""

import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from cli_multi_rapid.errors import ProjectBusy, StateUnwritable

_PATIENCE_S = 0.2  # somebody may be probing the lock for an instant
_PATIENCE_DEAD_S = 5.0  # the holder is dead; its supervisor is being killed by the system
_PAUSE_S = 0.02


class ProjectLock:
    """A held lock. Its descriptor may be inherited by the supervisor, which then holds it too until it is dead."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self.descriptor = descriptor

    def name_run(self, run: str) -> None:
        """Write down which run this orchestrator works on, for `status` and for whoever finds the lock held."""
        note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "run": run}).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, note, 0)

    def release(self) -> None:
        """Let go. Idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def acquire(path: Path) -> ProjectLock:
    """Take the lock of a project.

    Raises:
        ProjectBusy: another orchestrator holds it; the message names it.
        StateUnwritable: the lock file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as failed:
        raise StateUnwritable(f"the lock file cannot be opened: {failed.strerror}", where=str(path)) from failed
    waited_s = 0.0
    while not _try(descriptor):
        holder = _note(path)
        if waited_s >= (_PATIENCE_S if _alive(holder) else _PATIENCE_DEAD_S):
            os.close(descriptor)
            raise _busy(holder)
        time.sleep(_PAUSE_S)
        waited_s += _PAUSE_S
    lock = ProjectLock(path, descriptor)
    lock.name_run("")
    return lock


def holder(path: Path) -> Mapping[str, object] | None:
    """Return what the present holder of the lock wrote down (pid, host, run), or None if nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try(descriptor) else _note(path)
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _note(path: Path) -> Mapping[str, object]:
    try:
        note = json.loads(path.read_text("utf-8") or "{}")
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _alive(note: Mapping[str, object]) -> bool:
    pid = note.get("pid")
    if not isinstance(pid, int) or note.get("host") != socket.gethostname():
        return True  # not known: do not wait longer than for a living one
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _busy(note: Mapping[str, object]) -> ProjectBusy:
    run = f", run {note['run']}" if note.get("run") else ""
    return ProjectBusy(
        f"process {note.get('pid', '?')} on {note.get('host', '?')} holds this project{run}",
        hint=f"wait for it, or stop it with:  cli-multi-rapid cancel {note.get('run') or 'RUN'}",
    )
