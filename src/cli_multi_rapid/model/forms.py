"""What each kind of event records, by types: those who write an event and those who read it share the form of its kind.

The types are made from contracts/events and are for type checkers alone; nothing of them is loaded when the program
runs. A payload that is read is taken at its word: that it is what was recorded, the chain of hashes tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from cli_multi_rapid.model.events import Event, Kind, NewEvent, payload_of

if TYPE_CHECKING:
    from cli_multi_rapid.model.approval import Person
    from cli_multi_rapid.model.gate import GateResult
    from cli_multi_rapid.model.recorded.gate_finished_v1_0 import GateFinished
    from cli_multi_rapid.model.recorded.phase_finished_v1_0 import PhaseFinished
    from cli_multi_rapid.model.recorded.phase_started_v1_0 import PhaseStarted
    from cli_multi_rapid.model.recorded.run_cancel_v1_0 import RunCancel
    from cli_multi_rapid.model.recorded.run_finished_v1_0 import RunFinished
    from cli_multi_rapid.model.recorded.run_interrupted_v1_0 import RunInterrupted
    from cli_multi_rapid.model.recorded.run_started_v1_0 import Person as PersonRecord
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.recorded.run_taken_v1_0 import RunTaken
    from cli_multi_rapid.model.recorded.run_waiting_v1_0 import RunWaiting
    from cli_multi_rapid.model.recorded.step_approved_v1_0 import StepApproved
    from cli_multi_rapid.model.recorded.step_expanded_v1_0 import StepExpanded
    from cli_multi_rapid.model.recorded.step_finished_v1_0 import StepFinished
    from cli_multi_rapid.model.recorded.step_interim_v1_0 import StepInterim
    from cli_multi_rapid.model.recorded.step_refuted_v1_0 import StepRefuted
    from cli_multi_rapid.model.recorded.step_restored_v1_0 import StepRestored
    from cli_multi_rapid.model.recorded.step_retried_v1_0 import StepRetried
    from cli_multi_rapid.model.recorded.step_started_v1_0 import StepStarted
    from cli_multi_rapid.model.recorded.step_waiting_v1_0 import StepWaiting
    from cli_multi_rapid.model.recorded.tree_seen_v1_0 import TreeSeen
    from cli_multi_rapid.model.recorded.undo_finished_v1_0 import UndoFinished
    from cli_multi_rapid.model.recorded.undo_started_v1_0 import UndoStarted
    from cli_multi_rapid.model.run import StepResult

P = TypeVar("P", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Form(Generic[P]):
    """One kind of event, and the type of its payload."""

    kind: Kind

    def event(self, payload: P, *, step: str = "", attempt: int = 0) -> NewEvent:
        """Return an event of this kind to be appended."""
        return NewEvent(kind=self.kind, payload=payload, step=step, attempt=attempt)

    def payload(self, event: Event | NewEvent) -> P:
        """Return what an event of this kind records."""
        return cast("P", event.payload)


RUN_STARTED: "Form[RunStarted]" = Form(Kind.RUN_STARTED)
RUN_TAKEN: "Form[RunTaken]" = Form(Kind.RUN_TAKEN)
RUN_CANCEL: "Form[RunCancel]" = Form(Kind.RUN_CANCEL)
RUN_INTERRUPTED: "Form[RunInterrupted]" = Form(Kind.RUN_INTERRUPTED)
RUN_WAITING: "Form[RunWaiting]" = Form(Kind.RUN_WAITING)
RUN_FINISHED: "Form[RunFinished]" = Form(Kind.RUN_FINISHED)
PHASE_STARTED: "Form[PhaseStarted]" = Form(Kind.PHASE_STARTED)
PHASE_FINISHED: "Form[PhaseFinished]" = Form(Kind.PHASE_FINISHED)
STEP_EXPANDED: "Form[StepExpanded]" = Form(Kind.STEP_EXPANDED)
STEP_STARTED: "Form[StepStarted]" = Form(Kind.STEP_STARTED)
STEP_RETRIED: "Form[StepRetried]" = Form(Kind.STEP_RETRIED)
STEP_RESTORED: "Form[StepRestored]" = Form(Kind.STEP_RESTORED)
STEP_INTERIM: "Form[StepInterim]" = Form(Kind.STEP_INTERIM)
STEP_WAITING: "Form[StepWaiting]" = Form(Kind.STEP_WAITING)
STEP_APPROVED: "Form[StepApproved]" = Form(Kind.STEP_APPROVED)
STEP_FINISHED: "Form[StepFinished]" = Form(Kind.STEP_FINISHED)
STEP_REFUTED: "Form[StepRefuted]" = Form(Kind.STEP_REFUTED)
UNDO_STARTED: "Form[UndoStarted]" = Form(Kind.UNDO_STARTED)
UNDO_FINISHED: "Form[UndoFinished]" = Form(Kind.UNDO_FINISHED)
TREE_SEEN: "Form[TreeSeen]" = Form(Kind.TREE_SEEN)
GATE_FINISHED: "Form[GateFinished]" = Form(Kind.GATE_FINISHED)


def of_step(result: "StepResult") -> "StepFinished":
    """Return what events record of the end of a step; a test holds the fields equal to the contract."""
    return cast("StepFinished", payload_of(result))


def of_gate(result: "GateResult") -> "GateFinished":
    """Return what events record of a gate's verdict; a test holds the fields equal to the contract."""
    return cast("GateFinished", payload_of(result))


def of_person(person: "Person") -> "PersonRecord":
    """Return what events record of somebody; a test holds the fields equal to the contract."""
    return cast("PersonRecord", payload_of(person))
