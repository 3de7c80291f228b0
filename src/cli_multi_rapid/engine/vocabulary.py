"""What expressions can name, and where: one table for the loader, the schema command and the documentation."""

from collections.abc import Mapping
from enum import Enum

CONTEXTS: Mapping[str, str] = {
    "inputs": "Values that the caller gave, else the defaults.",
    "env": "Values of the phase's `env`; the environment of the process is not visible.",
    "steps": "Steps that have ended: `steps.ID.outputs.NAME`, `.status`, `.outcome`.",
    "needs": "Phases that this one needs: `needs.PHASE.status`, `needs.PHASE.steps.ID.outputs.NAME`.",
    "artifacts": "Paths of what steps have produced; in `outputs` their content.",
    "matrix": "Values of this combination, in steps with a matrix.",
    "phase": "`phase.name`, `phase.title`.",
    "run": "`run.id`, `run.status`.",
    "git": "`git.branch`, `git.head`, `git.tree`; empty outside of git.",
    "step": "`step.id`, `step.attempt`, and `step.out`, the folder for what it produces.",
    "secrets": "Values of the declared secrets, in `env` only.",
}
"""Every context with its meaning."""

MEMBERS: Mapping[str, tuple[str, ...]] = {
    "phase": ("name", "title"),
    "run": ("id", "status"),
    "git": ("branch", "head", "tree"),
    "step": ("id", "attempt", "out"),
}
"""The keys of the contexts that have the same ones everywhere."""

RESULT_MEMBERS = ("outputs", "status", "outcome")
"""The keys of `steps.ID`."""

APPROVAL_OUTPUTS = ("by", "reason")
"""The outputs of a step that waited for a person."""

PHASE_MEMBERS = ("status", "steps")
"""The keys of `needs.PHASE`."""


class Place(Enum):
    """Where an expression can stand."""

    CONDITION = "if"
    MATRIX = "matrix"
    RUN = "run"
    STEP_ENV = "env"
    PHASE_ENV = "the phase's env"
    PRODUCES = "produces"
    OUTPUTS = "outputs"
    WITH = "with"
    UNDO = "undo"
    GROUP = "concurrency"
    EVIDENCE = "from"


_SHARED = frozenset(("inputs", "env", "steps", "needs", "artifacts", "phase", "run", "git"))
_OWN = _SHARED | {"matrix", "step"}

VISIBLE: Mapping[Place, frozenset[str]] = {
    Place.CONDITION: _SHARED,
    Place.MATRIX: _SHARED,
    Place.RUN: _OWN,
    Place.STEP_ENV: _OWN | {"secrets"},
    Place.PHASE_ENV: frozenset(("inputs", "needs", "phase", "run", "git", "step", "secrets")),
    Place.PRODUCES: _OWN,
    Place.OUTPUTS: _OWN,
    Place.WITH: _OWN | {"secrets"},
    Place.UNDO: _OWN | {"secrets"},
    Place.GROUP: frozenset(("inputs", "phase", "git")),
    Place.EVIDENCE: _SHARED,
}
"""The contexts that an expression can see where it stands. `matrix` needs a step with a matrix."""
