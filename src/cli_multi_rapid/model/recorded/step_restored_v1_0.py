"""StepRestored 1.0, made from contracts/events/StepRestored@1.0.json; edit that file, not this one."""

from typing import Literal, NotRequired, TypedDict


class StepRestored(TypedDict):
    """Changes that an attempt left half done were taken back, before the step runs again; or a person chose to keep
    them, and there is nothing but `choice`.
    """

    paths: NotRequired[list[str]]
    """Files that were put back to the start of the step, relative to the project."""
    kept: NotRequired[list[str]]
    """Git refs that keep what was there before."""
    left: NotRequired[list[str]]
    """Files that were not put back, because the step does not say that it changes them."""
    warnings: NotRequired[list[str]]
    """What a person should know, in sentences."""
    choice: NotRequired[Literal["keep"]]
    """What a person chose instead: to keep what is there."""
