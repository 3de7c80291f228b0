"""From what a check saw to its result: counting, capping, sorting, fingerprints, and the status that follows."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.model.gate import Evidence, Excuse, Finding, GateResult, GateStatus, Severity, WaiverUse
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.policy import Policy
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.files import write_atomic

MAX_FINDINGS = 1_000
_MAX_HELD = 50_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding without its fingerprint, and the text of the line that identifies it.

    One that is not `sure` is only likely; the level decides how bad that is.
    """

    finding: Finding
    text: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What searching one file gave: it follows from the file's path, its bytes and the rules, and from nothing else."""

    sightings: tuple[Sighting, ...] = ()
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate under evaluation: its name, its settings and what it is given."""

    name: str
    spec: GateSpec
    given: GateInput


class Tally:
    """Counts what a check finds, and holds as much of it as a result may need.

    Counts are exact however much is found; of more than 50,000 findings only the first are held.
    """

    def __init__(self, fail_on: Severity) -> None:
        self.total = 0
        self.blocking = 0
        self.by_rule: Counter[str] = Counter()
        self._fail_on = fail_on
        self._held: list[Sighting] = []

    def add(self, finding: Finding, text: str = "") -> None:
        """Count one finding; `text` is the line it stands in."""
        self.total += 1
        self.by_rule[finding.rule] += 1
        self.blocking += self.blocks(finding)
        if len(self._held) < _MAX_HELD:
            self._held.append(Sighting(finding, text))

    def blocks(self, finding: Finding) -> bool:
        """Tell whether a finding is bad enough to block."""
        return finding.severity.rank <= self._fail_on.rank

    def findings(self) -> list[Finding]:
        """Return the findings that are held, sorted by path, line and rule, with fingerprints."""
        return fingerprinted(self._held)


def fingerprinted(sightings: Iterable[Sighting]) -> list[Finding]:
    """Return the findings with fingerprints that survive the move of a line.

    A fingerprint is made of rule, path, the line's text with blanks evened out (the message where there is no text),
    and the number of the finding among those that are equal so far.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    numbered = []
    for sighting in sorted(sightings, key=lambda sighting: _place(sighting.finding)):
        finding = sighting.finding
        identity = (finding.rule, finding.path, " ".join((sighting.text or finding.message).split()))
        seen[identity] += 1
        digest = sha256(json.dumps([*identity, seen[identity]]).encode()).hexdigest()
        numbered.append(replace(finding, fingerprint=f"sha256:{digest}"))
    return numbered


def judged(gate: Gate, tally: Tally, *, summary: str, fix: str = "") -> GateResult:
    """Return the result that follows from what was found; without `fix` it is that of the worst finding.

    What the policy excuses does not count. Of more than 1,000 findings the result has the worst; all that are held are
    written to a file that the result names.
    """
    policy = gate.given.policy
    found = [replace(one, excused=policy.excuse(gate.name, one)) for one in tally.findings()]
    excused = [one for one in found if one.excused]
    standing = [one for one in found if not one.excused]
    uses = _waivers(policy, found)
    blocking = tally.blocking - sum(map(tally.blocks, excused))
    shown = sorted(found, key=lambda one: (one.excused is not None, one.severity.rank, *_place(one)))
    return GateResult(
        id=gate.name,
        check=gate.spec.check.value,
        level=gate.given.level,
        status=_status(blocking=blocking, standing=tally.total - len(excused), excused=len(excused)),
        summary=one_line(f"{summary}{_excused_words(excused, uses)}"),
        findings=tuple(sorted(shown[:MAX_FINDINGS], key=_place)),
        findings_total=tally.total,
        tree=gate.given.tree,
        waivers=uses,
        all_findings=_kept(gate, shown) if len(shown) > MAX_FINDINGS else None,
        fix=fix or _first_fix(standing),
    )


def _kept(gate: Gate, findings: Sequence[Finding]) -> Evidence:
    """Write the list of all findings; return where it is."""
    data = listing(findings)
    path = Path(gate.given.work) / "all-findings.jsonl"
    try:
        write_atomic(path, data)
    except OSError as failed:
        raise StateUnwritable(f"the findings cannot be kept: {failed.strerror}", where=str(path)) from failed
    return Evidence(path=str(path), sha256=sha256(data).hexdigest())


def _status(*, blocking: int, standing: int, excused: int) -> GateStatus:
    """Return fail where anything blocks, warn where other findings stand, waived where all are excused, else pass."""
    if blocking:
        return GateStatus.FAIL
    if standing:
        return GateStatus.WARN
    return GateStatus.WAIVED if excused else GateStatus.PASS


def _waivers(policy: Policy, found: Iterable[Finding]) -> tuple[WaiverUse, ...]:
    """Return the waivers, expired ones too, that name one of the findings."""
    uses = (policy.waiver_of(one) for one in found) if policy.waivers else ()
    return tuple(dict.fromkeys(use for use in uses if use is not None))


def _excused_words(excused: Sequence[Finding], uses: Sequence[WaiverUse]) -> str:
    waived = sum(one.excused is Excuse.WAIVER for one in excused)
    expired = sum(use.expired for use in uses)
    words = [
        f", {waived:,} waived" if waived else "",
        f", {len(excused) - waived:,} known from the baseline" if len(excused) > waived else "",
        f", {counted(expired, 'waiver')} expired" if expired else "",
    ]
    return "".join(words)


def listing(findings: Iterable[Finding]) -> bytes:
    """Return the list of all findings of a result: a line of JSON each."""
    rows = (
        [one.rule, one.path, one.line, one.severity.value, one.fingerprint, one.excused.value if one.excused else ""]
        for one in findings
    )
    return b"".join(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for row in rows)


def unjudged(gate: Gate, problem: EvidenceError, *, reports: Sequence[Report] = ()) -> GateResult:
    """Return the result of a gate that could not be evaluated."""
    return GateResult(
        id=gate.name,
        check=gate.spec.check.value,
        level=gate.given.level,
        status=GateStatus.ERROR,
        summary=one_line(str(problem)),
        tree=gate.given.tree,
        evidence=tuple(report.evidence for report in reports),
        fix=problem.fix,
    )


def one_line(text: str, *, limit: int = 300) -> str:
    """Return a text on one line without control characters, cut at `limit` characters."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def counted(number: int, noun: str, *, plural: str = "") -> str:
    """Return a number with its noun: `1 file`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _place(finding: Finding) -> tuple[str, int, str, int]:
    return (finding.path, finding.line, finding.rule, finding.column)


def _first_fix(findings: Sequence[Finding]) -> str:
    ranked = sorted(findings, key=lambda finding: (finding.severity.rank, *_place(finding)))
    for finding in ranked[:1]:
        where = f"{finding.path}:{finding.line}: " if finding.line else ""
        return f"{where}{finding.fix or finding.message}"
    return ""
