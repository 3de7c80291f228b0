"""The command check: runs any tool and judges what it reports; its exit code alone never passes a gate."""

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from cli_multi_rapid.gates.evidence import LIMIT_BYTES, EvidenceError, Report, collect, own_reports
from cli_multi_rapid.gates.junit import judge_tests, read_tests
from cli_multi_rapid.gates.listing import read_listing
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.sarif import read_sarif
from cli_multi_rapid.gates.tool_findings import LineTexts, ToolReport
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import GateSpec, ReportFormat
from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.system.environment import program_file

_LOG_TAIL_BYTES = 4 << 10


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Judge what a tool reports: a phase's evidence, else the output of `run`, else the project's own reports.

    Where there are both `run` and `reports`, the command must write those reports, and they are judged.
    """
    gate, reports = Gate(name, spec, given), tuple[Report, ...]()
    code: int | None = None
    try:
        if given.evidence is None and spec.run:
            code, reports = _run(gate)
        else:
            reports = collect(spec, given)
        result = _verdict(gate, reports, code=code)
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    return replace(result, evidence=tuple(report.evidence for report in reports))


def _run(gate: Gate) -> tuple[int, tuple[Report, ...]]:
    spec, given = gate.spec, gate.given
    before = _states(spec, given) if spec.reports else {}
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", gate.name)[:40]
    folder = Path(tempfile.mkdtemp(prefix=f"gate-{safe}-", dir=given.work))
    log, output = folder / "log.txt", folder / "output"
    command = Command(
        argv=spec.run,
        cwd=given.root,
        env=given.env,
        log=str(log),
        stdout="" if spec.reports else str(output),
        tag=f"gate-{safe}",
        timeout_s=duration_s(spec.timeout),
        cap_bytes=LIMIT_BYTES,
    )
    code = _judgeable_code(spec, given.execute(command), log)
    if not spec.reports:
        return code, collect(spec, replace(given, evidence=(str(output),)))
    reports = collect(spec, given)
    unwritten = [report.path for report in reports if _state(report.absolute) == before.get(report.absolute)]
    if unwritten:
        raise EvidenceError(f"{unwritten[0]} was not written by the command", fix=f"make {spec.run[0]} write it")
    return code, reports


def _tool_file(spec: GateSpec, given: GateInput) -> dict[str, object]:
    """Return which file the program was, where what it found may be taken over as long as it is the same."""
    if not spec.cache or not spec.run or given.evidence is not None or spec.reports:
        return {}
    found = program_file(spec.run[0], given.env.get("PATH", ""))
    return {"tool_file": found} if found else {}


def _judgeable_code(spec: GateSpec, ended: Exit, log: Path) -> int:
    """Return the exit code where the tool came to its end with one of `ok-codes`."""
    tool = spec.run[0]
    if ended.missing:
        raise EvidenceError(f"{tool} is not installed", fix=f"install {tool} in the environment that the gate sees")
    if ended.error:
        raise EvidenceError(f"{tool} could not be started: {ended.error}", fix=f"check how {tool} is installed")
    if ended.timed_out:
        raise EvidenceError(f"{tool} did not end within {spec.timeout}", fix="give it more `timeout`, or less to do")
    last = _last_line(log)
    if ended.code is None:
        raise EvidenceError(f"{tool} was killed by signal {ended.signal}{last}", fix=f"find out why {tool} crashed")
    if ended.code not in spec.ok_codes:
        raise EvidenceError(f"{tool} ended with exit code {ended.code}{last}", fix=f"run it yourself: {_typed(spec)}")
    if ended.truncated:
        raise EvidenceError(
            f"the output of {tool} is larger than {LIMIT_BYTES >> 20} MiB", fix="give it less to check at once"
        )
    return ended.code


def _verdict(gate: Gate, reports: tuple[Report, ...], *, code: int | None) -> GateResult:
    spec, given = gate.spec, gate.given
    if spec.format is ReportFormat.JUNIT:
        result = judge_tests(gate, read_tests(reports, given))
        _refuse_silent_failure(spec, code, result.findings_total)
        return result
    root = Path(given.root)
    read = [_read(report, spec.format, root, strict=given.level is Level.STRICT) for report in reports]
    findings = [finding for part in read for finding in part.findings]
    suppressed = sum(part.suppressed for part in read)
    _refuse_silent_failure(spec, code, len(findings) + suppressed)
    tally, lines = Tally(spec.fail_on), LineTexts(root)
    for finding in findings:
        tally.add(finding, lines.line(finding.path, finding.line))
    tool = ", ".join(dict.fromkeys(part.tool for part in read if part.tool))
    tool = tool or (Path(spec.run[0]).name if spec.run else "")
    found = counted(tally.total, "finding") if tally.total else "no finding"
    also = f", {suppressed:,} suppressed in the project" if suppressed else ""
    return replace(
        judged(gate, tally, summary=f"{tool or 'the report'}: {found}{also}"),
        observed=float(tally.total),
        threshold=0.0,
        tool=tool,
        tool_version=", ".join(dict.fromkeys(part.tool_version for part in read if part.tool_version)),
        details={"blocking": tally.blocking, "suppressed": suppressed, "exit_code": code, **_tool_file(spec, given)},
    )


def _read(report: Report, form: ReportFormat, root: Path, *, strict: bool) -> ToolReport:
    if form is ReportFormat.SARIF:
        return read_sarif(report.data, path=report.path, root=root, strict=strict)
    return read_listing(report.data, path=report.path, root=root)


def _refuse_silent_failure(spec: GateSpec, code: int | None, found: int) -> None:
    if code and not found:
        raise EvidenceError(
            f"{spec.run[0]} ended with exit code {code} but reported no finding", fix=f"run it yourself: {_typed(spec)}"
        )


def _states(spec: GateSpec, given: GateInput) -> dict[Path, tuple[int, int, int]]:
    try:
        paths = own_reports(spec, given)
    except EvidenceError:
        return {}  # nothing is there yet
    return {path: state for path in paths if (state := _state(path))}


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.lstat()
    except OSError:
        return None
    return (state.st_ino, state.st_mtime_ns, state.st_size)


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {one_line(lines[-1], limit=160)}" if lines else ""


def _typed(spec: GateSpec) -> str:
    return one_line(" ".join(spec.run), limit=120)
