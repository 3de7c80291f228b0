"""RunInterrupted 1.0, made from contracts/events/RunInterrupted@1.0.json; edit that file, not this one."""

from typing import TypedDict


class RunInterrupted(TypedDict):
    """A run stopped in order and can be taken up again. The attempt of the event is the fencing number of who worked on
    it.
    """

    reason: str
    """What stopped it: the name of a signal, such as SIGINT, or timeout."""
