"""One run as a SARIF 2.1.0 log: one SARIF run for the run as a whole and one for each result of a gate.

Whatever did not pass is an error here, too: a gate that failed or could not be evaluated has at least one result, and
what was not carried through says so in its invocation. Every result has a place, since platforms refuse those without.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote

from cli_multi_rapid.documents.reports import GateView, RunView, Verdict, json_text, plain, require_results
from cli_multi_rapid.documents.text import PROGRAM, printable
from cli_multi_rapid.documents.words import ending, excuse_words, gate_words, headline, waiver_of
from cli_multi_rapid.model.gate import Excuse, Finding, GateResult, GateStatus, Severity
from cli_multi_rapid.model.words import utc_text

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_GATES = "config/compliance-gates.yaml"
_LEVELS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note", Severity.INFO: "none"}
_UNSOUND = (Verdict.ERROR, Verdict.UNFINISHED)
_text = partial(printable, lines=True)
Json = dict[str, object]


def render_sarif(view: RunView) -> str:
    """Return a run as a SARIF log.

    Raises:
        EvidenceMissing: the run has no recorded result.
    """
    require_results(view)
    runs = [_whole_run(view), *(_gate_run(view, gate) for gate in (*view.gates, *view.accepting))]
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}) + "\n"


class _Results:
    """Gathers results, and the rules that they name in the order in which they come."""

    def __init__(self) -> None:
        self.rules: dict[str, Json] = {}
        self.results: list[Json] = []
        self._places: dict[str, int] = {}

    def add(
        self, rule: str, message: str, *, level: str, path: str, line: int = 0, column: int = 0, fix: str = "",
        fingerprint: str = "", suppressions: Sequence[Json] = (), properties: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        """Add one result."""
        name = _text(rule) or "unnamed-rule"
        self.rules.setdefault(name, _rule(name, level, fix))
        self._places.setdefault(name, len(self._places))
        result: Json = {
            "ruleId": name,
            "ruleIndex": self._places[name],
            "level": level,
            "message": {"text": _text(message) or name},
            "locations": [_location(path, line, column)],
            "suppressions": list(suppressions),
        }
        if level == "none":
            result["kind"] = "informational"
        if fingerprint:
            result["partialFingerprints"] = {"cmrFinding/v1": _text(fingerprint)}
        if properties:
            result["properties"] = dict(properties)
        self.results.append(result)


def _rule(name: str, level: str, fix: str) -> Json:
    rule: Json = {"id": name, "shortDescription": {"text": name}, "defaultConfiguration": {"level": level}}
    return rule | ({"help": {"text": _text(fix)}} if fix else {})


def _whole_run(view: RunView) -> Json:
    """Return what the run as a whole amounts to: the steps that failed, else whatever else made it end badly."""
    found = _Results()
    paths = {phase.name: phase.path for phase in view.phases}
    for step in view.failed_steps:
        message = f"step {step.key}: {ending(step)}"
        found.add(
            "step-failed", message, level="error", path=paths.get(step.phase, ""), fix=step.fix,
            fingerprint=f"step:{step.key}",
        )  # fmt: skip
    explained = view.failed_steps or view.blocking_gates
    if view.verdict not in (Verdict.PASS, Verdict.WARN) and not explained:
        message = "; ".join([headline(view), *view.reasons])
        level = "warning" if view.verdict is Verdict.UNJUDGED else "error"
        found.add("run-verdict", message, level=level, path=_GATES, fingerprint="run-verdict")
    notices = [_notice("error", reason) for reason in view.reasons if view.verdict in _UNSOUND]
    notices += [_notice("warning", remark) for remark in view.remarks]
    notices += [_notice("note", f"{one.kind} {one.name}: {one.reason}") for one in view.not_run]
    invocation = _invocation(view.started, view.duration_ms, notices, sound=view.verdict not in _UNSOUND)
    if view.exit_code is not None:
        invocation["exitCode"] = view.exit_code
    properties: Json = {
        "run": view.run, "status": view.status, "verdict": view.verdict, "job": _text(view.origin.job),
        "level": view.origin.level, "tree": view.origin.tree, "eventsHash": view.head,
    }  # fmt: skip
    driver = _driver("CLI Multi-Rapid", view.origin.version, found)
    return _run(view, f"{PROGRAM}/run", driver, invocation, properties) | {"results": found.results}


def _gate_run(view: RunView, gate: GateView) -> Json:
    result = gate.result
    found = _Results()
    for finding in result.findings:
        _add_finding(found, result, finding)
    standing = any(finding.excused is None for finding in result.findings)
    if result.status is GateStatus.ERROR or (result.status in (GateStatus.FAIL, GateStatus.WARN) and not standing):
        level = "error" if result.blocks else "warning"
        fingerprint = f"gate:{gate.key}:{result.status.value}"
        found.add(
            f"gate-{result.id}", gate_words(gate), level=level, path=_GATES, fix=result.fix, fingerprint=fingerprint
        )
    skipped = result.status is GateStatus.SKIPPED
    notices = [_notice("error", gate_words(gate))] if result.status is GateStatus.ERROR else []
    notices += [_notice("warning", f"skipped: {result.summary or 'no reason given'}")] if skipped else []
    if result.findings_total > len(result.findings):
        told = f"{len(result.findings):,} of {result.findings_total:,} findings are listed, the worst"
        notices.append(_notice("warning", told))
    sound = result.status not in (GateStatus.ERROR, GateStatus.SKIPPED)
    invocation = _invocation(result.started, result.duration_ms, notices, sound=sound)
    driver = _driver(result.tool or f"{PROGRAM} {result.check}", result.tool_version, found)
    identity = f"{PROGRAM}/{gate.phase or 'project'}/{result.id}"
    run = _run(view, identity, driver, invocation, _properties(gate))
    return run if skipped else run | {"results": found.results}


def _add_finding(found: _Results, result: GateResult, finding: Finding) -> None:
    use = waiver_of(result, finding)
    suppressions: list[Json] = []
    if finding.excused is not None:
        suppression: Json = {"kind": "external", "status": "accepted", "justification": _text(_why(result, finding))}
        if finding.excused is Excuse.WAIVER and use is not None:
            suppression["properties"] = {"approvedBy": _text(use.approved_by), "expires": _text(use.expires)}
        suppressions.append(suppression)
    properties: Json = {"severity": finding.severity}
    if finding.excused is not None:
        properties["excused"] = finding.excused
    elif words := excuse_words(result, finding):
        properties["expired"] = _text(words)
    found.add(
        finding.rule, finding.message, level=_LEVELS[finding.severity], path=finding.path, line=finding.line,
        column=finding.column, fix=finding.fix, fingerprint=finding.fingerprint, suppressions=suppressions,
        properties=properties,
    )  # fmt: skip


def _why(result: GateResult, finding: Finding) -> str:
    use = waiver_of(result, finding) if finding.excused is Excuse.WAIVER else None
    return use.reason if use and use.reason else excuse_words(result, finding)


def _properties(gate: GateView) -> Json:
    result = gate.result
    return {
        "gate": _text(result.id), "phase": _text(gate.phase), "check": result.check, "level": result.level,
        "status": result.status, "blocks": result.blocks, "summary": _text(result.summary),
        "observed": plain(result.observed), "threshold": plain(result.threshold),
        "findingsTotal": result.findings_total, "tree": result.tree, "rulesDigest": result.rules_digest,
        "cached": result.cached,
        "evidence": [{"path": _text(one.path), "sha256": one.sha256} for one in result.evidence],
    }  # fmt: skip


def _run(view: RunView, identity: str, driver: Json, invocation: Json, properties: Json) -> Json:
    """Return a SARIF run without results. Its identity keeps runs of equal tools apart where platforms compare them."""
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": _text(f"{identity}/{view.run}")},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "properties": properties,
    }
    origin = view.origin
    if root := _folder_uri(origin.root):
        run["originalUriBaseIds"] = {_ROOT: {"uri": root}}
    if root and origin.head:
        details: Json = {"repositoryUri": root, "revisionId": origin.head, "mappedTo": {"uriBaseId": _ROOT}}
        details |= {"branch": _text(origin.branch)} if origin.branch else {}
        run["versionControlProvenance"] = [details | {"properties": {"tree": origin.tree}}]
    return run


def _driver(name: str, version: str, found: _Results) -> Json:
    driver: Json = {"name": _text(name), "rules": list(found.rules.values())}
    return driver | ({"version": _text(version)} if version else {})


def _invocation(started: str, duration_ms: int, notices: Sequence[Json], *, sound: bool) -> Json:
    invocation: Json = {"executionSuccessful": sound, "toolExecutionNotifications": list(notices)}
    try:
        begun = datetime.fromisoformat(started)
    except ValueError:
        return invocation
    ended = begun + timedelta(milliseconds=max(duration_ms, 0))
    return invocation | {"startTimeUtc": utc_text(begun), "endTimeUtc": utc_text(ended)}


def _notice(level: str, text: str) -> Json:
    return {"level": level, "message": {"text": _text(text)}}


def _location(path: str, line: int, column: int) -> Json:
    """Return a place in the project; what has none is laid to the file that defines the gates."""
    physical: Json = {"artifactLocation": _artifact(path or _GATES)}
    if line > 0:
        physical["region"] = {"startLine": line} | ({"startColumn": column} if column > 0 else {})
    return {"physicalLocation": physical}


def _artifact(path: str) -> Json:
    if path.startswith("/"):
        return {"uri": f"file://{_quoted(path)}"}
    return {"uri": _quoted(path), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    """Return a path as a URI has it; bytes that were no UTF-8 are those that they were."""
    return quote(path, safe="/", errors="surrogateescape")


def _folder_uri(root: str) -> str:
    """Return the URI of an absolute folder, with the slash at its end that a base needs; else nothing."""
    made: Callable[[str], PurePosixPath | PureWindowsPath] = PurePosixPath if root.startswith("/") else PureWindowsPath
    folder = made(root)
    return f"{folder.as_uri().rstrip('/')}/" if root and folder.is_absolute() else ""
