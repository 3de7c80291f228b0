"""Evaluates gates side by side; results come in the order in which the gates were given."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import Gate, unjudged
from cli_multi_rapid.gates.registry import CHECKS
from cli_multi_rapid.model.gate import GateResult
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.ports import EvaluateGate, GateInput


def evaluate(
    gates: Mapping[str, GateSpec],
    given: Callable[[str], GateInput],
    *,
    parallel: int,
    checks: Mapping[Check, EvaluateGate] = CHECKS,
) -> tuple[GateResult, ...]:
    """Evaluate gates, at most `parallel` at a time, and return their results in the order of `gates`.

    `given` returns the input of a gate by its name. A `CouldNotRun` that a check raises becomes a result with the
    status error; any other exception is a bug and leaves this function, after the checks that were under way.
    """

    def one(name: str) -> GateResult:
        return _stamped(Gate(name, gates[name], given(name)), checks)

    if len(gates) < 2 or parallel < 2:
        return tuple(one(name) for name in gates)
    with ThreadPoolExecutor(min(parallel, len(gates)), thread_name_prefix="gate") as pool:
        futures = [pool.submit(one, name) for name in gates]
        try:
            return tuple(future.result() for future in futures)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _stamped(gate: Gate, checks: Mapping[Check, EvaluateGate]) -> GateResult:
    started, before_s = datetime.now(UTC), monotonic()
    try:
        result = checks[gate.spec.check](gate.name, gate.spec, gate.given)
    except CouldNotRun as problem:
        result = unjudged(gate, EvidenceError(str(problem), fix=problem.hint))
    return replace(
        result,
        started=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_ms=round((monotonic() - before_s) * 1000),
    )
