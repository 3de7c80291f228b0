"""Putting files back to what a tree holds, without losing what is in their place."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import new as new_hash
from itertools import islice
from pathlib import Path

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.system.files import folder_below
from cli_multi_rapid.system.git_process import Git, packed

_BATCH = 100  # files that are held open at a time
_CHUNK_BYTES = 1 << 20
_LINK = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a tree: its mode and the object with its content."""

    mode: str
    object: str


Difference = tuple[Entry | None, Entry | None]
"""What a path was and what it is now; None where there is nothing."""


@dataclass(kw_only=True)
class _Held:
    """A file that is about to be replaced: still open, so that whatever is written to it until then can be read."""

    known: str
    descriptor: int = -1
    link: bytes | None = None


@dataclass(slots=True)
class Restorer:
    """Puts files of one project back; `own` is git around its files with an index of ours.

    `unseen` collects what files held that changed after the present tree was written: its objects are in the
    repository, but no tree has them yet.
    """

    own: Git
    object_format: str
    unseen: dict[str, Entry] = field(default_factory=dict)

    def obstacle(self, path: str) -> str:
        """Return the file or link that stands at a path or in the place of one of its folders, or nothing."""
        while path:
            full = Path(self.own.folder, path)
            if os.path.lexists(full):
                return "" if full.is_dir() and not full.is_symlink() else path
            path = path.rpartition("/")[0]
        return ""

    def put_back(self, wanted: Mapping[str, Difference]) -> Iterator[str]:
        """Give every path its earlier content; yields those that have it. What is to be gone goes first.

        Raises:
            GitFailed: the system refuses; what is done stays done.
        """
        self.unseen.clear()
        gone = [path for path, (was, _) in wanted.items() if was is None]
        back = iter([path for path, (was, _) in wanted.items() if was is not None])
        for path in gone:
            with self._holding({path: wanted[path]}):
                self._delete(path)
            yield path
        while batch := list(islice(back, _BATCH)):
            with self._holding({path: wanted[path] for path in batch}):
                for path in batch:
                    self._make_room(path)
                done = self._write({path: was for path in batch if (was := wanted[path][0])})
            yield from done

    # -- what is replaced

    @contextmanager
    def _holding(self, wanted: Mapping[str, Difference]) -> Iterator[None]:
        """Keep what is replaced within readable, and compare it afterwards with what was known of it."""
        held = {path: one for path, (_, now) in wanted.items() if (one := self._hold(path, now.object if now else ""))}
        try:
            yield
            for path, one in held.items():
                self._compare(path, one)
        finally:
            for one in held.values():
                if one.descriptor >= 0:
                    os.close(one.descriptor)

    def _hold(self, path: str, known: str) -> _Held | None:
        try:
            with self._folder(path) as (folder, name):
                if stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
                    return _Held(known=known, link=os.readlink(os.fsencode(name), dir_fd=folder))
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                return _Held(known=known, descriptor=os.open(name, flags, dir_fd=folder))
        except OSError:
            return None  # gone by now, or not to be read: then it is not what was known of it either way

    def _compare(self, path: str, one: _Held) -> None:
        digest = self._link_digest(one.link) if one.link is not None else self._digest(one.descriptor)
        if digest is None or digest == one.known:
            return
        if one.link is not None:
            found = self.own.call("hash-object", "-w", "--stdin", given=one.link)
            mode = _LINK
        else:
            found = self.own.call("hash-object", "-w", "--no-filters", "--stdin", given=_content(one.descriptor))
            mode = "100755" if os.fstat(one.descriptor).st_mode & stat.S_IXUSR else "100644"
        self.unseen[path] = Entry(mode=mode, object=found.decode().strip())

    def _link_digest(self, text: bytes) -> str:
        return new_hash(self.object_format, b"blob %d\0%b" % (len(text), text), usedforsecurity=False).hexdigest()

    def _digest(self, descriptor: int) -> str | None:
        """Return the id that the content of an open file would have as an object."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return None
        digest = new_hash(self.object_format, b"blob %d\0" % found.st_size, usedforsecurity=False)
        at = 0
        while chunk := os.pread(descriptor, _CHUNK_BYTES, at):
            digest.update(chunk)
            at += len(chunk)
        return digest.hexdigest()

    # -- replacing

    @contextmanager
    def _folder(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the folder that a path is in, through no link; give it and the name in it."""
        *folders, name = path.split("/")
        descriptor = folder_below(self.own.folder, folders)
        try:
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _delete(self, path: str) -> None:
        try:
            with self._folder(path) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as failed:
            raise _refused(path, failed) from failed
        self._delete_empty(path)

    def _delete_empty(self, path: str) -> None:
        """Remove the folders above a deleted file that are empty now; git does not know empty folders."""
        while "/" in path:
            path = path.rpartition("/")[0]
            with suppress(OSError):
                with self._folder(path) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
                continue
            return

    def _make_room(self, path: str) -> None:
        """Remove empty folders in the place of a file.

        Raises:
            GitFailed: they are not empty, so they hold something that git ignores.
        """
        full = Path(self.own.folder, path)
        if full.is_symlink() or not full.is_dir():
            return
        for folder, _, _ in os.walk(full, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError as failed:
                raise GitFailed(
                    f"{path} was a file and is now a folder with files that git ignores", where=self.own.folder,
                    hint="move the folder away, then resume",
                ) from failed  # fmt: skip

    def _write(self, entries: Mapping[str, Entry]) -> list[str]:
        """Let git write files, byte by byte: our repository has no filters and converts nothing. Returns those written.

        Git removes a file and makes it anew. If somebody else has made it in between, it is not written.
        """
        lines = packed([f"{entry.mode} {entry.object}\t{path}" for path, entry in entries.items()])
        self.own.call("update-index", "--add", "--replace", "-z", "--index-info", given=lines)
        if self._checked_out(*entries):
            return list(entries)
        return [path for path in entries if self._checked_out(path)]

    def _checked_out(self, *paths: str) -> bool:
        answer = self.own.ask("checkout-index", "-f", "-u", "-z", "--stdin", given=packed(paths))
        if answer.code != 0 and "File exists" not in answer.complaint:
            raise GitFailed(f"files cannot be put back: {answer.complaint}", where=self.own.folder)
        return answer.code == 0


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()


def _refused(path: str, failed: OSError) -> GitFailed:
    return GitFailed(f"{path} cannot be put back: {failed.strerror}", hint="make its folder writable, then resume")
