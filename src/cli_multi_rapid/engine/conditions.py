"""Whether a step runs, and how often: `if` and `matrix`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import isfinite, prod

from cli_multi_rapid.engine.contexts import gate_statuses, phase_contexts
from cli_multi_rapid.engine.expressions import (
    ExpressionError,
    HashFiles,
    compile_expression,
    condition_text,
    interpolate,
    truthy,
)
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.model.phase import Scalar
from cli_multi_rapid.model.run import Status, StepResult

MATRIX_LIMIT = 256
_STATUS_FUNCTIONS = frozenset({"success", "failure", "always", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a step may start: it may if `result` is None, otherwise that is how it ended."""

    result: StepResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Decides about the steps of one run.

    `blame` remembers for ended steps which failure they rest on, if any; `verdicts` what was decided, before and after
    a cancellation: whether a step runs is decided once, when its turn comes.
    """

    plan: RunPlan
    graph: Graph
    state: RunState
    hash_files: HashFiles | None = None
    blame: dict[str, str] = field(default_factory=dict)
    verdicts: dict[tuple[str, bool], Verdict] = field(default_factory=dict)

    def of(self, node: Node) -> Verdict:
        """Decide about a step whose needs have ended.

        As on GitHub, a condition without a status function holds only if everything it rests on succeeded. Steps of
        `finally` run unless their condition says otherwise.
        """
        when = (node.key, self.state.cancelled)
        if when not in self.verdicts:
            self.verdicts[when] = Verdict() if self._begun(node) else self._of(node)
        return self.verdicts[when]

    def _begun(self, node: Node) -> bool:
        """Tell whether the record says that this step runs: an interruption does not open the question again."""
        step = self.state.step(node.key)
        parts = [self.state.step(key) for key in step.instances or (node.key,)]
        begun = any((part.attempt > 0 and not part.interim) or part.wait is not None for part in parts)
        return not self.state.cancelled and (begun or (step.instances is not None and not node.final))

    def now(self, node: Node) -> Verdict:
        """Decide about a final step of a run that is being stopped; that decision is not remembered."""
        return self._of(node)

    def reconsider(self) -> None:
        """Forget what was decided, because a step that had ended well turned out not to have."""
        self.blame.clear()
        self.verdicts.clear()

    def _of(self, node: Node) -> Verdict:
        flags = self._flags(node)
        condition = node.step.if_
        if isinstance(condition, str):
            return self._judged(node, condition, flags)
        if condition is False:
            return _skipped("the condition is false")
        if not node.final and not flags["success"]:
            return _skipped(self._reason(node))
        return Verdict()

    def _judged(self, node: Node, condition: str, flags: Mapping[str, bool]) -> Verdict:
        try:
            expression = compile_expression(condition_text(condition))
            own_status = bool(expression.functions & _STATUS_FUNCTIONS)
            if not own_status and not node.final and not flags["success"]:
                return _skipped(self._reason(node))
            visible = phase_contexts(self.plan, self.graph, self.state, node.phase)
            holds = truthy(expression.evaluate(visible, status=flags, hash_files=self.hash_files))
        except ExpressionError as broken:
            return Verdict(result=StepResult.of(Status.FAILURE, f"condition: {broken}"))
        return Verdict() if holds else _skipped(f"the condition is false: {condition}")

    def _flags(self, node: Node) -> dict[str, bool]:
        """Return what the status functions say: of all a main step rests on, or of the whole phase for a final one.

        As on GitHub a run is one of successful, failed or cancelled; one that is being stopped counts as cancelled.
        """
        if node.final:
            statuses = [step.status for key, step in self.state.steps.items() if key.startswith(f"{node.phase}/")]
            bad = any(status.bad for status in (*statuses, *gate_statuses(self.state, f"{node.phase}/")))
        else:
            bad = any(self._culprit(need) for need in node.needs)
        stopped = self.state.cancelled or bool(self.state.interrupted)
        return {
            "success": not bad and not stopped,
            "failure": bad and not stopped,
            "cancelled": stopped,
            "always": True,
        }

    def _culprit(self, key: str) -> str:
        """Return the id of the failed step that an ended step is or rests on, or nothing."""
        todo = [key]
        while todo:
            here = todo[-1]
            needs = self.graph.nodes[here].needs
            unknown = [need for need in needs if need not in self.blame]
            if unknown:
                todo.extend(unknown)
                continue
            todo.pop()
            own = here.partition("/")[2] if self.state.step(here).status.bad else ""
            self.blame[here] = own or next((self.blame[need] for need in needs if self.blame[need]), "")
        return self.blame[key]

    def _reason(self, node: Node) -> str:
        if self.state.cancelled:
            return "the run was cancelled"
        culprit = next((found for need in node.needs if (found := self._culprit(need))), "a step")
        return f"{culprit} did not succeed"


def combinations(
    matrix: Mapping[str, Sequence[Scalar] | str], contexts: Mapping[str, object]
) -> list[dict[str, object]]:
    """Return every combination of a matrix, the last axis varying fastest.

    Raises:
        ValueError: an axis is empty or no list, a value cannot be recorded, or there are more than 256 combinations.
        ExpressionError: the expression of an axis cannot be evaluated.
    """
    axes: dict[str, Sequence[object]] = {}
    for name, values in matrix.items():
        found = interpolate(values, contexts) if isinstance(values, str) else list(values)
        if not isinstance(found, list) or not found:
            raise ValueError(f"{name} must be a list with at least one value")
        axes[name] = found
        if not _finite(found):
            raise ValueError(f"{name} has a value that is not a finite number")
    number = prod(len(values) for values in axes.values())
    if number > MATRIX_LIMIT:
        raise ValueError(f"{number} combinations, at most {MATRIX_LIMIT} are allowed")
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _finite(values: object) -> bool:
    """Tell whether there is no NaN and no infinity, which the log does not take."""
    if isinstance(values, Mapping):
        return all(_finite(value) for value in values.values())
    if isinstance(values, list):
        return all(_finite(value) for value in values)
    return not isinstance(values, float) or isfinite(values)


def _skipped(reason: str) -> Verdict:
    return Verdict(result=StepResult.of(Status.SKIPPED, reason))
