"""Gates: what they are configured with, and the one shape of every result."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import DURATION, STRICT

GATES_SCHEMA = "cmr/gates@v1"


class Level(StrEnum):
    """How strict compliance is. Advisory reports and never blocks."""

    ADVISORY = "advisory"
    STANDARD = "standard"
    STRICT = "strict"


class GateStatus(StrEnum):
    """Verdict of one gate. Error means that it could not be evaluated."""

    PASS = "pass"  # noqa: S105  the verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIPPED = "skipped"


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


class Check(StrEnum):
    """The kinds of check a gate can be."""

    COVERAGE = "coverage"
    TESTS = "tests"
    SECRETS = "secrets"
    DENYLIST = "denylist"
    COMMAND = "command"


class ReportFormat(StrEnum):
    """Formats of a report that a tool writes for the `command` check."""

    SARIF = "sarif"
    JUNIT = "junit"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One rule of a deny-list."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    id: str = key("Name of the rule.", pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,126}$")
    pattern: str = key("Regular expression in RE2 syntax, searched line by line.")
    paths: tuple[str, ...] = key("Globs of the files it is searched in.", default=("**",))
    exclude: tuple[str, ...] = key("Globs of files left out.", default=())
    severity: Severity = key("How bad a match is.", default=Severity.HIGH)
    message: str = key("What is wrong with a match.", default="")
    fix: str = key("What to do instead.", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """One gate of `config/compliance-gates.yaml`. Which keys apply depends on the check."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    check: Check = key("What kind of check it is.")
    reports: tuple[str, ...] = key("Globs of report files in the project (coverage, tests, command).", default=())
    artifact: str = key("Name of the artifact that a phase produces for it; default: the gate's name.", default="")
    min: float = key("Least total coverage in percent; exact, never rounded (coverage).", default=85.0)
    default_set: bool = key("Include the built-in deny-list (denylist).", default=True, alias="default-set")
    patterns: tuple[Pattern, ...] = key("Further rules (denylist).", default=())
    exclude: tuple[str, ...] = key("Globs of files left out (secrets, denylist).", default=())
    run: tuple[str, ...] = key("The command, as exact arguments (command).", default=())
    format: ReportFormat = key("What the command or report is written in (command).", default=ReportFormat.SARIF)
    ok_codes: tuple[int, ...] = key(
        "Exit codes with which its output is judged (command).", default=(0, 1), alias="ok-codes"
    )
    fail_on: Severity = key("Least severity that blocks.", default=Severity.LOW, alias="fail-on")
    timeout: str = key("Longest time the command may take (command).", default="10m", pattern=DURATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFile:
    """`config/compliance-gates.yaml`."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/gates@v1$")
    level: Level | None = key("Level of this project; default: that of the configuration.", default=None)
    gates: dict[str, GateSpec] = key("The gates by name.", factory=dict)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that a verdict rests on, and its SHA-256 when it was read (hex)."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What one gate decided, and on what grounds."""

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
    details: dict[str, object] = field(default_factory=dict)
    fix: str = ""
    started: str = ""
    duration_ms: int = 0

    @property
    def blocks(self) -> bool:
        """Tell whether this result stops the work at its level."""
        return self.level is not Level.ADVISORY and self.status in (GateStatus.FAIL, GateStatus.ERROR)


def exit_code(results: tuple[GateResult, ...]) -> int:
    """Return the exit code of a set of results: 1 for a failed gate, else 3 for one that could not be evaluated, else 0."""
    statuses = {result.status for result in results if result.blocks}
    if GateStatus.FAIL in statuses:
        return 1
    return 3 if GateStatus.ERROR in statuses else 0


def verdict(results: tuple[GateResult, ...]) -> str:
    """Return pass, fail or error for a set of results, by the order of `exit_code`."""
    return {0: "pass", 1: "fail", 3: "error"}[exit_code(results)]
