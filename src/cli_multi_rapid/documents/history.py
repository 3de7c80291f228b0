"""From the events of a run to its view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.approvals import ApprovalView, decided, wait_of
from cli_multi_rapid.documents.payload import Reader, artifacts, gate_result, reader_of
from cli_multi_rapid.documents.reports import (
    AttemptView,
    GateView,
    Origin,
    PhaseView,
    RunView,
    StepView,
    verdict_of,
)
from cli_multi_rapid.documents.words import Planned, not_run, reasons, remarks, restored_words
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.run import Status

if TYPE_CHECKING:
    from cli_multi_rapid.model.gate import GateResult
    from cli_multi_rapid.model.recorded.phase_finished_v1_0 import PhaseFinished
    from cli_multi_rapid.model.recorded.run_finished_v1_0 import RunFinished
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.recorded.step_interim_v1_0 import StepInterim
    from cli_multi_rapid.model.recorded.step_retried_v1_0 import StepRetried
    from cli_multi_rapid.model.recorded.step_started_v1_0 import StepStarted


def view(
    events: Sequence[Event], *, alive: bool, planned: Mapping[str, Planned] | None = None, stuck_after: int = 0
) -> RunView:
    """Return a run as its events tell it.

    Args:
        events: all events of one run, in order.
        alive: whether somebody works on the run now; else a run that has not ended is interrupted, or waits.
        planned: what each phase plans, so that steps and gates that were never reached are named as not run.
        stuck_after: how many deaths without progress make a run stuck; 0 calls it interrupted all the same.

    Raises:
        EvidenceMissing: there are no events.
        StateDamaged: an event is not of the form that this program records.
    """
    if not events:
        raise EvidenceMissing("there are no recorded events of this run")
    draft = _Run(events[0].run)
    for event in events:
        draft.take(event)
    stuck = 0 < stuck_after <= draft.idle and not alive
    idle = Status.WAITING if draft.waits else Status.INTERRUPTED
    live = Status.STUCK if stuck else Status.RUNNING if alive else idle
    return draft.finish(events, live=live, planned=planned or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How an attempt ended."""

    status: Status
    reason: str
    code: int | None
    signal: int | None
    duration_ms: int
    wait_ms: int = 0


@dataclass(slots=True)
class _Step:
    key: str
    read: Reader
    matrix: Mapping[str, object] = field(default_factory=dict)
    begun: "dict[int, StepStarted]" = field(default_factory=dict)
    started: dict[int, str] = field(default_factory=dict)
    ends: dict[int, _End] = field(default_factory=dict)
    restored: list[str] = field(default_factory=list)
    finished: "StepInterim | None" = None
    undone: str = ""
    undo_notes: tuple[str, ...] = ()
    approval: ApprovalView | None = None
    notes: tuple[str, ...] = ()
    last: int = 0

    def take(self, event: Event, read: Reader) -> None:
        """Take in what happened to the step."""
        match event.kind:
            case Kind.STEP_STARTED:
                self.begun[event.attempt], self.started[event.attempt] = forms.STEP_STARTED.payload(event), event.at
            case Kind.STEP_RETRIED:
                self.ends[event.attempt] = _tried_again(forms.STEP_RETRIED.payload(event), read)
            case Kind.STEP_INTERIM:
                self.ends[event.attempt] = _ended(forms.STEP_INTERIM.payload(event), read)
            case Kind.STEP_RESTORED:
                self.restored.append(restored_words(forms.STEP_RESTORED.payload(event), read))
            case Kind.STEP_WAITING:
                self.approval = wait_of(event)
                self.notes = read.texts(forms.STEP_WAITING.payload(event).get("warnings"))
            case Kind.STEP_APPROVED:
                self.approval = decided(self.approval, event) if self.approval else None
            case Kind.UNDO_FINISHED:
                undone = forms.UNDO_FINISHED.payload(event)
                self.undone, self.undo_notes = read.text(undone.get("status")), _of_undo(undone, read)
            case _:
                self.finished, self.read, self.last = forms.STEP_FINISHED.payload(event), read, event.attempt

    def finish(self, live: Status) -> StepView:
        read, last = self.read, self.begun[max(self.begun)] if self.begun else None
        unended = Status.WAITING if self.approval else live if self.begun else Status.PENDING
        base = StepView(
            key=self.key,
            phase=self.key.partition("/")[0],
            id=self.key.rpartition("/")[2],
            status=unended,
            outcome=unended,
            command=read.text(last.get("command")) if last else "",
            log=read.text(last.get("log")) if last else "",
            matrix=self.matrix or (read.mapping(last.get("matrix")) if last else {}),
            started=self.started[min(self.started)] if self.started else "",
            attempts=tuple(self._attempt(one, live) for one in sorted(self.begun)),
            remarks=(*(words for words in self.restored if words), *self.notes),
            approval=self.approval,
        )
        end = self.finished
        if end is None:
            return base
        return replace(
            base,
            status=read.choice(end.get("status"), Status),
            outcome=_ended(end, read).status,
            reason=read.text(end.get("reason")),
            fix=read.text(end.get("fix")),
            code=read.maybe_integer(end.get("code")),
            signal=read.maybe_integer(end.get("signal")),
            outputs=read.mapping(end.get("outputs")),
            artifacts=artifacts(read.mapping(end.get("artifacts")), read),
            duration_ms=read.integer(end.get("duration_ms")),
            leftover=read.integer(end.get("leftover")),
            truncated=read.flag(end.get("truncated")),
            changed=read.integer(end.get("changed")),
            cached=read.flag(end.get("cached")),
            gates=tuple(gate_result(one, read) for one in read.items(end.get("gates"))),
            remarks=(*base.remarks, *read.texts(end.get("warnings")), *self.undo_notes),
            undone=self.undone,
        )

    def _attempt(self, attempt: int, live: Status) -> AttemptView:
        end = self.ends.get(attempt)
        if end is None and attempt == self.last and self.finished is not None:
            end = _ended(self.finished, self.read)
        base = AttemptView(
            number=attempt,
            status=live if end is None and attempt == max(self.begun) else Status.INTERRUPTED,
            log=self.read.text(self.begun[attempt].get("log")),
            started=self.started[attempt],
        )
        if end is None:
            return base
        return replace(
            base, status=end.status, reason=end.reason, code=end.code, signal=end.signal, duration_ms=end.duration_ms,
            wait_ms=end.wait_ms,
        )  # fmt: skip


