"""The baseline of an old code base: what its gates found on the day it was written, which no longer blocks."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.gate import Excuse, Finding, GateResult, GateStatus
from cli_multi_rapid.model.policy import BASELINE_SCHEMA

_FRACTION = re.compile(r"[0-9]{1,40}(/[0-9]{1,40})?")
_FIX = "write it anew:  cli-multi-rapid validate-compliance --write-baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a baseline has by the name of the gate: fingerprints of findings with a note, and coverage in percent."""

    findings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    covered: Mapping[str, str] = field(default_factory=dict)


def load_baseline(text: str | bytes, path: str) -> Baseline:
    """Read a baseline.

    Raises:
        SpecInvalid: it is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise _invalid(path, f"it is no JSON: {broken}") from broken
    if not isinstance(document, dict) or document.get("schema") != BASELINE_SCHEMA:
        raise _invalid(path, f"it is no baseline: `schema` is not {BASELINE_SCHEMA}")
    if set(document) != {"schema", "findings", "covered"}:
        raise _invalid(path, "it needs the keys schema, findings, covered, and no others")
    found, covered = document["findings"], document["covered"]
    if not _is_mapping(covered, str) or not _is_mapping(found, dict):
        raise _invalid(path, "`findings` or `covered` is not of the form that this program writes")
    if not all(_is_mapping(one, str) for one in found.values()):
        raise _invalid(path, "`findings` is not of the form that this program writes")
    for name, percent in covered.items():
        if not _is_percent(percent):
            raise _invalid(path, f"the coverage of {name} is {percent!r:.40}, not a percentage")
    return Baseline(findings=found, covered=covered)


def baseline_text(results: Iterable[GateResult], *, before: Baseline) -> str:
    """Return the baseline that excuses what gates have found, as JSON that changes little from one day to the next.

    Findings that a waiver excuses stay out of it. Of gates that were not judged, or could not be, it keeps what it had.

    Raises:
        ValueError: a gate found more than its result and its list hold.
    """
    findings = {name: dict(known) for name, known in before.findings.items()}
    covered = dict(before.covered)
    for result in results:
        if result.status in (GateStatus.ERROR, GateStatus.SKIPPED):
            continue
        if "exact" in result.details:
            covered[result.id] = str(result.details["exact"])
            continue
        noted = {one.fingerprint: f"{one.rule} {one.path}" for one in complete(result) if not _is_waived(one)}
        findings.pop(result.id, None)
        if noted:
            findings[result.id] = noted
    document = {"schema": BASELINE_SCHEMA, "covered": covered, "findings": findings}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def complete(result: GateResult) -> tuple[Finding, ...]:
    """Return all findings of a result, from its list where it has more than it shows.

    Raises:
        ValueError: they were not all kept, or the list is gone or altered.
    """
    if result.findings_total == len(result.findings):
        return result.findings
    listed = _all_listed(result)
    if len(listed) < result.findings_total:
        raise ValueError(f"{result.id} has {result.findings_total:,} findings, of which {len(listed):,} were kept")
    return listed


def excused_in(result: GateResult) -> int:
    """Return how many findings of a result are excused; what was too much to be kept never is.

    Raises:
        ValueError: the list of all findings is gone or altered.
    """
    found = result.findings if result.findings_total == len(result.findings) else _all_listed(result)
    return sum(one.excused is not None for one in found)


def _all_listed(result: GateResult) -> tuple[Finding, ...]:
    kept = result.all_findings
    try:
        data = Path(kept.path).read_bytes() if kept else b""
    except OSError as gone:
        raise ValueError(f"the list of all findings of {result.id} is gone") from gone
    if kept and sha256(data).hexdigest() != kept.sha256:
        raise ValueError(f"the list of all findings of {result.id} was altered")
    return tuple(_listed(line) for line in data.splitlines())


def _listed(line: bytes) -> Finding:
    rule, path, number, _, fingerprint, excused = json.loads(line)
    excuse = Excuse(excused) if excused else None
    return Finding(rule=rule, message="", path=path, line=number, fingerprint=fingerprint, excused=excuse)


def _is_waived(finding: Finding) -> bool:
    return finding.excused is Excuse.WAIVER


def _is_mapping(value: object, inner: type) -> bool:
    return isinstance(value, dict) and all(isinstance(one, inner) for one in value.values())


def _is_percent(text: str) -> bool:
    try:
        return bool(_FRACTION.fullmatch(text)) and 0 <= Fraction(text) <= 100
    except ZeroDivisionError:
        return False


def _invalid(path: str, message: str) -> SpecInvalid:
    return SpecInvalid((Problem(code="BASELINE", message=message, path=path, fix=_FIX),))
