"""Taking back what the steps of a phase have done: in reverse order, each once, whatever interrupts it."""

import asyncio
from dataclasses import replace

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node
from cli_multi_rapid.engine.places import Places
from cli_multi_rapid.model.checkpoint import Checkpoints
from cli_multi_rapid.model.phase import PhaseSpec, RollbackOn, Step
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.model.words import few
from cli_multi_rapid.system.globs import matches

_DONE = StepResult.of(Status.SUCCESS)


def next_undo(spec: PhaseSpec, graph: Graph, state: RunState) -> str:
    """Return the step of a phase that is to be taken back next, or nothing."""
    if spec.rollback is None or not _asked(spec, state):
        return ""
    main = {node.key for node in graph.of(spec.name, final=False)}
    for key in reversed(state.ended):
        node = graph.find(key)
        step = state.step(key)
        if node is None or node.key not in main or step.instances is not None or step.undone is not None:
            continue
        if step.result is not None and step.attempt and _undoable(node, step.before, step.result):
            return key
    return ""


def by_itself(node: Node, state: RunState, key: str) -> bool:
    """Tell whether a step is taken back by its own `undo`: one that did not succeed only has its files put back."""
    result = state.step(key).result
    return node.step.undo is not None and result is not None and result.outcome is Status.SUCCESS


def undo_node(node: Node) -> Node:
    """Return the undo of a step as a step of its own."""
    undo = node.step.undo
    assert undo is not None
    step = Step(id=node.step.id, run=undo.run, uses=undo.uses, with_=undo.with_, env=undo.env, timeout=undo.timeout)
    return replace(node, step=step, expressive=True, paths=None)


async def put_back(node: Node, key: str, state: RunState, places: Places) -> StepResult:
    """Put the files back that a step without an undo of its own has changed, of those that it may change."""
    step = state.step(key)
    assert step.result is not None
    if step.place:
        return await drop(step.result, state, places)
    checkpoints = places.here.checkpoints
    if checkpoints is None:
        return StepResult.of(Status.FAILURE, "nothing was kept to put back: there is no git repository")
    before, label, stopped = step.before, f"{key} taken back", not step.result.tree

    def act(one: Checkpoints) -> StepResult:
        done = one.restore(label, before=before, paths=node.paths)
        kept = [f"what it had changed when it was stopped is kept:  git diff {ref}" for ref in done.kept]
        return replace(_DONE, changed=len(done.paths), tree=one.tree(), warnings=tuple(kept) if stopped else ())

    places.here.fresh = None
    return await asyncio.to_thread(act, checkpoints)


async def moved_on(node: Node, key: str, state: RunState, places: Places, *, again: bool) -> str:
    """Say which files have changed since a step ended, if any have: then it must not be taken back.

    Files that it may not change do not matter, nor, once taking back has begun, do those that it changed.
    """
    step, checkpoints = state.step(key), places.here.checkpoints
    if step.place or checkpoints is None or not step.left or (step.before and step.result and not step.result.tree):
        return ""  # of a step that was stopped it is not known what it left
    left = step.left

    def act(one: Checkpoints) -> tuple[str, ...]:
        begun = one.changed(step.before, left) if again and step.before else ()
        return tuple(path for path in one.changed(left, one.tree()) if path not in begun)

    found = await asyncio.to_thread(act, checkpoints)
    changed = [path for path in found if node.paths is None or matches(path, node.paths)]
    return f"files have changed since it ended: {few(changed)}" if changed else ""


def _asked(spec: PhaseSpec, state: RunState) -> bool:
    assert spec.rollback is not None
    if state.cancelled:
        return RollbackOn.CANCELLED in spec.rollback.on
    steps = (step.status for key, step in state.steps.items() if key.startswith(f"{spec.name}/"))
    bad = any(status.bad for status in (*steps, *seen.gate_statuses(state, f"{spec.name}/")))
    return bad and RollbackOn.FAILURE in spec.rollback.on


def _undoable(node: Node, before: str, result: StepResult) -> bool:
    """Tell whether there is something to take back: a step says how, or it changed files, also if it failed then."""
    if result.outcome is not Status.SUCCESS:
        return bool(before) and (result.changed > 0 or not result.tree)
    return node.step.undo is not None or result.changed > 0 or bool(result.commit)


async def drop(result: StepResult, state: RunState, places: Places) -> StepResult:
    """Let what the worktrees have come to be what it was before a step."""
    if not result.commit or result.commit != state.commit:
        return StepResult.of(Status.FAILURE, "later changes rest on it") if result.commit else _DONE
    return replace(_DONE, commit=await places.back_before(result.commit), changed=result.changed)
