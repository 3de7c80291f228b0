"""Which evidence the gates of a phase judge."""

from collections.abc import Mapping, Sequence

from cli_multi_rapid.engine.expressions import ExpressionError, interpolate
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.run import Artifact


def phase_gates(
    phase: PhaseSpec,
    gates: Mapping[str, GateSpec],
    contexts: Mapping[str, object],
    artifacts: Mapping[str, Sequence[Artifact]],
) -> dict[str, tuple[str, ...] | None]:
    """Return the gates of a phase in order, each with the absolute paths of its evidence.

    Evidence is what `from:` says, else the artifacts that have the gate's name (or the name its settings give), else
    None: the reports that its settings name. Where an expression cannot be evaluated, or the step that produces the
    artifact did not run, there is no path at all, which no gate passes on: an old report must not stand in for it.
    """
    declared = {name for step in (*phase.steps, *phase.finally_) for name in step.produces}
    wanted: dict[str, tuple[str, ...] | None] = {}
    for use in phase.gates:
        name = use if isinstance(use, str) else use.use
        if not isinstance(use, str) and use.from_:
            wanted[name] = _from(use.from_, contexts)
            continue
        source = gates[name].artifact or name
        made = tuple(artifact.path for artifact in artifacts.get(source, ()))
        wanted[name] = made if made or source in declared else None
    return wanted


def _from(expression: str, contexts: Mapping[str, object]) -> tuple[str, ...]:
    try:
        value = interpolate(expression, contexts)
    except ExpressionError:
        return ()
    paths = value if isinstance(value, list) else [value]
    if not all(isinstance(path, str) and path for path in paths):
        return ()
    return tuple(map(str, paths))
