"""Reads LCOV tracefiles: the lines (`DA`) and branches (`BRDA`) of each file; its totals may not contradict them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.measured import AGAIN, Measured, add, whole_number
from cli_multi_rapid.gates.report_paths import ReportPaths

FORM = "lcov"
_STARTS = (b"TN:", b"SF:", b"#")
_PASSED_OVER = {"VER", "FN", "FNDA", "FNF", "FNH", "FNL", "FNA", "MCDC", "MCF", "MCH"}
_TOTALS = {"LF", "LH", "BRF", "BRH"}
_MERGE = f"{AGAIN}; where a line is counted once for each function, let the tool merge them (gcovr: --merge-lines)"


@dataclass(slots=True)
class _Record:
    """What one test saw of one file, from `SF` to `end_of_record`."""

    test: str
    name: str
    measured: Measured = field(default_factory=lambda: Measured(FORM))
    totals: dict[str, int] = field(default_factory=dict)


def recognised(data: bytes) -> bool:
    """Tell whether a report starts as tracefiles do."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_STARTS)


def read(paths: ReportPaths) -> dict[str, Measured]:
    """Return the measured files of a tracefile by path. What different tests saw of a file is joined.

    Raises:
        EvidenceError: it is broken or cut off, contradicts itself, or has something twice.
    """
    report = paths.report
    found: dict[str, Measured] = {}
    seen: set[tuple[str, str]] = set()
    for record in _records(report):
        path = paths.named(record.name)
        if (record.test, path) in seen:
            raise EvidenceError(f"{report.path} measures {path} twice", fix=AGAIN)
        seen.add((record.test, path))
        _contradict(record, where=f"{record.name} in {report.path}")
        add(found, path, record.measured)
    return found


def _records(report: Report) -> Iterator[_Record]:
    test, record = "", None
    for tag, value, where in _entries(report):
        if tag == "end_of_record" and record:
            yield record
            record = None
        elif record:
            _add(record, tag, value, where)
        elif tag == "TN":
            test = value
        elif tag == "SF" and value:
            record = _Record(test, value)
        else:
            raise EvidenceError(f"{tag!r:.40} does not belong here: {where}", fix=AGAIN)
    if record:
        raise EvidenceError(f"{report.path} is cut off: {record.name} has no end_of_record", fix=AGAIN)


def _entries(report: Report) -> Iterator[tuple[str, str, str]]:
    """Yield the tag, the value and the place of every line that says something."""
    try:
        text = report.data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise EvidenceError(f"{report.path} is not UTF-8: {problem}", fix=AGAIN) from problem
    for number, line in enumerate(text.split("\n"), start=1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            tag, _, value = entry.partition(":")
            yield tag, value, f"line {number} of {report.path}"


def _add(record: _Record, tag: str, value: str, where: str) -> None:
    if tag == "DA":
        line, comma, rest = value.partition(",")
        hits = whole_number(rest.partition(",")[0] if comma else None, where)
        record.measured.add_line(whole_number(line, where), hit=hits > 0, where=where)
    elif tag == "BRDA":
        _add_branch(record, value, where)
    elif tag in _TOTALS:
        if tag in record.totals:
            raise EvidenceError(f"{tag} is there twice: {where}", fix=AGAIN)
        record.totals[tag] = whole_number(value, where)
    elif tag not in _PASSED_OVER:
        raise EvidenceError(f"{tag!r:.40} does not belong here: {where}", fix=AGAIN)


def _add_branch(record: _Record, value: str, where: str) -> None:
    """Record `line,block,branch,taken`; the branch may be a text with commas, and `-` was never reached."""
    line, _, rest = value.partition(",")
    block, _, rest = rest.partition(",")
    branch, _, taken = rest.rpartition(",")
    if not block or not branch:
        raise EvidenceError(f"{value!r:.40} is no branch: {where}", fix=AGAIN)
    hit = taken != "-" and whole_number(taken, where) > 0
    record.measured.add_branch(whole_number(line, where), f"{block},{branch}", hit=hit, where=where)


def _contradict(record: _Record, *, where: str) -> None:
    measured = record.measured
    recount: Mapping[str, int] = {
        "LF": len(measured.lines),
        "LH": measured.covered_lines,
        "BRF": measured.branch_count,
        "BRH": measured.covered_branches,
    }
    for tag, number in recount.items():
        if record.totals.get(tag, number) != number:
            raise EvidenceError(f"{where}: {tag} says {record.totals[tag]}, its records have {number}", fix=_MERGE)
