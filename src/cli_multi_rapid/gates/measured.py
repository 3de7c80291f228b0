"""What coverage reports tell: which lines and branches a file has, and whether they were executed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cli_multi_rapid.gates.evidence import EvidenceError

Branch = tuple[int, str]
"""The line that a branch leaves, and what tells it from the others of that line."""

AGAIN = "measure the coverage again"
_Key = TypeVar("_Key", int, Branch)
_MAX_EXITS = 10_000
_MAX_LINE = 10**9


@dataclass(slots=True)
class Measured:
    """What is known of one file: each line and each branch, and whether it was executed.

    `form` names the kind of report; the branches of two kinds cannot be told apart, so they are never mixed.
    """

    form: str
    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[Branch, bool] = field(default_factory=dict)

    @property
    def covered_lines(self) -> int:
        """Return how many lines were executed."""
        return sum(self.lines.values())

    @property
    def covered_branches(self) -> int:
        """Return how many branches were taken."""
        return sum(self.branches.values())

    @property
    def covered(self) -> int:
        """Return how many lines and branches were executed."""
        return self.covered_lines + self.covered_branches

    @property
    def size(self) -> int:
        """Return how many lines and branches there are."""
        return len(self.lines) + len(self.branches)

    @property
    def missing(self) -> list[int]:
        """Return the lines that were not executed, in order."""
        return sorted(line for line, hit in self.lines.items() if not hit)

    def add_line(self, number: object, *, hit: bool, where: str) -> int:
        """Record one line and return its number; refuse a line that is known already, or a number that is none."""
        line = line_number(number, where)
        _once(self.lines, line, hit=hit, where=where)
        return line

    def add_branch(self, line: object, label: str, *, hit: bool, where: str) -> None:
        """Record one branch of a line, in the same way."""
        _once(self.branches, (line_number(line, where), label), hit=hit, where=where)

    def add_exits(self, line: int, *, taken: int, total: int, where: str) -> None:
        """Record the branches of a line where a report only counts them: the first ones stand for those taken."""
        if not 0 <= taken <= total <= _MAX_EXITS:
            raise EvidenceError(f"{taken} of {total} branches cannot be: line {line} of {where}", fix=AGAIN)
        for exit_ in range(total):
            self.add_branch(line, str(exit_), hit=exit_ < taken, where=where)


def line_number(value: object, where: str) -> int:
    """Return a value that is a line number, or raise `EvidenceError`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_LINE:
        raise EvidenceError(f"{value!r:.40} is no line number: {where}", fix=AGAIN)
    return value


def whole_number(text: str | None, where: str) -> int:
    """Return the whole number, of at most 18 digits, that a text is, or raise `EvidenceError`."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise EvidenceError(f"{text!r:.40} is no whole number: {where}", fix=AGAIN)
    return int(text)


def joined(one: Measured, other: Measured) -> Measured:
    """Join what two records say of one file: a line or branch was executed where either of them saw it."""
    lines = {line: one.lines.get(line, False) or other.lines.get(line, False) for line in one.lines | other.lines}
    branches = {
        branch: one.branches.get(branch, False) or other.branches.get(branch, False)
        for branch in one.branches | other.branches
    }
    return Measured(one.form, lines, branches)


def combined(reports: Sequence[Mapping[str, Measured]]) -> dict[str, Measured]:
    """Join reports: a line or branch counts as executed where any of them saw it.

    Raises:
        EvidenceError: one file has branches in reports of different kinds.
    """
    found: dict[str, Measured] = {}
    for files in reports:
        for path, measured in files.items():
            known = found.get(path)
            if known and known.form != measured.form and (known.branches or measured.branches):
                raise EvidenceError(f"{path} has branches in reports of two kinds", fix="give reports of one kind")
            found[path] = joined(known, measured) if known else measured
    return found


def _once(known: dict[_Key, bool], key: _Key, *, hit: bool, where: str) -> None:
    if key in known:
        raise EvidenceError(f"{key} is recorded twice: {where}", fix=AGAIN)
    known[key] = hit
