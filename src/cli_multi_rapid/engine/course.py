"""What follows from the state of a run by itself: phases open and close, steps are skipped, gates come due."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cli_multi_rapid.engine import contexts as seen
from cli_multi_rapid.engine.conditions import Admission, combinations
from cli_multi_rapid.engine.executor import check_size
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.gating import phase_gates
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.engine.planner import Planner, Ready, roll_up
from cli_multi_rapid.engine.undoing import next_undo
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.run import Status, StepResult, ended

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.phase_finished_v1_0 import PhaseFinished
    from cli_multi_rapid.model.recorded.run_finished_v1_0 import RunFinished
    from cli_multi_rapid.model.recorded.step_expanded_v1_0 import StepExpanded

Wanted = Mapping[str, tuple[str, ...] | None]
"""Gates by name, each with the paths of its evidence; None where its own reports are meant."""

_NOT_STARTED = StepResult.of(Status.SKIPPED, "the run was cancelled")


class Course:
    """Decides without running anything. `running` and `judging` tell what is at work at the moment.

    After `advance`, `due` are the gates whose turn has come (those of a phase, or of the project for the phase ""), and
    `doubtful` tells that the promises of steps have to be checked before the run can go on; `undo` is the step that has
    to be taken back.
    """

    def __init__(
        self, plan: RunPlan, graph: Graph, state: RunState, *, notes: Notes, guard: Guard, admission: Admission,
        running: Callable[[], Sequence[Ready]], judging: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._plan = plan
        self._graph = graph
        self._state = state
        self._notes = notes
        self._guard = guard
        self._admission = admission
        self._running = running
        self._judging = judging
        self._planner = Planner(graph, state)
        self._began: dict[str, float] = {"": time.monotonic()}
        self.due: tuple[str, Wanted] | None = None
        self.doubtful = False
        self.undo = ""

    def advance(self) -> list[Node]:
        """Note everything that follows from the state by itself; return the steps that may start."""
        self.due, self.doubtful, self.undo = None, False, ""
        while True:
            before = self._notes.waiting
            ready: list[Node] = []
            for spec in self._plan.phases:
                ready.extend(self._advance_phase(spec))
            if self._notes.waiting == before:
                self._advance_run(ready)
                return ready

    def expand(self, node: Node) -> None:
        """Note the combinations of a matrix step, or that it failed because it has none."""
        visible = seen.phase_contexts(self._plan, self._graph, self._state, node.phase)
        try:
            found = combinations(node.step.matrix, visible)
            check_size(found, "the matrix")
        except (ExpressionError, ValueError) as broken:
            result = StepResult.of(Status.FAILURE, f"matrix: {broken}")
            self._notes.add(forms.STEP_FINISHED.event(forms.of_step(result), step=node.key))
            return
        payload: StepExpanded = {"matrix": [dict(one) for one in found]}
        if node.worktree:
            payload["base"] = self._state.commit
        self._notes.add(forms.STEP_EXPANDED.event(payload, step=node.key))

    # -- phases

    def _advance_phase(self, spec: PhaseSpec) -> list[Node]:
        status = self._state.phases[spec.name]
        if status is Status.PENDING:
            self._open(spec)
        if self._state.phases[spec.name] is not Status.RUNNING:
            return []
        ready = self._admitted(spec.name, final=False)
        if not self._planner.all_ended(spec.name, final=False):
            return ready
        if self._doubted() or not self._gates_done(spec) or not self._taken_back(spec):
            return []
        ready = self._admitted(spec.name, final=True)
        if self._planner.all_ended(spec.name, final=True) and not self._doubted():
            self._close(spec)
        return ready

    def _taken_back(self, spec: PhaseSpec) -> bool:
        """Tell whether nothing of a phase is left to be taken back; else name the step that is next."""
        key = next_undo(spec, self._graph, self._state)
        self.undo = self.undo or key
        return not key

    def _doubted(self) -> bool:
        self.doubtful = self.doubtful or self._guard.doubted() is not None
        return self.doubtful

    def _open(self, spec: PhaseSpec) -> None:
        needs = {need: self._state.phases[need] for need in spec.needs if need in self._state.phases}
        if not all(status.ended for status in needs.values()):
            return
        failed = [need for need, status in needs.items() if status is not Status.SUCCESS]
        if failed or self._state.cancelled:
            reason = f"needs {failed[0]}, which did not succeed" if failed else "the run was cancelled"
            status = Status.SKIPPED if failed else Status.CANCELLED
            self._notes.add(forms.PHASE_FINISHED.event({"status": ended(status), "reason": reason}, step=spec.name))
            return
        self._began[spec.name] = time.monotonic()
        self._notes.add(forms.PHASE_STARTED.event({"title": spec.title}, step=spec.name))

    def _close(self, spec: PhaseSpec) -> None:
        statuses = [step.status for key, step in self._state.steps.items() if key.startswith(f"{spec.name}/")]
        statuses += seen.gate_statuses(self._state, f"{spec.name}/")
        status = Status.CANCELLED if self._state.cancelled else roll_up(statuses)
        payload: PhaseFinished = {
            "status": ended(status), "reason": "", "duration_ms": self._elapsed_ms(spec.name),
        }  # fmt: skip
        self._notes.add(forms.PHASE_FINISHED.event(payload, step=spec.name))

    def _advance_run(self, ready: list[Node]) -> None:
        state = self._state
        if ready or state.status.ended or not all(status.ended for status in state.phases.values()):
            return
        wanted = [name for name in self._plan.final_gates if f"gate:{name}" not in state.gates]
        if wanted and not state.cancelled and self._may_judge_all():
            self._want("", dict.fromkeys(wanted))
            return
        statuses = [*state.phases.values(), *seen.gate_statuses(state, "gate:")]
        status = Status.CANCELLED if state.cancelled else roll_up(statuses)
        code = {Status.SUCCESS: 0, Status.ERROR: 3}.get(status, 1)
        payload: RunFinished = {
            "status": ended(status), "exit_code": code, "reason": "", "duration_ms": self._elapsed_ms(""),
        }  # fmt: skip
        self._notes.add(forms.RUN_FINISHED.event(payload))

    def _may_judge_all(self) -> bool:
        """Tell whether the gates asked for after the run make sense: work that failed has its verdict already."""
        return all(status is Status.SUCCESS for status in self._state.phases.values())

    # -- steps

    def _admitted(self, phase: str, *, final: bool) -> list[Node]:
        """Return the steps whose turn has come; skip those whose condition does not hold, expand matrices."""
        ready: list[Node] = []
        for node in self._planner.waiting(phase, final=final):
            begun = bool(self._state.step(node.key).instances)
            if begun and self._state.cancelled and self._admission.of(node).result is not None:
                self._give_up(node)
                continue
            if any(running.node is node for running in self._running()):
                ready.append(node)
                continue
            verdict = self._admission.of(node)
            if verdict.result is not None:
                self._notes.add(forms.STEP_FINISHED.event(forms.of_step(verdict.result), step=node.key))
            elif node.step.matrix and self._state.step(node.key).instances is None:
                self.expand(node)
            else:
                ready.append(node)
        return ready

    def _give_up(self, node: Node) -> None:
        """End the combinations of a matrix that have not started when the run is cancelled."""
        running = {start.key for start in self._running()}
        for key in self._state.step(node.key).instances or ():
            if key not in running and not self._state.step(key).status.ended:
                self._notes.add(forms.STEP_FINISHED.event(forms.of_step(_NOT_STARTED), step=key))

    # -- gates

    def _gates_done(self, spec: PhaseSpec) -> bool:
        if self._judging():
            return False
        statuses = [self._state.step(node.key).status for node in self._graph.of(spec.name, final=False)]
        if self._state.cancelled or any(status.bad for status in statuses):
            return True  # nothing to judge: the work itself did not succeed
        visible = seen.phase_contexts(self._plan, self._graph, self._state, spec.name)
        made = seen.artifacts(self._graph, self._state, spec.name)
        wanted = phase_gates(spec, self._plan.gates, visible, made)
        undecided = {n: e for n, e in wanted.items() if f"{spec.name}/gate:{n}" not in self._state.gates}
        if undecided:
            self._want(spec.name, undecided)
        return not undecided

    def _want(self, phase: str, wanted: Wanted) -> None:
        """Let gates come due, as soon as nothing changes the project."""
        busy = self._judging() or any(running.node.writes for running in self._running())
        if self.due is None and not busy:
            self.due = (phase, wanted)

    def _elapsed_ms(self, what: str) -> int:
        return round((time.monotonic() - self._began.get(what, self._began[""])) * 1000)
