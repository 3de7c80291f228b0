"""Reads the JSON report of coverage.py: the lists of each file; its sums may not contradict them."""

from collections.abc import Iterable, Mapping

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import AGAIN, Measured
from cli_multi_rapid.gates.parsing import mapping, read_json, sequence
from cli_multi_rapid.gates.report_paths import ReportPaths

FORM = "coverage.py"


def read(paths: ReportPaths) -> dict[str, Measured]:
    """Return the measured files of a report by path.

    Raises:
        EvidenceError: it is broken, or contradicts itself.
    """
    report = paths.report
    document = mapping(read_json(report.data, path=report.path), what=report.path)
    files = mapping(document.get("files"), what=f"`files` of {report.path}")
    with_branches = mapping(document.get("meta", {}), what=f"`meta` of {report.path}").get("branch_coverage") is True
    found: dict[str, Measured] = {}
    for name, value in files.items():
        record = mapping(value, what=f"{name} in {report.path}")
        path = paths.named(name)
        if path in found:
            raise EvidenceError(f"{report.path} measures {path} twice", fix=AGAIN)
        if with_branches and "executed_branches" not in record:
            raise EvidenceError(f"{report.path} has no branches of {name} although it measured them", fix=AGAIN)
        found[path] = _file(record, where=f"{name} in {report.path}")
        _contradict(record.get("summary", {}), [found[path]], where=f"{name} in {report.path}")
    _contradict(document.get("totals", {}), found.values(), where=f"the totals of {report.path}")
    return found


def _file(record: Mapping[str, object], *, where: str) -> Measured:
    measured = Measured(FORM)
    for key, hit in (("executed_lines", True), ("missing_lines", False)):
        for value in sequence(record.get(key), what=f"`{key}` of {where}"):
            measured.add_line(value, hit=hit, where=where)
    for key, hit in (("executed_branches", True), ("missing_branches", False)):
        for value in sequence(record.get(key, []), what=f"`{key}` of {where}"):
            line, target = _branch(value, where)
            measured.add_branch(line, str(target), hit=hit, where=where)
    return measured


def _branch(value: object, where: str) -> tuple[int, int]:
    # coverage.py writes the exit of a function as a negative target.
    match value:
        case [int() as start, int() as target] if not isinstance(start, bool) and not isinstance(target, bool):
            return (start, target)
    raise EvidenceError(f"{value!r:.40} is no branch: {where}", fix=AGAIN)


def _contradict(summary: object, files: Iterable[Measured], *, where: str) -> None:
    """Refuse sums that differ from the recount.

    coverage.py counts exits that a pragma excludes as covered branches without listing them. The recount leaves them
    out, so it may have fewer covered branches than the sum, never more.
    """
    claimed = mapping(summary, what=where)
    files = list(files)
    lines, branches = sum(len(file.lines) for file in files), sum(file.branch_count for file in files)
    covered_lines = sum(file.covered_lines for file in files)
    covered_branches = sum(file.covered_branches for file in files)
    recount = {
        "num_statements": lines,
        "covered_lines": covered_lines,
        "missing_lines": lines - covered_lines,
        "missing_branches": branches - covered_branches,
    }
    for key, number in recount.items():
        if key in claimed and _count(claimed[key], where) != number:
            raise EvidenceError(f"{where}: `{key}` says {claimed[key]}, the lists have {number}", fix=AGAIN)
    taken = _count(claimed.get("covered_branches", covered_branches), where)
    total = _count(claimed.get("num_branches", taken + branches - covered_branches), where)
    if taken < covered_branches or total - taken != branches - covered_branches:
        raise EvidenceError(f"{where}: the number of branches contradicts the lists", fix=AGAIN)
    _contradict_percent(claimed.get("percent_covered"), covered_lines + taken, lines + total, where=where)


def _contradict_percent(percent: object, covered: int, size: int, *, where: str) -> None:
    if percent is None:
        return
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise EvidenceError(f"{where}: {percent!r:.40} is no percentage", fix=AGAIN)
    real = 100.0 * covered / size if size else 100.0
    if not abs(percent - real) < 1e-6:
        raise EvidenceError(f"{where}: `percent_covered` says {percent}, the lists give {real:.2f}", fix=AGAIN)


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EvidenceError(f"{where}: {value!r:.40} is no count", fix=AGAIN)
    return value
