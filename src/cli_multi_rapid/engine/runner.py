"""One run, from its plan to its end: folds, asks the planner, executes, records."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.caching import Caching
from cli_multi_rapid.engine.commands import shown
from cli_multi_rapid.engine.conditions import Admission
from cli_multi_rapid.engine.course import Course
from cli_multi_rapid.engine.executor import Attempt, Executor
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.engine.places import Means, Place, Places
from cli_multi_rapid.engine.planner import Ready, startable
from cli_multi_rapid.engine.recovery import restored_payload
from cli_multi_rapid.engine.retries import pause_s
from cli_multi_rapid.engine.undoing import by_itself, moved_on, put_back, undo_node
from cli_multi_rapid.errors import StateUnwritable, WorktreeUnfit
from cli_multi_rapid.model.caching import StepCache
from cli_multi_rapid.model.checkpoint import Checkpoint, Checkpoints
from cli_multi_rapid.model.events import Kind, payload_of
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.ports import Gatekeeper, Observer, Store
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.model.workspace import Worktrees

if TYPE_CHECKING:
    from cli_multi_rapid.model.gate import GateResult

STOPPING_S = 20.0
"""How long the final steps may take together when a run is stopped."""

_TICK_S = 0.2
_CANCELLED = StepResult(status=Status.CANCELLED, outcome=Status.CANCELLED, reason="the run was cancelled")
_CUT_OFF = StepResult(
    status=Status.TIMEOUT, outcome=Status.TIMEOUT, reason=f"the final steps of a stopped run have {STOPPING_S:.0f} s"
)


@dataclass(kw_only=True)
class Runner:
    """Drives one run whose lease (`fence`) the caller holds. `folder` receives logs and artifacts.

    `checkpoints` keep the states of the project; without them (no git repository) nothing is kept. `worktrees` make
    the checkouts of phases that work in some; `unfit` says why one cannot. `cache` keeps what steps did.
    """

    store: Store
    fence: int
    plan: RunPlan
    graph: Graph
    state: RunState
    executor: Executor
    gatekeeper: Gatekeeper
    observer: Observer
    folder: Path
    checkpoints: Checkpoints | None = None
    worktrees: Worktrees | None = None
    unfit: Callable[[PhaseSpec], str] = lambda _: ""
    cache: StepCache | None = None

    def __post_init__(self) -> None:
        self._tasks: dict[asyncio.Task[StepResult], Ready] = {}
        self._gating: asyncio.Task[tuple[GateResult, ...]] | None = None
        self._gated: dict[str, str] = {}
        self._interrupted = ""
        self._undoing: asyncio.Task[StepResult] | None = None
        self._ticked = time.monotonic()
        self._notes = Notes(self.store, self.observer, self.state, fence=self.fence, masked=self.executor.masked)
        self._places = Places(
            self.plan, self.graph, self.state,
            here=Place(name="", root=self.executor.root, checkpoints=self.checkpoints),
            means=Means(worktrees=self.worktrees, prepare=self._prepare, unfit=self.unfit),
        )  # fmt: skip
        self._guard = Guard(self._places, state=self.state, graph=self.graph)
        self._caching = Caching(
            self.cache, plan=self.plan, graph=self.graph, state=self.state, executor=self.executor, folder=self.folder
        )
        self._admission = Admission(
            plan=self.plan, graph=self.graph, state=self.state, hash_files=self.executor.hash_files
        )
        self._course = Course(
            self.plan, self.graph, self.state, notes=self._notes, guard=self._guard, admission=self._admission,
            running=lambda: tuple(self._tasks.values()), judging=lambda: self._gating is not None,
        )  # fmt: skip

    async def drive(self) -> RunState:
        """Run to the end, or to an interruption, and return the state.

        Whatever goes wrong here (a log that cannot be written, a bug) leaves nothing running, and the run resumable.
        """
        try:
            await self._drive()
        except BaseException:
            self._stop_tasks()
            await self._ended()
            raise
        return self.state

    async def _drive(self) -> None:
        while not self._interrupted:
            ready = self._course.advance()
            doubted = self._guard.doubted() if self._course.doubtful else None
            if doubted is not None:
                await self._check(doubted)
                continue
            self._places.note_ready(ready)
            await self._begin_gating()
            if self._gating is not None:  # gates judge the project as it is: nothing changes it meanwhile
                ready = [node for node in ready if not node.writes]
            running = tuple(self._tasks.values())
            ready = [node for node in ready if self._places.may_start(node, running)]
            starts = startable(ready, self.state, running=running, parallel=self.plan.parallel)
            if starts and starts[0].node.alone and (doubted := self._guard.doubted()) is not None:
                await self._check(doubted)
                continue
            await self._start(starts)
            if self._course.undo and not self._tasks and self._gating is None:
                await self._take_back(self._course.undo)
                continue
            if self._tasks or self._gating is not None:
                await self._wait()
            elif not starts:
                break
        await self._settle()

    def interrupt(self, reason: str) -> None:
        """Stop in order: end what runs without recording it as ended, so that the run can be resumed."""
        self._interrupted = self._interrupted or reason
        self._stop_tasks()

    def abandon(self, reason: str) -> None:
        """Record an interruption at once, because the process is about to end without waiting for anything."""
        self._notes.add(Kind.RUN_INTERRUPTED, attempt=self.fence, payload={"reason": reason})
        self._notes.write()

    # -- what is judged

    async def _begin_gating(self) -> None:
        if self._course.due is None or self._gating is not None:
            return
        phase, wanted = self._course.due
        self._notes.write()
        self._places.here.fresh = None
        root = await self._places.root_of(phase)
        work = self.folder / (f"{phase}.gates" if phase else "gates")
        work.mkdir(exist_ok=True)
        self._gated = {name: f"{phase}/gate:{name}" if phase else f"gate:{name}" for name in wanted}
        self._gating = asyncio.ensure_future(self.gatekeeper.judge(wanted, phase=phase, root=root, work=str(work)))

    async def _check(self, place: Place) -> None:
        """Check the promises of the steps that said that they write nothing, and have ended in a place."""
        here = (ready.key for ready in self._tasks.values() if self.state.step(ready.key).place == place.name)
        tree, refuted = await self._guard.look(place, here)
        seen_now = {"tree": tree, "place": place.name}
        self._notes.add(Kind.TREE_SEEN, attempt=self.state.seen + 1, payload=seen_now)
        for key, result in refuted.items():
            payload = payload_of(result)
            self._notes.add(Kind.STEP_REFUTED, step=key, attempt=self.state.step(key).attempt, payload=payload)
        if refuted:
            self._admission.reconsider()

    # -- what is taken back

    async def _take_back(self, key: str) -> None:
        """Take back what a step has done; an interruption leaves that to whoever takes the run up again."""
        node, step = self.graph.nodes[key.partition("[")[0]], self.state.step(key)
        number = step.undo_attempt + 1
        own = by_itself(node, self.state, key)
        acting = undo_node(node) if own else node
        attempt = self._attempt(Ready(key=key, node=acting), self._places.here, number)
        command = "put back the files that it changed"
        if own and node.step.undo:
            name = f"{attempt.out.name.rpartition('.')[0]}.undo.{number}"
            attempt = replace(
                attempt, out=self.folder / name, log=self.folder / f"{name}.log",
                undoes=step.result.outputs if step.result else {},
            )  # fmt: skip
            command = f"uses {node.step.undo.uses}" if node.step.undo.uses else str(node.step.undo.run)
        payload = {"command": command, "log": attempt.log.name if own else ""}
        self._notes.add(Kind.UNDO_STARTED, step=key, attempt=number, payload=payload)
        self._notes.write()
        self._undoing = asyncio.create_task(self._undone(key, attempt))
        await asyncio.wait([self._undoing])
        task, self._undoing = self._undoing, None
        if not task.cancelled():
            self._notes.add(Kind.UNDO_FINISHED, step=key, attempt=number, payload=payload_of(task.result()))
            self._notes.write()

    async def _undone(self, key: str, attempt: Attempt) -> StepResult:
        if why := await moved_on(key, self.state, self._places):
            return StepResult(status=Status.FAILURE, outcome=Status.FAILURE, reason=why)
        if not by_itself(self.graph.nodes[key.partition("[")[0]], self.state, key):
            return await put_back(key, self.state, self._places)
        _make_folder(attempt.out)
        phase = self.plan.phase(attempt.node.phase)
        result = await self.executor.run(attempt, phase, on_output=lambda line: self.observer.output(key, line))
        checkpoints = self._places.here.checkpoints
        return replace(result, tree=await asyncio.to_thread(checkpoints.tree)) if checkpoints else result

    # -- what runs

    async def _start(self, starts: list[Ready]) -> None:
        begun: list[_Begun] = []
        for start in starts:
            one = await self._begin(start)
            if self._interrupted:
                return
            if one is not None:
                begun.append(one)
        self._notes.write()
        for one in begun:
            self._tasks[asyncio.create_task(self._step(one))] = one.start

    async def _begin(self, start: Ready, *, interim: bool = False) -> "_Begun | None":
        """Find out where a step works and keep the state it begins with; None if it cannot begin, which is noted."""
        try:
            place = await self._places.of(start)
        except WorktreeUnfit as unfit:
            self._refuse(
                start, StepResult(status=Status.ERROR, outcome=Status.ERROR, reason=str(unfit), fix=unfit.hint)
            )
            return None
        if place.own and not self.state.trees.get(place.name):
            await self._check(place)
        before: Checkpoint | None = None
        if self._guard.watches(place, start.node):
            found = await self._guard.begin(place, start.node, start.key)
            if self._interrupted and not interim:
                return None
            if found.refused is not None:
                self._refuse(start, found.refused)
                return None
            before = found.before
        else:
            place.fresh = None
        attempt = self._note_start(start, place, before, interim=interim)
        return _Begun(start=start, place=place, attempt=attempt, before=before)

    def _refuse(self, start: Ready, result: StepResult) -> None:
        if not self._interrupted:
            payload = payload_of(_softened(start.node, result))
            self._notes.add(Kind.STEP_FINISHED, step=start.key, payload=payload)

    def _note_start(self, start: Ready, place: Place, before: Checkpoint | None, *, interim: bool = False) -> Attempt:
        step = self.state.step(start.key)
        number = step.attempt + 1
        attempt = self._attempt(start, place, number)
        try:
            command = shown(self.executor.argv(attempt, self.plan.phase(start.node.phase)))
        except (ExpressionError, ValueError):
            command = str(start.node.step.run)  # the attempt itself reports what is wrong
        payload: dict[str, object] = {"command": command, "log": attempt.log.name, "matrix": dict(step.matrix)}
        if before is not None:
            payload.update(before=before.commit, ref=before.ref, tree=before.tree)
        if place.own:
            payload["place"] = place.name
        if interim:
            payload["interim"] = True
        self._notes.add(Kind.STEP_STARTED, step=start.key, attempt=number, payload=payload)
        return attempt

    def _attempt(self, start: Ready, place: Place, number: int) -> Attempt:
        name = start.key.replace("/", ".").replace("[", ".").replace("]", "") + f".{number}"
        out = self.folder / name
        visible: seen.Contexts = {}
        if start.node.expressive:
            visible = seen.phase_contexts(self.plan, self.graph, self.state, start.node.phase)
        visible["matrix"] = dict(self.state.step(start.key).matrix)
        visible["step"] = {"id": start.node.step.id, "out": str(out), "attempt": number}
        return Attempt(
            run=self.state.id, node=start.node, key=start.key, number=number, root=place.root, out=out,
            commit=self._places.commit, base=str(self.state.started.get("head", "")),
            log=self.folder / f"{name}.log", contexts=visible,
        )  # fmt: skip

    async def _step(self, begun: "_Begun") -> StepResult:
        """Run attempts, beginning with this one, until one succeeds or none is left."""
        try:
            return await self._tried(begun)
        finally:
            await self._places.leave(begun.start, begun.place)

    async def _tried(self, begun: "_Begun") -> StepResult:
        start, phase = begun.start, self.plan.phase(begun.start.node.phase)
        policy = start.node.step.retry or phase.defaults.retry
        while True:
            result = await self._once(begun)
            wait_s = pause_s(policy, result, tries=self.state.step(start.key).retries + 1)
            if wait_s is None:
                return _softened(start.node, result)
            self._notes.add(
                Kind.STEP_RETRIED, step=start.key, attempt=begun.attempt.number,
                payload={
                    "status": result.status.value, "reason": result.reason, "code": result.code,
                    "signal": result.signal, "wait_ms": round(wait_s * 1000), "duration_ms": result.duration_ms,
                },
            )  # fmt: skip
            self._notes.write()
            await asyncio.sleep(wait_s)
            before = begun.before if begun.before is None else await self._anew(begun, begun.before)
            attempt = self._note_start(start, begun.place, before)
            begun = replace(begun, attempt=attempt, before=before)
            self._notes.write()

    async def _once(self, begun: "_Begun") -> StepResult:
        start, place, before = begun.start, begun.place, begun.before
        _make_folder(begun.attempt.out)
        phase = self.plan.phase(start.node.phase)
        key, tree = "", ""
        result = None
        if self._caching.usable(start.node, place):
            key, tree = await self._caching.key(begun.attempt, place)
            result = await self._caching.replayed(key, tree, begun.attempt, place)
        if result is None:
            result = await self.executor.run(
                begun.attempt, phase, on_output=lambda line: self.observer.output(start.key, line)
            )
        changed: tuple[str, ...] = ()
        if before is not None:
            result, changed = await self._guard.end(place, start.node, start.key, before, result)
        if key and not result.cached:
            await self._caching.keep(key, begun.attempt, place, result, changed)
        return await self._places.settle(start, place, before, result, changed) if before is not None else result

    async def _anew(self, begun: "_Begun", before: Checkpoint) -> Checkpoint | None:
        """Take back what a failed attempt has changed, where the step says what that can be; return the state then."""
        start, place = begun.start, begun.place
        if start.node.paths is not None:
            restored = await self._guard.restore(place, start.node, start.key, before.commit)
            number, payload = self.state.step(start.key).attempt, restored_payload(restored)
            self._notes.add(Kind.STEP_RESTORED, step=start.key, attempt=number, payload=payload)
        return (await self._guard.begin(place, start.node, start.key)).before

    async def _prepare(self, phase: PhaseSpec, root: str, name: str) -> str:
        """Run the command that prepares a checkout; return what went wrong."""
        return await self.executor.prepare(phase, root, self.folder / f"setup.{name}.log", run=self.state.id)

    async def _wait(self) -> None:
        """Wait until something ends or a tick has passed; record what ended."""
        running: set[asyncio.Task[StepResult] | asyncio.Task[tuple[GateResult, ...]]] = set(self._tasks)
        if self._gating is not None:
            running.add(self._gating)
        await asyncio.wait(running, timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED)
        if time.monotonic() - self._ticked >= _TICK_S:
            self._ticked = time.monotonic()
            self.observer.tick()
        self._look_for_cancel()
        self._collect()

    def _collect(self) -> None:
        broken: list[asyncio.Task[StepResult]] = []
        for task in [task for task in self._tasks if task.done()]:
            start = self._tasks.pop(task)
            if task.cancelled():
                if self._interrupted:
                    continue
                result = _CANCELLED
            elif task.exception() is not None:
                broken.append(task)
                continue
            else:
                result = self._guard.judged(start.key, task.result())
            number = self.state.step(start.key).attempt
            self._notes.add(Kind.STEP_FINISHED, step=start.key, attempt=number, payload=payload_of(result))
        if self._gating is not None and self._gating.done():
            judged, self._gating = self._gating, None
            stopped = self._interrupted or self.state.cancelled
            for verdict in () if stopped and not judged.exception() else judged.result():
                payload = payload_of(verdict)
                self._notes.add(Kind.GATE_FINISHED, step=self._gated[verdict.id], attempt=1, payload=payload)
        if broken:
            self._notes.write()  # what ended well is recorded before the error ends the run
            broken[0].result()

    def _look_for_cancel(self) -> None:
        if self.state.cancelled or not self.store.changed():
            return
        for event in self.store.events(self.state.id):
            if event.kind is Kind.RUN_CANCEL:
                self.state.apply(event)
                self.observer.event(event)
                self._stop_tasks()

    # -- what stops

    def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._undoing is not None and self._interrupted:
            self._undoing.cancel()
        self.gatekeeper.stop()

    async def _settle(self) -> None:
        """After an interruption: wait until everything is dead, keep what ended meanwhile, and say why it stopped."""
        if self._interrupted:
            await self._ended()
            self._collect()
            self._notes.add(Kind.RUN_INTERRUPTED, attempt=self.fence, payload={"reason": self._interrupted})
            self._notes.write()
            await self._clean_up()
        self._notes.write()
        if self.state.status.ended:
            await self._places.close()

    async def _ended(self) -> None:
        rest = [*self._tasks, *([self._gating] if self._gating else [])]
        if rest:
            await asyncio.wait(rest)

    async def _clean_up(self) -> None:
        """Run the final steps of the phases that are cut short. They are not recorded as ended, so they run again."""
        end = time.monotonic() + STOPPING_S
        for spec in self.plan.phases:
            if self.state.phases[spec.name] is not Status.RUNNING:
                continue
            for node in self.graph.of(spec.name, final=True):
                for start in self._cut_short(node):
                    if time.monotonic() < end:
                        await self._interim(start, end_s=end)

    def _cut_short(self, node: Node) -> Iterator[Ready]:
        if self.state.step(node.key).status.ended or self._admission.now(node).result is not None:
            return
        if node.step.matrix and self.state.step(node.key).instances is None:
            self._course.expand(node)
        for key in self.state.step(node.key).instances or (node.key,):
            if not self.state.step(key).status.ended:
                yield Ready(key=key, node=node)

    async def _interim(self, start: Ready, *, end_s: float) -> None:
        begun = await self._begin(start, interim=True)
        if begun is None:
            return
        self._notes.write()
        try:
            result = await asyncio.wait_for(self._once(begun), end_s - time.monotonic())
        except TimeoutError:
            result = _CUT_OFF
        payload = payload_of(_softened(start.node, result))
        self._notes.add(Kind.STEP_INTERIM, step=start.key, attempt=begun.attempt.number, payload=payload)
        self._notes.write()
        await self._places.leave(start, begun.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A step that begins: where, as which attempt, and with which state."""

    start: Ready
    place: Place
    attempt: Attempt
    before: Checkpoint | None


def _softened(node: Node, result: StepResult) -> StepResult:
    soft = node.step.continue_on_error and result.status.bad
    return replace(result, status=Status.SUCCESS) if soft else result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as failed:
        raise StateUnwritable(f"a step's folder cannot be made: {failed.strerror}", where=str(folder)) from failed
