"""What a fault is: a name, and the cases that it is tried with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a run without faults tells: how many commits it has, how long it takes, how many syncs a thread makes."""

    commits: int
    duration_s: float
    syncs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to make a fault. `act` makes it and takes the run up again until it has ended."""

    title: str
    act: Callable[[Trial], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault.

    `unfit` says why it cannot be made on this system, or returns nothing if it can. `timed` tells that its cases depend
    on the number of commits and the duration of a run without faults, `traced` that they do on its durable writes.
    """

    name: str
    summary: str
    cases: Callable[[Facts], Iterable[Case]]
    unfit: Callable[[], str] = lambda: ""
    timed: bool = False
    traced: bool = False
