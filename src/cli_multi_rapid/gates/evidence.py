"""Evidence: the files that a verdict rests on, read once, safely, and remembered by their SHA-256."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.gates.paths import find
from cli_multi_rapid.model.gate import Evidence
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

LIMIT_BYTES = 256 << 20
# A FIFO or a device must never block us, a link never lead us elsewhere. Windows lacks most of these flags.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)


class EvidenceError(Exception):
    """The gate cannot be evaluated: what it needs is missing, broken or stale."""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class NotRegularError(OSError):
    """The path is a link, a folder, a pipe or a device, not a file."""


class TooLargeError(OSError):
    """The file is larger than what is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report as it was read. `path` is how it is shown: relative to the project where it lies inside.

    `own` tells that it is one of the project's own `reports`, not one that a phase has just produced.
    """

    path: str
    absolute: Path
    data: bytes
    sha256: str
    mtime_ns: int
    own: bool

    @property
    def evidence(self) -> Evidence:
        """Return what is recorded of it."""
        return Evidence(path=self.path, sha256=self.sha256)


def collect(spec: GateSpec, given: GateInput) -> tuple[Report, ...]:
    """Read the evidence of a gate: what its phase produced, else the project's own reports.

    Raises:
        EvidenceError: there is none, or one is missing, empty, unreadable, too large or outside the project.
    """
    if given.evidence is not None:
        if not given.evidence:
            raise EvidenceError(
                "the phase produced no evidence for this gate", fix="let a step produce it: `produces: {NAME: FILE}`"
            )
        return tuple(_read(Path(given.root, path), given, own=False) for path in dict.fromkeys(given.evidence))
    if not spec.reports:
        raise EvidenceError(
            "no reports are named for this gate", fix="add `reports: [FILE]` to it in config/compliance-gates.yaml"
        )
    return tuple(_read(path, given, own=True) for path in own_reports(spec, given))


def own_reports(spec: GateSpec, given: GateInput) -> tuple[Path, ...]:
    """Return the absolute paths that the `reports` of a gate stand for, each once.

    Raises:
        EvidenceError: a glob matches nothing, or leads outside the project.
    """
    return matching(spec.reports, given)


def matching(
    globs: Sequence[str], given: GateInput, *, fix: str = "run the step that writes this report first"
) -> tuple[Path, ...]:
    """Return the absolute paths of the project's files that globs stand for, each once.

    Raises:
        EvidenceError: a glob matches nothing (`fix` says what to do then), or leads outside the project.
    """
    root = Path(given.root)
    found: dict[Path, None] = {}
    for glob in globs:
        if Path(glob).is_absolute() or ".." in Path(glob).parts:
            raise EvidenceError(f"{glob} leads outside the project", fix="give a path inside the project")
        paths = find(root, glob)
        if not paths:
            raise EvidenceError(f"{glob} matches no file", fix=fix)
        found.update(dict.fromkeys(root / path for path in paths))
    for path in found:
        if not inside(root, path):
            raise EvidenceError(f"{shown(root, path)} leads outside the project", fix="replace the link by a folder")
    return tuple(found)


def read_own(path: Path, given: GateInput) -> Report:
    """Read a file of the project itself.

    Raises:
        EvidenceError: it is missing, empty, unreadable, too large or outside the project.
    """
    if not inside(Path(given.root), path):
        raise EvidenceError(f"{shown(Path(given.root), path)} leads outside the project", fix="put it into the project")
    return _read(path, given, own=True)


def read_regular(path: Path, *, limit_bytes: int) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a regular file and its state, without following a link or waiting for a pipe.

    Raises:
        NotRegularError: it is something else.
        TooLargeError: it has more than `limit_bytes`.
        OSError: it is missing or cannot be read.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise NotRegularError(f"{path} is not a regular file")
    handle = os.open(path, _FLAGS)
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise NotRegularError(f"{path} is not a regular file")
        data = file.read(limit_bytes + 1) if state.st_size <= limit_bytes else b""
    if state.st_size > limit_bytes or len(data) > limit_bytes:
        raise TooLargeError(f"{path} is larger than {limit_bytes >> 20} MiB")
    return data, state


def inside(root: Path, path: Path) -> bool:
    """Tell whether the folder of a path really lies in the project, links resolved."""
    return path.parent.resolve().is_relative_to(root.resolve())


def is_file(path: Path) -> bool:
    """Tell whether there is a file: whatever keeps the system from saying so, such as an endless name, means no."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder, in the same way."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def shown(root: Path, path: Path) -> str:
    """Return a path as it is shown: relative to the project where it lies inside, POSIX style."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _read(path: Path, given: GateInput, *, own: bool) -> Report:
    name = shown(Path(given.root), path)
    rerun = "run the step that writes this report again"
    try:
        data, state = read_regular(path, limit_bytes=LIMIT_BYTES)
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise EvidenceError(f"{name} does not exist", fix="run the step that writes this report first") from problem
    except NotRegularError as problem:
        raise EvidenceError(f"{name} is not a regular file", fix="replace it by the report itself") from problem
    except TooLargeError as problem:
        raise EvidenceError(
            f"{name} is larger than {LIMIT_BYTES >> 20} MiB", fix="split the report into smaller ones"
        ) from problem
    except (OSError, ValueError) as problem:
        raise EvidenceError(f"{name} cannot be read: {problem}", fix=rerun) from problem
    if not data.strip():
        raise EvidenceError(f"{name} is empty", fix=rerun)
    return Report(
        path=name,
        absolute=path,
        data=data,
        sha256=sha256(data).hexdigest(),
        mtime_ns=state.st_mtime_ns,
        own=own,
    )
