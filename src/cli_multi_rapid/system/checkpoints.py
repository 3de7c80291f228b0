"""Checkpoints: states of a project kept as commits under `refs/cmr/RUN/`, beside the user's own history.

Taking one touches neither HEAD nor the index nor any file. The commit holds the files that git does not ignore, byte by
byte; its first parent is the commit that was checked out, its second one holds what was staged. Refs are only ever
made, never moved: a state that was once seen stays until its run is forgotten.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.model.checkpoint import Checkpoint, Restored
from cli_multi_rapid.model.words import few
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_places import Mark, copy_with_times, mark_of
from cli_multi_rapid.system.git_process import Git, packed
from cli_multi_rapid.system.git_refs import OUR_NAME, Refs, recording
from cli_multi_rapid.system.git_tree import TreeWriter, WrittenTree, shown, translated
from cli_multi_rapid.system.globs import matches, reaches
from cli_multi_rapid.system.restoring import Entry, Restorer

_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """The last state that was kept, and what told it from another one."""

    checkpoint: Checkpoint
    whole: str
    marks: tuple[Mark, ...]


class GitCheckpoints:
    """Keeps the states of one run in the project's repository; implements `model.checkpoint.Checkpoints`.

    `work` is a folder for it alone, outside of the project; `kept` the index that writers of trees share; `hidden` are
    paths of the project that are in no state.

    Raises:
        GitFailed: by every call, when git cannot do what is asked.
        StateUnwritable: when the disk cannot.
    """

    def __init__(
        self, repository: Repository, *, refs: Refs, work: Path, kept: Path, hidden: Sequence[str] = ()
    ) -> None:
        self._repository = repository
        self._refs = refs
        self._work = work
        self._shared = kept
        self._hidden = tuple(f"{repository.prefix}{path}" for path in hidden)
        self._seen: WrittenTree | None = None
        self._last: _Kept | None = None
        self._staged: tuple[Mark, str] | None = None

    def tree(self) -> str:
        """Return the id of the present tree, without keeping it."""
        return self._write().id

    def take(self, label: str) -> Checkpoint:
        """Keep the present state. Where nothing has changed since the last one, that one stands for it."""
        return self._keep(self._write(), label)

    def restore(self, label: str, *, before: str, paths: Sequence[str] | None) -> Restored:
        """Put files back to what they were at the commit `before`; see `model.checkpoint.Checkpoints.restore`.

        What a file held is kept before it is replaced, also if it was ignored or changes meanwhile. A round may bring
        files to light that were ignored until then, so it ends when nothing is left to do. A file that changes again
        after it was put back is somebody else's work by then, and left.
        """
        put_back: set[str] = set()
        kept: list[str] = []
        also: set[str] = set()
        for _ in range(_ROUNDS):
            written = self._write(also=also)
            differing = self._differences(before, written.whole)
            wanted = {
                path: entries
                for path, entries in differing.items()
                if path not in put_back and (paths is None or matches(self._inner(path), paths))
            }
            hidden = {self._restorer.obstacle(path) for path, (_, now) in wanted.items() if now is None} - {""}
            left = tuple(self._inner(path) for path in differing if path not in wanted)
            if not wanted:
                back = tuple(sorted(map(self._inner, put_back)))
                return Restored(paths=back, kept=tuple(dict.fromkeys(kept)), left=left, warnings=written.warnings)
            if hidden - also:  # there, but ignored by now: taken in, so that it is kept, too
                also |= hidden
                continue
            kept.append(self._keep(written, label).ref)
            put_back.update(self._restorer.put_back(wanted))
            self._writer.distrust()
            if unseen := self._restorer.unseen:
                kept.append(self._keep_unseen(written, dict(unseen), label))
        raise GitFailed(
            f"files change again as fast as they are put back: {few([shown(path) for path in sorted(wanted)])}",
            where=str(self._repository.root), hint="stop what changes them, then resume",
        )  # fmt: skip

    def changed(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        return () if before == after else self._repository.changed_paths(before, after)

    def changed_at(self, path: str) -> float | None:
        """Return when a file was last changed (seconds since the epoch); of one that is gone, the folder it was in."""
        at = self._repository.root / path
        while at != self._repository.root.parent:
            try:
                return at.lstat().st_ctime
            except OSError:
                at = at.parent
        return None

    def refusal(self, paths: Sequence[str] | None) -> str:
        """Say why what matches the globs (None: everything) cannot be kept, or return nothing if it can."""
        for folder in map(self._inner, (self._seen or self._write()).foreign):
            if paths is None or reaches(folder.rstrip("/"), paths):
                return f"{shown(folder)} is a repository of its own, whose files are in no checkpoint"
        for path in self._large_files:
            if paths is None or matches(path, paths):
                return f"{shown(path)} belongs to Git LFS, whose files are in no checkpoint"
        return ""

    # -- the parts

    @cached_property
    def _writer(self) -> TreeWriter:
        with translated(self._work):
            self._work.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._work / "index").unlink(missing_ok=True)  # of an orchestrator that is dead
            places, git = self._repository.places, self._repository.git
            return TreeWriter(
                git, places, prefix=self._repository.prefix, work=self._work, kept=self._shared, hidden=self._hidden
            )

    @cached_property
    def _restorer(self) -> Restorer:
        return Restorer(self._writer.own, object_format=self._repository.places.object_format)

    @cached_property
    def _git(self) -> Git:
        """Return git on the repository itself, for commits in our own name."""
        git = recording(self._repository)
        return replace(git, variables=OUR_NAME)

    @cached_property
    def _large_files(self) -> tuple[str, ...]:
        """Return the files of Git LFS. Attributes are read only where there are any."""
        self._seen or self._write()
        names = self._writer.own.names("ls-files", "-z")
        attributes = Path(self._repository.places.attributes)
        if not attributes.is_file() and not any(name.rpartition("/")[2] == ".gitattributes" for name in names):
            return ()
        fields = self._repository.git.call("check-attr", "-z", "filter", "--stdin", given=packed(names)).split(b"\0")
        triples = zip(fields[0::3], fields[2::3], strict=False)
        return tuple(self._inner(os.fsdecode(path)) for path, value in triples if value == b"lfs")

    def _write(self, *, also: set[str] | frozenset[str] = frozenset()) -> WrittenTree:
        with translated(self._work):
            self._seen = self._writer.write(also=sorted(also))
        return self._seen

    def _inner(self, path: str) -> str:
        return path.removeprefix(self._repository.prefix)

    def _differences(self, before: str, whole: str) -> dict[str, tuple[Entry | None, Entry | None]]:
        """Return what differs between a commit and the present tree: the entry then and the one now, by whole path."""
        arguments = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv")
        fields = self._git.names(*arguments, f"{before}^{{tree}}", whole, "--")
        found: dict[str, tuple[Entry | None, Entry | None]] = {}
        for facts, path in zip(fields[0::2], fields[1::2], strict=True):
            old_mode, new_mode, old, new, _ = facts.removeprefix(":").split(" ")
            found[path] = (_entry(old_mode, old), _entry(new_mode, new))
        return found

    # -- keeping

    def _keep(self, written: WrittenTree, label: str) -> Checkpoint:
        places = self._repository.places
        marks = tuple(mark_of(path) for path in (places.index, places.head, places.head_log))
        last = self._last
        if last and last.whole == written.whole and last.marks == marks and marks[2] is not None:
            return replace(last.checkpoint, warnings=written.warnings)
        commit, ref = self._commit(written.whole, label)
        made = Checkpoint(commit=commit, ref=ref, tree=written.id, warnings=written.warnings)
        self._last = _Kept(checkpoint=made, whole=written.whole, marks=marks)
        return made

    def _commit(self, whole: str, label: str) -> tuple[str, str]:
        """Make a commit of a tree and a new ref to it; return both."""
        message = f"{label} of run {self._refs.run}".encode()
        staged = [part for commit in self._staged_commit() for part in ("-p", commit)]
        answer = self._git.ask("commit-tree", whole, "-p", "HEAD", *staged, given=message)
        if answer.code != 0:  # nothing is checked out yet
            answer = self._git.ask("commit-tree", whole, *staged, given=message)
        if answer.code != 0:
            raise GitFailed(f"git commit-tree failed: {answer.complaint}", where=self._git.folder)
        commit = answer.out.decode().strip()
        return commit, self._refs.make(label, commit)

    def _staged_commit(self) -> tuple[str, ...]:
        """Return a commit of what is staged, if that is a tree: an index with conflicts is none."""
        index = Path(self._repository.places.index)
        mark = mark_of(index)
        if mark is None:
            return ()
        if self._staged is None or self._staged[0] != mark:
            self._staged = (mark, self._commit_of_index(index))
        return (self._staged[1],) if self._staged[1] else ()

    def _commit_of_index(self, index: Path) -> str:
        own = self._work / "staged"
        with translated(self._work):
            copy_with_times(index, own)
        git = replace(self._git, variables={**self._git.variables, "GIT_INDEX_FILE": str(own)})
        tree = git.ask("write-tree", "--missing-ok")
        if tree.code != 0:
            return ""
        return git.call("commit-tree", tree.out.decode().strip(), given=b"what was staged").decode().strip()

    def _keep_unseen(self, written: WrittenTree, unseen: Mapping[str, Entry], label: str) -> str:
        """Keep what files held that changed after they had been looked at and before they were replaced."""
        lines = packed([f"{entry.mode} {entry.object}\t{path}" for path, entry in unseen.items()])
        with self._scratch_index() as git:
            git.call("read-tree", written.whole)
            git.call("update-index", "--add", "--replace", "-z", "--index-info", given=lines)
            tree = git.call("write-tree").decode().strip()
        return self._commit(tree, label)[1]

    @contextmanager
    def _scratch_index(self) -> Iterator[Git]:
        scratch = self._work / "scratch"
        own = self._writer.own
        try:
            yield replace(own, variables={**own.variables, "GIT_INDEX_FILE": str(scratch)})
        finally:
            scratch.unlink(missing_ok=True)


def _entry(mode: str, found: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode=mode, object=found)
