"""RunCancel 1.0, made from contracts/events/RunCancel@1.0.json; edit that file, not this one."""

from typing import TypedDict


class RunCancel(TypedDict):
    """Somebody asks for the end of a run. Its steps are ended, its final steps run, and it ends as cancelled."""

    by: str
    """User of the system who asks, or in words what does."""
