"""The JSON report of a run, `cmr/report@v1`: the shape that others can rely on. Every key is always there.

This is what `documents.reports.report` returns as plain data; a test validates real reports against its schema.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from cli_multi_rapid.model.gate import Excuse, GateStatus, Level, Severity
from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import STRICT
from cli_multi_rapid.model.run import Status

REPORT_SCHEMA = "cmr/report@v1"
_SHA256 = r"^[0-9a-f]{64}$"
_WHEN = "UTC in ISO 8601"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """The run as a whole."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    run: str = key("Id of the run; ids sort by time.")
    title: str = key("What was run: the job, else the phases that were asked for.")
    job: str = key("Job that was run; empty where phases were asked for.")
    parent: str = key("Run that this one runs again; empty where it is none.")
    status: Status = key("How the work stands or ended, whatever the gates say.")
    reason: str = key("Why, in a sentence; empty where there is nothing to say.")
    exit_code: int | None = key("Exit code of the run; null as long as it has not ended.")
    started: str = key(f"When it began, {_WHEN}.")
    updated: str = key(f"When the last event was recorded, {_WHEN}.")
    duration_ms: int = key("How long it has taken, in milliseconds.")
    interruptions: tuple[str, ...] = key("What interrupted it, such as SIGINT.")
    taken: int = key("How often it was taken up.")
    cancelled_by: str = key("Who asked to cancel it; empty where nobody did.")
    events: int = key("How many events are recorded.")
    head: str = key("Hash of the last event, which covers all events before it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedVerdict:
    """What the run proves."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    status: Literal["pass", "warn", "fail", "error", "unjudged", "unfinished"] = key(
        "Only pass is green. warn: nothing blocked, but something was not well; unjudged: no gate looked at it."
    )
    reasons: tuple[str, ...] = key("Why the run did not pass, the most important first.")
    remarks: tuple[str, ...] = key("What was not well and did not block.")
    exit_code: int | None = key("Exit code of the run; null as long as it has not ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAttempt:
    """One attempt of a step."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    number: int = key("Number of the attempt, from 1.")
    status: Status = key("How it ended; interrupted where no end was recorded.")
    reason: str = key("Why, in a sentence.")
    code: int | None = key("Exit code of the command.")
    signal: int | None = key("Number of the signal that ended the command.")
    duration_ms: int = key("How long it took, in milliseconds.")
    wait_ms: int = key("How long was waited before the next attempt, in milliseconds.")
    log: str = key("Path of its log, relative to the run's folder.")
    started: str = key(f"When it began, {_WHEN}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedApproval:
    """The newest wait of a step for a person, and what was decided about it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    number: int = key("Number of the wait, from 1.")
    by: tuple[str, ...] = key("Who may decide; empty means anybody.")
    not_author: bool = key("Whether who started the run or wrote the commit may not.")
    since: str = key(f"Since when it waits, {_WHEN}.")
    expires_at: str = key(f"When the wait ends, {_WHEN}; empty where it does not.")
    fingerprint: str = key("Fingerprint of the run that is decided on.")
    tree: str = key("Git tree that is decided on; empty outside of git.")
    ref: str = key("Git ref that shows that tree.")
    changed: tuple[str, ...] = key("The first files that made it wait anew.")
    changed_total: int = key("How many files those are in all.")
    voided: bool = key("Whether it had been approved before.")
    decision: str = key("approved, rejected, or empty as long as nobody has decided.")
    who: str = key("Who decided.")
    reason: str = key("Why, in the words of who decided.")
    decided: str = key(f"When, {_WHEN}.")
    key: str = key("Fingerprint of the key that signed the decision; empty where it is unsigned.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedArtifact:
    """A file that a step produced."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    path: str = key("Absolute path.")
    sha256: str = key("SHA-256 of its content, in hex.")
    size: int = key("Size in bytes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFinding:
    """One thing that a gate found."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    rule: str = key("Rule that it breaks.")
    message: str = key("What is wrong.")
    path: str = key("File, relative to the project where it lies inside; empty where there is none.")
    line: int = key("Line, from 1; 0 where there is none.")
    column: int = key("Column, from 1; 0 where there is none.")
    severity: Severity = key("How bad it is.")
    fingerprint: str = key("What names it across moves of its line.")
    fix: str = key("What to do about it.")
    excused: Excuse | None = key("Why it does not count; null where it does.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedWaiver:
    """A waiver that names a finding of the gate. One that has expired excuses nothing."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    rule: str = key("Rule of the finding.")
    path: str = key("File of the finding.")
    fingerprint: str = key("Fingerprint of the finding.")
    reason: str = key("Why it is excused.")
    approved_by: str = key("Who has approved that.")
    expires: str = key(f"From when on it excuses nothing, {_WHEN}.")
    expired: bool = key("Whether it had expired when the gate was evaluated.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEvidence:
    """A file as it was when it was read."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    path: str = key("Absolute path, or one relative to the project.")
    sha256: str = key("SHA-256 of its content, in hex.", pattern=_SHA256)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResult:
    """What one gate decided, and on what grounds."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    id: str = key("Its name.")
    check: str = key("What kind of check it is.")
    level: Level = key("How strict it was.")
    status: GateStatus = key("What it decided.")
    summary: str = key("What it saw, in a sentence.")
    observed: float | None = key("What it measured.")
    threshold: float | None = key("What was needed.")
    findings: tuple[ReportedFinding, ...] = key("What it found, at most 1,000.")
    findings_total: int = key("How much it found in all.")
    all_findings: ReportedEvidence | None = key("File that lists all findings where there are more.")
    tool: str = key("What it judged with.")
    tool_version: str = key("Version of that.")
    rules_digest: str = key("Digest of the rules that it applied.")
    tree: str = key("Git tree that it judged; empty outside of git.")
    evidence: tuple[ReportedEvidence, ...] = key("Files that the verdict rests on.")
    waivers: tuple[ReportedWaiver, ...] = key("Waivers that name one of its findings.")
    cached: bool = key("Whether the findings of every file were known from before, by its content.")
    details: dict[str, object] = key("Further facts, by the kind of check.")
    fix: str = key("What to do about it.")
    started: str = key(f"When it was evaluated, {_WHEN}.")
    duration_ms: int = key("How long that took, in milliseconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedGate(ReportedResult):
    """What a gate decided about a phase or the project."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    phase: str = key("Phase that it judged; empty for the project.")
    blocks: bool = key("Whether that stops the work.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedStep:
    """One step, or one combination of a matrix."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    phase: str = key("Its phase.")
    id: str = key("Its id in the phase.")
    status: Status = key("How it ended for what rests on it.")
    outcome: Status = key("How it ended before continue-on-error softened it.")
    reason: str = key("Why, in a sentence.")
    fix: str = key("What to do about it.")
    command: str = key("What it ran, as shown to people.")
    log: str = key("Path of its last log, relative to the run's folder.")
    matrix: dict[str, object] = key("Its values of the matrix.")
    code: int | None = key("Exit code of the command.")
    signal: int | None = key("Number of the signal that ended the command.")
    outputs: dict[str, object] = key("Its outputs, masked.")
    artifacts: dict[str, ReportedArtifact] = key("The files that it produced, by name.")
    started: str = key(f"When it began, {_WHEN}.")
    duration_ms: int = key("How long it took, in milliseconds.")
    leftover: int = key("How many processes it left behind, which were killed.")
    truncated: bool = key("Whether its log was cut at its limit.")
    changed: int = key("How many files it changed.")
    remarks: tuple[str, ...] = key("Sentences about what was unusual.")
    undone: str = key("How taking it back ended; empty where that was not tried.")
    cached: bool = key("Whether it did not run because it once ran with the same inputs.")
    gates: tuple[ReportedResult, ...] = key("What the gates decided that its last attempt had to pass.")
    attempts: tuple[ReportedAttempt, ...] = key("Its attempts, in order.")
    approval: ReportedApproval | None = key("Its wait for a person, where there was one.")
    key: str = key("Its name in the run, such as phase1/test[0].")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPhase:
    """One phase with its steps."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    name: str = key("Its name.")
    title: str = key("Its title.")
    status: Status = key("How it stands or ended.")
    path: str = key("Path of its file in the project.")
    reason: str = key("Why, in a sentence.")
    duration_ms: int = key("How long it took, in milliseconds.")
    inputs: dict[str, object] = key("Its inputs.")
    steps: tuple[ReportedStep, ...] = key("Its steps, in the order in which they came.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedGap:
    """Something that was planned and has no result."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    kind: Literal["phase", "step", "gate"] = key("What it is.")
    name: str = key("Its name in the run.")
    reason: str = key("Why it was not run.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedOrigin:
    """What the run was started from, and where."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    job: str = key("Job that was run.")
    targets: tuple[str, ...] = key("Phases that were asked for.")
    level: str = key("Level of compliance.")
    parallel: int = key("How many steps could run at a time.")
    tree: str = key("Git tree at the start; empty outside of git.")
    head: str = key("Commit that was checked out.")
    branch: str = key("Branch that was checked out.")
    fingerprint: str = key("SHA-256 over specs, inputs, gates, level and tree.")
    version: str = key("Version of this program.")
    root: str = key("Folder of the project.")
    host: str = key("Name of the machine.")
    trust: str = key("How the project was trusted.")
    parent: str = key("Run that this one runs again.")
    path: str = key("PATH of the steps.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """The report of one run."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/report@v1$")
    run: ReportedRun = key("The run as a whole.")
    verdict: ReportedVerdict = key("What the run proves.")
    phases: tuple[ReportedPhase, ...] = key("Its phases.")
    gates: tuple[ReportedGate, ...] = key("What gates decided, of phases and of the project.")
    not_run: tuple[ReportedGap, ...] = key("What was planned and has no result.")
    environment: ReportedOrigin = key("What it was started from, and where.")
