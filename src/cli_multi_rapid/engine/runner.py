"""One run, from its plan to its end: folds, asks the planner, executes, records."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.approvals import Approvals, Signer
from cli_multi_rapid.engine.commands import shown
from cli_multi_rapid.engine.conditions import Admission
from cli_multi_rapid.engine.course import Course
from cli_multi_rapid.engine.executor import Attempt, Executor
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.engine.planner import Ready, startable
from cli_multi_rapid.engine.recovery import restored_payload
from cli_multi_rapid.engine.retries import pause_s
from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.model.checkpoint import Checkpoint, Checkpoints
from cli_multi_rapid.model.events import Kind, payload_of
from cli_multi_rapid.model.ports import Gatekeeper, Observer, Store
from cli_multi_rapid.model.run import Status, StepResult

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

    `checkpoints` keep the states of the project; without them (no git repository) nothing is kept. `signer` tells who
    signed a decision.
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
    signer: Signer = lambda _text, _signature, _keys: ""

    def __post_init__(self) -> None:
        self._tasks: dict[asyncio.Task[StepResult], Ready] = {}
        self._gating: asyncio.Task[tuple[GateResult, ...]] | None = None
        self._gated: dict[str, str] = {}
        self._interrupted = ""
        self._ticked = time.monotonic()
        self._looked = 0
        self._notes = Notes(self.store, self.observer, self.state, fence=self.fence, masked=self.executor.masked)
        self._guard = Guard(self.checkpoints, state=self.state, graph=self.graph)
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
            if self._course.doubtful:
                await self._check()
                continue
            self._begin_gating()
            waits, ready = self._approvals.part(ready)
            due = self._approvals.due(waits)
            if due and not any(running.node.writes for running in self._tasks.values()):
                await self._settle_waits(due)
                continue
            if self._gating is not None:  # gates judge the project as it is: nothing changes it meanwhile
                ready = [node for node in ready if not node.writes]
            starts = startable(ready, self.state, running=tuple(self._tasks.values()), parallel=self.plan.parallel)
            if starts and starts[0].node.writes and self._guard.doubts():
                await self._check()
                continue
            await self._start(starts)
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
        self._notes.add(Kind.RUN_INTERRUPTED, attempt=self.fence, payload={"reason": reason})
        self._notes.write()

    # -- what is judged

    def _begin_gating(self) -> None:
        if self._course.due is None or self._gating is not None:
            return
        phase, wanted = self._course.due
        self._notes.write()
        self._guard.disturb()
        work = self.folder / (f"{phase}.gates" if phase else "gates")
        work.mkdir(exist_ok=True)
        self._gated = {name: f"{phase}/gate:{name}" if phase else f"gate:{name}" for name in wanted}
        self._gating = asyncio.ensure_future(self.gatekeeper.judge(wanted, phase=phase, work=str(work)))

    async def _check(self) -> None:
        """Check the promises of the steps that said that they write nothing, and have ended."""
        tree, refuted = await self._guard.look(ready.key for ready in self._tasks.values())
        self._notes.add(Kind.TREE_SEEN, attempt=self.state.seen + 1, payload={"tree": tree})
        for key, result in refuted.items():
            payload = payload_of(result)
            self._notes.add(Kind.STEP_REFUTED, step=key, attempt=self.state.step(key).attempt, payload=payload)
        if refuted:
            self._admission.reconsider()

    # -- what waits

    async def _settle_waits(self, due: list[Node]) -> None:
        """Begin waits for people and end them, once it is certain that the steps before kept their promises."""
        if self._guard.doubts():
            await self._check()
            return
        for ended in await self._approvals.settle(due):
            payload = payload_of(_softened(ended.node, ended.result))
            self._notes.add(Kind.STEP_FINISHED, step=ended.node.key, payload=payload)
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
            self._notes.add(Kind.RUN_WAITING, attempt=self.fence, payload={"steps": [node.key for node in waits]})
        return False

    # -- what runs

    async def _start(self, starts: list[Ready]) -> None:
        begun: list[tuple[Ready, Attempt, Checkpoint | None]] = []
        for start in starts:
            before: Checkpoint | None = None
            if self._guard.watches(start.node):
                found = await self._guard.begin(start.node, start.key)
                if self._interrupted:
                    return
                if found.refused is not None:
                    result = _softened(start.node, found.refused)
                    self._notes.add(Kind.STEP_FINISHED, step=start.key, payload=payload_of(result))
                    continue
                before = found.before
            else:
                self._guard.disturb()
            begun.append((start, self._note_start(start, before), before))
        self._notes.write()
        for start, attempt, before in begun:
            self._tasks[asyncio.create_task(self._step(start, attempt, before))] = start

    def _note_start(self, start: Ready, before: Checkpoint | None, *, interim: bool = False) -> Attempt:
        step = self.state.step(start.key)
        number = step.attempt + 1
        attempt = self._attempt(start, number)
        try:
            command = shown(self.executor.argv(attempt, self.plan.phase(start.node.phase)))
        except (ExpressionError, ValueError):
            command = str(start.node.step.run)  # the attempt itself reports what is wrong
        payload: dict[str, object] = {"command": command, "log": attempt.log.name, "matrix": dict(step.matrix)}
        if before is not None:
            payload.update(before=before.commit, ref=before.ref, tree=before.tree)
        if interim:
            payload["interim"] = True
        self._notes.add(Kind.STEP_STARTED, step=start.key, attempt=number, payload=payload)
        return attempt

    def _attempt(self, start: Ready, number: int) -> Attempt:
        name = start.key.replace("/", ".").replace("[", ".").replace("]", "") + f".{number}"
        out = self.folder / name
        visible: seen.Contexts = {}
        if start.node.expressive:
            visible = seen.phase_contexts(self.plan, self.graph, self.state, start.node.phase)
        visible["matrix"] = dict(self.state.step(start.key).matrix)
        visible["step"] = {"id": start.node.step.id, "out": str(out), "attempt": number}
        return Attempt(
            run=self.state.id, node=start.node, key=start.key, number=number, out=out,
            log=self.folder / f"{name}.log", contexts=visible,
        )  # fmt: skip

    async def _step(self, start: Ready, attempt: Attempt, before: Checkpoint | None) -> StepResult:
        """Run attempts, beginning with this one, until one succeeds or none is left."""
        phase = self.plan.phase(start.node.phase)
        policy = start.node.step.retry or phase.defaults.retry
        while True:
            result = await self._once(start, attempt, before)
            wait_s = pause_s(policy, result, tries=self.state.step(start.key).retries + 1)
            if wait_s is None:
                return _softened(start.node, result)
            self._notes.add(
                Kind.STEP_RETRIED, step=start.key, attempt=attempt.number,
                payload={
                    "status": result.status.value, "reason": result.reason, "code": result.code,
                    "signal": result.signal, "wait_ms": round(wait_s * 1000), "duration_ms": result.duration_ms,
                },
            )  # fmt: skip
            self._notes.write()
            await asyncio.sleep(wait_s)
            if before is not None:
                before = await self._anew(start, before)
            attempt = self._note_start(start, before)
            self._notes.write()

    async def _once(self, start: Ready, attempt: Attempt, before: Checkpoint | None) -> StepResult:
        _make_folder(attempt.out)
        result = await self.executor.run(
            attempt, self.plan.phase(start.node.phase), on_output=lambda line: self.observer.output(start.key, line)
        )
        return result if before is None else await self._guard.end(start.node, start.key, before, result)

    async def _anew(self, start: Ready, before: Checkpoint) -> Checkpoint | None:
        """Take back what a failed attempt has changed, where the step says what that can be; return the state then."""
        if start.node.paths is not None:
            restored = await self._guard.restore(start.node, start.key, before.commit)
            number = self.state.step(start.key).attempt
            self._notes.add(Kind.STEP_RESTORED, step=start.key, attempt=number, payload=restored_payload(restored))
        return (await self._guard.begin(start.node, start.key)).before

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
        before: Checkpoint | None = None
        if self._guard.watches(start.node):
            before = (await self._guard.begin(start.node, start.key)).before
            if before is None:
                return
        attempt = self._note_start(start, before, interim=True)
        self._notes.write()
        try:
            result = await asyncio.wait_for(self._once(start, attempt, before), end_s - time.monotonic())
        except TimeoutError:
            result = _CUT_OFF
        payload = payload_of(_softened(start.node, result))
        self._notes.add(Kind.STEP_INTERIM, step=start.key, attempt=attempt.number, payload=payload)
        self._notes.write()


def _softened(node: Node, result: StepResult) -> StepResult:
    soft = node.step.continue_on_error and result.status.bad
    return replace(result, status=Status.SUCCESS) if soft else result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as failed:
        raise StateUnwritable(f"a step's folder cannot be made: {failed.strerror}", where=str(folder)) from failed
