"""What an interrupted run left half done, and what is done about it before the run goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node
from cli_multi_rapid.errors import StepHalfDone
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.checkpoint import Checkpoints, Restored
from cli_multi_rapid.model.events import NewEvent
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.model.words import few
from cli_multi_rapid.model.workspace import SHARED, Worktrees

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.step_restored_v1_0 import StepRestored


class Choice(StrEnum):
    """What becomes of changes of an interrupted step that does not say what it may change."""

    ASK = "ask"
    RESTORE = "restore"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfDone:
    """A step whose last attempt did not end it: what it is, and the commit with the state that it began with."""

    key: str
    node: Node
    attempt: int
    before: str
    interrupted: bool
    place: str = ""


def half_done(state: RunState, graph: Graph) -> Iterator[HalfDone]:
    """Give the steps that may have left changes; `before` is empty where no state was kept."""
    for key, step in state.steps.items():
        node = graph.find(key)
        running = step.status is Status.RUNNING
        if node is not None and node.writes and (step.half_done or running) and step.instances is None:
            yield HalfDone(
                key=key, node=node, attempt=step.attempt, before=step.before, interrupted=running, place=step.place
            )


def made_whole(
    found: HalfDone, checkpoints: Checkpoints, *, choice: Choice, tree: str, cancelled: bool
) -> NewEvent | None:
    """Take back what an interrupted step has changed; return the event that records it, or None if nothing is owed.

    `tree` is the tree that the step began with. A step that will not run again because the run is `cancelled` needs
    nobody's decision.

    Raises:
        StepHalfDone: it changed something, does not say what it may change, and nobody has decided.
        GitFailed: the state that it began with is gone, or files cannot be put back.
    """
    if choice is Choice.KEEP:
        return _event(found, {"choice": "keep"})
    if found.node.paths is None and choice is Choice.ASK:
        if cancelled or not found.interrupted:
            return None
        changed = checkpoints.changed(tree, checkpoints.tree())
        if not changed:
            return None
        raise _undecided(found, changed)
    label = f"{found.key} interrupted attempt {found.attempt}"
    restored = checkpoints.restore(label, before=found.before, paths=found.node.paths)
    return _event(found, restored_payload(restored))


def renewed(found: HalfDone, worktrees: Worktrees, *, commit: str) -> NewEvent:
    """Take back what an interrupted step has changed in a checkout of the run; what was there is kept."""
    if found.place == SHARED:
        worktrees.open(SHARED, commit)
        return _event(found, restored_payload(worktrees.renew(SHARED, commit)))
    kept = worktrees.close(found.place)
    return _event(found, restored_payload(Restored(kept=(kept,) if kept else ())))


def restored_payload(restored: Restored) -> "StepRestored":
    """Return what an event records of files that were put back."""
    return {
        "paths": list(restored.paths), "kept": list(restored.kept), "left": list(restored.left),
        "warnings": list(restored.warnings),
    }  # fmt: skip


def _event(found: HalfDone, payload: "StepRestored") -> NewEvent:
    return forms.STEP_RESTORED.event(payload, step=found.key, attempt=found.attempt)


def _undecided(found: HalfDone, changed: tuple[str, ...]) -> StepHalfDone:
    return StepHalfDone(
        f"{found.key} was interrupted and does not say what it may change; since then these changed: {few(changed)}",
        hint="resume --restore takes them back (what is there now is kept), resume --keep leaves them as they are",
    )
