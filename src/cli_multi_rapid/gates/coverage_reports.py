"""Readers of coverage reports. Only lines and branches are taken; rates and totals are at most contradicted.

Understood are the JSON of coverage.py and the XML of Cobertura, which coverage.py and many other tools write.
"""

import os.path
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cli_multi_rapid.gates.evidence import EvidenceError, Report, shown
from cli_multi_rapid.gates.parsing import Element, mapping, read_json, read_xml, sequence

Branch = tuple[int, int]
_Key = TypeVar("_Key", int, Branch)
_AGAIN = "measure the coverage again"
_CONDITION = re.compile(r"\((\d+)/(\d+)\)\s*$")


@dataclass(slots=True)
class Measured:
    """What is known of one file: each line and each branch, and whether it was executed.

    `form` names the kind of report; the branches of two kinds cannot be told apart, so they are never mixed.
    """

    form: str
    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[Branch, bool] = field(default_factory=dict)

    @property
    def covered(self) -> int:
        """Return how many lines and branches were executed."""
        return sum(self.lines.values()) + sum(self.branches.values())

    @property
    def size(self) -> int:
        """Return how many lines and branches there are."""
        return len(self.lines) + len(self.branches)

    @property
    def missing(self) -> list[int]:
        """Return the lines that were not executed, in order."""
        return sorted(line for line, hit in self.lines.items() if not hit)


def read_report(report: Report, root: Path) -> dict[str, Measured]:
    """Return the measured files of one report by path (relative to the project where they lie inside).

    Raises:
        EvidenceError: the report is broken, contradicts itself or is of another kind.
    """
    start = report.data.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start == b"<":
        return _cobertura(report, root)
    if start == b"{":
        return _coverage_py(report, root)
    raise EvidenceError(f"{report.path} is neither coverage.py JSON nor Cobertura XML", fix=_AGAIN)


def _coverage_py(report: Report, root: Path) -> dict[str, Measured]:
    document = mapping(read_json(report.data, path=report.path), what=report.path)
    files = mapping(document.get("files"), what=f"`files` of {report.path}")
    bases = (root, report.absolute.parent)
    with_branches = mapping(document.get("meta", {}), what=f"`meta` of {report.path}").get("branch_coverage") is True
    found: dict[str, Measured] = {}
    for name, value in files.items():
        record = mapping(value, what=f"{name} in {report.path}")
        path = _project_path(name, root, bases)
        if path in found:
            raise EvidenceError(f"{report.path} measures {path} twice", fix=_AGAIN)
        if with_branches and "executed_branches" not in record:
            raise EvidenceError(f"{report.path} has no branches of {name} although it measured them", fix=_AGAIN)
        found[path] = _coverage_py_file(record, where=f"{name} in {report.path}")
        _contradict(record.get("summary", {}), [found[path]], where=f"{name} in {report.path}")
    _contradict(document.get("totals", {}), found.values(), where=f"the totals of {report.path}")
    return found


def _coverage_py_file(record: Mapping[str, object], *, where: str) -> Measured:
    measured = Measured("coverage.py")
    for key, hit in (("executed_lines", True), ("missing_lines", False)):
        for value in sequence(record.get(key), what=f"`{key}` of {where}"):
            _once(measured.lines, _line_number(value, where), hit=hit, where=where)
    for key, hit in (("executed_branches", True), ("missing_branches", False)):
        for value in sequence(record.get(key, []), what=f"`{key}` of {where}"):
            _once(measured.branches, _branch(value, where), hit=hit, where=where)
    return measured


def _line_number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise EvidenceError(f"{value!r:.40} is no line number: {where}", fix=_AGAIN)
    return value


def _branch(value: object, where: str) -> Branch:
    # coverage.py writes the exit of a function as a negative target.
    match value:
        case [int() as start, int() as target] if not isinstance(start, bool) and not isinstance(target, bool):
            return (_line_number(start, where), target)
    raise EvidenceError(f"{value!r:.40} is no branch: {where}", fix=_AGAIN)


def _once(known: dict[_Key, bool], key: _Key, *, hit: bool, where: str) -> None:
    if key in known:
        raise EvidenceError(f"{key} is recorded twice: {where}", fix=_AGAIN)
    known[key] = hit


def _contradict(summary: object, files: Iterable[Measured], *, where: str) -> None:
    """Refuse sums that differ from the recount.

    coverage.py counts exits that a pragma excludes as covered branches without listing them. The recount leaves them
    out, so it may have fewer covered branches than the sum, never more.
    """
    claimed = mapping(summary, what=where)
    files = list(files)
    lines, branches = sum(len(file.lines) for file in files), sum(len(file.branches) for file in files)
    covered_lines = sum(sum(file.lines.values()) for file in files)
    covered_branches = sum(sum(file.branches.values()) for file in files)
    recount = {
        "num_statements": lines,
        "covered_lines": covered_lines,
        "missing_lines": lines - covered_lines,
        "missing_branches": branches - covered_branches,
    }
    for key, number in recount.items():
        if key in claimed and _count(claimed[key], where) != number:
            raise EvidenceError(f"{where}: `{key}` says {claimed[key]}, the lists have {number}", fix=_AGAIN)
    taken = _count(claimed.get("covered_branches", covered_branches), where)
    total = _count(claimed.get("num_branches", taken + branches - covered_branches), where)
    if taken < covered_branches or total - taken != branches - covered_branches:
        raise EvidenceError(f"{where}: the number of branches contradicts the lists", fix=_AGAIN)
    _contradict_percent(claimed.get("percent_covered"), covered_lines + taken, lines + total, where=where)


