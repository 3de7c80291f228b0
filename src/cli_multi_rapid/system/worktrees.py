"""Checkouts of a run as git worktrees: detached, locked, outside of the project, made and removed by us alone."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cli_multi_rapid.errors import GitFailed, StateUnwritable
from cli_multi_rapid.model.checkpoint import Restored
from cli_multi_rapid.model.workspace import Checkout, Merge
from cli_multi_rapid.system.checkpoints import GitCheckpoints
from cli_multi_rapid.system.git import Repository, open_repository
from cli_multi_rapid.system.git_merge import commit_tree, contains, merged_tree
from cli_multi_rapid.system.git_process import Git, packed
from cli_multi_rapid.system.git_refs import Refs, recording


class GitWorktrees:
    """The checkouts of one run; implements `model.workspace.Worktrees`.

    `folder` is where they lie, outside of the project; `links` are folders of the project that each one gets as links.

    Raises:
        GitFailed: by every call, when git cannot do what is asked.
    """

    def __init__(
        self, repository: Repository, *, refs: Refs, folder: Path, links: tuple[str, ...], environ: Mapping[str, str]
    ) -> None:
        self._repository = repository
        self._refs = refs
        self._folder = folder
        self._links = links
        self._environ = environ
        self._open: dict[str, tuple[Repository, GitCheckpoints]] = {}

    def open(self, name: str, commit: str) -> Checkout:
        """Return a checkout; one that an earlier orchestrator made is found again as it is."""
        fresh = False
        if name not in self._open:
            fresh = self._add(self._path(name), commit)
            self._open[name] = self._opened(name)
        repository, checkpoints = self._open[name]
        return Checkout(root=str(repository.root), checkpoints=checkpoints, fresh=fresh)

    def commit(self, name: str, *, onto: str, paths: tuple[str, ...], message: str) -> str:
        """Commit what a checkout has changed; see `model.workspace.Worktrees.commit`."""
        git = self._at(name)
        git.call("update-ref", "--no-deref", "HEAD", onto)
        git.call("read-tree", onto)
        git.ask("update-index", "-q", "--refresh")
        if paths:
            prefix = self._repository.prefix
            given = packed([f"{prefix}{path}" for path in paths])
            git.call("add", "-A", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", given=given)
        tree = git.call("write-tree").decode().strip()
        if tree == git.call("rev-parse", f"{onto}^{{tree}}").decode().strip():
            return onto
        commit = commit_tree(self._git(self._repository), tree, onto, message=message)
        git.call("update-ref", "--no-deref", "HEAD", commit)
        return commit

    def merge(self, ours: str, theirs: str, *, message: str) -> Merge:
        """Join two commits by git's own three-way merge, without files."""
        git = self._git(self._repository)
        if contains(git, theirs, ours):
            return Merge(commit=theirs)
        tree, conflicts = merged_tree(git, ours, theirs)
        if conflicts:
            return Merge(conflicts=tuple(path.removeprefix(self._repository.prefix) for path in conflicts))
        return Merge(commit=commit_tree(git, tree, ours, message=message))

    def before(self, commit: str) -> str:
        """Return the commit that one was made onto."""
        return self._git(self._repository).call("rev-parse", f"{commit}^1").decode().strip()

    def renew(self, name: str, commit: str) -> Restored:
        """Make a checkout hold a commit; see `model.workspace.Worktrees.renew`."""
        git = self._at(name)
        repository, checkpoints = self._open[name]
        if not self._changed(repository):
            git.call("checkout", "-q", "--detach", commit)
            return Restored()
        held = checkpoints.take(f"{name} checkout before renewal")
        git.call("checkout", "-q", "--detach", "--force", commit)
        git.call("clean", "-d", "-q", "--force", *(f"--exclude=/{repository.prefix}{link}" for link in self._links))
        paths = checkpoints.changed(held.tree, checkpoints.tree())
        return Restored(paths=paths, kept=(held.ref,) if paths else ())

    def keep(self, label: str, commit: str) -> str:
        """Make a ref to a commit."""
        return self._refs.make(label, commit)

    def close(self, name: str) -> str:
        """Remove a checkout; see `model.workspace.Worktrees.close`."""
        path = self._path(name)
        if not path.exists():
            return ""
        if name not in self._open:
            self._open[name] = self._opened(name)
        repository, checkpoints = self._open.pop(name)
        ref = checkpoints.take(f"{name} left").ref if self._changed(repository) else ""
        git = self._git(self._repository)
        git.ask("worktree", "unlock", str(path))
        git.call("worktree", "remove", "--force", str(path))
        return ref

    def names(self) -> Iterator[str]:
        """Give the names of the checkouts that exist."""
        if self._folder.is_dir():
            yield from sorted(entry.name for entry in self._folder.iterdir() if (entry / ".git").is_file())

    # -- parts

    def _path(self, name: str) -> Path:
        return self._folder / name

    def _add(self, path: Path, commit: str) -> bool:
        if (path / ".git").is_file():
            return False
        git = self._git(self._repository)
        with _prepared(self._folder):
            git.ask("worktree", "prune")  # of one whose making was interrupted
            reason = f"run {self._refs.run} of cli-multi-rapid"
            git.call(
                "worktree", "add", "--quiet", "--detach", "--force", "--lock", "--reason", reason, str(path), commit
            )
            self._link(path / self._repository.prefix)
        return True

    def _link(self, root: Path) -> None:
        for name in self._links:
            target, link = self._repository.root / name, root / name
            if target.is_dir() and not os.path.lexists(link):
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(target, target_is_directory=True)

    def _opened(self, name: str) -> tuple[Repository, GitCheckpoints]:
        root = self._path(name) / self._repository.prefix
        root.mkdir(parents=True, exist_ok=True)  # a commit may not have the project's folder
        repository = open_repository(root, environ=self._environ)
        if repository is None:
            raise GitFailed("a checkout of this run is damaged", where=str(root), hint="remove the folder, then resume")
        work = self._folder / f".{name}"
        checkpoints = GitCheckpoints(repository, refs=self._refs, work=work, kept=work / "kept", hidden=self._links)
        return repository, checkpoints

    def _at(self, name: str) -> Git:
        return self._git(self._open[name][0])

    def _git(self, repository: Repository) -> Git:
        git = recording(repository)
        return replace(git, settings={**git.settings, "advice.detachedHead": "false"})

    def _changed(self, repository: Repository) -> bool:
        """Tell whether a checkout differs from its commit, links aside."""
        listed = repository.git.names("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        links = {f"{repository.prefix}{name}" for name in self._links}
        return any(entry[3:].rstrip("/") not in links for entry in listed)


@contextmanager
def _prepared(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as failed:
        raise StateUnwritable(f"a checkout cannot be made: {failed.strerror}", where=str(folder)) from failed
