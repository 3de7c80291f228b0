"""One run, from its plan to its end: folds, asks the planner, executes, records."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.commands import shown
from cli_multi_rapid.engine.conditions import Admission, combinations
from cli_multi_rapid.engine.executor import Attempt, Executor, check_size
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.gating import phase_gates
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.planner import Planner, Ready, roll_up, startable
from cli_multi_rapid.engine.retries import pause_s
from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.model.events import Kind, NewEvent, Payload, payload_of
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.ports import Gatekeeper, Observer, Store
from cli_multi_rapid.model.run import Status, StepResult

if TYPE_CHECKING:
    from cli_multi_rapid.model.gate import GateResult

_TICK_S = 0.2
_NOT_STARTED = StepResult(status=Status.SKIPPED, outcome=Status.SKIPPED, reason="the run was cancelled")
_CANCELLED = StepResult(status=Status.CANCELLED, outcome=Status.CANCELLED, reason="the run was cancelled")


@dataclass(kw_only=True)
class Runner:
    """Drives one run whose lease (`fence`) the caller holds. `folder` receives logs and artifacts."""

    store: Store
    fence: int
    plan: RunPlan
    graph: Graph
    state: RunState
    executor: Executor
    gatekeeper: Gatekeeper
    observer: Observer
    folder: Path

    def __post_init__(self) -> None:
        self._pending: list[NewEvent] = []
        self._tasks: dict[asyncio.Task[StepResult], Ready] = {}
        self._gating: asyncio.Task[tuple[GateResult, ...]] | None = None
        self._gated: dict[str, str] = {}
        self._interrupted = ""
        self._began: dict[str, float] = {"": time.monotonic()}
        self._planner = Planner(self.graph, self.state)
        self._ticked = time.monotonic()
        self._admission = Admission(
            plan=self.plan, graph=self.graph, state=self.state, hash_files=self.executor.hash_files
        )

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
            ready = self._advance()
            if self._gating is not None:  # gates judge the project as it is: nothing changes it meanwhile
                ready = [node for node in ready if not node.writes]
            starts = startable(ready, self.state, running=tuple(self._tasks.values()), parallel=self.plan.parallel)
            attempts = [(start, self._note_start(start)) for start in starts]
            self._flush()
            for start, attempt in attempts:
                self._tasks[asyncio.create_task(self._step(start, attempt))] = start
            if not self._tasks and self._gating is None:
                break
            await self._wait()
        await self._settle()

    def interrupt(self, reason: str) -> None:
        """Stop in order: end what runs without recording it as ended, so that the run can be resumed."""
        self._interrupted = self._interrupted or reason
        self._stop_tasks()

    def abandon(self, reason: str) -> None:
        """Record an interruption at once, because the process is about to end without waiting for anything."""
        self._note(Kind.RUN_INTERRUPTED, attempt=self.fence, payload={"reason": reason})
        self._flush()

    # -- what is decided without running anything

    def _advance(self) -> list[Node]:
        """Record everything that follows from the state by itself; return the steps that may start."""
        while True:
            before = len(self._pending)
            ready: list[Node] = []
            for spec in self.plan.phases:
                ready.extend(self._advance_phase(spec))
            if len(self._pending) == before:
                self._advance_run(ready)
                return ready

    def _advance_phase(self, spec: PhaseSpec) -> list[Node]:
        status = self.state.phases[spec.name]
        if status is Status.PENDING:
            self._open(spec)
        if self.state.phases[spec.name] is not Status.RUNNING:
            return []
        ready = self._admitted(spec.name, final=False)
        if not self._planner.all_ended(spec.name, final=False):
            return ready
        if not self._gates_done(spec):
            return []
        ready = self._admitted(spec.name, final=True)
        if self._planner.all_ended(spec.name, final=True):
            self._close(spec)
        return ready

    def _open(self, spec: PhaseSpec) -> None:
        needs = {need: self.state.phases[need] for need in spec.needs if need in self.state.phases}
        if not all(status.ended for status in needs.values()):
            return
        failed = [need for need, status in needs.items() if status is not Status.SUCCESS]
        if failed or self.state.cancelled:
            reason = f"needs {failed[0]}, which did not succeed" if failed else "the run was cancelled"
            status = Status.SKIPPED if failed else Status.CANCELLED
            self._note(Kind.PHASE_FINISHED, step=spec.name, payload={"status": status.value, "reason": reason})
            return
        self._began[spec.name] = time.monotonic()
        self._note(Kind.PHASE_STARTED, step=spec.name, payload={"title": spec.title})

    def _close(self, spec: PhaseSpec) -> None:
        statuses = [step.status for key, step in self.state.steps.items() if key.startswith(f"{spec.name}/")]
        statuses += seen.gate_statuses(self.state, f"{spec.name}/")
        status = Status.CANCELLED if self.state.cancelled else roll_up(statuses)
        self._note(
            Kind.PHASE_FINISHED,
            step=spec.name,
            payload={"status": status.value, "reason": "", "duration_ms": self._elapsed_ms(spec.name)},
        )

    def _advance_run(self, ready: list[Node]) -> None:
        if ready or self.state.status.ended or not all(status.ended for status in self.state.phases.values()):
            return
        wanted = [name for name in self.plan.final_gates if f"gate:{name}" not in self.state.gates]
        if wanted and not self.state.cancelled and self._may_judge_all():
            self._judge("", dict.fromkeys(wanted))
            return
        statuses = [*self.state.phases.values(), *seen.gate_statuses(self.state, "gate:")]
        status = Status.CANCELLED if self.state.cancelled else roll_up(statuses)
        code = {Status.SUCCESS: 0, Status.ERROR: 3}.get(status, 1)
        self._note(
            Kind.RUN_FINISHED,
            payload={"status": status.value, "exit_code": code, "reason": "", "duration_ms": self._elapsed_ms("")},
        )

    def _may_judge_all(self) -> bool:
        """Tell whether the gates asked for after the run make sense: work that failed has its verdict already."""
        return all(status is Status.SUCCESS for status in self.state.phases.values())

    def _admitted(self, phase: str, *, final: bool) -> list[Node]:
        """Return the steps whose turn has come; skip those whose condition does not hold, expand matrices."""
        ready: list[Node] = []
        for node in self._planner.waiting(phase, final=final):
            begun = bool(self.state.step(node.key).instances)
            if begun and self.state.cancelled and self._admission.of(node).result is not None:
                self._give_up(node)
                continue
            if any(running.node is node for running in self._tasks.values()):
                ready.append(node)
                continue
            verdict = self._admission.of(node)
            if verdict.result is not None:
                self._note(Kind.STEP_FINISHED, step=node.key, payload=payload_of(verdict.result))
            elif node.step.matrix and self.state.step(node.key).instances is None:
                self._expand(node)
            else:
                ready.append(node)
        return ready

    def _give_up(self, node: Node) -> None:
        """End the combinations of a matrix that have not started when the run is cancelled."""
        running = {start.key for start in self._tasks.values()}
        for key in self.state.step(node.key).instances or ():
            if key not in running and not self.state.step(key).status.ended:
                self._note(Kind.STEP_FINISHED, step=key, payload=payload_of(_NOT_STARTED))

    def _expand(self, node: Node) -> None:
        visible = seen.phase_contexts(self.plan, self.graph, self.state, node.phase)
        try:
            found = combinations(node.step.matrix, visible)
            check_size(found, "the matrix")
        except (ExpressionError, ValueError) as broken:
            result = StepResult(status=Status.FAILURE, outcome=Status.FAILURE, reason=f"matrix: {broken}")
            self._note(Kind.STEP_FINISHED, step=node.key, payload=payload_of(result))
            return
        self._note(Kind.STEP_EXPANDED, step=node.key, payload={"matrix": found})

    # -- gates

    def _gates_done(self, spec: PhaseSpec) -> bool:
        if self._gating is not None:
            return False
        statuses = [self.state.step(node.key).status for node in self.graph.of(spec.name, final=False)]
        if self.state.cancelled or any(status.bad for status in statuses):
            return True  # nothing to judge: the work itself did not succeed
        visible = seen.phase_contexts(self.plan, self.graph, self.state, spec.name)
        made = seen.artifacts(self.graph, self.state, spec.name)
        wanted = phase_gates(spec, self.plan.gates, visible, made)
        open_gates = {n: e for n, e in wanted.items() if f"{spec.name}/gate:{n}" not in self.state.gates}
        if open_gates:
            self._judge(spec.name, open_gates)
        return not open_gates

    def _judge(self, phase: str, wanted: Mapping[str, tuple[str, ...] | None]) -> None:
        if self._gating is None and not any(running.node.writes for running in self._tasks.values()):
            self._flush()
            work = self.folder / (f"{phase}.gates" if phase else "gates")
            work.mkdir(exist_ok=True)
            self._gated = {name: f"{phase}/gate:{name}" if phase else f"gate:{name}" for name in wanted}
            self._gating = asyncio.ensure_future(self.gatekeeper.judge(wanted, phase=phase, work=str(work)))

    # -- what runs

    def _note_start(self, start: Ready) -> Attempt:
        step = self.state.step(start.key)
        number = step.attempt + 1
        attempt = self._attempt(start, number)
        try:
            command = shown(self.executor.argv(attempt, self.plan.phase(start.node.phase)))
        except (ExpressionError, ValueError):
            command = str(start.node.step.run)  # the attempt itself reports what is wrong
        payload = {"command": command, "log": attempt.log.name, "matrix": dict(step.matrix)}
        self._note(Kind.STEP_STARTED, step=start.key, attempt=number, payload=payload)
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

    async def _step(self, start: Ready, attempt: Attempt) -> StepResult:
        """Run attempts, beginning with this one, until one succeeds or none is left."""
        phase = self.plan.phase(start.node.phase)
        step = start.node.step
        while True:
            _make_folder(attempt.out)
            result = await self.executor.run(
                attempt, phase, on_output=lambda line: self.observer.output(start.key, line)
            )
            wait_s = pause_s(step.retry or phase.defaults.retry, result, tries=self.state.step(start.key).retries + 1)
            if wait_s is None:
                break
            self._note(
                Kind.STEP_RETRIED, step=start.key, attempt=attempt.number,
                payload={
                    "status": result.status.value, "reason": result.reason, "code": result.code,
                    "signal": result.signal, "wait_ms": round(wait_s * 1000), "duration_ms": result.duration_ms,
                },
            )  # fmt: skip
            self._flush()
            await asyncio.sleep(wait_s)
            attempt = self._note_start(start)
            self._flush()
        if step.continue_on_error and result.status.bad:
            result = replace(result, status=Status.SUCCESS)
        return result

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
                result = task.result()
            number = self.state.step(start.key).attempt
            self._note(Kind.STEP_FINISHED, step=start.key, attempt=number, payload=payload_of(result))
        if self._gating is not None and self._gating.done():
            judged, self._gating = self._gating, None
            stopped = self._interrupted or self.state.cancelled
            for verdict in () if stopped and not judged.exception() else judged.result():
                self._note(Kind.GATE_FINISHED, step=self._gated[verdict.id], attempt=1, payload=payload_of(verdict))
        if broken:
            self._flush()  # what ended well is recorded before the error ends the run
            broken[0].result()

    def _look_for_cancel(self) -> None:
        if self.state.cancelled or not self.store.changed():
            return
        for event in self.store.events(self.state.id):
            if event.kind is Kind.RUN_CANCEL:
                self.state.apply(event)
                self.observer.event(event)
                self._stop_tasks()

    def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.gatekeeper.stop()

    async def _settle(self) -> None:
        """After an interruption: wait until everything is dead, keep what ended meanwhile, and say why it stopped."""
        if self._interrupted:
            await self._ended()
            self._collect()
            self._note(Kind.RUN_INTERRUPTED, attempt=self.fence, payload={"reason": self._interrupted})
        self._flush()

    async def _ended(self) -> None:
        rest = [*self._tasks, *([self._gating] if self._gating else [])]
        if rest:
            await asyncio.wait(rest)

    # -- the record

    def _note(self, kind: Kind, *, payload: Payload, step: str = "", attempt: int = 0) -> None:
        event = NewEvent(kind=kind, step=step, attempt=attempt, payload=self.executor.masked(payload))
        self.state.apply(event)
        self._pending.append(event)

    def _flush(self) -> None:
        if self._pending:
            events, self._pending = self._pending, []
            for event in self.store.append(self.state.id, events, fence=self.fence):
                self.observer.event(event)

    def _elapsed_ms(self, what: str) -> int:
        return round((time.monotonic() - self._began.get(what, self._began[""])) * 1000)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as failed:
        raise StateUnwritable(f"a step's folder cannot be made: {failed.strerror}", where=str(folder)) from failed
