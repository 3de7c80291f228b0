"""Files: durable atomic writing, and reading below a folder that is not trusted.

The `..._inside` functions open one component after the other and follow no symbolic link, so that neither a path
nor a link put in its way can lead out of the folder, and nothing but a regular file is ever read. Where the system
cannot open relative to a folder (Windows) the resolved path is compared instead, which leaves the instant between
comparing and opening.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20
_RELATIVE_OPEN = os.open in os.supports_dir_fd
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER_FLAGS = _FLAGS | _NO_FOLLOW | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
_FILE_FLAGS = _FLAGS | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")

AnyPath = str | os.PathLike[str]


class PathRefused(ValueError):
    """A path that is not read. `reason` says why in plain words; `missing` tells that there is nothing there."""

    def __init__(self, path: str, reason: str, *, missing: bool = False) -> None:
        super().__init__(f"{path!r} {reason}")
        self.path = path
        self.reason = reason
        self.missing = missing


def write_atomic(path: AnyPath, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file by new content, durably: after a crash there is the old file or the new one, whole.

    The folder must exist. The umask applies to `mode`.
    """
    with _replacing(Path(path), mode) as file:
        file.write(data)


def read_inside(root: AnyPath, relative: str, *, limit_bytes: int) -> bytes:
    """Return the content of a regular file below `root`.

    Raises:
        PathRefused: the path leads out, a component is a symbolic link, the file is absent, not regular, not
            readable, or larger than `limit_bytes`.
    """
    with _opened(root, relative) as file:
        data = _read(file, relative, limit_bytes + 1)
    if len(data) > limit_bytes:
        raise PathRefused(relative, f"is larger than {limit_bytes} bytes")
    return data


def write_inside(root: AnyPath, relative: str, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file below `root`, whole or not at all, with the folders it needs; no link on the way is followed.

    Raises:
        PathRefused: the path leads out or to what is git's own, a component is a link or no folder, or the system
            refuses.
    """
    parts = _parts(relative)
    if any(map(_of_git, parts)):
        raise PathRefused(relative, "belongs to git")
    try:
        folder = os.open(root, _FOLDER_FLAGS & ~_NO_FOLLOW)
        try:
            for part in parts[:-1]:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
                os.close(folder)
                folder = inner
            temporary = f".{os.urandom(8).hex()}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_CLOEXEC", 0)
            file = open(os.open(temporary, flags, mode, dir_fd=folder), "wb")  # noqa: PTH123, SIM115  a descriptor
            try:
                with file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
        finally:
            os.close(folder)
    except OSError as failed:
        raise _refusal(relative, failed, "written") from failed


def remove_inside(root: AnyPath, relative: str) -> None:
    """Remove a file below `root`; no link on the way is followed, and it is fine if there is none.

    Raises:
        PathRefused: the path leads out or to what is git's own, a component is a link, or the system refuses.
    """
    parts = _parts(relative)
    if any(map(_of_git, parts)):
        raise PathRefused(relative, "belongs to git")
    try:
        folder = folder_below(root, parts[:-1])
        try:
            os.unlink(parts[-1], dir_fd=folder)
        finally:
            os.close(folder)
    except FileNotFoundError:
        return
    except OSError as failed:
        raise _refusal(relative, failed, "removed") from failed


def digest_inside(root: AnyPath, relative: str) -> tuple[str, int]:
    """Return SHA-256 (hex) and size in bytes of a regular file below `root`, whatever its size.

    Raises:
        PathRefused: as for `read_inside`.
    """
    digest, size = sha256(), 0
    with _opened(root, relative) as file:
        for chunk in _chunks(file, relative):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def folder_below(root: AnyPath, parts: Sequence[str]) -> int:
    """Open a folder below `root`, one component after the other and through no symbolic link; return its descriptor.

    Raises:
        OSError: a component is absent, a link or no folder.
    """
    folder = os.open(root, _FOLDER_FLAGS & ~_NO_FOLLOW)
    for part in parts:
        try:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def sync_folder(folder: AnyPath) -> None:
    """Make the names in a folder durable. Does nothing where the system has no such call (Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a new file beside `path` that takes its place when the block ends well."""
    temporary = path.parent / f".{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags | _NO_FOLLOW, mode)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def _chunks(file: BinaryIO, relative: str) -> Iterator[bytes]:
    while chunk := _read(file, relative, _CHUNK_BYTES):
        yield chunk


def _read(file: BinaryIO, relative: str, limit_bytes: int) -> bytes:
    try:
        return file.read(limit_bytes)
    except OSError as failed:
        raise _refusal(relative, failed) from failed


@contextmanager
def _opened(root: AnyPath, relative: str) -> Iterator[BinaryIO]:
    """Open a regular file below `root` for reading."""
    parts = _parts(relative)
    try:
        descriptor = _open_below(root, parts) if _RELATIVE_OPEN else _open_resolved(root, parts, relative)
    except OSError as failed:
        raise _refusal(relative, failed) from failed
    except UnicodeError as failed:
        raise PathRefused(relative, "is not a name that this system can have") from failed
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PathRefused(relative, "is not a regular file")
    with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
        yield file


def _parts(relative: str) -> list[str]:
    if not relative:
        raise PathRefused(relative, "is empty")
    if "\0" in relative:
        raise PathRefused(relative, "contains a NUL character")
    if relative.startswith("/"):
        raise PathRefused(relative, "is absolute")
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PathRefused(relative, "contains '..'")
    if not parts or relative.endswith("/"):
        raise PathRefused(relative, "names a folder")
    return parts


def _of_git(part: str) -> bool:
    """Tell whether some file system takes a name for `.git`, as git itself does (`is_ntfs_dotgit`, `is_hfs_dotgit`)."""
    names = re.split(r"[\\/:]", _HFS_IGNORED.sub("", part))
    return any(name.rstrip(". ").casefold() in (".git", "git~1") for name in names)


def _open_below(root: AnyPath, parts: list[str]) -> int:
    """Open the last part, each part before it relative to the one before, without following a link."""
    folder = folder_below(root, parts[:-1])
    try:
        return os.open(parts[-1], _FILE_FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _open_resolved(root: AnyPath, parts: list[str], relative: str) -> int:
    """Open a path after comparing it with what it resolves to: the form for systems without relative opening."""
    if any(mark in part for part in parts for mark in ("\\", ":")):
        raise PathRefused(relative, "contains a backslash or a colon")
    base = Path(root).resolve(strict=True)
    wanted = base.joinpath(*parts)
    if os.path.normcase(wanted.resolve(strict=True)) != os.path.normcase(wanted):
        raise PathRefused(relative, "leads through a symbolic link")
    if not wanted.is_file():
        raise PathRefused(relative, "is not a regular file")
    return os.open(wanted, _FILE_FLAGS)


def _refusal(relative: str, failed: OSError, done: str = "read") -> PathRefused:
    reasons = {
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "leads through a symbolic link or a file",
        errno.ELOOP: "is a symbolic link",
        errno.EISDIR: "names a folder",
        errno.EACCES: f"may not be {done}",
        errno.EPERM: f"may not be {done}",
        errno.ENAMETOOLONG: "is too long",
        errno.ENXIO: "is not a regular file",
    }
    reason = reasons.get(failed.errno or 0, f"cannot be {done}: {failed.strerror or failed}")
    return PathRefused(relative, reason, missing=failed.errno == errno.ENOENT)
