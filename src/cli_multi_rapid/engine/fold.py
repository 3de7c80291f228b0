"""State = fold(events). There is no other state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from cli_multi_rapid.errors import StateDamaged
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import Choice, Decision, Wait, person_of
from cli_multi_rapid.model.events import Event, Kind, NewEvent
from cli_multi_rapid.model.run import Artifact, Status, StepResult

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.gate_finished_v1_0 import GateFinished
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.recorded.step_interim_v1_0 import StepInterim


@dataclass(slots=True)
class StepState:
    """One step, or one combination of a matrix (then its parent has `instances`).

    `before` is the commit with the state that it began with, if it may write. It is `half_done` while files may hold
    changes of an attempt that did not end the step; `interim` attempts of final steps only clean up after a stop.
    `place` is the checkout that it worked in, empty for the project's own folder; `base` the commit that all
    combinations of a matrix begin with. `left` is the tree when it ended, `undone` how taking it back ended.
    `wait` is the newest time that it began to wait for a person, `decision` what one decided about that.
    """

    status: Status = Status.PENDING
    attempt: int = 0
    retries: int = 0
    before: str = ""
    half_done: bool = False
    interim: bool = False
    place: str = ""
    base: str = ""
    left: str = ""
    undone: StepResult | None = None
    undo_attempt: int = 0
    result: StepResult | None = None
    matrix: Mapping[str, object] = field(default_factory=dict)
    instances: tuple[str, ...] | None = None
    wait: Wait | None = None
    decision: Decision | None = None


@dataclass(slots=True)
class RunState:
    """A run as its events tell it.

    `idle_takes` counts how often the run was taken up since a step last ended: deaths without progress. `ended` are the
    keys of the steps that have ended, in that order.

    `trees` are the last ones that were recorded, by the place they are of; `seen` of them were looked at for promises.
    `unchecked` are the steps that promised to write nothing and ended since. `spans` are begin and end of each step
    (ISO 8601). `commit` is what the steps in worktrees have made so far.
    """

    id: str
    started: "RunStarted" = field(default_factory=lambda: cast("RunStarted", {}))
    status: Status = Status.PENDING
    exit_code: int | None = None
    cancelled: bool = False
    interrupted: str = ""
    idle_takes: int = 0
    seq: int = 0
    phases: dict[str, Status] = field(default_factory=dict)
    steps: dict[str, StepState] = field(default_factory=dict)
    gates: "dict[str, GateFinished]" = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    trees: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    seen: int = 0
    unchecked: list[str] = field(default_factory=list)
    spans: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def tree(self) -> str:
        """Return the last recorded tree of the project's own folder."""
        return self.trees.get("", "")

    def step(self, key: str) -> StepState:
        """Return the state of a step, pending if nothing is known of it."""
        found = self.steps.get(key)
        if found is None:
            found = self.steps[key] = StepState()
        return found

    def apply(self, event: Event | NewEvent) -> None:
        """Take one event in. Unknown steps are added, so that the fold needs no specs."""
        _HANDLERS[event.kind](self, event)
        if isinstance(event, Event):
            self.committed(event)

    def committed(self, event: Event) -> None:
        """Take in what is known of an event only when it is committed: its place and its time."""
        self.seq = event.seq
        if event.kind is Kind.STEP_STARTED:
            self.spans[event.step] = (event.at, "")
        elif event.kind is Kind.STEP_FINISHED and event.step in self.spans:
            self.spans[event.step] = (self.spans[event.step][0], event.at)


def fold(run: str, events: Iterable[Event]) -> RunState:
    """Return the state that the events of a run amount to.

    Raises:
        StateDamaged: an event is not of the form that this program records.
    """
    state = RunState(id=run)
    for event in events:
        try:
            state.apply(event)
        except (KeyError, TypeError, ValueError, AttributeError) as broken:
            raise StateDamaged(f"event {event.seq} of run {run} is not one of this program: {broken!r}") from broken
    return state


def step_result(payload: "StepInterim") -> StepResult:
    """Build the result that the end of a step records."""
    values = cast("dict[str, Any]", dict(payload))
    values["status"] = Status(values["status"])
    values["outcome"] = Status(values["outcome"])
    values["artifacts"] = {name: Artifact(**made) for name, made in values.get("artifacts", {}).items()}
    values["warnings"] = tuple(values.get("warnings", ()))
    values["gates"] = tuple(values.get("gates", ()))
    values.pop("adopted", None)  # the run that it was taken over from
    return StepResult(**values)


