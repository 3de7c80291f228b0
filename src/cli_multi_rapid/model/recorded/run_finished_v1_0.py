"""RunFinished 1.0, made from contracts/events/RunFinished@1.0.json; edit that file, not this one."""

from typing import Literal, TypedDict


class RunFinished(TypedDict):
    """A run has ended; no event follows."""

    status: Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
    """How the run ended, from its phases and the gates after them."""
    exit_code: int
    """Exit code of the program: 0 success, 1 the work failed or was cancelled, 3 something could not be run or judged.
    """
    reason: str
    """Why it ended so, in words; empty where phases and gates say it."""
    duration_ms: int
    """How long it took since it was last taken up, in milliseconds."""
