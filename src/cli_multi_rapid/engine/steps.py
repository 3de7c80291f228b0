"""Steps on their way: where each works, its attempts one after the other, and how it is taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.acceptance import accepted
from cli_multi_rapid.engine.caching import Caching
from cli_multi_rapid.engine.commands import shown
from cli_multi_rapid.engine.executor import Attempt, Executor
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan, file_name
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.engine.places import Place, Places
from cli_multi_rapid.engine.planner import Ready
from cli_multi_rapid.engine.recovery import restored_payload
from cli_multi_rapid.engine.retries import pause_s
from cli_multi_rapid.engine.undoing import by_itself, drop, moved_on, put_back, undo_node
from cli_multi_rapid.errors import StateUnwritable, WorktreeUnfit
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.actions import ACTIONS
from cli_multi_rapid.model.checkpoint import Checkpoint
from cli_multi_rapid.model.ports import Gatekeeper, Observer
from cli_multi_rapid.model.run import Status, StepResult, ended

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.step_retried_v1_0 import StepRetried
    from cli_multi_rapid.model.recorded.step_started_v1_0 import StepStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A step that begins: where, as which attempt, and with which state."""

    start: Ready
    place: Place
    attempt: Attempt
    before: Checkpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """A step that is taken back, by its `own` undo or by putting files back, as one more attempt."""

    key: str
    attempt: Attempt
    own: bool


