"""Reading what was recorded. Loads nothing heavier than SQLite and writes nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import RunView
from cli_multi_rapid.documents.words import Planned
from cli_multi_rapid.errors import RunUnknown, StateDamaged, StepUnknown
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import SNAPSHOT, Event
from cli_multi_rapid.model.run import DEATHS_ALLOWED
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.lock import holder
from cli_multi_rapid.system.store import SqliteStore, open_store

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted

_LOG_END_BYTES = 64 << 10


def open_history(project: Project) -> SqliteStore | None:
    """Open the event log, or return None where nothing has ever run.

    Raises:
        StateDamaged: there was a log and it is gone or broken.
    """
    try:
        return open_store(project.log)
    except FileNotFoundError:
        return None


def is_alive(project: Project, run: str) -> bool:
    """Tell whether somebody works on a run at this moment."""
    return holder(project.run_lock(run)) is not None


def recent(project: Project, *, limit: int) -> tuple[RunView, ...]:
    """Return the newest runs, newest first."""
    store = open_history(project)
    if store is None:
        return ()
    try:
        found = ((run, store.events(run)) for run in store.runs(limit=limit))
        return tuple(
            view(events, alive=is_alive(project, run), stuck_after=DEATHS_ALLOWED) for run, events in found if events
        )
    finally:
        store.close()


def one(project: Project, wanted: str, *, planned: Mapping[str, Planned] | None = None) -> RunView:
    """Return the run that is meant; see `find_events`. What is `planned` and has no result is named as not run."""
    events = find_events(project, wanted)
    return view(events, alive=is_alive(project, events[0].run), planned=planned, stuck_after=DEATHS_ALLOWED)


def planned_by(record: "RunStarted") -> dict[str, Planned]:
    """Return what the phases of a snapshot plan: the ids of their steps, and their gates."""
    from cli_multi_rapid.services.snapshot import plan_of

    found = {}
    for phase in plan_of(record).phases:
        steps = tuple(step.id for step in (*phase.steps, *phase.finally_))
        gates = tuple(gate if isinstance(gate, str) else gate.use for gate in phase.gates)
        found[phase.name] = Planned(steps=steps, gates=gates)
    return found


def find_events(project: Project, wanted: str) -> tuple[Event, ...]:
    """Return the events of the run that is meant: an id, an unambiguous beginning of one, or `last`.

    Raises:
        RunUnknown: there is none.
        StateDamaged: they are not those that were recorded.
    """
    store = open_history(project)
    if store is None:
        raise RunUnknown("nothing has run here yet", hint="cli-multi-rapid run-phase phase0")
    try:
        run = by_prefix(store.runs(), wanted)
        wrong, events = store.verify(run), store.events(run)
    finally:
        store.close()
    if wrong is not None:
        raise StateDamaged(
            f"event {wrong} of run {run} is not what was recorded", where=str(project.log),
            hint="put the log back from a backup; nothing is shown of a run whose events were altered",
        )  # fmt: skip
    if not events or not set(events[0].payload) >= SNAPSHOT:
        raise StateDamaged("the first event of the run is not what was recorded", where=str(project.log))
    return events


def started_of(events: Sequence[Event]) -> "RunStarted":
    """Return what the first of a run's events records: its snapshot."""
    return forms.RUN_STARTED.payload(events[0])


def by_prefix(runs: tuple[str, ...], wanted: str) -> str:
    """Return the run that a user means: a full id, an unambiguous beginning of one, or `last`.

    Raises:
        RunUnknown: none or several match.
    """
    found = runs[:1] if wanted == "last" else tuple(run for run in runs if run.startswith(wanted.upper()))
    if len(found) == 1:
        return found[0]
    if not found:
        raise RunUnknown(f"there is no run {wanted!r}", hint="cli-multi-rapid status")
    raise RunUnknown(f"{len(found)} runs begin with {wanted!r}", hint="give more of the id:  cli-multi-rapid status")


def log_files(project: Project, view: RunView, step: str | None) -> Sequence[tuple[str, Path]]:
    """Return the logs of a run or of one of its steps, as step key and path, in the order of their start.

    Raises:
        StepUnknown: the run has no such step.
    """
    folder = project.folder(view.run)
    steps = [one for phase in view.phases for one in phase.steps]
    if step is not None:
        steps = [one for one in steps if step in (one.key, one.key.partition("/")[2], one.id)]
        if not steps:
            raise StepUnknown(f"run {view.run} has no step {step!r}", hint=f"cli-multi-rapid status {view.run}")
    return [(one.key, folder / attempt.log) for one in steps for attempt in one.attempts if attempt.log]


def log_end(path: Path) -> bytes | None:
    """Return the last 64 KiB of a log, or None where it cannot be read."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - _LOG_END_BYTES))
            return log.read()
    except OSError:
        return None
