"""What gates decide: the one shape of every result."""

from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How strict compliance is. Advisory reports and never blocks."""

    ADVISORY = "advisory"
    STANDARD = "standard"
    STRICT = "strict"


def stricter(*levels: Level | None) -> Level | None:
    """Return the strictest of some levels; None where there is none."""
    order = list(Level)
    return max((level for level in levels if level is not None), key=order.index, default=None)


class GateStatus(StrEnum):
    """Verdict of one gate. Error means that it could not be evaluated, waived that all it found was excused."""

    PASS = "pass"  # noqa: S105  the verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Severity(StrEnum):
    """How bad a finding is, from worst to least."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Return 0 for the worst."""
        return list(Severity).index(self)


class Excuse(StrEnum):
    """Why a finding does not count: a waiver names it, or the baseline has it since before."""

    WAIVER = "waiver"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a gate found. Lines and columns count from 1; 0 means that there is none."""

    rule: str
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    severity: Severity = Severity.HIGH
    fingerprint: str = ""
    fix: str = ""
    excused: Excuse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverUse:
    """A waiver that names a finding of a result. One that has expired excuses nothing. `expires` is UTC in ISO 8601."""

    rule: str
    path: str
    fingerprint: str
    reason: str
    approved_by: str
    expires: str
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that a verdict rests on, and its SHA-256 when it was read (hex)."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What one gate decided, and on what grounds.

    `findings` are at most 1,000 of `findings_total`, excused ones among them; where there are more, `all_findings` is a
    list of them. `cached` tells that every file's findings were known from before, by its content.
    """

    id: str
    check: str
    level: Level
    status: GateStatus
    summary: str = ""
    observed: float | None = None
    threshold: float | None = None
    findings: tuple[Finding, ...] = ()
    findings_total: int = 0
    tool: str = ""
    tool_version: str = ""
    rules_digest: str = ""
    tree: str = ""
    evidence: tuple[Evidence, ...] = ()
    all_findings: Evidence | None = None
    waivers: tuple[WaiverUse, ...] = ()
    cached: bool = False
    details: dict[str, object] = field(default_factory=dict)
    fix: str = ""
    started: str = ""
    duration_ms: int = 0

    @property
    def blocks(self) -> bool:
        """Tell whether this result stops the work at its level."""
        return self.level is not Level.ADVISORY and self.status in (GateStatus.FAIL, GateStatus.ERROR)


def exit_code(results: tuple[GateResult, ...]) -> int:
    """Return the exit code of results: 1 for a failed gate, else 3 for one that could not be evaluated, else 0."""
    statuses = {result.status for result in results if result.blocks}
    if GateStatus.FAIL in statuses:
        return 1
    return 3 if GateStatus.ERROR in statuses else 0


def verdict(results: tuple[GateResult, ...]) -> str:
    """Return pass, fail or error for a set of results, by the order of `exit_code`."""
    return {0: "pass", 1: "fail", 3: "error"}[exit_code(results)]
