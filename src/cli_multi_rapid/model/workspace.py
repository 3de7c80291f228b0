"""Checkouts that a run has for itself, beside the project's own folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cli_multi_rapid.model.checkpoint import Checkpoints, Restored

SHARED = "run"
"""The name of the checkout that the steps of a run share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checkout: the folder of the project in it, what keeps its states, and whether it has just been made."""

    root: str
    checkpoints: Checkpoints
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What joining two commits gave: a commit, or the paths on which they do not agree."""

    commit: str = ""
    conflicts: tuple[str, ...] = ()


class Worktrees(Protocol):
    """The checkouts of one run, each by a name of its own. All calls block; they may come from several threads."""

    def open(self, name: str, commit: str) -> Checkout:
        """Return the checkout of that name; one that does not exist is made of a commit."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of the checkouts that exist."""
        ...

    def commit(self, name: str, *, onto: str, paths: tuple[str, ...], message: str) -> str:
        """Commit what a checkout has changed at some paths, onto a commit; return the new one, or `onto` if it is none.

        Whatever steps have staged or committed themselves is forgotten; their files stay.
        """
        ...

    def merge(self, ours: str, theirs: str, *, message: str) -> Merge:
        """Join what `theirs` has changed since both parted into `ours`; touches no files."""
        ...

    def before(self, commit: str) -> str:
        """Return the commit that one was made onto."""
        ...

    def renew(self, name: str, commit: str) -> Restored:
        """Make a checkout hold a commit and nothing else that git does not ignore; what it held is kept."""
        ...

    def keep(self, label: str, commit: str) -> str:
        """Make a ref to a commit and return its name."""
        ...

    def close(self, name: str) -> str:
        """Remove a checkout. Changes in it that are in no commit are kept first; returns the ref to them."""
        ...
