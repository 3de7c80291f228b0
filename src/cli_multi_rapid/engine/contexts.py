"""What the expressions of a step can see, built from plan and state."""

from collections.abc import Mapping

from cli_multi_rapid.engine.fold import RunState, StepState
from cli_multi_rapid.engine.graph import Graph, RunPlan
from cli_multi_rapid.engine.planner import roll_up
from cli_multi_rapid.model.run import Artifact, Status

Contexts = dict[str, object]


def phase_contexts(plan: RunPlan, graph: Graph, state: RunState, phase: str) -> Contexts:
    """Return the contexts that all steps and gates of a phase share; `artifacts` are paths."""
    spec = plan.phase(phase)
    nodes = (*graph.of(phase, final=False), *graph.of(phase, final=True))
    return {
        "inputs": dict(plan.inputs.get(phase, {})),
        "env": dict(spec.env),
        "steps": {node.step.id: _step(state.step(node.key)) for node in nodes if state.step(node.key).result},
        "needs": {need: _phase(plan, graph, state, need) for need in spec.needs},
        "artifacts": {name: _paths(found) for name, found in artifacts(graph, state, phase).items()},
        "phase": {"name": spec.name, "title": spec.title},
        "run": {"id": state.id, "status": _run_status(state, phase)},
        "git": dict(plan.git),
    }


def artifacts(graph: Graph, state: RunState, phase: str) -> dict[str, list[Artifact]]:
    """Return what the ended steps of a phase produced, by name; several files where a matrix step made them."""
    found: dict[str, list[Artifact]] = {}
    for node in graph.nodes.values():
        if node.phase != phase:
            continue
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


def _paths(found: list[Artifact]) -> object:
    return found[0].path if len(found) == 1 else [artifact.path for artifact in found]


def _step(step: StepState) -> Mapping[str, object]:
    result = step.result
    assert result is not None
    return {"outputs": result.outputs, "status": result.status.value, "outcome": result.outcome.value}


def _phase(plan: RunPlan, graph: Graph, state: RunState, phase: str) -> Mapping[str, object]:
    if phase not in state.phases:
        return {}
    nodes = graph.of(phase, final=False)
    return {
        "status": state.phases[phase].value,
        "steps": {node.step.id: _step(state.step(node.key)) for node in nodes if state.step(node.key).result},
    }


def _run_status(state: RunState, phase: str) -> str:
    if state.cancelled:
        return Status.CANCELLED.value
    steps = [step.status for key, step in state.steps.items() if key.startswith(f"{phase}/")]
    return roll_up([*steps, *gate_statuses(state, f"{phase}/")]).value
