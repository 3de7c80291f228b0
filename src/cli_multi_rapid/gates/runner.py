"""Evaluates gates side by side; results come in the order in which the gates were given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from cli_multi_rapid.model.words import utc_text


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
    Expressions come last, each after those that it reads, and see the results so far.
    """

    def one(name: str) -> GateResult:
        return _stamped(Gate(name, gates[name], given(name)), checks)

    others = [name for name, spec in gates.items() if spec.check is not Check.EXPRESSION]
    results = _side_by_side(one, others, parallel=parallel)
    if len(results) < len(gates):
        last = {name: Gate(name, gates[name], given(name)) for name in gates if name not in results}
        for name in _in_order(_needs(last)):
            seen = replace(last[name].given, results=tuple(results.values()))
            results[name] = _stamped(replace(last[name], given=seen), checks)
    return tuple(results[name] for name in gates)


def _side_by_side(one: Callable[[str], GateResult], names: Sequence[str], *, parallel: int) -> dict[str, GateResult]:
    if len(names) < 2 or parallel < 2:
        return {name: one(name) for name in names}
    with ThreadPoolExecutor(min(parallel, len(names)), thread_name_prefix="gate") as pool:
        futures = {name: pool.submit(one, name) for name in names}
        try:
            return {name: future.result() for name, future in futures.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _needs(gates: Mapping[str, Gate]) -> dict[str, frozenset[str]]:
    from cli_multi_rapid.gates.expression import needs_of

    return {name: needs_of(gate.spec, gate.given) for name, gate in gates.items()}


def _in_order(needs: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Yield every name after those, in lower case, that it needs; in a circle nothing helps, and somebody is first."""
    waiting = list(needs)
    while waiting:
        left = {name.lower() for name in waiting}
        first = next((name for name in waiting if not needs[name] & left), waiting[0])
        waiting.remove(first)
        yield first


def _stamped(gate: Gate, checks: Mapping[Check, EvaluateGate]) -> GateResult:
    started, before_s = datetime.now(UTC), monotonic()
    try:
        result = checks[gate.spec.check](gate.name, gate.spec, gate.given)
    except CouldNotRun as problem:
        result = unjudged(gate, EvidenceError(str(problem), fix=problem.hint))
    return replace(
        result,
        started=utc_text(started),
        duration_ms=round((monotonic() - before_s) * 1000),
    )
