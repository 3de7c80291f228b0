"""PhaseStarted 1.0, made from contracts/events/PhaseStarted@1.0.json; edit that file, not this one."""

from typing import TypedDict


class PhaseStarted(TypedDict):
    """The turn of a phase has come."""

    title: str
    """What it is called for people; may be empty."""
