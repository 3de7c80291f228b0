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
_NOTE_BYTES = 8192
_LOCKED_BYTE = 1 << 20  # Windows locks bytes, not files: one that nobody reads


class ProjectLock:
    """A held lock. Its descriptor may be inherited by the supervisor, which then holds it too until it is dead."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self.descriptor = descriptor

    def name_run(self, run: str, *, log: str = "") -> None:
        """Write down which run this orchestrator works on, for `status` and for whoever finds the lock held.

        `log` is the event log of the run, where others cannot know it.

        Raises:
            StateUnwritable: the disk is full.
        """
        known = {"pid": os.getpid(), "host": socket.gethostname(), "run": run, **({"log": log} if log else {})}
        note = json.dumps(known).encode()
        try:
            # Always the same length, in one write: a reader never meets half a note, and space is needed only once.
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.write(self.descriptor, note.ljust(_NOTE_BYTES))
            os.ftruncate(self.descriptor, _NOTE_BYTES)
        except OSError as failed:
            raise StateUnwritable(
                f"the lock file cannot be written: {failed.strerror}", where=str(self._path)
            ) from failed

    def release(self) -> None:
        """Let go. Idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def acquire(path: Path, *, wait: bool = False) -> ProjectLock:
    """Take a lock; with `wait`, however long another orchestrator holds it.

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
        if not wait and waited_s >= (_PATIENCE_S if _alive(holder) else _PATIENCE_DEAD_S):
            os.close(descriptor)
            raise _busy(holder)
        time.sleep(_PAUSE_S)
        waited_s += _PAUSE_S
    lock = ProjectLock(path, descriptor)
    try:
        lock.name_run("")
    except StateUnwritable:
        lock.release()
        raise
    return lock


def holder(path: Path) -> Mapping[str, object] | None:
    """Return what the present holder of the lock wrote down (pid, host, run), or None if nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        return None if _try(descriptor, shared=True) else _note(path)
    finally:
        os.close(descriptor)


def _try(descriptor: int, *, shared: bool = False) -> bool:
    """Lock the file if that is possible now. A shared lock is for looking: others who look do not see a holder."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _note(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            note = json.loads(file.read(_NOTE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _alive(note: Mapping[str, object]) -> bool:
    """Tell whether the process of a note may be alive. What is not known counts as alive, so that nobody waits long."""
    pid = note.get("pid")
    if os.name == "nt" or not isinstance(pid, int) or pid <= 0 or note.get("host") != socket.gethostname():
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
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
