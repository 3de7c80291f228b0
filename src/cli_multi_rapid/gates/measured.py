"""What coverage reports tell: which lines and branches a file has, and whether they were executed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cli_multi_rapid.gates.evidence import EvidenceError

Branch = tuple[int, str]
"""The line that a branch leaves, and what tells it from the others of that line."""

Exits = tuple[int, int]
"""How many of the branches of a line were taken, and how many there are."""

AGAIN = "measure the coverage again"
_Key = TypeVar("_Key", int, Branch)
_MAX_EXITS = 10_000
_MAX_LINE = 10**9


@dataclass(slots=True)
class Measured:
    """What is known of one file: each line and each branch, and whether it was executed.

    `form` names the kind of report; the branches of two kinds cannot be told apart, so they are never mixed. `exits`
    are the branches of lines where a report only counts them: how many of how many were taken.
    """

    form: str
    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[Branch, bool] = field(default_factory=dict)
    exits: dict[int, Exits] = field(default_factory=dict)

    @property
    def covered_lines(self) -> int:
        """Return how many lines were executed."""
        return sum(self.lines.values())

    @property
    def covered_branches(self) -> int:
        """Return how many branches were taken."""
        return sum(self.branches.values()) + sum(taken for taken, _ in self.exits.values())

    @property
    def branch_count(self) -> int:
        """Return how many branches there are."""
        return len(self.branches) + sum(total for _, total in self.exits.values())

    @property
    def covered(self) -> int:
        """Return how many lines and branches were executed."""
        return self.covered_lines + self.covered_branches

    @property
    def size(self) -> int:
        """Return how many lines and branches there are."""
        return len(self.lines) + self.branch_count

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
        """Record the branches of a line, once, where a report only counts them."""
        if not 0 <= taken <= total <= _MAX_EXITS:
            raise EvidenceError(f"{taken} of {total} branches cannot be: line {line} of {where}", fix=AGAIN)
        if total:
            # Counts, not a record for each: a short report may claim thousands of branches for every line.
            self.exits[line_number(line, where)] = (taken, total)

    def join(self, other: "Measured") -> None:
        """Add what another record says of the same file: a line or branch was executed where either of them saw it.

        Which branches were taken is not known where they are only counted; then the greater number stands for both.
        """
        for line, hit in other.lines.items():
            self.lines[line] = hit or self.lines.get(line, False)
        for branch, hit in other.branches.items():
            self.branches[branch] = hit or self.branches.get(branch, False)
        for line, (taken, total) in other.exits.items():
            known_taken, known_total = self.exits.get(line, (0, 0))
            self.exits[line] = (max(taken, known_taken), max(total, known_total))


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


def add(files: dict[str, Measured], path: str, measured: Measured) -> None:
    """Add what one more record says of a file to what is known of files; the record may become the file's own."""
    if path in files:
        files[path].join(measured)
    else:
        files[path] = measured


def combined(reports: Sequence[Mapping[str, Measured]]) -> dict[str, Measured]:
    """Join reports, which are used up: a line or branch counts as executed where any of them saw it.

    Raises:
        EvidenceError: one file has branches in reports of different kinds.
    """
    found: dict[str, Measured] = {}
    for files in reports:
        for path, measured in files.items():
            known = found.get(path)
            if known and known.form != measured.form and (known.branch_count or measured.branch_count):
                raise EvidenceError(f"{path} has branches in reports of two kinds", fix="give reports of one kind")
            add(found, path, measured)
    return found


def _once(known: dict[_Key, bool], key: _Key, *, hit: bool, where: str) -> None:
    if key in known:
        raise EvidenceError(f"{key} is recorded twice: {where}", fix=AGAIN)
    known[key] = hit
