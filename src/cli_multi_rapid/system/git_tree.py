"""Writing the present content of a project as a git tree.

Git works here in a folder of our own: its objects are the repository's, its index and its settings ours. So nothing
that the repository configures takes part (filters, line end conversion, hooks), and nothing of it is touched.

Our index outlives the call. What it holds is compared with the files by git's usual means (size, times, inode; content
where these leave doubt), so an unchanged project costs four short processes. At first it is a copy of the
repository's index, without the entries for which that one does not vouch byte by byte.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cli_multi_rapid.errors import GitFailed, GitTimeout, StateUnwritable
from cli_multi_rapid.system.files import PathRefused, read_inside
from cli_multi_rapid.system.git_process import Git, packed

UNTRACKED_LIMIT_BYTES = 100_000_000
_EXCLUDE_LIMIT_BYTES = 4 << 20
_STALE_S = 3600.0
_CONVERTING = frozenset({b"crlf", b"eol", b"filter", b"ident", b"text", b"working-tree-encoding"})
_FORWARDED = ("core.excludesfile", "core.filemode", "core.ignorecase", "core.precomposeunicode", "core.symlinks")
_ATTRIBUTES = "* -crlf -eol -filter -ident -text -working-tree-encoding\n"
_LISTED = ("ls-files", "-z", "--exclude-standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a repository keeps what (absolute paths), and those of its settings that decide what its content is."""

    object_format: str
    index: str
    objects: str
    exclude: str
    forwarded: Mapping[str, str] = field(default_factory=dict)
    converts: bool = False
    partial: bool = False

    def with_settings(self, settings: Mapping[str, str]) -> "Places":
        """Return these places with the settings of the repository."""
        return replace(
            self,
            forwarded={name: settings[name] for name in _FORWARDED if name in settings},
            converts=settings.get("core.autocrlf", "false").lower() not in ("false", "no", "off", "0", ""),
            partial=any(name.startswith("remote.") and name.endswith(".promisor") for name in settings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTree:
    """A tree that was written: its id, and what was left out of it, as sentences."""

    id: str
    warnings: tuple[str, ...] = ()


def write_tree(git: Git, places: Places, *, prefix: str, index: Path) -> WrittenTree:
    """Write the tree of the files below `prefix`; see `system.git.Repository.write_tree`.

    What is kept in `index` is only a help. Where git cannot use it, because it is damaged or its objects are gone,
    it is made anew: from the repository's index, and if that cannot be used either, from the files alone.
    """
    try:
        index.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _work_folder(index.parent) as work:
            return _written(git, places, prefix=prefix, index=index, work=work)
    except OSError as failed:
        raise StateUnwritable(f"the tree cannot be prepared: {failed.strerror}", where=str(index.parent)) from failed


def _written(git: Git, places: Places, *, prefix: str, index: Path, work: Path) -> WrittenTree:
    writer = _Writer(git=git, own=_own_git(git, places, work), places=places, prefix=prefix, index=work / "index")
    for begin in (partial(writer.take_over, index), writer.begin_with_index):
        try:
            if begin():
                written = writer.write()
                writer.index.replace(index)
                return written
        except GitTimeout:
            raise
        except GitFailed:
            writer.index.unlink(missing_ok=True)
    written = writer.write()
    if writer.index.exists():
        writer.index.replace(index)
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """One writing of a tree: `git` reads the repository as it is, `own` works with our index and settings."""

    git: Git
    own: Git
    places: Places
    prefix: str
    index: Path

    def take_over(self, kept: Path) -> bool:
        """Begin with the index of the last call, if there is one."""
        if not kept.is_file():
            return False
        try:
            os.link(kept, self.index)  # git never writes to an index in place, it puts a new one there
        except OSError:
            _copy_with_times(kept, self.index)
        return True

    def begin_with_index(self) -> bool:
        """Begin with the repository's index, less what it does not hold byte by byte."""
        if self.places.converts or not Path(self.places.index).is_file():
            return False
        _copy_with_times(Path(self.places.index), self.index)
        entries = self.own.names("ls-files", "-z", "-s", "-v")
        paths, doubtful = [], []
        for entry in entries:
            facts, _, path = entry.partition("\t")
            paths.append(path)
            if not self._reliable(path, facts):
                doubtful.append(path)
        self._remove({*doubtful, *self._converted(paths)})
        self.own.ask("update-index", "-q", "--refresh")
        return True

    def write(self) -> WrittenTree:
        """Bring the index up to date with the files, and write it as a tree."""
        present, absent, warnings = self._changes()
        self._remove(absent)
        if present:
            self.own.call("update-index", "--add", "--remove", "--replace", "-z", "--stdin", given=packed(present))
        if present or absent:
            self.own.ask("update-index", "-q", "--refresh")
        return WrittenTree(id=self._tree(), warnings=tuple(sorted(warnings)))

    def _changes(self) -> tuple[list[str], list[str], list[str]]:
        """Return the paths whose content is to be taken in, those to be taken out, and warnings."""
        scope = ("--", self.prefix) if self.prefix else ()
        listed = set(self.own.names(*_LISTED, "-m", "-d", "-o", *scope))
        ignored = set(self.own.names(*_LISTED, "-c", "-i", *scope))
        forced = set(self.git.names(*_LISTED, "-c", "-i", *scope))  # tracked although ignored
        absent = ignored - forced
        present: set[str] = set()
        large: set[str] = set()
        warnings: list[str] = []
        for path in (listed | (forced - ignored)) - absent:
            if path.endswith("/"):
                warnings.append(f"{_shown(path)} is a repository of its own and was left out")
                continue
            size = self._size(path)
            if size is None:
                absent.add(path)
            elif size > UNTRACKED_LIMIT_BYTES:
                large.add(path)
            elif not self._readable(path):
                absent.add(path)
                warnings.append(f"{_shown(path)} may not be read and was left out")
            else:
                present.add(path)
        tracked = set(self.git.names("ls-files", "-z", "-c", *scope)) if large else set()
        present |= large & tracked
        large -= tracked
        warnings.extend(f"{_shown(path)} is not tracked, larger than 100 MB, and was left out" for path in large)
        return sorted(present), sorted(absent | large), warnings

    def _size(self, path: str) -> int | None:
        """Return the size in bytes of a file or link; None for what a tree cannot hold and for what is gone.

        What is reached through a symbolic link is not the project's, even if it is the same file.
        """
        full = Path(self.git.folder, path)
        try:
            if os.path.realpath(full.parent) != str(full.parent):
                return None
            found = full.lstat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode) else None

    def _readable(self, path: str) -> bool:
        full = Path(self.git.folder, path)
        return full.is_symlink() or os.access(full, os.R_OK)

    def _reliable(self, path: str, facts: str) -> bool:
        """Tell whether an entry of the repository's index stands for a file's bytes or their absence.

        `facts` are tag, mode, object and stage: a lower-case tag is a file that git was told to assume unchanged, `S`
        one that is not checked out.
        """
        tag, mode, _, stage = facts.split(" ")
        if not path.startswith(self.prefix) or stage != "0" or mode == "160000" or tag.islower():
            return False
        return tag != "S" or not os.path.lexists(Path(self.git.folder, path))

    def _converted(self, paths: list[str]) -> set[str]:
        """Return the paths whose content git converts on its way in, by the repository's attributes."""
        if not paths:
            return set()
        fields = self.git.call("check-attr", "-z", "--all", "--stdin", given=packed(paths)).split(b"\0")
        triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
        return {os.fsdecode(path) for path, name, value in triples if name in _CONVERTING and value != b"unset"}

    def _remove(self, paths: Iterable[str]) -> None:
        nothing = "0" * (64 if self.places.object_format == "sha256" else 40)
        if lines := packed([f"0 {nothing}\t{path}" for path in paths]):
            self.own.call("update-index", "-z", "--index-info", given=lines)

    def _tree(self) -> str:
        arguments = ["write-tree"]
        if self.places.partial:
            arguments.append("--missing-ok")  # what is missing is fetched when it is needed, which is not now
        if self.prefix:
            arguments.append(f"--prefix={self.prefix}")
        answer = self.own.ask(*arguments)
        if answer.code != 0 and self.prefix and "not found" in answer.complaint:
            return self.own.call("mktree").decode().strip()  # the folder has no files
        if answer.code != 0:
            raise GitFailed(f"git write-tree failed: {answer.complaint}", where=self.git.folder)
        return answer.out.decode().strip()


@contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for one call. What calls that were killed have left behind is removed when it is old."""
    from shutil import rmtree
    from tempfile import mkdtemp

    for left in parent.glob(".tree-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                rmtree(left, ignore_errors=True)
    work = Path(mkdtemp(prefix=".tree-", dir=parent))
    try:
        yield work
    finally:
        rmtree(work, ignore_errors=True)


def _own_git(git: Git, places: Places, work: Path) -> Git:
    """Return git with a repository of ours around the objects and files of the project's one."""
    folder = work / "git"
    (folder / "refs").mkdir(parents=True)
    (folder / "info").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n", "utf-8")
    extension = "[extensions]\nobjectFormat = sha256\n" if places.object_format == "sha256" else ""
    (folder / "config").write_text(f"[core]\nrepositoryFormatVersion = {1 if extension else 0}\n{extension}", "utf-8")
    (folder / "info" / "attributes").write_text(_ATTRIBUTES, "utf-8")
    (folder / "info" / "exclude").write_bytes(_excluded(Path(places.exclude)))
    settings = {
        **places.forwarded,
        "core.attributesFile": os.devnull,
        "core.autocrlf": "false",
        "core.fsync": "objects",
        "core.fsyncMethod": "batch",
        "core.protectHFS": "false",  # a name that would be dangerous on another system is still content here
        "core.protectNTFS": "false",
        "core.splitIndex": "false",
    }
    variables = {
        "GIT_DIR": str(folder),
        "GIT_WORK_TREE": git.folder,
        "GIT_OBJECT_DIRECTORY": places.objects,
        "GIT_INDEX_FILE": str(work / "index"),
    }
    return replace(git, settings=settings, variables=variables)


def _excluded(path: Path) -> bytes:
    try:
        return read_inside(path.parent, path.name, limit_bytes=_EXCLUDE_LIMIT_BYTES)
    except PathRefused:
        return b""


def _copy_with_times(source: Path, target: Path) -> None:
    """Copy an index. Git doubts entries that are not older than their index, so its time is part of its meaning."""
    with source.open("rb") as file:
        times = os.fstat(file.fileno())
        target.write_bytes(file.read())
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def _shown(path: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path.rstrip("/"))
