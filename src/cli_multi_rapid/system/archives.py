"""Read the files of a folder, a zip or a compressed tar one after the other, in memory; nothing is unpacked to disk.

What is read is bounded: the size of a file, of all files together, and their number. A name that leads outside, a link,
a device or an encrypted file is refused. So is an archive of which a part is missing: what could not be read must not
pass for what is not there.
"""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

ZIPS = (".zip",)
TARS = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
ARCHIVES = (*ZIPS, *TARS)

_BROKEN = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, tarfile.TarError, zlib.error,
    lzma.LZMAError, OverflowError,
)  # fmt: skip
_CHUNK_BYTES = 1 << 20
_MAX_DEPTH = 50
_Stream = gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File
_OPENERS: dict[str, Callable[[IO[bytes]], _Stream]] = {
    ".tar.gz": lambda file: gzip.GzipFile(fileobj=file),
    ".tgz": lambda file: gzip.GzipFile(fileobj=file),
    ".tar.xz": lzma.LZMAFile,
    ".tar.bz2": bz2.BZ2File,
}


class ArchiveRefused(ValueError):
    """The archive is broken, incomplete, too large, or holds what is not read. The message says so in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read at most: files of any kind, bytes of one of them, bytes of all."""

    files: int = 2_000_000
    file_bytes: int = 16 << 20
    total_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file, its path in the folder or archive, and when it was changed last (seconds since 1970)."""

    name: str
    data: bytes
    changed_s: float


DEFAULT_LIMITS = Limits()


def members(source: Path, endings: tuple[str, ...], *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Member]:
    """Return the files whose names end like that, those of archives in a folder too.

    Files and folders whose names begin with a dot are left out.

    Raises:
        ArchiveRefused: anything of it cannot be read whole, or goes beyond the limits.
        OSError: the source itself is missing or cannot be opened.
    """
    budget = _Budget(limits)
    if not source.is_dir():
        yield from _archive(source, endings, budget)
        return
    for place, found in files_below(source):
        path = Path(place)
        name = path.relative_to(source).as_posix()
        if stat.S_ISLNK(found.st_mode) and (path.is_dir() or name.lower().endswith((*ARCHIVES, *endings))):
            raise ArchiveRefused(f"{name} in it is a link")
        if path.name.lower().endswith(ARCHIVES):
            for member in _archive(path, endings, budget):
                yield Member(name=f"{name}/{member.name}", data=member.data, changed_s=member.changed_s)
        elif path.name.lower().endswith(endings):
            yield _loose(path, name, budget)


def files_below(folder: Path | str, *, depth: int = 0) -> Iterator[tuple[str, os.stat_result]]:
    """Return the files below a folder in the order of their names, links as themselves; none that begin with a dot.

    Raises:
        ArchiveRefused: folders are nested too deeply.
    """
    if depth > _MAX_DEPTH:
        raise ArchiveRefused(f"it holds more than {_MAX_DEPTH} folders inside each other")
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(entry.path, depth=depth + 1)
        else:
            yield entry.path, entry.stat(follow_symlinks=False)


class _Budget:
    """What may still be read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._files = 0
        self._bytes = 0

    def take(self, name: str, size_bytes: int, *, wanted: bool) -> None:
        """Count a file before it is read; a wanted one must not be too large itself."""
        self._files += 1
        self._bytes += size_bytes
        if wanted and size_bytes > self._limits.file_bytes:
            raise ArchiveRefused(f"{name} in it is larger than {self._limits.file_bytes >> 20} MiB")
        if self._files > self._limits.files:
            raise ArchiveRefused(f"it holds more than {self._limits.files:,} files")
        if self._bytes > self._limits.total_bytes:
            raise ArchiveRefused(f"it holds more than {self._limits.total_bytes >> 20:,} MiB")

    @property
    def total_bytes(self) -> int:
        return self._limits.total_bytes


def _archive(source: Path, endings: tuple[str, ...], budget: _Budget) -> Iterator[Member]:
    name = source.name.lower()
    if not stat.S_ISREG(source.stat().st_mode):
        raise ArchiveRefused("it is no regular file")
    with source.open("rb") as file:
        try:
            if name.endswith(ZIPS):
                yield from _zip(file, endings, budget)
            elif (ending := next((one for one in TARS if name.endswith(one)), "")) in _OPENERS:
                with _OPENERS[ending](file) as stream:
                    yield from _tar(_Bounded(stream, budget.total_bytes), endings, budget)
            else:
                raise ArchiveRefused(f"{source.name} is none of: {', '.join(ARCHIVES)}")
        except ArchiveRefused:
            raise
        except _BROKEN as problem:
            raise ArchiveRefused(f"{source.name} is damaged or incomplete: {problem}") from problem


def _zip(file: IO[bytes], endings: tuple[str, ...], budget: _Budget) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir() or not _is_wanted(info.filename, endings):
                budget.take(info.filename, 0, wanted=False)  # never decompressed
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise ArchiveRefused(f"{info.filename} in it is a link, not a file")
            budget.take(info.filename, info.file_size, wanted=True)
            with archive.open(info) as stream:
                data = stream.read(info.file_size + 1)
            if len(data) != info.file_size:
                raise ArchiveRefused(f"{info.filename} in it has another size than the archive says")
            yield Member(name=info.filename, data=data, changed_s=_zip_time(info))


def _zip_time(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _tar(stream: "_Bounded", endings: tuple[str, ...], budget: _Budget) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BufferedReader(stream), mode="r:") as archive:
        for info in archive:
            wanted = not info.isdir() and _is_wanted(info.name, endings)
            budget.take(info.name, info.size, wanted=wanted)
            if wanted:
                content = archive.extractfile(info) if info.isreg() else None
                if content is None:
                    raise ArchiveRefused(f"{info.name} in it is a link, not a file")
                data = content.read()
                if len(data) != info.size:
                    raise ArchiveRefused(f"{info.name} in it ends too early")
                yield Member(name=info.name, data=data, changed_s=float(info.mtime))
    stream.drain()


class _Bounded(io.RawIOBase):
    """What comes out of a decompressor, up to a number of bytes, and never much at once."""

    def __init__(self, stream: _Stream, limit_bytes: int) -> None:
        self._stream = stream
        self._limit = limit_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        target = offset if whence == os.SEEK_SET else self._stream.tell() + offset
        if whence == os.SEEK_END or target > self._limit:
            raise ArchiveRefused(f"it holds more than {self._limit >> 20:,} MiB")
        return self._stream.seek(target)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # as the class documents it
        data = self._stream.read(min(len(buffer), _CHUNK_BYTES))
        if self._stream.tell() > self._limit:
            raise ArchiveRefused(f"it holds more than {self._limit >> 20:,} MiB")
        buffer[: len(data)] = data
        return len(data)

    def drain(self) -> None:
        """Read to the end, where a decompressor compares its checksum."""
        while self.readinto(bytearray(_CHUNK_BYTES)):
            pass


def _loose(path: Path, name: str, budget: _Budget) -> Member:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ArchiveRefused(f"{name} in it is a link, not a file")
    budget.take(name, found.st_size, wanted=True)
    try:
        with path.open("rb") as file:
            data = file.read(found.st_size + 1)
    except OSError as problem:
        raise ArchiveRefused(f"{name} in it cannot be read: {problem.strerror}") from problem
    return Member(name=name, data=data, changed_s=found.st_mtime)


def _is_wanted(name: str, endings: tuple[str, ...]) -> bool:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in parts or ":" in parts[0]:
        raise ArchiveRefused(f"{name!r} in it leads outside")
    return name.lower().endswith(endings) and not any(part.startswith(".") for part in parts)
