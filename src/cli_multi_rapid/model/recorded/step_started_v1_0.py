"""StepStarted 1.0, made from contracts/events/StepStarted@1.0.json; edit that file, not this one."""

from typing import NotRequired, TypedDict


class StepStarted(TypedDict):
    """An attempt of a step, or of one combination of a matrix, begins."""

    command: str
    """What runs, as people are shown it."""
    log: str
    """File of its output, relative to the folder of the run."""
    matrix: dict[str, object]
    """The combination that it is; empty where there is no matrix."""
    before: NotRequired[str]
    """Of a step that may write: commit with the state that it begins with."""
    ref: NotRequired[str]
    """Of a step that may write: git ref that keeps this commit."""
    tree: NotRequired[str]
    """Of a step that may write: tree of this commit."""
    place: NotRequired[str]
    """Name of the checkout that it works in; missing in the project's own folder."""
    interim: NotRequired[bool]
    """Whether it is a final step of a run that was stopped, which will run again; missing means no."""
