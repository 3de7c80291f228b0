"""Where a project is, and where what we know about it is kept. Imports nothing heavy: every command starts here."""

import os
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import ProjectMissing, StateForeign, StateUnwritable, UsageError

CONFIG = "config/workflow-config.yaml"
"""The file that makes a folder a project."""

_NAME = "cli-multi-rapid"


def find_root(start: Path) -> Path:
    """Return the project that a folder belongs to: the nearest one at or above it, with links resolved.

    The search ends at the root of the git repository, or of the file system outside of one.

    Raises:
        ProjectMissing: there is none.
    """
    begin = Path(os.path.realpath(start))
    if not begin.is_dir():
        raise ProjectMissing("this folder does not exist", where=str(start), hint="check the value of -C")
    for folder in (begin, *begin.parents):
        if (folder / CONFIG).is_file():
            return folder
        if (folder / ".git").exists():
            break
    raise ProjectMissing(f"no {CONFIG} here or in a folder above", where=str(begin))


def project_id(root: Path) -> str:
    """Return what identifies a project on this machine: 16 hex digits of the hash of its real path."""
    return sha256(os.fsencode(os.path.normcase(os.path.realpath(root)))).hexdigest()[:16]


def state_dir(root: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder of a project's state. It need not exist; `ensure_state_dir` makes it.

    In this order: `$CMR_STATE_DIR`, `$XDG_STATE_HOME/cli-multi-rapid`, the system's usual place in the user's home.
    Below it each project has a folder named by its id.

    Raises:
        UsageError: it would lie in the project, where any step could write to it, or `CMR_STATE_DIR` is relative.
    """
    state = state_base(environ) / project_id(root)
    if Path(os.path.realpath(state)).is_relative_to(os.path.realpath(root)):
        raise UsageError(
            "the state folder would lie inside the project", where=str(state),
            hint="set CMR_STATE_DIR to a folder outside of it",
        )  # fmt: skip
    return state


def ensure_state_dir(state: Path) -> Path:
    """Make the folder of a project's state, for its user alone (0700), and return it.

    Raises:
        StateForeign: it belongs to another user, is a link, or others could replace it.
        StateUnwritable: it cannot be made or written.
    """
    try:
        _make(state)
        found = state.lstat()
        parent = state.parent.stat()
        _check_owner(state, found, parent)
        if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            state.chmod(0o700)
    except OSError as failed:
        raise StateUnwritable(
            f"the state folder cannot be made: {failed.strerror}", where=str(failed.filename or state)
        ) from failed
    if not os.access(state, os.W_OK | os.X_OK):
        raise StateUnwritable(where=str(state))
    return state


def state_base(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the state of all projects of this user; see `state_dir`.

    Raises:
        UsageError: `CMR_STATE_DIR` is relative.
    """
    if chosen := environ.get("CMR_STATE_DIR"):
        if not Path(chosen).is_absolute():
            raise UsageError("CMR_STATE_DIR must be an absolute path", where=chosen)
        return Path(chosen)
    shared = environ.get("XDG_STATE_HOME", "")
    if shared and Path(shared).is_absolute():  # relative ones are to be ignored, says the XDG specification
        return Path(shared, _NAME)
    if os.name == "nt" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"], _NAME)
    return Path(environ.get("HOME") or os.path.expanduser("~"), ".local", "state", _NAME)  # noqa: PTH111  does not raise


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder for what can be made again, of all projects of this user: `$CMR_CACHE_DIR`, else beside state.

    Raises:
        UsageError: `CMR_CACHE_DIR` is relative.
    """
    chosen = environ.get("CMR_CACHE_DIR", "")
    if chosen and not Path(chosen).is_absolute():
        raise UsageError("CMR_CACHE_DIR must be an absolute path", where=chosen)
    return Path(chosen) if chosen else state_base(environ) / "cache"


def _make(folder: Path) -> None:
    missing = [at for at in (folder, *folder.parents) if not at.exists()]
    for at in reversed(missing):
        at.mkdir(mode=0o700, exist_ok=True)


def _check_owner(state: Path, found: os.stat_result, parent: os.stat_result) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise StateForeign("the state folder is a link or a file", where=str(state), hint="remove it")
    if os.name != "posix":
        return
    if found.st_uid != os.geteuid():
        raise StateForeign(where=str(state), hint="set CMR_STATE_DIR to a folder of your own")
    if parent.st_mode & stat.S_IWOTH and not parent.st_mode & stat.S_ISVTX:
        raise StateForeign(
            "every user could replace the state folder", where=str(state.parent), hint=f"chmod o-w '{state.parent}'"
        )
