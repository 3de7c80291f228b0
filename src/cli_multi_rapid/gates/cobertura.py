"""Reads Cobertura XML, which coverage.py and many other tools write: the lines of each class, and their conditions.

Its rates and totals are not looked at: every tool counts them in its own way, and some round them.
"""

import re
from collections.abc import Iterator

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import AGAIN, Measured, add, whole_number
from cli_multi_rapid.gates.parsing import Element
from cli_multi_rapid.gates.report_paths import ReportPaths

FORM = "cobertura"
_CONDITION = re.compile(r"\((\d{1,9})/(\d{1,9})\)\s*$")
_MERGE = f"{AGAIN}; where a line is recorded for each function, let the tool merge them (gcovr: --merge-lines)"


def read(document: Element, paths: ReportPaths) -> dict[str, Measured]:
    """Return the measured files of a report by path.

    Raises:
        EvidenceError: it is broken, or has something twice.
    """
    report = paths.report
    sources = paths.folders(source.text.strip() for source in _all(document, "source"))
    found: dict[str, Measured] = {}
    seen: set[tuple[str, str]] = set()
    for unit in _all(document, "class"):
        name = unit.attributes.get("filename", "")
        identity = (name, unit.attributes.get("name", ""))
        if not name or identity in seen:
            what = f"measures {name} twice" if name else "has a class without a file name"
            raise EvidenceError(f"{report.path} {what}", fix=AGAIN)
        seen.add(identity)
        measured = _lines(unit, where=f"{name} in {report.path}")
        path = paths.named(name, sources=sources)
        # Nested classes of one file are records of their own; they share its lines.
        add(found, path, measured)
    return found


def _lines(unit: Element, *, where: str) -> Measured:
    """Return the lines of a class. Those of its methods are the same again, or what the tool counts as functions."""
    measured = Measured(FORM)
    lists = [child for child in unit.children if child.tag == "lines"]
    if not lists:
        raise EvidenceError(f"{where} has no list of lines", fix=AGAIN)
    for lines in lists:
        for line in (child for child in lines.children if child.tag == "line"):
            hit = whole_number(line.attributes.get("hits"), where) > 0
            number = whole_number(line.attributes.get("number"), where)
            if number in measured.lines:
                raise EvidenceError(f"line {number} is recorded twice: {where}", fix=_MERGE)
            _add_conditions(measured, measured.add_line(number, hit=hit, where=where), line, where=where)
    return measured


def _add_conditions(measured: Measured, number: int, line: Element, *, where: str) -> None:
    text = line.attributes.get("condition-coverage", "")
    if not text and line.attributes.get("branch", "").lower() != "true":
        return
    found = _CONDITION.search(text) if len(text) < 80 else None
    if not found:
        raise EvidenceError(f"{text!r:.40} is no condition coverage: line {number} of {where}", fix=AGAIN)
    measured.add_exits(number, taken=int(found[1]), total=int(found[2]), where=where)


def _all(element: Element, tag: str) -> Iterator[Element]:
    for child in element.children:
        if child.tag == tag:
            yield child
        yield from _all(child, tag)
