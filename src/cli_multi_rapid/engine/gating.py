"""Which evidence the gates of a phase judge."""

from collections.abc import Mapping, Sequence

from cli_multi_rapid.engine.expressions import ExpressionError, interpolate
from cli_multi_rapid.model.gate import GateSpec
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
    None: the reports that its settings name. An expression that cannot be evaluated gives no path at all, which no
    gate passes on.
    """
    wanted: dict[str, tuple[str, ...] | None] = {}
    for use in phase.gates:
        name = use if isinstance(use, str) else use.use
        if not isinstance(use, str) and use.from_:
            wanted[name] = _from(use.from_, contexts)
            continue
        made = artifacts.get(gates[name].artifact or name, ())
        wanted[name] = tuple(artifact.path for artifact in made) or None
    return wanted


def _from(expression: str, contexts: Mapping[str, object]) -> tuple[str, ...]:
    try:
        value = interpolate(expression, contexts)
    except ExpressionError:
        return ()
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value),) if value else ()
