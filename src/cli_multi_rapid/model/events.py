"""The event log: what is recorded, and nothing else is state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Payload = Mapping[str, object]


def payload_of(record: "DataclassInstance") -> Payload:
    """Return a result as the plain values that an event records."""
    return {name: _plain(getattr(record, name)) for name in record.__dataclass_fields__}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "__dataclass_fields__"):
        return payload_of(cast("DataclassInstance", value))
    return value


class Kind(StrEnum):
    """Kinds of event. What each records is said by its contract: contracts/events/RunStarted@1.0.json for run.started.

    `step` names what an event is about: a phase (`phase1`), a step (`phase1/lint`), one combination of a matrix
    (`phase1/test[0]`), a gate (`phase1/gate:coverage`), or nothing for the run itself. Where the contract does not say
    what the attempt counts, it is that of the step, or 0.

    Events are written and read through `model.forms`, which ties each kind to the type that is made from its contract.
    """

    RUN_STARTED = "run.started"
    RUN_TAKEN = "run.taken"
    RUN_CANCEL = "run.cancel"
    RUN_INTERRUPTED = "run.interrupted"
    RUN_WAITING = "run.waiting"
    RUN_FINISHED = "run.finished"
    PHASE_STARTED = "phase.started"
    PHASE_FINISHED = "phase.finished"
    STEP_EXPANDED = "step.expanded"
    STEP_STARTED = "step.started"
    STEP_RETRIED = "step.retried"
    STEP_RESTORED = "step.restored"
    STEP_INTERIM = "step.interim"
    STEP_WAITING = "step.waiting"
    STEP_APPROVED = "step.approved"
    STEP_FINISHED = "step.finished"
    STEP_REFUTED = "step.refuted"
    UNDO_STARTED = "undo.started"
    UNDO_FINISHED = "undo.finished"
    TREE_SEEN = "tree.seen"
    GATE_FINISHED = "gate.finished"


SNAPSHOT = frozenset({
    "phases", "targets", "job", "given", "inputs", "gates_text", "final_gates", "secrets", "level", "parallel", "tree",
    "head", "branch", "fingerprint", "version", "root", "host", "trust", "path", "parent",
})  # fmt: skip
"""The keys that the contract of run.started requires: what a run needs to go on by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be appended. Identity: run, step, attempt, kind."""

    kind: Kind
    payload: Payload = field(default_factory=dict)
    step: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A recorded event. `at` is UTC in ISO 8601; `hash` covers the event and the hash before it (SHA-256, hex)."""

    run: str
    seq: int
    step: str
    attempt: int
    kind: Kind
    payload: Payload
    at: str
    prev: str
    hash: str
