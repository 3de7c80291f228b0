"""Which steps of an earlier run need not run again in a new one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import Graph, RunPlan, build
from cli_multi_rapid.errors import StepUnknown
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, NewEvent
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.services.snapshot import plan_of
from cli_multi_rapid.system.files import PathRefused, digest_inside

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.recorded.step_expanded_v1_0 import StepExpanded

_INPUT = re.compile(r"inputs\b(?:\s*\.\s*([A-Za-z0-9_-]+))?", re.IGNORECASE)


def adopted(
    events: tuple[Event, ...], record: "RunStarted", *, warn: Callable[[str], None], begin: str = "",
    failed: bool = False,
) -> list[NewEvent]:  # fmt: skip
    """Return the events by which a new run takes over what an earlier one has done.

    Args:
        events: those of the earlier run.
        record: the snapshot of the new one; a step is taken over only where its phase has the same text.
        begin: a step (`phase/step`, or its id where that is unambiguous) from which on everything runs again.
        warn: is told if files have changed since, which what is taken over has not seen.
        failed: everything runs again that did not succeed.

    What rests on a step that runs again runs again, too; so does a step whose artifacts are gone, one that was taken
    back, and one that reads an input with another value.

    Raises:
        StepUnknown: there is no such step.
    """
    if not begin and not failed:
        return []
    before, plan = fold(events[0].run, events), plan_of(record)
    started = forms.RUN_STARTED.payload(events[0])
    graph = build(plan.phases)
    again = {key for key in graph.nodes if not _succeeded(before, key)}
    again |= _changed(started, record, graph) | _fed(started, record, graph, plan)
    if begin:
        again.add(_found(begin, graph))
    again = _with_dependents(again, graph, plan)
    while later := _built_later(before, again, graph):
        again = _with_dependents(again | later, graph, plan)
    kept = {key for key in graph.nodes if key not in again}
    if before.tree not in ("", record["tree"]) and any(not graph.nodes[key].worktree for key in kept):
        warn(f"files have changed since run {before.id}; the steps taken over from it have not seen that")
    return list(_taken_over(before, kept))


def _succeeded(state: RunState, key: str) -> bool:
    step = state.steps.get(key)
    result = step.result if step else None
    if result is None or result.outcome is not Status.SUCCESS:
        return result is not None and result.status is Status.SKIPPED
    assert step is not None
    parts = [state.step(one) for one in step.instances or (key,)]
    if any(part.undone is not None or part.undo_attempt for part in (step, *parts)):
        return False  # what it did is gone, or might be
    return all(_whole(part.result) for part in parts if part.result is not None)


def _whole(result: StepResult) -> bool:
    """Tell whether everything that a step produced is still there as it was."""
    for artifact in result.artifacts.values():
        path = Path(artifact.path)
        try:
            if digest_inside(path.parent, path.name) != (artifact.sha256, artifact.size):
                return False
        except PathRefused:
            return False
    return True


def _changed(before: "RunStarted", after: "RunStarted", graph: Graph) -> set[str]:
    """Return the steps of phases whose text has changed, and of all that work in a worktree of another commit."""
    texts = {phase["name"]: phase["text"] for phase in before["phases"]}
    changed = {phase["name"] for phase in after["phases"] if texts.get(phase["name"]) != phase["text"]}
    moved = before.get("head") != after.get("head")
    return {key for key, node in graph.nodes.items() if node.phase in changed or (moved and node.worktree)}


def _fed(before: "RunStarted", after: "RunStarted", graph: Graph, plan: RunPlan) -> set[str]:
    """Return the steps that read an input whose value has changed."""
    found: set[str] = set()
    for spec in plan.phases:
        was, now = before["inputs"].get(spec.name, {}), after["inputs"].get(spec.name, {})
        changed = {name.lower() for name in {*was, *now} if was.get(name) != now.get(name)}
        shared = repr((spec.env, spec.setup, spec.defaults))
        for final in (False, True):
            for node in graph.of(spec.name, final=final):
                if changed and _reads(shared + repr(replace(node.step, cache=None)), changed):
                    found.add(node.key)
    return found


def _reads(text: str, inputs: set[str]) -> bool:
    """Tell whether a text might read one of some inputs; any mention without a plain name counts."""
    return any(not found[1] or found[1].lower() in inputs for found in _INPUT.finditer(text))


def _found(wanted: str, graph: Graph) -> str:
    found = graph.called(wanted)
    if len(found) == 1:
        return found[0]
    known = ", ".join(found or graph.nodes)
    many = "more than one" if found else "no"
    raise StepUnknown(f"{many} step is called {wanted!r}", hint=f"use one of: {known}")


def _with_dependents(again: set[str], graph: Graph, plan: RunPlan) -> set[str]:
    """Add what rests on the steps that run again; final steps and gates of a phase that runs always do."""
    phases: set[str] = set()
    for spec in plan.phases:  # each after those it needs
        whole = bool(phases & set(spec.needs))
        for final in (False, True):
            for node in graph.of(spec.name, final=final):
                if whole or (final and spec.name in phases) or again & set(node.needs):
                    again.add(node.key)
                if node.key in again:
                    phases.add(spec.name)
    for spec in plan.phases:
        if spec.name in phases:
            again.update(node.key for node in graph.of(spec.name, final=True))
    return again


def _built_later(state: RunState, again: set[str], graph: Graph) -> set[str]:
    """Return the steps whose commits hold what a step that runs again has made: writers in worktrees that ended later.

    Without that a step would begin with its own earlier changes.
    """
    found: set[str] = set()
    begun = False
    for key in state.ended:
        node, result = graph.find(key), state.step(key).result
        if node is None or not node.worktree:
            continue
        if node.key in again:
            begun = begun or (result is not None and bool(result.commit))
        elif begun and node.writes:
            found.add(node.key)
    return found


def _taken_over(state: RunState, keys: set[str]) -> Iterator[NewEvent]:
    """Return what tells of these steps, in the order in which they ended: the last commit is what a run has come to."""
    expanded: set[str] = set()
    for key in state.ended:
        parent = key.partition("[")[0]
        step = state.step(parent)
        if parent not in keys or (key == parent and step.instances):
            continue
        if step.instances is not None and parent not in expanded:
            expanded.add(parent)
            expansion: StepExpanded = {"matrix": [dict(state.step(one).matrix) for one in step.instances]}
            if step.base:
                expansion["base"] = step.base
            yield forms.STEP_EXPANDED.event(expansion, step=parent)
        result = state.step(key).result
        assert result is not None
        payload = forms.of_step(replace(result, tree=""))  # files may have changed since
        payload["adopted"] = state.id
        if result.status is not Status.SKIPPED:
            payload["reason"] = f"taken over from run {state.id}"
        yield forms.STEP_FINISHED.event(payload, step=key)