def _run_started(state: RunState, event: Event | NewEvent) -> None:
    state.started = payload = forms.RUN_STARTED.payload(event)
    state.status = Status.RUNNING
    state.trees[""] = payload.get("tree", "")
    state.commit = payload.get("head", "")
    for phase in payload.get("phases", []):
        state.phases[phase["name"]] = Status.PENDING


def _run_taken(state: RunState, event: Event | NewEvent) -> None:
    del event
    state.interrupted = ""
    state.idle_takes += 1
    state.status = Status.RUNNING


def _run_interrupted(state: RunState, event: Event | NewEvent) -> None:
    state.interrupted = forms.RUN_INTERRUPTED.payload(event)["reason"]
    state.idle_takes = 0  # an orderly stop is no death
    state.status = Status.INTERRUPTED


def _run_waiting(state: RunState, event: Event | NewEvent) -> None:
    del event
    state.idle_takes = 0  # nor is waiting
    state.status = Status.WAITING


def _run_cancel(state: RunState, event: Event | NewEvent) -> None:
    del event
    state.cancelled = True


def _run_finished(state: RunState, event: Event | NewEvent) -> None:
    payload = forms.RUN_FINISHED.payload(event)
    state.status = Status(payload["status"])
    state.exit_code = int(payload["exit_code"])


def _phase_started(state: RunState, event: Event | NewEvent) -> None:
    state.phases[event.step] = Status.RUNNING


def _phase_finished(state: RunState, event: Event | NewEvent) -> None:
    state.phases[event.step] = Status(forms.PHASE_FINISHED.payload(event)["status"])


def _step_expanded(state: RunState, event: Event | NewEvent) -> None:
    payload = forms.STEP_EXPANDED.payload(event)
    keys = tuple(f"{event.step}[{number}]" for number in range(len(payload["matrix"])))
    state.step(event.step).instances = keys
    state.step(event.step).base = payload.get("base", "")
    for key, values in zip(keys, payload["matrix"], strict=True):
        state.step(key).matrix = values


def _step_started(state: RunState, event: Event | NewEvent) -> None:
    step, payload = state.step(event.step), forms.STEP_STARTED.payload(event)
    step.status, step.attempt = Status.RUNNING, event.attempt
    step.interim = payload.get("interim", False)
    step.place = payload.get("place", "")
    if "before" in payload:
        step.before, step.half_done = payload["before"], True
        state.trees[step.place] = payload["tree"]


def _step_retried(state: RunState, event: Event | NewEvent) -> None:
    step = state.step(event.step)
    step.status, step.attempt = Status.PENDING, event.attempt
    step.retries += 1


def _step_restored(state: RunState, event: Event | NewEvent) -> None:
    step = state.step(event.step)
    step.status, step.half_done = Status.PENDING, False


def _step_interim(state: RunState, event: Event | NewEvent) -> None:
    step = state.step(event.step)
    step.status, step.half_done = Status.PENDING, False
    _take_over(state, step, step_result(forms.STEP_INTERIM.payload(event)))


def _step_waiting(state: RunState, event: Event | NewEvent) -> None:
    step, payload = state.step(event.step), forms.STEP_WAITING.payload(event)
    step.status, step.decision = Status.WAITING, None
    step.wait = Wait(
        number=event.attempt, by=tuple(payload["by"]), not_author=payload["not_author"],
        expires_at=payload["expires_at"], fingerprint=payload["fingerprint"], tree=payload["tree"], ref=payload["ref"],
    )  # fmt: skip


def _step_approved(state: RunState, event: Event | NewEvent) -> None:
    """Take in what was decided about the present wait; an earlier one is past."""
    step, payload = state.step(event.step), forms.STEP_APPROVED.payload(event)
    decision = Decision(
        choice=Choice(payload["decision"]), by=person_of(payload["by"]), reason=payload["reason"],
        fingerprint=payload["fingerprint"], tree=payload["tree"], key=payload["key"], signature=payload["signature"],
        at=event.at if isinstance(event, Event) else "",
    )  # fmt: skip
    if step.wait is not None and step.wait.number == event.attempt:
        step.decision = step.decision or decision


