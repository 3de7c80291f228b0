"""UndoStarted 1.0, made from contracts/events/UndoStarted@1.0.json; edit that file, not this one."""

from typing import TypedDict


class UndoStarted(TypedDict):
    """What a step has done is going to be taken back. The attempt of the event counts the tries."""

    command: str
    """What runs for that, or what is done, as people are shown it."""
    log: str
    """File of its output, relative to the folder of the run; empty where nothing runs."""
