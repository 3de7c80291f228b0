"""What both renderers say about an event."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.approvals import ApprovalView, decided, decision_words, wait_of, wait_words
from cli_multi_rapid.documents.payload import Reader, reader_of
from cli_multi_rapid.documents.text import crop, duration, printable
from cli_multi_rapid.documents.words import restored_words, signal_name
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.step_interim_v1_0 import StepInterim
    from cli_multi_rapid.model.recorded.step_retried_v1_0 import StepRetried

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
    phase, name = named(event.step)
    if event.kind is Kind.GATE_FINISHED:
        return _of_gate(event, phase, name)
    if event.kind is Kind.PHASE_FINISHED:
        return _of_phase(event, phase)
    if event.kind is Kind.STEP_RETRIED:
        return _of_retry(event, phase, name)
    return _of_step(event, phase, name)


def _of_gate(event: Event, phase: str, name: str) -> Line:
    record, read = forms.GATE_FINISHED.payload(event), reader_of(event)
    verdict, took = read.choice(record.get("status"), GateStatus), duration(read.integer(record.get("duration_ms")))
    return Line(phase=phase, name=name, status=verdict, took=took, detail=one_line(read.text(record.get("summary"))))


def _of_phase(event: Event, phase: str) -> Line:
    record, read = forms.PHASE_FINISHED.payload(event), reader_of(event)
    status, took = read.choice(record.get("status"), Status), duration(read.integer(record.get("duration_ms")))
    return Line(phase=phase, name="", status=status, took=took, detail=one_line(read.text(record.get("reason"))))


def _of_retry(event: Event, phase: str, name: str) -> Line:
    record, read = forms.STEP_RETRIED.payload(event), reader_of(event)
    status, took = read.choice(record.get("status"), Status), duration(read.integer(record.get("duration_ms")))
    again = f"; tried again in {duration(read.integer(record.get('wait_ms')))}"
    return Line(phase=phase, name=name, status=status, took=took, detail=_why(record, read) + again)


def _of_step(event: Event, phase: str, name: str) -> Line:
    record, read = forms.STEP_FINISHED.payload(event), reader_of(event)
    status, took = read.choice(record.get("status"), Status), duration(read.integer(record.get("duration_ms")))
    if event.kind is Kind.UNDO_FINISHED:
        said = "taken back" if status is Status.SUCCESS else f"not taken back: {_why(record, read)}"
        return Line(phase=phase, name=name, status=status, took=took, detail=said)
    outcome = read.choice(record.get("outcome"), Status)
    allowed = "; the spec allows it" if outcome.bad and not status.bad else ""
    why = one_line(read.text(record.get("reason")))
    detail = _why(record, read) + allowed if outcome is not Status.SUCCESS else why
    return Line(phase=phase, name=name, status=outcome, took=took if event.attempt else "", detail=detail)


def restored_line(event: Event) -> str:
    """Return what is said about files that were put back, or nothing where none was."""
    words = restored_words(forms.STEP_RESTORED.payload(event), reader_of(event))
    return " ".join((*named(event.step), "", printable(words))) if words else ""


def remark_line(event: Event) -> str:
    """Return what is said about files that were put back, and about waiting for a person; nothing about all else."""
    if event.kind is Kind.STEP_RESTORED:
        return restored_line(event)
    if event.kind is Kind.STEP_WAITING:
        words = wait_words(wait_of(event))
    elif event.kind is Kind.STEP_APPROVED:
        words = decision_words(decided(ApprovalView(number=event.attempt), event))
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


def _why(record: "StepInterim | StepRetried", read: Reader) -> str:
    code, signal = read.maybe_integer(record.get("code")), read.maybe_integer(record.get("signal"))
    if reason := read.text(record.get("reason")):
        return one_line(reason)
    if code is not None:
        return f"exit code {code}"
    return f"killed by {signal_name(signal)}" if signal is not None else ""
