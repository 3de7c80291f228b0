"""The state of a project at one instant, kept so that it can be put back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A kept state: the commit that holds it, the git ref by which people reach it, and the tree of the project.

    `warnings` are sentences about what it does not hold.
    """

    commit: str
    ref: str
    tree: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What putting files back to an earlier state has done.

    `paths` (relative to the project) have the content of that state again; what they had before is kept under the refs
    `kept`, the newest last. `left` differ from that state too, but were not to be touched. `warnings` are sentences
    about files that are in no state.
    """

    paths: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Checkpoints(Protocol):
    """Keeps the states that one run passes through. All calls block; one at a time."""

    def tree(self) -> str:
        """Return the id of the present tree, without keeping it."""
        ...

    def take(self, label: str) -> Checkpoint:
        """Keep the present state. `label` says in the name of the ref what it is."""
        ...

    def restore(self, label: str, *, before: str, paths: Sequence[str] | None) -> Restored:
        """Put the files that match the globs `paths` (None: all) back to what they were at the commit `before`.

        The present state is kept first. Whatever interrupts it, calling it again finishes the work.
        """
        ...

    def changed(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        ...

    def changed_at(self, path: str) -> float | None:
        """Return when a file was last changed (seconds since the epoch); of one that is gone, the folder it was in."""
        ...

    def refusal(self, paths: Sequence[str] | None) -> str:
        """Say why what matches the globs (None: everything) cannot be kept, or return nothing if it can."""
        ...