def _contradict_percent(percent: object, covered: int, size: int, *, where: str) -> None:
    if percent is None:
        return
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        raise EvidenceError(f"{where}: {percent!r:.40} is no percentage", fix=_AGAIN)
    real = 100.0 * covered / size if size else 100.0
    if not abs(percent - real) < 1e-6:
        raise EvidenceError(f"{where}: `percent_covered` says {percent}, the lists give {real:.2f}", fix=_AGAIN)


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EvidenceError(f"{where}: {value!r:.40} is no count", fix=_AGAIN)
    return value


def _cobertura(report: Report, root: Path) -> dict[str, Measured]:
    document = read_xml(report.data, path=report.path)
    if document.tag != "coverage":
        raise EvidenceError(f"{report.path} is XML, but no Cobertura report: <{document.tag[:40]}>", fix=_AGAIN)
    sources = [root / source.text.strip() for source in _all(document, "source") if source.text.strip()]
    bases = (*sources, root, report.absolute.parent)
    found: dict[str, Measured] = {}
    seen: set[tuple[str, str]] = set()
    for unit in _all(document, "class"):
        name = unit.attributes.get("filename", "")
        identity = (name, unit.attributes.get("name", ""))
        if not name or identity in seen:
            what = f"measures {name} twice" if name else "has a class without a file name"
            raise EvidenceError(f"{report.path} {what}", fix=_AGAIN)
        seen.add(identity)
        measured = _cobertura_class(unit, where=f"{name} in {report.path}")
        path = _project_path(name, root, bases)
        # Nested classes of one file are records of their own; they share its lines.
        found[path] = _joined(found[path], measured) if path in found else measured
    return found


def _cobertura_class(unit: Element, *, where: str) -> Measured:
    measured = Measured("cobertura")
    for lines in (child for child in unit.children if child.tag == "lines"):
        for line in (child for child in lines.children if child.tag == "line"):
            number = _line_number(_digits(line.attributes.get("number"), where), where)
            _once(measured.lines, number, hit=_digits(line.attributes.get("hits"), where) > 0, where=where)
            _add_condition(measured, number, line.attributes.get("condition-coverage", ""), where=where)
    return measured


def _add_condition(measured: Measured, number: int, text: str, *, where: str) -> None:
    if not text:
        return
    found = _CONDITION.search(text)
    taken, total = (int(found[1]), int(found[2])) if found and len(text) < 80 else (1, 0)
    if taken > total or total > 10_000:
        raise EvidenceError(f"{text!r:.40} is no condition coverage: {where}", fix=_AGAIN)
    # Which ones were taken is not said: the first ones stand for them.
    measured.branches.update({(number, exit_): exit_ < taken for exit_ in range(total)})


def _digits(text: str | None, where: str) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise EvidenceError(f"{text!r:.40} is no whole number: {where}", fix=_AGAIN)
    return int(text)


def _all(element: Element, tag: str) -> Iterator[Element]:
    for child in element.children:
        if child.tag == tag:
            yield child
        yield from _all(child, tag)


def combined(reports: Sequence[Mapping[str, Measured]]) -> dict[str, Measured]:
    """Join reports: a line or branch counts as executed where any of them saw it.

    Raises:
        EvidenceError: one file has branches in reports of different kinds.
    """
    joined: dict[str, Measured] = {}
    for files in reports:
        for path, measured in files.items():
            known = joined.get(path)
            if known and known.form != measured.form and (known.branches or measured.branches):
                raise EvidenceError(f"{path} has branches in reports of two kinds", fix="give reports of one kind")
            joined[path] = _joined(known, measured) if known else measured
    return joined


def _joined(one: Measured, other: Measured) -> Measured:
    lines = {line: one.lines.get(line, False) or other.lines.get(line, False) for line in one.lines | other.lines}
    branches = {
        branch: one.branches.get(branch, False) or other.branches.get(branch, False)
        for branch in one.branches | other.branches
    }
    return Measured(one.form, lines, branches)


def _project_path(name: str, root: Path, bases: Sequence[Path]) -> str:
    if "\\" in name and "/" not in name:
        name = name.replace("\\", "/")
    for base in bases:
        candidate = Path(os.path.normpath(base / name))
        if candidate.is_file():
            return shown(root, candidate)
    return shown(root, Path(os.path.normpath(root / name)))
