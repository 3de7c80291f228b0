"""StepRetried 1.0, made from contracts/events/StepRetried@1.0.json; edit that file, not this one."""

from typing import Literal, TypedDict


class StepRetried(TypedDict):
    """An attempt failed, and there will be another."""

    status: Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
    """How the attempt ended."""
    reason: str
    """Why, in words; empty where the code or signal says it."""
    code: int | None
    signal: int | None
    wait_ms: int
    """How long it is before the next attempt, in milliseconds."""
    duration_ms: int
    """How long the attempt took, in milliseconds."""
