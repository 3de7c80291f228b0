"""Keeps the files of a run whole.

A step that may write runs alone, between two kept states. Steps that promise to write nothing run side by side between
two looks at the tree; what changed meanwhile is laid to those that were running when the file was changed.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node
from cli_multi_rapid.engine.places import Place, Places
from cli_multi_rapid.model.checkpoint import Checkpoint, Checkpoints, Restored
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.model.words import few
from cli_multi_rapid.system.globs import matches

_EARLY_S = 0.02  # the clock that files are stamped with runs a tick behind
_LATE_S = 0.002  # recorded times are cut to milliseconds
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """How a step that may write begins: with a kept state, or not at all (`refused`)."""

    before: Checkpoint | None = None
    refused: StepResult | None = None


class Guard:
    """Watches over the files of one run. A place without checkpoints (no git repository) lets everything pass.

    Raises:
        CouldNotRun: by every call, when a state cannot be kept or put back.
    """

    def __init__(self, places: Places, *, state: RunState, graph: Graph) -> None:
        self._places = places
        self._state = state
        self._graph = graph
        self._caught: dict[str, list[str]] = {}

    def watches(self, place: Place, node: Node) -> bool:
        """Tell whether states are kept for a step."""
        return place.checkpoints is not None and node.writes

    def doubted(self) -> Place | None:
        """Return a place, if there is one, where steps have ended whose promise to write nothing is unchecked."""
        for place in self._places.known():
            if place.checkpoints is not None and self._state.trees.get(place.name) and self._unchecked(place):
                return place
        return None

    async def begin(self, place: Place, node: Node, key: str) -> Begun:
        """Keep the state that a step begins with."""
        fresh, place.fresh = place.fresh, None
        label = f"{key} before attempt {self._state.step(key).attempt + 1}"

        def act(one: Checkpoints) -> Begun:
            why = one.refusal(node.paths)
            return Begun(refused=_refusal(why)) if why else Begun(before=fresh or one.take(label))

        return await self._call(place, act)

    async def end(
        self, place: Place, node: Node, key: str, before: Checkpoint, result: StepResult
    ) -> tuple[StepResult, tuple[str, ...]]:
        """Keep the state that an attempt leaves; return its result with what it changed, and the paths.

        Where nobody else works, a change outside of what the step may change fails it; in the project's own folder it
        could be somebody else's.
        """
        label = f"{key} after attempt {self._state.step(key).attempt}"

        def act(one: Checkpoints) -> tuple[Checkpoint, tuple[str, ...]]:
            taken = one.take(label)
            return taken, one.changed(before.tree, taken.tree)

        after, changed = await self._call(place, act)
        place.fresh = after
        warnings = list(after.warnings)
        outside = [path for path in changed if node.paths is not None and not matches(path, node.paths)]
        if outside and place.own and not result.status.bad:
            reason = f"changed files outside of what it may change: {few(outside)}"
            result = replace(result, status=Status.FAILURE, outcome=Status.FAILURE, reason=reason)
        elif outside:
            warnings.append(f"while it ran, files outside of what it may change were changed: {few(outside)}")
        result = replace(result, after=after.commit, tree=after.tree, changed=len(changed), warnings=tuple(warnings))
        return result, changed

    async def restore(self, place: Place, node: Node, key: str, before: str) -> Restored:
        """Put what a step may change back to its start; what is there is kept."""
        label = f"{key} interrupted attempt {self._state.step(key).attempt}"
        return await self._call(place, lambda one: one.restore(label, before=before, paths=node.paths))

    async def tree(self, node: Node) -> str:
        """Return what a step would see now: the present tree, or the commit that worktrees have come to.

        Outside of git it is nothing.
        """
        here = self._places.here
        if node.worktree:
            return self._places.commit
        return "" if here.checkpoints is None else await self._call(here, lambda one: one.tree())

    async def keep(self, node: Node, label: str) -> Checkpoint | None:
        """Keep what a step would see now, so that people can look at it; None outside of git."""
        here = self._places.here
        if node.worktree:
            return await self._places.keep(label)
        return None if here.checkpoints is None else await self._call(here, lambda one: one.take(label))

    async def changed(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, as far as that can be told."""
        here = self._places.here
        if here.checkpoints is None or not before or not after:
            return ()
        return await self._call(here, lambda one: one.changed(before, after))

    async def look(self, place: Place, running: Iterable[str]) -> tuple[str, dict[str, StepResult]]:
        """Look at a tree; return it, and the results of ended steps that did write although they promised not to.

        For the steps that run there at this moment `judged` remembers it.
        """
        base = self._state.trees.get(place.name, "")

        def act(one: Checkpoints) -> tuple[str, dict[str, float | None]]:
            now = one.tree()
            return now, {path: one.changed_at(path) for path in (one.changed(base, now) if base else ())}

        tree, times = await self._call(place, act)
        blamed: dict[str, list[str]] = {}
        unchecked = self._unchecked(place)
        for key in (*unchecked, *running):
            if paths := [path for path, at in times.items() if _within(at, *self._state.spans.get(key, ("", "")))]:
                blamed[key] = paths
        ended = set(unchecked)
        self._caught.update({key: paths for key, paths in blamed.items() if key not in ended})
        results = {key: self._state.step(key).result for key in blamed if key in ended}
        return tree, {key: self._broken(key, result, blamed[key]) for key, result in results.items() if result}

    def judged(self, key: str, result: StepResult) -> StepResult:
        """Return the result of a step that has just ended: bad if it was seen to break its promise."""
        paths = self._caught.pop(key, None)
        return self._broken(key, result, paths) if paths and not result.outcome.bad else result

    def _broken(self, key: str, result: StepResult, paths: list[str]) -> StepResult:
        step = self._graph.node(key).step
        return replace(
            result,
            status=Status.SUCCESS if step.continue_on_error else Status.FAILURE,
            outcome=Status.FAILURE,
            reason=f"it promises to write nothing, but while it ran these files were changed: {few(paths)}",
            fix=f"name what it may change in the `writes:` of {step.id}, or let git ignore it",
        )

    def _unchecked(self, place: Place) -> list[str]:
        return [key for key in self._state.unchecked if self._state.step(key).place == place.name]

    async def _call(self, place: Place, act: Callable[[Checkpoints], _T]) -> _T:
        return await asyncio.to_thread(self._locked, place, act)

    def _locked(self, place: Place, act: Callable[[Checkpoints], _T]) -> _T:
        assert place.checkpoints is not None
        with place.lock:
            return act(place.checkpoints)


def _refusal(why: str) -> StepResult:
    fix = "say in `writes:` what the step changes, and leave that out"
    return StepResult.of(Status.ERROR, f"its changes could not be taken back: {why}", fix=fix)


def _within(at: float | None, begin: str, end: str) -> bool:
    """Tell whether an instant lies in a span. What is not known, instant, begin or end, rules nothing out."""
    if at is None:
        return True
    after_begin = not begin or at >= datetime.fromisoformat(begin).timestamp() - _EARLY_S
    return after_begin and (not end or at <= datetime.fromisoformat(end).timestamp() + _LATE_S)
