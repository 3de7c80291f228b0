"""Faults of the place where the state is kept: a full disk, and one that cannot be written."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cases import Case, Facts, Fault
from killing import STRACE, cannot_trace
from sample import PHASE
from trial import KILLED, Ended, NotRunError, Trial
from verdict import judge

_COULD_NOT_RUN = 3
_DISK_KIB = 2048
_FREE_KIB = (0, 4, 12, 24, 40, 64, 96, 128, 160, 200, 240, 280, 320, 400)
_FILLED_DURING = ("edit", "look-1", "move", "mark", "daemons", "rewrite")
_ENTER = 'cd "$1" && shift && exec "$@"'
_BUSY_S = 5
_MAKE = {
    "disk": 'mount -t tmpfs -o size="$2"k,mode=700 none "$1" && echo ready && exec sleep 1000',
    "bind": 'mount --bind "$1" "$1" && echo ready && exec sleep 1000',
}


@dataclass(slots=True, kw_only=True)
class Room:
    """A mount namespace in which a folder is something else than outside. It lasts as long as `holder` does."""

    holder: subprocess.Popen[str]
    folder: Path

    @property
    def seen(self) -> Path:
        """Return the path by which the folder is seen from outside."""
        return Path(f"/proc/{self.holder.pid}/root{self.folder}")

    def prefix(self, project: Path) -> tuple[str, ...]:
        """Return the words before a command that is to run in here, in a project."""
        return (*self._enter(), "sh", "-c", _ENTER, "sh", str(project))

    def remount(self, how: str) -> None:
        """Mount the folder again as `ro` or `rw`; what is just being written may be in the way for a moment."""
        mount = (*self._enter(), "mount", "-o", f"remount,{how},bind", str(self.folder))
        end = time.monotonic() + _BUSY_S
        while (done := subprocess.run(mount, capture_output=True, text=True)).returncode and time.monotonic() < end:
            time.sleep(0.05)
        if done.returncode:
            raise NotRunError(f"cannot be mounted {how}: {done.stderr.strip()}")

    def _enter(self) -> tuple[str, ...]:
        user = () if os.geteuid() == 0 else ("-U", "--preserve-credentials")
        return ("nsenter", "-t", str(self.holder.pid), *user, "-m")


@contextmanager
def room(folder: Path, *, kind: str) -> Iterator[Room]:
    """Make a folder a small disk of its own (`disk`) or a mount of itself (`bind`), for whoever is in the room.

    Raises:
        NotRunError: the system does not allow it.
    """
    user = ("-m",) if os.geteuid() == 0 else ("-Urm",)
    make = ("unshare", *user, "--propagation", "private", "sh", "-c", _MAKE[kind], "sh", str(folder), str(_DISK_KIB))
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        raise NotRunError("unshare or nsenter is not installed")
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(make, stdin=nowhere, stdout=pipe, stderr=pipe, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stderr is not None
            if holder.stdout.readline().strip() != "ready":
                raise NotRunError(f"no mount of its own is possible here: {holder.stderr.read().strip()[-120:]}")
            yield Room(holder=holder, folder=folder)
        finally:
            holder.kill()


def full(facts: Facts) -> Iterator[Case]:
    """Fill the disk before the run begins, or while a step works."""
    for free_kib in _FREE_KIB:
        yield Case(title=f"{free_kib} KiB free", act=partial(_fill_before, free_kib=free_kib))
    for name in _FILLED_DURING:
        yield Case(title=f"filled while {name} works", act=partial(_fill_during, key=f"{PHASE}/{name}"))


def broken(facts: Facts) -> Iterator[Case]:
    """Have the K-th durable write of each thread fail, in the orchestrator and in what it starts."""
    for at in range(1, facts.syncs + 1):
        yield Case(title=f"durable write {at} fails", act=partial(_fail_sync, at=at))


def read_only(facts: Facts) -> Iterator[Case]:
    """Make the state folder read-only before the run begins, or between a kill and the resumption."""
    yield Case(title="before the run", act=_read_only_before)
    for name in ("edit", "look-1", "daemons"):
        yield Case(title=f"after a kill in {name}", act=partial(_read_only_between, key=f"{PHASE}/{name}"))


def cannot_mount() -> str:
    """Say why nothing can be mounted here, or return nothing if it can."""
    try:
        with room(Path(tempfile.gettempdir()), kind="disk"):
            return ""
    except NotRunError as refused:
        return str(refused)


@contextmanager
def _moved_in(trial: Trial, *, kind: str) -> Iterator[Room]:
    """Have the program of a case keep its state in a room, and judge the case while the room is there."""
    with room(trial.folder / "state", kind=kind) as made:
        trial.prefix = made.prefix(trial.project)
        trial.seen_state = made.seen
        yield made
        judge(trial)
        trial.judged = True


def _fail_sync(trial: Trial, *, at: int) -> None:
    injection = f"inject=fdatasync,fsync:error=EIO:when={at}"
    running = trial.start(*trial.first, before=(*STRACE, "-o", "/dev/null", "-e", injection))
    ended = trial.ended(running, (_COULD_NOT_RUN, 0), "the run on a broken disk")
    trial.missed = ended.code == 0
    _check_message(trial, ended)
    trial.finish()


def _fill_before(trial: Trial, *, free_kib: int) -> None:
    with _moved_in(trial, kind="disk") as made:
        ballast = _fill(made, free_kib=free_kib)
        ended = trial.run(*trial.first, allowed=(_COULD_NOT_RUN, 0), doing="on a full disk the run")
        _after_full(trial, ended, ballast)


def _fill_during(trial: Trial, *, key: str) -> None:
    with _moved_in(trial, kind="disk") as made:
        running = trial.start(*trial.first)
        trial.wait_for_line(running, "start", key)
        ballast = _fill(made, free_kib=0)
        ended = trial.ended(running, (_COULD_NOT_RUN, 0), "on a disk that became full the run")
        _after_full(trial, ended, ballast)


def _after_full(trial: Trial, ended: Ended, ballast: Path) -> None:
    trial.missed = ended.code == 0
    _check_message(trial, ended)
    ballast.unlink()
    trial.finish()


def _fill(made: Room, *, free_kib: int) -> Path:
    """Write a file until only so much space is left."""
    ballast = made.seen / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            file.truncate(max(ballast.stat().st_size - free_kib * 1024, 0))
    return ballast


def _read_only_before(trial: Trial) -> None:
    with _moved_in(trial, kind="bind") as made:
        made.remount("ro")
        _check_message(trial, trial.run(*trial.first, allowed=(_COULD_NOT_RUN,), doing="on a read-only disk the run"))
        made.remount("rw")
        trial.finish()


def _read_only_between(trial: Trial, *, key: str) -> None:
    with _moved_in(trial, kind="bind") as made:
        running = trial.start(*trial.first)
        trial.wait_for_line(running, "start", key)
        running.process.kill()
        trial.missed = trial.ended(running, (KILLED, 0), "the run").code == 0
        made.remount("ro")
        if not trial.missed:
            resumed = trial.run("resume", "last", allowed=(_COULD_NOT_RUN,), doing="resume on a read-only disk")
            _check_message(trial, resumed)
            trial.run("status", "last", doing="status on a read-only disk")
        made.remount("rw")
        trial.finish()


def _check_message(trial: Trial, ended: Ended) -> None:
    if ended.code == _COULD_NOT_RUN and ("error[" not in ended.text or "Traceback" in ended.text):
        trial.note("exit-code", f"it ended with {ended.code} without a readable message: {ended.last_lines}")


FAULTS = (
    Fault(name="broken", summary="EIO at every durable write", cases=broken, unfit=cannot_trace, traced=True),
    Fault(name="disk", summary="a full disk below the state folder", cases=full, unfit=cannot_mount),
    Fault(name="readonly", summary="a read-only state folder", cases=read_only, unfit=cannot_mount),
)
