"""One run, from its plan to its end: folds, asks the planner, executes, records."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.approvals import Approvals, Signer
from cli_multi_rapid.engine.caching import Caching
from cli_multi_rapid.engine.conditions import Admission
from cli_multi_rapid.engine.course import Course
from cli_multi_rapid.engine.executor import Executor
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.engine.places import Means, Place, Places
from cli_multi_rapid.engine.planner import Ready, startable
from cli_multi_rapid.engine.steps import Begun, Steps, softened
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.caching import StepCache
from cli_multi_rapid.model.checkpoint import Checkpoints
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.ports import Gatekeeper, Observer, Store
from cli_multi_rapid.model.run import CANCELLED, Status, StepResult
from cli_multi_rapid.model.workspace import Worktrees

if TYPE_CHECKING:
    from cli_multi_rapid.model.gate import GateResult

STOPPING_S = 20.0
"""How long the final steps may take together when a run is stopped."""

_TICK_S = 0.2
_CUT_OFF = StepResult.of(Status.TIMEOUT, f"the final steps of a stopped run have {STOPPING_S:.0f} s")


@dataclass(kw_only=True)
class Runner:
    """Drives one run whose lease (`fence`) the caller holds. `folder` receives logs and artifacts.

    `checkpoints` keep the states of the project; without them (no git repository) nothing is kept. `worktrees` make
    the checkouts of phases that work in some; `unfit` says why one cannot. `cache` keeps what steps did. `signer` tells
    who signed a decision.
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
    signer: Signer = lambda _text, _signature, _keys: ""

    def __post_init__(self) -> None:
        self._tasks: dict[asyncio.Task[StepResult], Ready] = {}
        self._gating: asyncio.Task[tuple[GateResult, ...]] | None = None
        self._gated: dict[str, str] = {}
        self._interrupted = ""
        self._undoing: asyncio.Task[StepResult] | None = None
        self._preparing: asyncio.Task[str] | None = None
        self._ticked = time.monotonic()
        self._looked = 0
        self._recorded: list[str] = []
        self._notes = Notes(self.store, self.observer, self.state, fence=self.fence, masked=self.executor.masked)
        self._places = Places(
            self.plan, self.graph, self.state,
            here=Place(name="", root=self.executor.root, checkpoints=self.checkpoints),
            means=Means(worktrees=self.worktrees, prepare=self._prepared, unfit=self.unfit),
        )  # fmt: skip
        self._guard = Guard(self._places, state=self.state, graph=self.graph)
        caching = Caching(self.cache, plan=self.plan, state=self.state, executor=self.executor)
        self._steps = Steps(
            self.plan, self.graph, self.state, executor=self.executor, observer=self.observer, folder=self.folder,
            notes=self._notes, places=self._places, guard=self._guard, caching=caching, check=self._check,
            stopping=lambda: bool(self._interrupted), gatekeeper=self.gatekeeper,
        )  # fmt: skip
        self._approvals = Approvals(self.state, self.graph, notes=self._notes, guard=self._guard, signer=self.signer)
        self._admission = Admission(
            plan=self.plan, graph=self.graph, state=self.state, hash_files=self.executor.hash_files
        )
        self._course = Course(
            self.plan, self.graph, self.state, notes=self._notes, guard=self._guard, admission=self._admission,
            running=lambda: tuple(self._tasks.values()), judging=lambda: self._gating is not None,
        )  # fmt: skip

    async def drive(self) -> RunState:
        """Run to the end, to an interruption, or until nothing can run before a person decides; return the state.

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
            await self._pass_turns()
            await self._begin_gating()
            waits, ready = self._approvals.part(ready)
            due = self._approvals.due(waits)
            if due and not any(running.node.writes for running in self._tasks.values()):
                await self._settle_waits(due)
                continue
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
            elif not starts and not await self._stirs(waits):
                break
        await self._settle()

    def interrupt(self, reason: str) -> None:
        """Stop in order: end what runs without recording it as ended, so that the run can be resumed."""
        self._interrupted = self._interrupted or reason
        self._stop_tasks()

    def abandon(self, reason: str) -> None:
        """Record an interruption at once, because the process is about to end without waiting for anything."""
        self._notes.add(forms.RUN_INTERRUPTED.event({"reason": reason}, attempt=self.fence))
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
        seen = forms.TREE_SEEN.event({"tree": tree, "place": place.name}, attempt=self.state.seen + 1)
        self._notes.add(seen)
        for key, result in refuted.items():
            attempt = self.state.step(key).attempt
            self._notes.add(forms.STEP_REFUTED.event(forms.of_step(result), step=key, attempt=attempt))
        if refuted:
            self._admission.reconsider()

    async def _prepared(self, phase: PhaseSpec, root: str, name: str) -> str:
        """Run the command that prepares a checkout; return what went wrong."""
        log = self.folder / f"setup.{name}.log"
        self._preparing = asyncio.create_task(self.executor.prepare(phase, root, log, run=self.state.id))
        await asyncio.wait([self._preparing])
        task, self._preparing = self._preparing, None
        return "it was stopped" if task.cancelled() else task.result()

    # -- what is taken back

    async def _take_back(self, key: str) -> None:
        """Take back what a step has done; an interruption leaves that to whoever takes the run up again."""
        undo = await self._steps.undo(key)
        self._undoing = asyncio.create_task(self._steps.undone(undo))
        await asyncio.wait([self._undoing])
        task, self._undoing = self._undoing, None
        if not task.cancelled():
            payload = forms.of_step(task.result())
            self._notes.add(forms.UNDO_FINISHED.event(payload, step=key, attempt=undo.attempt.number))
            self._notes.write()

    # -- what waits

    async def _settle_waits(self, due: list[Node]) -> None:
        """Begin waits for people and end them, once it is certain that the steps before kept their promises."""
        doubted = self._guard.doubted()
        if doubted is not None:
            await self._check(doubted)
            return
        for ended in await self._approvals.settle(due):
            payload = forms.of_step(softened(ended.node, ended.result))
            self._notes.add(forms.STEP_FINISHED.event(payload, step=ended.node.key))
        self._notes.write()

    async def _stirs(self, waits: list[Node]) -> bool:
        """Tell whether there is something to do after all; if only people can go on, record that the run waits."""
        if not waits:
            return False
        self._look_around()
        if self.state.cancelled or self._approvals.due(waits):
            return True
        await self._approvals.renew(waits)
        if not self._interrupted:
            keys = [node.key for node in waits]
            self._notes.add(forms.RUN_WAITING.event({"steps": keys}, attempt=self.fence))
        return False

    # -- what runs

    async def _start(self, starts: list[Ready]) -> None:
        begun: list[Begun] = []
        for start in starts:
            one = await self._steps.begin(start)
            if self._interrupted:
                return
            if one is not None:
                begun.append(one)
        self._notes.write()
        for one in begun:
            self._tasks[asyncio.create_task(self._steps.run(one))] = one.start

    async def _wait(self) -> None:
        """Wait until something ends or a tick has passed; record what ended."""
        running: set[asyncio.Task[StepResult] | asyncio.Task[tuple[GateResult, ...]]] = set(self._tasks)
        if self._gating is not None:
            running.add(self._gating)
        await asyncio.wait(running, timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED)
        if time.monotonic() - self._ticked >= _TICK_S:
            self._ticked = time.monotonic()
            self.observer.tick()
        self._look_around()
        self._collect()

    def _collect(self) -> None:
        broken: list[asyncio.Task[StepResult]] = []
        for task in [task for task in self._tasks if task.done()]:
            start = self._tasks.pop(task)
            self._recorded.append(start.key)
            if task.cancelled():
                if self._interrupted:
                    continue
                result = CANCELLED
            elif task.exception() is not None:
                broken.append(task)
                continue
            else:
                result = self._guard.judged(start.key, task.result())
            number = self.state.step(start.key).attempt
            self._notes.add(forms.STEP_FINISHED.event(forms.of_step(result), step=start.key, attempt=number))
        if self._gating is not None and self._gating.done():
            judged, self._gating = self._gating, None
            stopped = self._interrupted or self.state.cancelled
            for verdict in () if stopped and not judged.exception() else judged.result():
                key = self._gated[verdict.id]
                self._notes.add(forms.GATE_FINISHED.event(forms.of_gate(verdict), step=key, attempt=1))
        if broken:
            self._notes.write()  # what ended well is recorded before the error ends the run
            broken[0].result()

    async def _pass_turns(self) -> None:
        """Let further steps join what they did, now that what came of those before them is on record."""
        ended, self._recorded = self._recorded, []
        if self._places.hold_turns(ended):
            self._notes.write()
            await self._places.pass_turn(ended)

    def _look_around(self) -> None:
        """Take in what others have recorded: that the run is cancelled, and what was decided about steps that wait."""
        if self.state.cancelled or not self.store.changed():
            return
        for event in self.store.events(self.state.id, after=self._looked):
            self._looked = event.seq
            if event.kind is Kind.RUN_CANCEL or self._approvals.awaits(event):
                self.state.apply(event)
                self.observer.event(event)
            if event.kind is Kind.RUN_CANCEL:
                self._stop_tasks()

    # -- what stops

    def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._undoing is not None and self._interrupted:
            self._undoing.cancel()
        if self._preparing is not None:
            self._preparing.cancel()
        self.gatekeeper.stop()

    async def _settle(self) -> None:
        """After an interruption: wait until everything is dead, keep what ended meanwhile, and say why it stopped."""
        if self._interrupted:
            await self._ended()
            self._collect()
            self._notes.add(forms.RUN_INTERRUPTED.event({"reason": self._interrupted}, attempt=self.fence))
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
        begun = await self._steps.begin(start, interim=True)
        if begun is None:
            return
        self._notes.write()
        try:
            result = await asyncio.wait_for(self._steps.once(begun), end_s - time.monotonic())
        except TimeoutError:
            result = _CUT_OFF
        payload = forms.of_step(softened(start.node, result))
        self._notes.add(forms.STEP_INTERIM.event(payload, step=start.key, attempt=begun.attempt.number))
        self._notes.write()
        await self._places.leave(start, begun.place)
        await self._places.pass_turn([start.key])
