"""Runs, phases and steps as they stand: the result of folding the events of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, cast

DEATHS_ALLOWED = 3
"""How often a run may die without finishing a step before it counts as stuck."""


class Status(StrEnum):
    """How a run, phase or step stands or ended.

    Error means that it could not be run or judged (exit code 3), as opposed to work that failed. Interrupted is never
    recorded for a step: it is a run that nobody works on although it has not ended. Waiting is for a person.
    """

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    STUCK = "stuck"

    @property
    def ended(self) -> bool:
        """Tell whether nothing follows."""
        return self not in (Status.PENDING, Status.RUNNING, Status.WAITING, Status.INTERRUPTED, Status.STUCK)

    @property
    def bad(self) -> bool:
        """Tell whether work that needs this one must not start."""
        return self in (Status.FAILURE, Status.ERROR, Status.TIMEOUT, Status.CANCELLED)


Ending = Literal["success", "failure", "error", "timeout", "cancelled", "skipped"]
"""What is recorded of a run, phase or step that has ended."""


def ended(status: Status) -> Ending:
    """Return how an end is recorded."""
    assert status.ended, status
    return cast("Ending", status.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a step produced: absolute path, SHA-256 (hex) and size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What is recorded when a step has ended. `outcome` is what happened, before `continue-on-error` softens it.

    Of a step that may write, `after` is the commit with the state it left, `tree` its tree, `changed` the number of
    files that differ from its start. `warnings` are sentences for people. `commit` is, in a worktree, the one that its
    changes became. It is `cached` if it did not run, because it once ran with the same inputs. `gates` are the results
    of the gates that accepted it, or did not, as plain values.
    """

    status: Status
    outcome: Status
    reason: str = ""
    fix: str = ""
    code: int | None = None
    signal: int | None = None
    outputs: dict[str, object] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    duration_ms: int = 0
    leftover: int = 0
    truncated: bool = False
    after: str = ""
    tree: str = ""
    changed: int = 0
    commit: str = ""
    cached: bool = False
    gates: tuple[Mapping[str, object], ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, status: Status, reason: str = "", *, fix: str = "") -> "StepResult":
        """Return the result of a step of which nothing but the end is known."""
        return cls(status=status, outcome=status, reason=reason, fix=fix)


CANCELLED = StepResult.of(Status.CANCELLED, "the run was cancelled")
