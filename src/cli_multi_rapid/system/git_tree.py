"""Writing the present content of a project as a git tree.

Our index outlives the call. What it holds is compared with the files by git's usual means (size, times, inode; content
where these leave doubt), so an unchanged project costs few short processes. At first it is a copy of the repository's
index, without the entries for which that one does not vouch byte by byte.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.errors import GitFailed, GitTimeout, StateUnwritable
from cli_multi_rapid.system.git_places import Mark, Places, copy_excludes, copy_with_times, mark_of, own_git
from cli_multi_rapid.system.git_process import Git, packed

UNTRACKED_LIMIT_BYTES = 100_000_000
_STALE_S = 3600.0
_CONVERTING = frozenset({b"crlf", b"eol", b"filter", b"ident", b"text", b"working-tree-encoding"})
_LISTED = ("ls-files", "-z", "--exclude-standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTree:
    """A tree that was written.

    `id` is the tree of the project's folder, `whole` the same with the folders above it up to the repository's root.
    `warnings` are sentences about what was left out; `foreign` the repositories among that, as paths from the
    repository's root.
    """

    id: str
    whole: str
    warnings: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def write_tree(git: Git, places: Places, *, prefix: str, index: Path) -> WrittenTree:
    """Write the tree of the files below `prefix`; see `system.git.Repository.write_tree`."""
    with translated(index.parent):
        index.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _work_folder(index.parent) as work:
            return TreeWriter(git, places, prefix=prefix, work=work, kept=index).write()


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn errors of the disk into ours."""
    try:
        yield
    except OSError as failed:
        raise StateUnwritable(f"the tree cannot be prepared: {failed.strerror}", where=str(folder)) from failed


