"""The outcome of all cases, as a table for people and as data."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trial import Violation

_MOST_SHOWN = 3


@dataclass(slots=True, kw_only=True)
class Tried:
    """One case that was tried. `missed` says that the fault came too late to matter."""

    number: int
    title: str
    seconds: float
    missed: bool
    violations: Sequence[Violation]


@dataclass(slots=True, kw_only=True)
class Row:
    """What is known about one fault."""

    fault: str
    summary: str
    planned: int = 0
    begun: int = 0
    tried: list[Tried] = field(default_factory=list)
    not_run: str = ""

    @property
    def count(self) -> int:
        """Return the number of violations."""
        return sum(len(one.violations) for one in self.tried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was tried, and what must be given again to try a case once more."""

    rows: Sequence[Row]
    seed: int
    seconds: float
    without: str = ""

    @property
    def count(self) -> int:
        """Return the number of violations."""
        return sum(row.count for row in self.rows)

    def again(self, row: Row, case: Tried) -> str:
        """Return the arguments that try a case again."""
        without = f" --without {self.without}" if self.without else ""
        return f"--only {row.fault} --case {case.number} --seed {self.seed}{without}"


def text(outcome: Outcome) -> str:
    """Return the table, and below it one line for each violation."""
    lines = [f"{'fault':<9} {'cases':>9} {'in time':>8} {'violations':>11} {'seconds':>8}"]
    lines += [_line(row) for row in outcome.rows]
    cases = sum(len(row.tried) for row in outcome.rows)
    lines.append(f"{_count(outcome.count, 'violation')} in {_count(cases, 'case')}, {outcome.seconds:.0f} s")
    for row in outcome.rows:
        for case in row.tried:
            lines += _violations(case, again=outcome.again(row, case))
    return "\n".join(lines)


def data(outcome: Outcome) -> dict[str, object]:
    """Return the same as plain values."""
    return {
        "seed": outcome.seed,
        "without": outcome.without,
        "seconds": round(outcome.seconds, 1),
        "violations": outcome.count,
        "faults": [_row_data(outcome, row) for row in outcome.rows],
    }


def _violations(case: Tried, *, again: str) -> Iterator[str]:
    """Give the violations of a case, of each kind the first few, each with what tries the case again."""
    shown = Counter[str]()
    for one in case.violations:
        shown[one.kind] += 1
        if shown[one.kind] <= _MOST_SHOWN:
            yield f"{one.kind}: {one.sentence}   [{case.title}: {again}]"
    for kind, count in shown.items():
        if count > _MOST_SHOWN:
            yield f"{kind}: {_count(count - _MOST_SHOWN, 'more violation')} of that kind   [{case.title}: {again}]"


def _line(row: Row) -> str:
    seconds = sum(one.seconds for one in row.tried)
    cases = f"{len(row.tried)}/{row.planned}" if row.planned else "-"
    hit = len([one for one in row.tried if not one.missed])
    said = f"{row.fault:<9} {cases:>9} {hit:>8} {row.count:>11} {seconds:>8.1f}  {row.summary}"
    return f"{said}\n          not run: {row.not_run}" if row.not_run else said


def _row_data(outcome: Outcome, row: Row) -> dict[str, object]:
    return {
        "fault": row.fault,
        "summary": row.summary,
        "planned": row.planned,
        "tried": len(row.tried),
        "in_time": len([one for one in row.tried if not one.missed]),
        "not_run": row.not_run,
        "seconds": round(sum(one.seconds for one in row.tried), 1),
        "violations": [
            {"kind": one.kind, "sentence": one.sentence, "case": case.title, "again": outcome.again(row, case)}
            for case in row.tried
            for one in case.violations
        ],
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
