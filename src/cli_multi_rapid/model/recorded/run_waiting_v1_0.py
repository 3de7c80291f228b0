"""RunWaiting 1.0, made from contracts/events/RunWaiting@1.0.json; edit that file, not this one."""

from typing import TypedDict


class RunWaiting(TypedDict):
    """Nothing else of the run can go on before a person decides. The attempt of the event is the fencing number of who
    worked on it.
    """

    steps: list[str]
    """Keys of the steps that wait, such as release/approve."""
