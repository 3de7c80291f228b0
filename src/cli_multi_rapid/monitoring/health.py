"""What the program and its project need, checked one by one."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from cli_multi_rapid.errors import CmrError
from cli_multi_rapid.system.lock import holder
from cli_multi_rapid.system.store import open_store

_LEAST_FREE_BYTES = 256 << 20
_EARLIEST_CLOCK = 1_760_000_000  # October 2025: no release of this program is older


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One check: its verdict, what was found, what to do about it, and how long it took in milliseconds."""

    id: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str = ""
    duration_ms: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is checked: a project's root, if there is one, where state goes, and the environment of the user."""

    root: Path | None
    state: Path
    environ: Mapping[str, str]


def check_all(place: Place) -> tuple[Health, ...]:
    """Run every check; none of them runs anything of the project."""
    checks = [_python, _clock, _git, _state, _disk, _isolation]
    if place.root is not None:
        checks += [_engine, _lock]
    return tuple(_timed(check, place) for check in checks)


def _timed(check: Callable[[Place], Health], place: Place) -> Health:
    start = time.perf_counter()
    found = check(place)
    values = found.as_dict() | {"duration_ms": round((time.perf_counter() - start) * 1000, 1)}
    return Health(**values)  # type: ignore[arg-type]


def _python(place: Place) -> Health:
    del place
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Health(id="python", status="ok", detail=version)


def _clock(place: Place) -> Health:
    del place
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))
    if now < _EARLIEST_CLOCK:
        return Health(id="clock", status="fail", detail=shown, remedy="set the clock; run ids and expiry depend on it")
    return Health(id="clock", status="ok", detail=shown)


def _git(place: Place) -> Health:
    found = shutil.which("git", path=place.environ.get("PATH"))
    if found is None:
        return Health(
            id="git", status="warn", detail="not found", remedy="install git; without it nothing can be restored"
        )
    if place.root is not None and not any((folder / ".git").exists() for folder in (place.root, *place.root.parents)):
        return Health(id="git", status="warn", detail="the project is no git repository", remedy="git init")
    return Health(id="git", status="ok", detail=found)


def _state(place: Place) -> Health:
    """Prove by writing that state can be written, in the nearest folder that exists."""
    folder = place.state
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as failed:
        remedy = "set CMR_STATE_DIR to a folder that can be written"
        return Health(id="state", status="fail", detail=f"{folder}: {failed.strerror}", remedy=remedy)
    return Health(id="state", status="ok", detail=str(place.state))


def _disk(place: Place) -> Health:
    folder = place.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / (1 << 30):.1f} GiB free"
    if free < _LEAST_FREE_BYTES:
        return Health(id="disk", status="fail", detail=detail, remedy=f"free space on the disk of {folder}")
    return Health(id="disk", status="ok", detail=detail)


def _isolation(place: Place) -> Health:
    """Tell whether a process namespace can be had, so that no child outlives the program by construction."""
    path = place.environ.get("PATH")
    if sys.platform == "linux" and shutil.which("unshare", path=path) and shutil.which("setpriv", path=path):
        return Health(id="isolation", status="ok", detail="unshare and setpriv found")
    remedy = "install util-linux; without it leftover processes are found by a sweep"
    return Health(id="isolation", status="warn", detail="no process namespaces", remedy=remedy)


def _engine(place: Place) -> Health:
    path = place.state / "events.db"
    try:
        store = open_store(path)
    except FileNotFoundError:
        return Health(id="engine", status="ok", detail="nothing has run here yet")
    except CmrError as broken:
        return Health(id="engine", status="fail", detail=str(broken), remedy=broken.hint)
    try:
        runs = len(store.runs())
    except CmrError as broken:
        return Health(id="engine", status="fail", detail=str(broken), remedy=broken.hint)
    finally:
        store.close()
    return Health(id="engine", status="ok", detail=f"SQLite, {runs} run{'s' if runs != 1 else ''} recorded")


def _lock(place: Place) -> Health:
    note = holder(place.state / "lock")
    if note is None:
        return Health(id="lock", status="ok", detail="free")
    return Health(
        id="lock", status="ok", detail=f"held by process {note.get('pid', '?')}, run {note.get('run') or '?'}"
    )
