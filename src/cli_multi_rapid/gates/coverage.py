"""The coverage check: recounts every line and branch and compares exactly, without rounding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from cli_multi_rapid.gates.changed_lines import ChangedLines, changed_lines, sightings
from cli_multi_rapid.gates.coverage_reports import read_report
from cli_multi_rapid.gates.evidence import EvidenceError, Report, collect, is_file
from cli_multi_rapid.gates.measured import Measured, combined
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, unjudged
from cli_multi_rapid.gates.percentages import least_percent, line_ranges, percent_text
from cli_multi_rapid.gates.report_paths import ReportPaths
from cli_multi_rapid.model.gate import Finding, GateResult, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_WORST = 10
_RULE = "coverage-below"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Compare the share of executed lines and branches, over all reports together, with the least that is asked for.

    In strict, or where the gate asks for it, the lines that the change touches are compared on their own too.
    """
    gate, reports = Gate(name, spec, given), tuple[Report, ...]()
    try:
        least = least_percent(spec.min, "min")
        reports = collect(spec, given)
        files = combined([_read(report, given) for report in reports])
        total = _Total(files=files, percent=_percent(files), least=least, known=_known(gate), worst=_worst(files))
        result = _result(gate, total, changed_lines(spec, given, files))
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    return replace(result, evidence=tuple(report.evidence for report in reports))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Total:
    """What the reports amount to. `known` is the coverage of the baseline, in percent like the others.

    `worst` are the paths of the files that are not covered whole, those with most to do first.
    """

    files: Mapping[str, Measured]
    percent: Fraction
    least: Fraction
    known: Fraction | None
    worst: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return self.percent < self.least

    @property
    def excused(self) -> bool:
        return self.failed and self.known is not None and self.percent >= self.known


def _read(report: Report, given: GateInput) -> dict[str, Measured]:
    root = Path(given.root)
    files = read_report(ReportPaths(root=root, report=report, files=given.files))
    if report.own:
        _refuse_stale(report, files, root)
    return files


def _refuse_stale(report: Report, files: Mapping[str, Measured], root: Path) -> None:
    """Refuse a report of the project's own that is older than what it measured, or measured something else."""
    fix = "run the tests with coverage again"
    for path, measured in files.items():
        source = root / path
        if not is_file(source):
            raise EvidenceError(f"{report.path} measures {path}, which does not exist", fix=fix)
        try:
            changed_ns = source.stat().st_mtime_ns
            lines = source.read_bytes().count(b"\n") + 1
        except OSError as problem:
            raise EvidenceError(f"{path} cannot be read: {problem}", fix=fix) from problem
        last = max(measured.lines, default=0)
        if changed_ns > report.mtime_ns:
            raise EvidenceError(f"{path} was changed after {report.path} was written", fix=fix)
        if last > lines:
            raise EvidenceError(f"{report.path} measures line {last} of {path}, which has {lines}", fix=fix)


def _percent(files: Mapping[str, Measured]) -> Fraction:
    if not any(file.lines for file in files.values()):
        raise EvidenceError("the reports measure no line at all", fix="check what the coverage tool leaves out")
    return Fraction(100 * sum(file.covered for file in files.values()), sum(file.size for file in files.values()))


def _worst(files: Mapping[str, Measured]) -> tuple[str, ...]:
    lacking = {path: file.size - file.covered for path, file in files.items() if file.covered < file.size}
    return tuple(sorted(lacking, key=lambda path: (-lacking[path], path)))


def _known(gate: Gate) -> Fraction | None:
    known = gate.given.policy.covered.get(gate.name)
    return None if known is None else Fraction(known)


def _result(gate: Gate, total: _Total, changed: ChangedLines | None) -> GateResult:
    """Return the verdict over both: what fails has findings, and the status follows from those that are not excused."""
    tally = Tally(Severity.LOW)
    for path in total.worst if total.failed else ():
        tally.add(_finding(path, total.files[path]), path)
    gate = _excusing(gate, tally.findings() if total.excused else ())
    if changed and changed.failed:
        for sighting in sightings(changed, Path(gate.given.root)):
            tally.add(sighting.finding, sighting.text)
    summary = _summary(total) + (f"; {changed.summary}" if changed else "")
    return replace(
        judged(gate, tally, summary=summary, fix=_fix(total, changed)),
        observed=float(total.percent),
        threshold=float(total.least),
        tool="/".join(sorted({file.form for file in total.files.values()})),
        details={**_details(total), **(changed.details if changed else {})},
    )


def _excusing(gate: Gate, findings: Iterable[Finding]) -> Gate:
    """Return the gate with a baseline that excuses these findings: what is recorded of this gate is a percentage."""
    policy = gate.given.policy
    known = frozenset(finding.fingerprint for finding in findings)
    policy = replace(policy, baseline={**policy.baseline, gate.name: known})
    return replace(gate, given=replace(gate.given, policy=policy))


def _summary(total: _Total) -> str:
    lines = sum(len(file.lines) for file in total.files.values())
    branches = sum(file.branch_count for file in total.files.values())
    size = counted(lines, "line") + (f" and {counted(branches, 'branch', plural='branches')}" if branches else "")
    others = (total.least,) if total.known is None else (total.least, total.known)
    text = f"{percent_text(total.percent, *others)} % of {size}, needs {float(total.least):.15g} %"
    if not total.failed or total.known is None:
        return text
    word = "not below" if total.excused else "and fell below"
    return f"{text}; {word} the {percent_text(total.known, total.percent)} % of the baseline"


def _fix(total: _Total, changed: ChangedLines | None) -> str:
    """Say where to begin; where only changed lines are missing, their finding says it."""
    if not total.failed or total.excused or (changed and changed.failed):
        return ""
    first = total.worst[0]
    return f"write tests for {first} first: {_missing_text(total.files[first])}"


def _finding(path: str, file: Measured) -> Finding:
    return Finding(
        rule=_RULE,
        message=_missing_text(file),
        path=path,
        line=next(iter(file.missing), 0),
        severity=Severity.HIGH,
        fix="write tests that execute these lines",
    )


def _missing_text(file: Measured) -> str:
    missing = file.missing
    open_branches = file.branch_count - file.covered_branches
    texts = []
    if missing:
        texts.append(f"{len(missing):,} of {counted(len(file.lines), 'line')} not executed: {line_ranges(missing)}")
    if open_branches:
        texts.append(f"{counted(open_branches, 'branch', plural='branches')} not taken")
    return "; ".join(texts)


def _details(total: _Total) -> dict[str, object]:
    """Return what a result records. `exact` is the percentage as a fraction: the baseline is written from it."""
    files = total.files.values()
    return {
        "exact": str(total.percent),
        "files": len(files),
        "lines": sum(len(file.lines) for file in files),
        "covered_lines": sum(file.covered_lines for file in files),
        "branches": sum(file.branch_count for file in files),
        "covered_branches": sum(file.covered_branches for file in files),
        "worst": [_detail(path, total.files[path]) for path in total.worst[:_WORST]],
    }


def _detail(path: str, file: Measured) -> dict[str, object]:
    return {
        "path": path,
        "lines": len(file.lines),
        "missing_lines": len(file.missing),
        "missing": line_ranges(file.missing),
        "branches": file.branch_count,
        "missing_branches": file.branch_count - file.covered_branches,
    }
