"""The change under test: what differs between the base revision and the project as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ChangeKind(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file that differs. `lines` are the numbers (from 1) of lines that are new or altered, none in a binary file.

    `before` is the path it had in the base revision, empty for an added one. A file that only moved has no lines.
    """

    kind: ChangeKind
    before: str = ""
    lines: frozenset[int] = frozenset()
    removed: int = 0
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was changed since the base revision, a commit id, by path as it is now (a deleted file by its old one)."""

    base: str
    files: Mapping[str, ChangedFile] = field(default_factory=dict)

    @property
    def touched(self) -> frozenset[str]:
        """Return every path that the change touches, old ones included."""
        return frozenset(self.files) | frozenset(file.before for file in self.files.values() if file.before)