def _step_finished(state: RunState, event: Event | NewEvent) -> None:
    result = step_result(forms.STEP_FINISHED.payload(event))
    step = state.step(event.step)
    if not _take_over(state, step, result) and event.attempt and not step.before:
        state.unchecked.append(event.step)
    step.half_done = False
    step.left = state.trees.get(step.place, "")
    state.idle_takes = 0
    _end_one(state, event.step, result)


def _step_refuted(state: RunState, event: Event | NewEvent) -> None:
    _end_one(state, event.step, step_result(forms.STEP_REFUTED.payload(event)))


def _take_over(state: RunState, step: StepState, result: StepResult) -> bool:
    """Take in what an attempt left: tree and commit; tell whether it left any."""
    if result.tree:
        state.trees[step.place] = result.tree
    state.commit = result.commit or state.commit
    return bool(result.tree)


def _undo_started(state: RunState, event: Event | NewEvent) -> None:
    state.step(event.step).undo_attempt = event.attempt


def _undo_finished(state: RunState, event: Event | NewEvent) -> None:
    step = state.step(event.step)
    step.undone = step_result(forms.UNDO_FINISHED.payload(event))
    state.idle_takes = 0
    _take_over(state, step, step.undone)


def _tree_seen(state: RunState, event: Event | NewEvent) -> None:
    payload = forms.TREE_SEEN.payload(event)
    place = payload.get("place", "")
    state.trees[place], state.seen = payload["tree"], event.attempt
    state.unchecked[:] = [key for key in state.unchecked if state.step(key).place != place]


def _gate_finished(state: RunState, event: Event | NewEvent) -> None:
    state.gates[event.step] = forms.GATE_FINISHED.payload(event)


def _gather(state: RunState, parent: str) -> None:
    """Give a matrix step its result when the last of its combinations has ended: outputs and artifacts become lists."""
    whole = state.step(parent)
    parts = [state.step(key).result for key in whole.instances or ()]
    results = [part for part in parts if part is not None]
    if len(results) < len(parts):
        return
    names = dict.fromkeys(name for result in results for name in result.outputs)
    result = StepResult(
        status=_worst(result.status for result in results),
        outcome=_worst(result.outcome for result in results),
        outputs={name: [result.outputs.get(name) for result in results] for name in names},
    )
    _end(state, parent, result)


def _end_one(state: RunState, key: str, result: StepResult) -> None:
    """End a step and, with the last of its combinations, the matrix step that it belongs to."""
    _end(state, key, result)
    parent, bracket, _ = key.partition("[")
    if bracket:
        _gather(state, parent)


def _end(state: RunState, key: str, result: StepResult) -> None:
    step = state.step(key)
    if step.result is None:
        state.ended.append(key)
    step.result, step.status = result, result.status


def _worst(statuses: Iterable[Status]) -> Status:
    order = (Status.CANCELLED, Status.FAILURE, Status.TIMEOUT, Status.ERROR, Status.SUCCESS, Status.SKIPPED)
    return min(statuses, key=order.index)


_HANDLERS = {
    Kind.RUN_STARTED: _run_started,
    Kind.RUN_TAKEN: _run_taken,
    Kind.RUN_CANCEL: _run_cancel,
    Kind.RUN_INTERRUPTED: _run_interrupted,
    Kind.RUN_WAITING: _run_waiting,
    Kind.RUN_FINISHED: _run_finished,
    Kind.PHASE_STARTED: _phase_started,
    Kind.PHASE_FINISHED: _phase_finished,
    Kind.STEP_EXPANDED: _step_expanded,
    Kind.STEP_STARTED: _step_started,
    Kind.STEP_RETRIED: _step_retried,
    Kind.STEP_RESTORED: _step_restored,
    Kind.STEP_INTERIM: _step_interim,
    Kind.STEP_WAITING: _step_waiting,
    Kind.STEP_APPROVED: _step_approved,
    Kind.STEP_FINISHED: _step_finished,
    Kind.STEP_REFUTED: _step_refuted,
    Kind.UNDO_STARTED: _undo_started,
    Kind.UNDO_FINISHED: _undo_finished,
    Kind.TREE_SEEN: _tree_seen,
    Kind.GATE_FINISHED: _gate_finished,
}
