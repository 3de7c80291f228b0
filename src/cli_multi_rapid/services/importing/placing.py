"""Reading workflow files, and writing phase files without overwriting any."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.model.words import few
from cli_multi_rapid.services.scaffold import write_files
from cli_multi_rapid.services.wiring import SPEC_LIMIT_BYTES
from cli_multi_rapid.system.files import PathRefused, read_inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Names of phase files: those that were written, and those that were there with the same content."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]


def read_workflows(paths: Iterable[Path], *, folder: Path, root: Path) -> dict[str, bytes]:
    """Return the contents of files by the path that they are called by: from the root on where they lie in it.

    Args:
        paths: the files, relative ones from the working folder.
        folder: the working folder.
        root: the folder of the project.

    Raises:
        UsageError: a file cannot be read, or is none.
    """
    found: dict[str, bytes] = {}
    base = Path(os.path.realpath(root))
    for path in paths:
        file = Path(os.path.realpath(folder / path))
        name = file.relative_to(base).as_posix() if file.is_relative_to(base) else str(path)
        try:
            found[name] = read_inside(file.parent, file.name, limit_bytes=SPEC_LIMIT_BYTES)
        except PathRefused as refused:
            raise UsageError(
                f"the file {refused.reason}", where=str(path), hint="give the path of a workflow"
            ) from refused
        except OSError as failed:
            raise UsageError(f"the file cannot be read: {failed.strerror}", where=str(path)) from failed
    return found


def place(texts: Mapping[str, str], folder: Path) -> Placed:
    """Write the files of phases, given by name, into a folder, which is made if it is not there.

    Raises:
        UsageError: a file is there already with other content; nothing is written then.
        FolderUnwritable: the system refused.
    """
    fresh: dict[str, str] = {}
    same: list[str] = []
    other: list[str] = []
    for name, text in texts.items():
        path = f"{name}.yaml"
        if not os.path.lexists(folder / path):
            fresh[path] = text
        elif _holds(folder, path, text):
            same.append(path)
        else:
            other.append(path)
    if other:
        message = f"nothing was written: there is already another {few(other)}"
        raise UsageError(message, where=str(folder), hint="--out ANOTHER_FOLDER, or move what is there away")
    write_files(folder, fresh)
    return Placed(written=tuple(fresh), unchanged=tuple(same))


def _holds(folder: Path, path: str, text: str) -> bool:
    try:
        return read_inside(folder, path, limit_bytes=SPEC_LIMIT_BYTES) == text.encode()
    except (PathRefused, OSError):
        return False
