"""RunTaken 1.0, made from contracts/events/RunTaken@1.0.json; edit that file, not this one."""

from typing import TypedDict


class RunTaken(TypedDict):
    """A process begins to work on a run, or goes on with it. The attempt of the event is the fencing number: only who
    has the newest may write.
    """

    pid: int
    """Id of the process."""
    host: str
    """Name of the machine."""
