"""What the expressions of a step can see, built from plan and state."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan
from cli_multi_rapid.engine.planner import roll_up
from cli_multi_rapid.model.run import Artifact, Status, StepResult

Contexts = dict[str, object]


def phase_contexts(plan: RunPlan, graph: Graph, state: RunState, phase: str) -> Contexts:
    """Return the contexts that all steps and gates of a phase share; `artifacts` are paths.

    What could be much is a view of the state, made when an expression asks for it.
    """
    spec = plan.phase(phase)
    return {
        "inputs": dict(plan.inputs.get(phase, {})),
        "env": dict(spec.env),
        "steps": _steps(graph, state, phase),
        "needs": _needs(graph, state, spec.needs),
        "artifacts": _paths(graph, state, phase),
        "phase": {"name": spec.name, "title": spec.title},
        "run": _run(state, phase),
        "git": dict(plan.git),
    }


def artifacts(graph: Graph, state: RunState, phase: str) -> dict[str, list[Artifact]]:
    """Return what the ended steps of a phase produced, by name; several files where a matrix step made them."""
    found: dict[str, list[Artifact]] = {}
    for node in _makers(graph, phase):
        for key in state.step(node.key).instances or (node.key,):
            result = state.step(key).result
            for name, artifact in (result.artifacts if result else {}).items():
                found.setdefault(name, []).append(artifact)
    return found


def gate_statuses(state: RunState, prefix: str) -> list[Status]:
    """Return what the gates whose key begins with `prefix` mean for the work; advisory ones mean nothing."""
    verdicts = {"fail": Status.FAILURE, "error": Status.ERROR}
    return [
        verdicts.get(str(gate["status"]), Status.SUCCESS)
        for key, gate in state.gates.items()
        if key.startswith(prefix) and gate["level"] != "advisory"
    ]


def _makers(graph: Graph, phase: str) -> Iterator[Node]:
    return (node for final in (False, True) for node in graph.of(phase, final=final) if node.step.produces)


def _paths(graph: Graph, state: RunState, phase: str) -> dict[str, object]:
    """Return the path of every artifact; a list of them, however many, where a matrix step makes it."""
    made = artifacts(graph, state, phase)
    many = {name for node in _makers(graph, phase) if node.step.matrix for name in node.step.produces}
    return {
        name: [artifact.path for artifact in found] if name in many else found[0].path for name, found in made.items()
    }


class _View(Mapping[str, object]):
    """A mapping whose values are made when an expression asks for them; each of them is plain data."""

    def __init__(self, names: Callable[[], Iterable[str]], value: Callable[[str], object]) -> None:
        self._names = names
        self._value = value

    def __getitem__(self, name: str) -> object:
        return self._value(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return sum(1 for _ in self._names())


def _steps(graph: Graph, state: RunState, phase: str) -> _View:
    """Return the ended steps of a phase by id."""

    def names() -> Iterator[str]:
        nodes = (node for final in (False, True) for node in graph.of(phase, final=final))
        return (node.step.id for node in nodes if _result(state, node.key))

    def value(name: str) -> Mapping[str, object]:
        result = _result(state, f"{phase}/{name}")
        if result is None:
            raise KeyError(name)
        return _seen(result)

    return _View(names, value)


def _needs(graph: Graph, state: RunState, needs: tuple[str, ...]) -> _View:
    """Return the phases that a phase needs by name, with their main steps."""

    def value(name: str) -> Mapping[str, object]:
        if name not in needs:
            raise KeyError(name)
        results = {node.step.id: _result(state, node.key) for node in graph.of(name, final=False)}
        steps = {step: _seen(result) for step, result in results.items() if result is not None}
        return {"status": state.phases[name].value, "steps": steps}

    return _View(lambda: needs, value)


def _run(state: RunState, phase: str) -> _View:
    values: dict[str, Callable[[], str]] = {"id": lambda: state.id, "status": lambda: _run_status(state, phase)}
    return _View(lambda: values, lambda name: values[name]())


def _result(state: RunState, key: str) -> StepResult | None:
    known = state.steps.get(key)
    return known.result if known else None


def _seen(result: StepResult) -> Mapping[str, object]:
    return {"outputs": result.outputs, "status": result.status.value, "outcome": result.outcome.value}


def _run_status(state: RunState, phase: str) -> str:
    if state.cancelled or state.interrupted:
        return (Status.CANCELLED if state.cancelled else Status.INTERRUPTED).value
    steps = [step.status for key, step in state.steps.items() if key.startswith(f"{phase}/")]
    return roll_up([*steps, *gate_statuses(state, f"{phase}/")]).value
