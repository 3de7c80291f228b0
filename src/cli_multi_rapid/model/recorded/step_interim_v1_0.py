"""StepInterim 1.0, made from contracts/events/StepInterim@1.0.json; edit that file, not this one."""

from typing import Literal, NotRequired, TypedDict


class Artifact(TypedDict):
    """A file that a step produced."""

    path: str
    """Absolute path."""
    sha256: str
    """SHA-256 of its content in hexadecimal."""
    size: int
    """Size in bytes."""


class Finding(TypedDict):
    """One thing that a gate found."""

    rule: str
    """Id of the rule that is broken."""
    message: str
    """What is wrong, in words."""
    path: str
    """File, relative to the project; empty where it is about none."""
    line: int
    """Line, counted from 1; 0 where it is about none."""
    column: int
    """Column, counted from 1; 0 where none is known."""
    severity: Literal["high", "medium", "low", "info"]
    """How bad it is, from worst to least."""
    fingerprint: str
    """The same for the same finding after lines have moved; empty where there is none."""
    fix: str
    """What to do about it; empty where nothing is known."""
    excused: NotRequired[Literal["waiver", "baseline"] | None]
    """Why it does not count: a waiver names it, or the baseline has it since before; null where it counts."""


class Evidence(TypedDict):
    """A file that a verdict rests on."""

    path: str
    """Absolute path, or a path relative to the project."""
    sha256: str
    """SHA-256 when it was read, in hexadecimal."""


class WaiverUse(TypedDict):
    """A waiver that names a finding of the result. One that has expired excuses nothing."""

    rule: str
    """Rule that is waived."""
    path: str
    """File that it is about."""
    fingerprint: str
    """Fingerprint of the finding that it names; empty where it names none."""
    reason: str
    """Why it was granted."""
    approved_by: str
    """Who granted it."""
    expires: str
    """When it ends: UTC in ISO 8601."""
    expired: bool
    """Whether it had ended when the gate judged."""


class GateResult(TypedDict):
    """What one gate decided, and on what grounds."""

    id: str
    """Name of the gate."""
    check: str
    """Kind of the check, such as coverage or tests."""
    level: Literal["advisory", "standard", "strict"]
    """Level at which it judged."""
    status: Literal["pass", "fail", "warn", "error", "skipped", "waived"]
    """The verdict. Error means that it could not be evaluated, waived that all it found was excused."""
    summary: str
    """The verdict in words."""
    observed: float | None
    """What it measured, in the unit of the check (such as percent of lines); null where it measures nothing."""
    threshold: float | None
    """What was needed, in the same unit; null where it measures nothing."""
    findings: list[Finding]
    """At most 1,000 of what it found, excused findings among them."""
    findings_total: int
    """How many findings there are."""
    tool: str
    """Name of the tool that looked; empty where the program did itself."""
    tool_version: str
    """Version of the tool."""
    rules_digest: str
    """Digest of the rules that were applied; empty where there are none to name."""
    tree: str
    """Tree of the project that was judged."""
    evidence: list[Evidence]
    """Files that the verdict rests on."""
    all_findings: NotRequired[Evidence | None]
    """A file with every finding, where there are more than 1,000; else null."""
    waivers: NotRequired[list[WaiverUse]]
    """Waivers that name findings of this result."""
    cached: NotRequired[bool]
    """Whether every file's findings were known from before, by its content."""
    details: dict[str, object]
    """What only this check tells, by name."""
    fix: str
    """What to do about it; empty where nothing is known."""
    started: str
    """When it began to judge: UTC in ISO 8601; empty where it did not begin."""
    duration_ms: int
    """How long it took, in milliseconds."""


class StepInterim(TypedDict):
    """What is recorded when a step has ended."""

    status: Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
    """How the step counts; a failure that the spec allows counts as success."""
    outcome: Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
    """What happened, before `continue-on-error` softens it."""
    reason: str
    """Why it ended so, in words; empty where the status says all."""
    fix: str
    """What a person can do about it; empty where nothing is known."""
    code: int | None
    signal: int | None
    outputs: dict[str, object]
    """What the step told later ones, by name; of a matrix step, lists. At most 64 KiB of JSON."""
    artifacts: dict[str, Artifact]
    """Files that it produced, by name."""
    duration_ms: int
    """How long the last attempt took, in milliseconds."""
    leftover: int
    """How many processes the command left behind, which were ended."""
    truncated: bool
    """Whether its log reached the limit of size, so that the rest is missing."""
    after: NotRequired[str]
    """Commit with the state that a step that may write has left."""
    tree: NotRequired[str]
    """Tree of that commit."""
    changed: NotRequired[int]
    """How many files differ from the state that it began with."""
    commit: NotRequired[str]
    """In a worktree, the commit that its changes became."""
    cached: NotRequired[bool]
    """Whether it did not run, because it once ran with the same inputs."""
    gates: NotRequired[list[GateResult]]
    """Results of the gates that accepted the attempt, or did not."""
    warnings: NotRequired[list[str]]
    """What a person should know, in sentences."""
