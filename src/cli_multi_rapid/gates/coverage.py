"""The coverage check: recounts every line and branch and compares exactly, without rounding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from cli_multi_rapid.gates.coverage_reports import Measured, combined, read_report
from cli_multi_rapid.gates.evidence import EvidenceError, Report, collect
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, unjudged
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_WORST = 10
_AGAIN = "run the tests with coverage again"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Compare the share of executed lines and branches, over all reports together, with the least that is asked for."""
    gate, reports = Gate(name, spec, given), tuple[Report, ...]()
    try:
        least = _threshold(spec)
        reports = collect(spec, given)
        root = Path(given.root)
        read = [read_report(report, root) for report in reports]
        for report, files in zip(reports, read, strict=True):
            _refuse_stale(report, files, root)
        files = combined(read)
        percent = _percent(files)
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    result = _compared(gate, files, percent=percent, least=least)
    return replace(result, evidence=tuple(report.evidence for report in reports))


def percent_text(percent: Fraction, least: Fraction) -> str:
    """Return a percentage with as many digits as it takes to stand on the right side of the threshold."""
    for digits in range(1, 16):
        shown = round(percent, digits)
        if (shown >= least) == (percent >= least):
            return f"{float(shown):.{digits}f}"
    return f"{percent.numerator}/{percent.denominator}"


def line_ranges(lines: Sequence[int], *, limit: int = 12) -> str:
    """Return sorted line numbers as ranges, `3-7, 12`, the rest after `limit` ranges as a number of lines."""
    if not lines:
        return ""
    starts = [lines[0], *(after for before, after in pairwise(lines) if after != before + 1)]
    ends = [*(before for before, after in pairwise(lines) if after != before + 1), lines[-1]]
    texts = [str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]
    hidden = sum(end - start + 1 for start, end in list(zip(starts, ends, strict=True))[limit:])
    return ", ".join(texts[:limit]) + (f" and {counted(hidden, 'more line', plural='more lines')}" if hidden else "")


def _threshold(spec: GateSpec) -> Fraction:
    # The shortest decimal text of the number is what was written in the file; its binary value is not.
    try:
        least = Fraction(repr(float(spec.min)))
    except ValueError:
        least = Fraction(-1)
    if not 0 <= least <= 100:
        raise EvidenceError(f"`min` is {spec.min}, not a percentage", fix="set `min` to a number from 0 to 100")
    return least


def _refuse_stale(report: Report, files: Mapping[str, Measured], root: Path) -> None:
    """Refuse a report of the project's own that is older than what it measured, or measured something else."""
    if not report.own:
        return
    for path, measured in files.items():
        source = root / path
        if not source.is_file():
            raise EvidenceError(f"{report.path} measures {path}, which does not exist", fix=_AGAIN)
        try:
            changed_ns = source.stat().st_mtime_ns
            lines = source.read_bytes().count(b"\n") + 1
        except OSError as problem:
            raise EvidenceError(f"{path} cannot be read: {problem}", fix=_AGAIN) from problem
        last = max(measured.lines, default=0)
        if changed_ns > report.mtime_ns:
            raise EvidenceError(f"{path} was changed after {report.path} was written", fix=_AGAIN)
        if last > lines:
            raise EvidenceError(f"{report.path} measures line {last} of {path}, which has {lines}", fix=_AGAIN)


def _percent(files: Mapping[str, Measured]) -> Fraction:
    if not any(file.lines for file in files.values()):
        raise EvidenceError("the reports measure no line at all", fix="check `source` and `omit` of the coverage tool")
    return Fraction(100 * sum(file.covered for file in files.values()), sum(file.size for file in files.values()))


def _compared(gate: Gate, files: Mapping[str, Measured], *, percent: Fraction, least: Fraction) -> GateResult:
    worst = sorted(
        (path for path, file in files.items() if file.covered < file.size),
        key=lambda path: (files[path].covered - files[path].size, path),
    )
    tally = Tally(Severity.LOW)
    failed = percent < least
    if failed:
        for path in worst:
            tally.add(_finding(path, files[path]), path)
    lines, branches = (
        sum(len(file.lines) for file in files.values()),
        sum(len(file.branches) for file in files.values()),
    )
    size = counted(lines, "line") + (f" and {counted(branches, 'branch', plural='branches')}" if branches else "")
    summary = f"{percent_text(percent, least)} % of {size}, needs {float(least):g} %"
    fix = f"write tests for {worst[0]} first: {_missing_text(files[worst[0]])}" if failed else ""
    return replace(
        judged(gate, tally, summary=summary, fix=fix),
        status=GateStatus.FAIL if failed else GateStatus.PASS,
        observed=float(percent),
        threshold=float(least),
        tool="/".join(sorted({file.form for file in files.values()})),
        details={
            "files": len(files),
            "lines": lines,
            "covered_lines": sum(sum(file.lines.values()) for file in files.values()),
            "branches": branches,
            "covered_branches": sum(sum(file.branches.values()) for file in files.values()),
            "worst": [_detail(path, files[path]) for path in worst[:_WORST]],
        },
    )


def _finding(path: str, file: Measured) -> Finding:
    return Finding(
        rule="coverage-below",
        message=_missing_text(file),
        path=path,
        line=next(iter(file.missing), 0),
        severity=Severity.HIGH,
        fix="write tests that execute these lines",
    )


def _missing_text(file: Measured) -> str:
    missing = file.missing
    open_branches = len(file.branches) - sum(file.branches.values())
    texts = []
    if missing:
        texts.append(f"{len(missing):,} of {counted(len(file.lines), 'line')} not executed: {line_ranges(missing)}")
    if open_branches:
        texts.append(f"{counted(open_branches, 'branch', plural='branches')} not taken")
    return "; ".join(texts)


def _detail(path: str, file: Measured) -> dict[str, object]:
    return {
        "path": path,
        "lines": len(file.lines),
        "missing_lines": len(file.missing),
        "missing": line_ranges(file.missing),
        "branches": len(file.branches),
        "missing_branches": len(file.branches) - sum(file.branches.values()),
    }
