"""Where siblings meet: what a part needs of another one, without importing it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.change import Change
from cli_multi_rapid.model.events import Event, NewEvent
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.policy import Policy
from cli_multi_rapid.model.process import Command, Exit


class Store(Protocol):
    """The append-only event log of one project."""

    def take(self, run: str) -> int:
        """Take the lease of a run and return its new fencing number; earlier holders can no longer append."""
        ...

    def append(self, run: str, events: Sequence[NewEvent], *, fence: int | None = None) -> tuple[Event, ...]:
        """Append events in one transaction, all or none; return those that were new.

        An event whose identity (run, step, attempt, kind) exists already is left out. With a `fence` that is no
        longer the newest nothing is written and `Fenced` is raised; None is for events that need no lease.
        """
        ...

    def events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events of a run in order, those with a sequence number above `after`."""
        ...

    def runs(self, *, limit: int | None = None) -> tuple[str, ...]:
        """Return run ids, newest first."""
        ...

    def changed(self) -> bool:
        """Tell whether anything was committed by another connection since the last call. Cheap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an expression reads: paths of names, such as `gates`, `tests`, `status`, each with its place in the text.

    Places count from 0. `wrong` says why it cannot be read at all, `place` where that is and `fix` what to do; there
    are no paths then.
    """

    paths: tuple[tuple[str, ...], ...] = ()
    places: tuple[int, ...] = ()
    wrong: str = ""
    place: int = 0
    fix: str = ""


class Expressions(Protocol):
    """Reads and evaluates the expressions of gates. Every name in them is fixed: there are no indexes."""

    def read(self, text: str) -> Reading:
        """Return what an expression reads, in braces or without."""
        ...

    def evaluate(self, text: str, contexts: Mapping[str, object]) -> object:
        """Return the value of an expression.

        Raises:
            ValueError: it has none.
        """
        ...


def no_validator(path: str) -> bytes:
    """Refuse to give the source of any validator."""
    raise CouldNotRun(f"{path} cannot be judged with here")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """What one gate is evaluated on.

    `evidence` lists absolute paths of files that a phase produced for this gate; where it is None the gate looks for
    the project's own `reports`. `files` are the project's files that git does not ignore (POSIX paths relative to
    `root`, sorted). `execute` runs a command under supervision and blocks until it ended. `work` is a folder for
    scratch files and captured output; `cache` one that outlives the run; `findings` the file in which what was found
    is kept by content, nothing where it is not.

    `only`, where it is not None, are the paths to which checks that look at files one by one keep. `blobs` has git's id
    of the content of each file, as far as it has one. `change` returns what differs from the base revision, or None
    where there is no base; it may take a while and raise `GitFailed`. `results` are those of the gates before this one,
    for checks that judge other gates, and `expressions` what reads and evaluates expressions over them. `validator`
    returns the source of a Python file of the project that may judge it, by its path; it raises `CouldNotRun`.
    `stopped` tells that the verdict is not wanted any more.
    """

    root: str
    level: Level
    files: tuple[str, ...]
    tree: str
    evidence: tuple[str, ...] | None
    env: Mapping[str, str]
    work: str
    cache: str
    execute: Callable[[Command], Exit]
    findings: str = ""
    policy: Policy = field(default_factory=Policy)
    blobs: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None
    change: Callable[[], Change | None] = lambda: None
    results: tuple[GateResult, ...] = ()
    expressions: Expressions | None = None
    validator: Callable[[str], bytes] = no_validator
    stopped: Callable[[], bool] = lambda: False


class EvaluateGate(Protocol):
    """One check: a function from a gate's settings and its input to a result. It raises nothing for bad evidence."""

    def __call__(self, name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
        """Evaluate the gate called `name`."""
        ...


class Observer(Protocol):
    """Sees a run as it happens: what was committed, and what the children say."""

    def event(self, event: Event) -> None:
        """Note an event that has just been committed."""
        ...

    def output(self, step: str, line: str) -> None:
        """Note a masked line of a step's output, or several joined by newlines."""
        ...

    def tick(self) -> None:
        """Note that about a fifth of a second has passed."""
        ...


class Gatekeeper(Protocol):
    """Evaluates gates of the project for the engine."""

    def judge(
        self, wanted: Mapping[str, tuple[str, ...] | None], *, phase: str, root: str, work: str
    ) -> Awaitable[tuple[GateResult, ...]]:
        """Evaluate gates in the given order.

        `wanted` maps the name of a gate to the absolute paths of its evidence, or to None where it shall use the
        reports that its settings name. They judge the folder `root`; `work` is one for what the checks write.
        """
        ...

    def stop(self) -> None:
        """End the commands of the gates that are being judged; `judge` then returns soon. Its results mean nothing."""
        ...