def _ended(record: "StepInterim", read: Reader) -> _End:
    return _End(
        status=read.choice(record.get("outcome"), Status),
        reason=read.text(record.get("reason")),
        code=read.maybe_integer(record.get("code")),
        signal=read.maybe_integer(record.get("signal")),
        duration_ms=read.integer(record.get("duration_ms")),
    )


def _of_undo(record: "StepInterim", read: Reader) -> tuple[str, ...]:
    if read.choice(record.get("status"), Status) is Status.SUCCESS:
        return read.texts(record.get("warnings"))
    code = read.maybe_integer(record.get("code"))
    return (f"could not be taken back: {read.text(record.get('reason')) or f'exit code {code}'}",)


def _tried_again(record: "StepRetried", read: Reader) -> _End:
    return _End(
        status=read.choice(record.get("status"), Status),
        reason=read.text(record.get("reason")),
        code=read.maybe_integer(record.get("code")),
        signal=read.maybe_integer(record.get("signal")),
        duration_ms=read.integer(record.get("duration_ms")),
        wait_ms=read.integer(record.get("wait_ms")),
    )


@dataclass(slots=True)
class _Phase:
    title: str = ""
    path: str = ""
    started: bool = False
    finished: "PhaseFinished | None" = None
    steps: dict[str, _Step] = field(default_factory=dict)


