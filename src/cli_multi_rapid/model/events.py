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
    """Kinds of event, with the keys of their payload.

    `step` names what an event is about: a phase (`phase1`), a step (`phase1/lint`), one combination of a matrix
    (`phase1/test[0]`), a gate (`phase1/gate:coverage`), or nothing for the run itself. Durations are milliseconds.

    run.started      phases [{name, title, path, text}] in order, targets, job, given {name: text},
                     inputs {phase: {name: value}}, gates_text, final_gates, secrets (names), level, parallel, tree,
                     head, branch, fingerprint, version, root, host, trust, path, parent; in newer logs also to_branch,
                     by {user, name, email}, changed_only, history, with a base revision base {commit, why,
                     gates_text: its gates where they differ}, and of a run with approvals approvers {name: [members]}
    run.taken        pid, host; attempt = fencing number
    run.cancel       by
    run.interrupted  reason (SIGINT, SIGTERM, timeout); attempt = fencing number
    run.waiting      steps: nothing else can run until a person decides about them; attempt = fencing number
    run.finished     status, exit_code, reason, duration_ms
    phase.started    title
    phase.finished   status, reason, duration_ms
    step.expanded    matrix [{name: value}]; base: in a worktree, the commit that all of them begin with
    step.started     command (as shown to people), log (path relative to the run's folder), matrix {name: value}; of a
                     step that may write also before (commit, ref) and tree: the state it began with; place: the
                     checkout it works in
    step.retried     status, reason, code, signal, wait_ms, duration_ms
    step.restored    of an interrupted attempt: paths, kept (refs), left, warnings; or chosen: keep
    step.interim     the fields of StepResult: a final step that ran because the run was stopped; it runs again
    step.waiting     the fields of Wait without its number, which is the attempt; warnings (what the tree lacks); of a
                     further wait also changed (the first paths that differ from the tree before), changed_total, and
                     voided: whether an approval is void because of them
    step.approved    decision, by {user, name, email}, reason, fingerprint, tree, key, signature; attempt = that of the
                     wait: there is one decision about each
    step.finished    the fields of StepResult; a skipped step, one that waited for a person, and one that was taken over
                     from another run (adopted) have attempt 0
    step.refuted     the fields of StepResult: what a step that promised to write nothing is worth after all
    undo.started     command, log; attempt counts the tries to take the step back
    undo.finished    the fields of StepResult: whether the step was taken back, and if not, why
    tree.seen        tree, place: the promises of the steps that ran there are checked up to here; attempt counts
    gate.finished    the fields of GateResult
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
"""The keys that every `run.started` payload has: what a run needs to go on by itself."""


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
