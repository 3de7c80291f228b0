"""StepExpanded 1.0, made from contracts/events/StepExpanded@1.0.json; edit that file, not this one."""

from typing import NotRequired, TypedDict


class StepExpanded(TypedDict):
    """A matrix step becomes its combinations, with the keys KEY[0], KEY[1] and so on."""

    matrix: list[dict[str, object]]
    """The combinations in order."""
    base: NotRequired[str]
    """In a worktree, the commit that all combinations begin with."""
