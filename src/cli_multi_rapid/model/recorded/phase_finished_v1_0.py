"""PhaseFinished 1.0, made from contracts/events/PhaseFinished@1.0.json; edit that file, not this one."""

from typing import Literal, NotRequired, TypedDict


class PhaseFinished(TypedDict):
    """A phase has ended, with its final steps and gates."""

    status: Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
    """How the phase ended, from its steps and gates."""
    reason: str
    """Why it did not run, in words; empty where it ran."""
    duration_ms: NotRequired[int]
    """How long it took, in milliseconds; missing where it did not run."""