class TreeWriter:
    """Writes the tree of one project, as often as it is asked; `git` reads the repository, `own` is ours.

    `work` is a folder for it alone; `hidden` are paths that are left out in silence. What is `kept` of an earlier
    writer is only a help. Where git cannot use it, because it is damaged or its objects are gone, the index is made
    anew: from the repository's index, and if that cannot be used either, from the files alone.
    """

    def __init__(
        self, git: Git, places: Places, *, prefix: str, work: Path, kept: Path, hidden: tuple[str, ...] = ()
    ) -> None:
        self.git = git
        self.own = own_git(git, places, work)
        self.places = places
        self.prefix = prefix
        self.index = work / "index"
        self._work = work
        self._kept = kept
        self._hidden = frozenset(hidden)
        self._excludes: Mark | str = "not read yet"
        self._rules: tuple[Mark, Mark] | None = None
        self._written: WrittenTree | None = None

    def write(self, *, also: Iterable[str] = ()) -> WrittenTree:
        """Bring the index up to date with the files, and write it as a tree.

        `also` are paths from the repository's root that are taken in whether or not they are ignored.
        """
        for begin in (self._take_over, self._begin_with_index):
            try:
                if begin():
                    return self._write(also)
            except GitTimeout:
                raise
            except GitFailed:
                self.index.unlink(missing_ok=True)
            self._written = None
        return self._write(also)

    def distrust(self) -> None:
        """Forget what was written last, because somebody else has changed the index."""
        self._written = None

    # -- where to begin

    def _take_over(self) -> bool:
        """Go on with the index of the last call or, at first, with what was kept."""
        if self.index.is_file():
            return True
        self._rules = None
        if not self._kept.is_file():
            return False
        try:
            os.link(self._kept, self.index)  # git never writes to an index in place, it puts a new one there
        except OSError:
            copy_with_times(self._kept, self.index)
        return True

    def _begin_with_index(self) -> bool:
        """Begin with the repository's index, less what it does not hold byte by byte."""
        self._rules = None
        if self.places.converts or not Path(self.places.index).is_file():
            return False
        copy_with_times(Path(self.places.index), self.index)
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

    # -- what has changed

    def _write(self, also: Iterable[str]) -> WrittenTree:
        excludes = mark_of(self.places.exclude)
        if excludes != self._excludes:
            copy_excludes(self.places, self._work)
            self._excludes, self._rules = excludes, None
        listed = set(self.own.names(*_LISTED, "-m", "-d", "-o", *self._scope))
        out, forced = self._ruled(listed)
        present, absent, warnings, foreign = self._sorted((listed | forced) - out, also=also)
        absent |= out
        self._remove(absent)
        if present:
            given = packed(sorted(present))
            self.own.call("update-index", "--add", "--remove", "--replace", "-z", "--stdin", given=given)
        changed = bool(present or absent) or self._written is None
        if changed and self._written is None:
            self.own.ask("update-index", "-q", "--refresh")
        whole, tree = self._trees() if changed or self._written is None else (self._written.whole, self._written.id)
        self._written = WrittenTree(id=tree, whole=whole, warnings=tuple(sorted(warnings)), foreign=tuple(foreign))
        if changed:
            self._keep()
        return self._written

    @property
    def _scope(self) -> tuple[str, ...]:
        return ("--", self.prefix) if self.prefix else ()

    def _ruled(self, listed: set[str]) -> tuple[set[str], set[str]]:
        """Return what is to be taken out because it is ignored, and what is taken in although it is.

        What was ruled once holds until a rule changes, or what the repository tracks.
        """
        rules = (mark_of(self.places.index), mark_of(self.places.exclude))
        if rules == self._rules and not any(path.rpartition("/")[2] == ".gitignore" for path in listed):
            return set(), set()
        ignored = set(self.own.names(*_LISTED, "-c", "-i", *self._scope))
        forced = set(self.git.names(*_LISTED, "-c", "-i", *self._scope))  # tracked although ignored
        self._rules = rules
        return ignored - forced, forced - ignored

    def _sorted(self, paths: set[str], *, also: Iterable[str]) -> tuple[set[str], set[str], list[str], list[str]]:
        """Return the paths whose content is to be taken in, those to be taken out, warnings, and what is foreign."""
        present: set[str] = set()
        absent: set[str] = set()
        large: set[str] = set()
        warnings: list[str] = []
        foreign: list[str] = []
        for path in (*paths, *also):
            if self._hidden and path.rstrip("/") in self._hidden:
                continue
            if path.endswith("/"):
                warnings.append(f"{shown(path)} is a repository of its own and was left out")
                foreign.append(path)
                continue
            size = self._size(path)
            if size is None:
                absent.add(path)
            elif size > UNTRACKED_LIMIT_BYTES:
                large.add(path)
            elif not self._readable(path):
                absent.add(path)
                warnings.append(f"{shown(path)} may not be read and was left out")
            else:
                present.add(path)
        tracked = set(self.git.names("ls-files", "-z", "-c", *self._scope)) if large else set()
        warnings.extend(
            f"{shown(path)} is not tracked, larger than 100 MB, and was left out" for path in large - tracked
        )
        return present | (large & tracked), absent | (large - tracked), warnings, sorted(foreign)

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

    def _remove(self, paths: Iterable[str]) -> None:
        if lines := packed([f"0 {self.places.nothing}\t{path}" for path in paths]):
            self.own.call("update-index", "-z", "--index-info", given=lines)

    # -- the result

    def _trees(self) -> tuple[str, str]:
        """Write the index; return the ids of the whole tree and of the project's folder in it."""
        arguments = ["write-tree"]
        if self.places.partial:
            arguments.append("--missing-ok")  # what is missing is fetched when it is needed, which is not now
        whole = self.own.call(*arguments).decode().strip()
        if not self.prefix:
            return whole, whole
        inner = self.own.ask("rev-parse", "--quiet", "--verify", f"{whole}:{self.prefix.rstrip('/')}")
        # a folder without files is in no tree
        return whole, inner.out.decode().strip() if inner.code == 0 else self.own.call("mktree").decode().strip()

    def _keep(self) -> None:
        """Leave the index for later writers."""
        if not self.index.exists():
            return
        fresh = self._work / "kept"
        fresh.unlink(missing_ok=True)
        try:
            os.link(self.index, fresh)
        except OSError:
            copy_with_times(self.index, fresh)
        fresh.replace(self._kept)


def shown(path: str) -> str:
    """Return a path in printable characters."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path.rstrip("/"))


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
