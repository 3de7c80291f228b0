"""What both renderers say about an event."""

from dataclasses import dataclass

from cli_multi_rapid.documents.approvals import ApprovalView, decided, decision_words, wait_of, wait_words
from cli_multi_rapid.documents.payload import Record
from cli_multi_rapid.documents.text import crop, duration, printable
from cli_multi_rapid.documents.words import restored_words, signal_name
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status

_WIDTH = 120
STEP_ENDS = frozenset((Kind.STEP_FINISHED, Kind.STEP_RETRIED, Kind.STEP_INTERIM, Kind.STEP_REFUTED))
"""What ends an attempt of a step, or changes how it ended."""

_ENDS = STEP_ENDS | {Kind.GATE_FINISHED, Kind.PHASE_FINISHED, Kind.UNDO_FINISHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The end of a step, an attempt, a gate or a phase. `name` is empty for a phase; all texts are harmless."""

    phase: str
    name: str
    status: Status | GateStatus
    took: str
    detail: str

    @property
    def key(self) -> str:
        """Return phase and name in words: ``phase1 gate coverage``."""
        return f"{self.phase} {self.name}".strip()


def line_of(event: Event) -> Line | None:
    """Return what is said about an event, or None where it ends nothing."""
    if event.kind not in _ENDS:
        return None
    record = Record(event.payload, f"run {event.run}, event {event.seq}")
    phase, name = named(event.step)
    took = duration(record.integer("duration_ms"))
    if event.kind is Kind.GATE_FINISHED:
        verdict = record.choice("status", GateStatus)
        return Line(phase=phase, name=name, status=verdict, took=took, detail=one_line(record.text("summary")))
    status = record.choice("status", Status)
    if event.kind is Kind.PHASE_FINISHED:
        return Line(phase=phase, name="", status=status, took=took, detail=one_line(record.text("reason")))
    if event.kind is Kind.UNDO_FINISHED:
        said = "taken back" if status is Status.SUCCESS else f"not taken back: {_why(record)}"
        return Line(phase=phase, name=name, status=status, took=took, detail=said)
    if event.kind is Kind.STEP_RETRIED:
        again = f"; tried again in {duration(record.integer('wait_ms'))}"
        return Line(phase=phase, name=name, status=status, took=took, detail=_why(record) + again)
    if record.text("outcome"):
        status = record.choice("outcome", Status)
    allowed = "; the spec allows it" if status.bad and not record.choice("status", Status).bad else ""
    detail = _why(record) + allowed if status is not Status.SUCCESS else one_line(record.text("reason"))
    return Line(phase=phase, name=name, status=status, took=took if event.attempt else "", detail=detail)


def restored_line(event: Event) -> str:
    """Return what is said about files that were put back, or nothing where none was."""
    words = restored_words(Record(event.payload, f"run {event.run}, event {event.seq}"))
    return " ".join((*named(event.step), "", printable(words))) if words else ""


def remark_line(event: Event) -> str:
    """Return what is said about files that were put back, and about waiting for a person; nothing about all else."""
    if event.kind is Kind.STEP_RESTORED:
        return restored_line(event)
    record = Record(event.payload, f"run {event.run}, event {event.seq}")
    wait = ApprovalView(number=event.attempt)
    if event.kind is Kind.STEP_WAITING:
        words = wait_words(wait_of(record, number=event.attempt, at=event.at))
    elif event.kind is Kind.STEP_APPROVED:
        words = decision_words(decided(wait, record, number=event.attempt, at=event.at))
    else:
        return f"run {event.run}  waits for a person" if event.kind is Kind.RUN_WAITING else ""
    return " ".join((*named(event.step), "", printable(words)))


def named(key: str) -> tuple[str, str]:
    """Return phase and name of what an event is about as people read them: ``phase1`` and ``gate lint``."""
    if "/" not in key and not key.startswith("gate:"):
        return printable(key), ""
    phase, _, name = printable(key).rpartition("/")
    return phase, f"gate {name.removeprefix('gate:')}" if name.startswith("gate:") else name


def one_line(text: str) -> str:
    """Return the first line of a text that is not empty, made harmless and short."""
    first = next((line for line in printable(text, lines=True).split("\n") if line.strip()), "")
    return crop(first.strip(), _WIDTH)


def _why(record: Record) -> str:
    code, signal = record.maybe_integer("code"), record.maybe_integer("signal")
    if reason := record.text("reason"):
        return one_line(reason)
    if code is not None:
        return f"exit code {code}"
    return f"killed by {signal_name(signal)}" if signal is not None else ""