class _Run:
    """Gathers events by what they are about."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._read = Reader(f"run {run}")
        self._start: RunStarted | None = None
        self._phases: dict[str, _Phase] = {}
        self._gates: dict[tuple[str, str], GateResult] = {}
        self._end: RunFinished | None = None
        self._interruptions: list[str] = []
        self._taken = 0
        self._cancelled_by = ""
        self.idle = 0  # how often the run was taken up since a step last ended
        self.waits = False

    def take(self, event: Event) -> None:
        read = reader_of(event)
        area = event.kind.value.partition(".")[0]
        if area == "run":
            self._take_run(event, read)
        elif area == "phase":
            self._take_phase(event, read)
        elif area == "step" or event.kind is Kind.UNDO_FINISHED:
            self._take_step(event, read)
        elif area == "gate":
            phase = event.step.rpartition("/")[0]
            self._gates[phase, event.step] = gate_result(forms.GATE_FINISHED.payload(event), read)

    def _take_run(self, event: Event, read: Reader) -> None:
        if event.kind is Kind.RUN_STARTED:
            self._start = forms.RUN_STARTED.payload(event)
            for phase in read.records(self._start.get("phases")):
                known = self._phase(read.text(phase.get("name")))
                known.title, known.path = read.text(phase.get("title")), read.text(phase.get("path"))
        elif event.kind is Kind.RUN_TAKEN:
            self._taken += 1
            self.idle += 1
            self._end, self.waits = None, False
        elif event.kind is Kind.RUN_CANCEL:
            self._cancelled_by = read.text(forms.RUN_CANCEL.payload(event).get("by")) or "somebody"
        elif event.kind is Kind.RUN_INTERRUPTED:
            self._interruptions.append(read.text(forms.RUN_INTERRUPTED.payload(event).get("reason")))
            self.idle = 0
        elif event.kind is Kind.RUN_WAITING:
            self.idle, self.waits = 0, True
        elif event.kind is Kind.RUN_FINISHED:
            self._end = forms.RUN_FINISHED.payload(event)

    def _take_phase(self, event: Event, read: Reader) -> None:
        phase = self._phase(event.step)
        phase.started = True
        if event.kind is Kind.PHASE_FINISHED:
            phase.finished = forms.PHASE_FINISHED.payload(event)
        else:
            phase.title = read.text(forms.PHASE_STARTED.payload(event).get("title")) or phase.title

    def _take_step(self, event: Event, read: Reader) -> None:
        steps = self._phase(event.step.partition("/")[0]).steps
        if event.kind is Kind.STEP_EXPANDED:
            for number, values in enumerate(read.records(forms.STEP_EXPANDED.payload(event).get("matrix"))):
                key = f"{event.step}[{number}]"
                steps.setdefault(key, _Step(key=key, read=read)).matrix = read.mapping(values)
                steps.pop(event.step, None)  # its combinations stand for it
            return
        steps.setdefault(event.step, _Step(key=event.step, read=read)).take(event, read)
        if event.kind in (Kind.STEP_FINISHED, Kind.STEP_REFUTED):
            self.idle = 0

    def _phase(self, name: str) -> _Phase:
        return self._phases.setdefault(name, _Phase())

    def finish(self, events: Sequence[Event], *, live: Status, planned: Mapping[str, Planned]) -> RunView:
        end, read = self._end, self._read
        status = read.choice(end.get("status"), Status) if end else live
        over = live if live in (Status.RUNNING, Status.WAITING) and not end else Status.INTERRUPTED
        gates = tuple(GateView(phase=phase, result=result) for (phase, _), result in self._gates.items())
        phases = tuple(self._phase_view(name, over, gates) for name in self._phases)
        softened = any(step.softened for phase in phases for step in phase.steps)
        draft = RunView(
            run=self._run,
            status=status,
            verdict=verdict_of(status, [gate.result for gate in gates], softened=softened),
            exit_code=read.maybe_integer(end.get("exit_code")) if end else None,
            started=events[0].at,
            updated=events[-1].at,
            duration_ms=read.integer(end.get("duration_ms")) if end else _between_ms(events[0].at, events[-1].at),
            interruptions=tuple(self._interruptions),
            taken=self._taken,
            cancelled_by=self._cancelled_by,
            phases=phases,
            gates=gates,
            origin=self._origin(),
            events=len(events),
            head=events[-1].hash,
        )
        why = reasons(draft)
        said = read.text(end.get("reason")) if end else ""
        if said and status is not Status.SUCCESS and not why:
            why = (said,)
        also = remarks(draft)
        reason = said or next(iter((*why, *also)), "")
        return replace(draft, reason=reason, reasons=why, remarks=also, not_run=not_run(draft, planned))

    def _phase_view(self, name: str, live: Status, gates: tuple[GateView, ...]) -> PhaseView:
        phase, read = self._phases[name], self._read
        end = phase.finished
        unended = live if phase.started else Status.PENDING
        return PhaseView(
            name=name,
            title=phase.title,
            path=phase.path,
            status=read.choice(end.get("status"), Status) if end else unended,
            reason=read.text(end.get("reason")) if end else "",
            duration_ms=read.integer(end.get("duration_ms")) if end else 0,
            inputs=read.mapping(read.mapping(self._start.get("inputs")).get(name)) if self._start else {},
            steps=tuple(step.finish(live) for step in phase.steps.values()),
            gates=tuple(gate for gate in gates if gate.phase == name),
        )

    def _origin(self) -> Origin:
        start, read = self._start, self._read
        if start is None:
            return Origin()
        return Origin(
            job=read.text(start.get("job")),
            targets=read.texts(start.get("targets")),
            level=read.text(start.get("level")),
            parallel=read.integer(start.get("parallel")),
            tree=read.text(start.get("tree")),
            head=read.text(start.get("head")),
            branch=read.text(start.get("branch")),
            fingerprint=read.text(start.get("fingerprint")),
            version=read.text(start.get("version")),
            root=read.text(start.get("root")),
            host=read.text(start.get("host")),
            trust=read.text(start.get("trust")),
            parent=read.text(start.get("parent")),
            path=read.text(start.get("path")),
        )


def _between_ms(first: str, last: str) -> int:
    seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    return max(int(seconds * 1000), 0)
