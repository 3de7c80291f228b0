"""StepWaiting 1.0, made from contracts/events/StepWaiting@1.0.json; edit that file, not this one."""

from typing import NotRequired, TypedDict


class StepWaiting(TypedDict):
    """A step begins to wait for a decision about one state of the project. The attempt of the event counts the waits of
    the step.
    """

    by: list[str]
    """Names of the groups whose members may decide; empty allows everybody."""
    not_author: bool
    """Whether nobody may approve their own work."""
    expires_at: str
    """Until when it waits: UTC in ISO 8601; empty means without an end."""
    fingerprint: str
    """Fingerprint of the run that the decision is about."""
    tree: str
    """Tree of the project that the decision is about."""
    ref: str
    """Git ref that keeps this tree; empty outside of git."""
    warnings: list[str]
    """What the tree lacks, in sentences."""
    changed: NotRequired[list[str]]
    """Of a further wait: the first 20 files that differ from the wait before."""
    changed_total: NotRequired[int]
    """Of a further wait: how many files differ from the wait before."""
    voided: NotRequired[bool]
    """Of a further wait: whether somebody had decided, which these changes make void."""