class Steps:
    """Runs the steps of one run. `check` looks at the promises of a place; `stopping` tells that the run is stopped."""

    def __init__(
        self, plan: RunPlan, graph: Graph, state: RunState, *, executor: Executor, observer: Observer, folder: Path,
        notes: Notes, places: Places, guard: Guard, caching: Caching, check: Callable[[Place], Awaitable[None]],
        stopping: Callable[[], bool], gatekeeper: Gatekeeper,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._graph = graph
        self._state = state
        self._executor = executor
        self._observer = observer
        self._folder = folder
        self._notes = notes
        self._places = places
        self._guard = guard
        self._caching = caching
        self._check_promises = check
        self._stopping = stopping
        self._gatekeeper = gatekeeper

    async def begin(self, start: Ready, *, interim: bool = False) -> Begun | None:
        """Find out where a step works and keep the state it begins with; None if it cannot begin, which is noted."""
        if (behind := self._places.behind(start.node)) is not None and self._state.trees.get(behind.name):
            await self._check_promises(behind)
        try:
            place = await self._places.of(start)
        except WorktreeUnfit as unfit:
            self._refuse(start, StepResult.of(Status.ERROR, str(unfit), fix=unfit.hint))
            return None
        if place.own:
            self._places.here.fresh = None  # by the time of the next step there, somebody may have changed something
        if place.checkpoints is not None and (place.moved or (place.own and not self._state.trees.get(place.name))):
            place.moved = False
            await self._check_promises(place)
        before: Checkpoint | None = None
        if self._guard.watches(place, start.node):
            found = await self._guard.begin(place, start.node, start.key)
            if self._stopping() and not interim:
                return None
            if found.refused is not None:
                self._refuse(start, found.refused)
                await self._places.leave(start, place)
                await self._places.pass_turn([start.key])
                return None
            before = found.before
        else:
            place.fresh = None
        attempt = self._note_start(start, place, before, interim=interim)
        return Begun(start=start, place=place, attempt=attempt, before=before)

    def _refuse(self, start: Ready, result: StepResult) -> None:
        if not self._stopping():
            payload = forms.of_step(softened(start.node, result))
            self._notes.add(forms.STEP_FINISHED.event(payload, step=start.key))

    def _note_start(self, start: Ready, place: Place, before: Checkpoint | None, *, interim: bool = False) -> Attempt:
        step = self._state.step(start.key)
        number = step.attempt + 1
        attempt = self._attempt(start, place, number)
        try:
            command = shown(self._executor.argv(attempt, self._plan.phase(start.node.phase)))
        except (ExpressionError, ValueError):
            command = str(start.node.step.run)  # the attempt itself reports what is wrong
        payload: StepStarted = {"command": command, "log": attempt.log.name, "matrix": dict(step.matrix)}
        if before is not None:
            payload |= {"before": before.commit, "ref": before.ref, "tree": before.tree}
        if place.own:
            payload["place"] = place.name
        if interim:
            payload["interim"] = True
        self._notes.add(forms.STEP_STARTED.event(payload, step=start.key, attempt=number))
        return attempt

    def _attempt(self, start: Ready, place: Place, number: int) -> Attempt:
        name = file_name(start.key, number)
        out = self._folder / name
        visible: seen.Contexts = {}
        if start.node.expressive:
            visible = seen.phase_contexts(self._plan, self._graph, self._state, start.node.phase)
        visible["matrix"] = dict(self._state.step(start.key).matrix)
        visible["step"] = {"id": start.node.step.id, "out": str(out), "attempt": number}
        return Attempt(
            run=self._state.id, node=start.node, key=start.key, number=number, root=place.root, out=out,
            commit=self._places.commit, base=self._state.started.get("head", ""),
            log=self._folder / f"{name}.log", contexts=visible,
        )  # fmt: skip

    async def run(self, begun: Begun) -> StepResult:
        """Run attempts, beginning with this one, until one succeeds or none is left."""
        try:
            return await self._tried(begun)
        finally:
            await self._places.leave(begun.start, begun.place)

    async def _tried(self, begun: Begun) -> StepResult:
        start, phase = begun.start, self._plan.phase(begun.start.node.phase)
        policy = start.node.step.retry or phase.defaults.retry
        while True:
            result = await self.once(begun)
            wait_s = pause_s(policy, result, tries=self._state.step(start.key).retries + 1)
            if wait_s is None:
                return softened(start.node, result)
            retried: StepRetried = {
                "status": ended(result.status), "reason": result.reason, "code": result.code, "signal": result.signal,
                "wait_ms": round(wait_s * 1000), "duration_ms": result.duration_ms,
            }  # fmt: skip
            self._notes.add(forms.STEP_RETRIED.event(retried, step=start.key, attempt=begun.attempt.number))
            self._notes.write()
            await asyncio.sleep(wait_s)
            before = begun.before if begun.before is None else await self._anew(begun, begun.before)
            attempt = self._note_start(start, begun.place, before)
            begun = replace(begun, attempt=attempt, before=before)
            self._notes.write()

    async def once(self, begun: Begun) -> StepResult:
        """Run one attempt, or do again what the cache has of it; keep what it changed."""
        start, place, before = begun.start, begun.place, begun.before
        _make_folder(begun.attempt.out)
        phase = self._plan.phase(start.node.phase)
        key, tree = "", ""
        result = None
        if self._caching.usable(start.node, place):
            key, tree = await self._caching.key(begun.attempt, place)
            result = await self._caching.replayed(key, tree, begun.attempt, place)
        if result is None:
            result = await self._executor.run(
                begun.attempt, phase, on_output=lambda line: self._observer.output(start.key, line)
            )
        if start.node.step.uses and ACTIONS[start.node.step.uses].alone:
            self._places.here.moved, self._places.here.fresh = True, None
        changed: tuple[str, ...] = ()
        if before is not None:
            result, changed = await self._guard.end(place, start.node, start.key, before, result)
        result = await accepted(result, begun.attempt, gates=self._plan.gates, gatekeeper=self._gatekeeper)
        if key and not result.cached:
            await self._caching.keep(key, begun.attempt, place, result, changed, tree=tree)
        return await self._places.settle(start, place, before, result, changed) if before is not None else result

    async def _anew(self, begun: Begun, before: Checkpoint) -> Checkpoint | None:
        """Take back what a failed attempt has changed, where the step says what that can be; return the state then."""
        start, place = begun.start, begun.place
        if start.node.paths is not None:
            restored = await self._guard.restore(place, start.node, start.key, before.commit)
            number, payload = self._state.step(start.key).attempt, restored_payload(restored)
            self._notes.add(forms.STEP_RESTORED.event(payload, step=start.key, attempt=number))
        return (await self._guard.begin(place, start.node, start.key)).before

    # -- taking back

    async def undo(self, key: str) -> Undoing:
        """Note that a step is going to be taken back: a command does that where the step worked."""
        node, step = self._graph.node(key), self._state.step(key)
        own, number = by_itself(node, self._state, key), step.undo_attempt + 1
        acting = undo_node(node) if own else node
        where = self._places.here
        if own and step.place and acting.step.run:
            where = await self._places.shared(self._plan.phase(node.phase))
        attempt = self._attempt(Ready(key=key, node=acting), where, number)
        command = "put back the files that it changed"
        if own and node.step.undo:
            name = f"{attempt.out.name.rpartition('.')[0]}.undo.{number}"
            attempt = replace(
                attempt, out=self._folder / name, log=self._folder / f"{name}.log",
                undoes=step.result.outputs if step.result else {},
            )  # fmt: skip
            command = f"uses {node.step.undo.uses}" if node.step.undo.uses else str(node.step.undo.run)
        log = attempt.log.name if own else ""
        self._notes.add(forms.UNDO_STARTED.event({"command": command, "log": log}, step=key, attempt=number))
        self._notes.write()
        return Undoing(key=key, attempt=attempt, own=own)

    async def undone(self, undo: Undoing) -> StepResult:
        """Take back what a step has done, if nothing has changed since it ended."""
        key, attempt = undo.key, undo.attempt
        node = self._graph.node(key)
        if why := await moved_on(node, key, self._state, self._places, again=attempt.number > 1):
            return StepResult.of(Status.FAILURE, why)
        if not undo.own:
            return await put_back(node, key, self._state, self._places)
        _make_folder(attempt.out)
        phase = self._plan.phase(attempt.node.phase)
        result = await self._executor.run(attempt, phase, on_output=lambda line: self._observer.output(key, line))
        step, checkpoints = self._state.step(key), self._places.here.checkpoints
        if step.place and step.result is not None and step.result.commit and not result.outcome.bad:
            dropped = await drop(step.result, self._state, self._places)
            result = replace(result, commit=dropped.commit) if not dropped.outcome.bad else dropped
        return replace(result, tree=await asyncio.to_thread(checkpoints.tree)) if checkpoints else result


def softened(node: Node, result: StepResult) -> StepResult:
    """Return a result as the spec takes it: a failure that is allowed counts as success."""
    soft = node.step.continue_on_error and result.status.bad
    return replace(result, status=Status.SUCCESS) if soft else result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as failed:
        raise StateUnwritable(f"a step's folder cannot be made: {failed.strerror}", where=str(folder)) from failed
