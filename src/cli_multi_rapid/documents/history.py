"""From the events of a run to its view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.approvals import ApprovalView, decided, wait_of
from cli_multi_rapid.documents.payload import Record, artifacts, gate_result
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
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.run import Status

if TYPE_CHECKING:
    from cli_multi_rapid.model.gate import GateResult


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


@dataclass(slots=True)
class _Step:
    key: str
    matrix: Mapping[str, object] = field(default_factory=dict)
    begun: dict[int, Record] = field(default_factory=dict)
    started: dict[int, str] = field(default_factory=dict)
    retried: dict[int, Record] = field(default_factory=dict)
    restored: list[Record] = field(default_factory=list)
    finished: Record | None = None
    undone: Record | None = None
    approval: ApprovalView | None = None
    notes: tuple[str, ...] = ()
    last: int = 0

    def wait(self, event: Event, record: Record) -> None:
        """Take in that the step waits for a person, or what one has decided."""
        if event.kind is Kind.STEP_WAITING:
            self.approval = wait_of(record, number=event.attempt, at=event.at)
            self.notes = record.texts("warnings")
        elif self.approval is not None:
            self.approval = decided(self.approval, record, number=event.attempt, at=event.at)

    def finish(self, live: Status) -> StepView:
        last = self.begun[max(self.begun)] if self.begun else Record({}, self.key)
        unended = Status.WAITING if self.approval else live if self.begun else Status.PENDING
        base = StepView(
            key=self.key,
            phase=self.key.partition("/")[0],
            id=self.key.rpartition("/")[2],
            status=unended,
            outcome=unended,
            command=last.text("command"),
            log=last.text("log"),
            matrix=self.matrix or last.mapping("matrix"),
            started=self.started[min(self.started)] if self.started else "",
            attempts=tuple(self._attempt(one, live) for one in sorted(self.begun)),
            remarks=(*(words for record in self.restored if (words := restored_words(record))), *self.notes),
            approval=self.approval,
        )
        end = self.finished
        if end is None:
            return base
        status = end.choice("status", Status)
        return replace(
            base,
            status=status,
            outcome=end.choice("outcome", Status) if end.text("outcome") else status,
            reason=end.text("reason"),
            fix=end.text("fix"),
            code=end.maybe_integer("code"),
            signal=end.maybe_integer("signal"),
            outputs=end.mapping("outputs"),
            artifacts=artifacts(end.mapping("artifacts"), self.key),
            duration_ms=end.integer("duration_ms"),
            leftover=end.integer("leftover"),
            truncated=end.flag("truncated"),
            changed=end.integer("changed"),
            cached=end.flag("cached"),
            gates=tuple(gate_result(one, self.key) for one in end.items("gates")),
            remarks=(*base.remarks, *end.texts("warnings"), *self._of_undo()),
            undone=self.undone.text("status") if self.undone else "",
        )

    def _of_undo(self) -> tuple[str, ...]:
        if self.undone is None:
            return ()
        if self.undone.text("status") == Status.SUCCESS:
            return self.undone.texts("warnings")
        code = self.undone.maybe_integer("code")
        return (f"could not be taken back: {self.undone.text('reason') or f'exit code {code}'}",)

    def _attempt(self, attempt: int, live: Status) -> AttemptView:
        begun, end = self.begun[attempt], self.retried.get(attempt)
        if end is None and attempt == self.last:
            end = self.finished
        base = AttemptView(
            number=attempt,
            status=live if end is None and attempt == max(self.begun) else Status.INTERRUPTED,
            log=begun.text("log"),
            started=self.started[attempt],
        )
        if end is None:
            return base
        return replace(
            base,
            status=end.choice("outcome" if end.text("outcome") else "status", Status),
            reason=end.text("reason"),
            code=end.maybe_integer("code"),
            signal=end.maybe_integer("signal"),
            duration_ms=end.integer("duration_ms"),
            wait_ms=end.integer("wait_ms"),
        )


@dataclass(slots=True)
class _Phase:
    title: str = ""
    path: str = ""
    started: bool = False
    finished: Record | None = None
    steps: dict[str, _Step] = field(default_factory=dict)


class _Run:
    """Gathers events by what they are about."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._start = Record({}, run)
        self._phases: dict[str, _Phase] = {}
        self._gates: dict[tuple[str, str], GateResult] = {}
        self._end: Record | None = None
        self._interruptions: list[str] = []
        self._taken = 0
        self._cancelled_by = ""
        self.idle = 0  # how often the run was taken up since a step last ended
        self.waits = False

    def take(self, event: Event) -> None:
        record = Record(event.payload, f"run {event.run}, event {event.seq}")
        area = event.kind.value.partition(".")[0]
        if area == "run":
            self._take_run(event, record)
        elif area == "phase":
            self._take_phase(event, record)
        elif event.kind is Kind.UNDO_FINISHED:
            steps = self._phase(event.step.partition("/")[0]).steps
            steps.setdefault(event.step, _Step(key=event.step)).undone = record
        elif area == "step":
            self._take_step(event, record)
        elif area == "gate":
            phase = event.step.rpartition("/")[0]
            self._gates[phase, event.step] = gate_result(event.payload, f"run {event.run}, event {event.seq}")

    def _take_run(self, event: Event, record: Record) -> None:
        if event.kind is Kind.RUN_STARTED:
            self._start = record
            for phase in record.records("phases"):
                known = self._phase(phase.text("name"))
                known.title, known.path = phase.text("title"), phase.text("path")
        elif event.kind is Kind.RUN_TAKEN:
            self._taken += 1
            self.idle += 1
            self._end, self.waits = None, False
        elif event.kind is Kind.RUN_CANCEL:
            self._cancelled_by = record.text("by") or "somebody"
        elif event.kind is Kind.RUN_INTERRUPTED:
            self._interruptions.append(record.text("reason"))
            self.idle = 0
        elif event.kind is Kind.RUN_WAITING:
            self.idle, self.waits = 0, True
        elif event.kind is Kind.RUN_FINISHED:
            self._end = record

    def _take_phase(self, event: Event, record: Record) -> None:
        phase = self._phase(event.step)
        phase.started = True
        if event.kind is Kind.PHASE_FINISHED:
            phase.finished = record
        else:
            phase.title = record.text("title") or phase.title

    def _take_step(self, event: Event, record: Record) -> None:
        steps = self._phase(event.step.partition("/")[0]).steps
        step = steps.setdefault(event.step, _Step(key=event.step))
        if event.kind is Kind.STEP_EXPANDED:
            for number, values in enumerate(record.records("matrix")):
                combination = steps.setdefault(f"{event.step}[{number}]", _Step(key=f"{event.step}[{number}]"))
                combination.matrix = values.everything()
                steps.pop(event.step, None)  # its combinations stand for it
        elif event.kind is Kind.STEP_STARTED:
            step.begun[event.attempt], step.started[event.attempt] = record, event.at
        elif event.kind in (Kind.STEP_RETRIED, Kind.STEP_INTERIM):
            step.retried[event.attempt] = record
        elif event.kind is Kind.STEP_RESTORED:
            step.restored.append(record)
        elif event.kind in (Kind.STEP_WAITING, Kind.STEP_APPROVED):
            step.wait(event, record)
        else:
            step.finished, step.last = record, event.attempt
            self.idle = 0

    def _phase(self, name: str) -> _Phase:
        return self._phases.setdefault(name, _Phase())

    def finish(self, events: Sequence[Event], *, live: Status, planned: Mapping[str, Planned]) -> RunView:
        end = self._end
        status = end.choice("status", Status) if end else live
        over = live if live in (Status.RUNNING, Status.WAITING) and not end else Status.INTERRUPTED
        gates = tuple(GateView(phase=phase, result=result) for (phase, _), result in self._gates.items())
        phases = tuple(self._phase_view(name, over, gates) for name in self._phases)
        softened = any(step.softened for phase in phases for step in phase.steps)
        draft = RunView(
            run=self._run,
            status=status,
            verdict=verdict_of(status, [gate.result for gate in gates], softened=softened),
            exit_code=end.maybe_integer("exit_code") if end else None,
            started=events[0].at,
            updated=events[-1].at,
            duration_ms=end.integer("duration_ms") if end else _between_ms(events[0].at, events[-1].at),
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
        said = end.text("reason") if end else ""
        if said and status is not Status.SUCCESS and not why:
            why = (said,)
        also = remarks(draft)
        reason = said or next(iter((*why, *also)), "")
        return replace(draft, reason=reason, reasons=why, remarks=also, not_run=not_run(draft, planned))

    def _phase_view(self, name: str, live: Status, gates: tuple[GateView, ...]) -> PhaseView:
        phase = self._phases[name]
        end = phase.finished
        unended = live if phase.started else Status.PENDING
        return PhaseView(
            name=name,
            title=phase.title,
            path=phase.path,
            status=end.choice("status", Status) if end else unended,
            reason=end.text("reason") if end else "",
            duration_ms=end.integer("duration_ms") if end else 0,
            inputs=Record(self._start.mapping("inputs"), self._run).mapping(name),
            steps=tuple(step.finish(live) for step in phase.steps.values()),
            gates=tuple(gate for gate in gates if gate.phase == name),
        )

    def _origin(self) -> Origin:
        start = self._start
        return Origin(
            job=start.text("job"),
            targets=start.texts("targets"),
            level=start.text("level"),
            parallel=start.integer("parallel"),
            tree=start.text("tree"),
            head=start.text("head"),
            branch=start.text("branch"),
            fingerprint=start.text("fingerprint"),
            version=start.text("version"),
            root=start.text("root"),
            host=start.text("host"),
            trust=start.text("trust"),
            parent=start.text("parent"),
            path=start.text("path"),
        )


def _between_ms(first: str, last: str) -> int:
    seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    return max(int(seconds * 1000), 0)
