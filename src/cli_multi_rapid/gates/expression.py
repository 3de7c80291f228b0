"""The expression check: a sentence over the results of other gates that has to be exactly true."""

from collections.abc import Mapping, Sequence

from cli_multi_rapid.gates.baseline import excused_in
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.expression_names import UnknownName, resolved
from cli_multi_rapid.gates.outcome import Gate, counted, one_line, unjudged
from cli_multi_rapid.model.gate import GateResult, GateStatus
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_UNMEASURED = (GateStatus.ERROR, GateStatus.SKIPPED)
_FILE = "config/compliance-gates.yaml"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Judge `assert` on the results of the gates before this one: true passes, false fails, all else is an error.

    A name whose value is not there, such as what a gate found that could not be judged, is an error whatever the rest
    of the expression says.
    """
    gate = Gate(name, spec, given)
    try:
        values = _values(gate)
        holds = _answer(gate, values)
    except EvidenceError as problem:
        return unjudged(gate, problem)
    facts = ", ".join(f"{'.'.join(path)} is {_word(value)}" for path, value in values.items()) or "it names nothing"
    return GateResult(
        id=name,
        check=spec.check.value,
        level=given.level,
        status=GateStatus.PASS if holds else GateStatus.FAIL,
        summary=one_line(f"{'true' if holds else 'false'}: {_bare(spec.assert_)} ({facts})"),
        tree=given.tree,
        details={"values": {".".join(path): value for path, value in values.items()}},
        fix="" if holds else _fix(values),
    )


def needs_of(spec: GateSpec, given: GateInput) -> frozenset[str]:
    """Return the names, in lower case, of the gates whose results an expression reads."""
    reading = given.expressions.read(spec.assert_) if given.expressions else None
    paths = reading.paths if reading else ()
    return frozenset(path[1].lower() for path in paths if len(path) > 1 and path[0].lower() == "gates")


def _values(gate: Gate) -> dict[tuple[str, ...], object]:
    """Return the value of every name in the expression.

    Raises:
        EvidenceError: one has none.
    """
    if gate.given.expressions is None:
        raise EvidenceError("expressions cannot be evaluated here")
    reading = gate.given.expressions.read(gate.spec.assert_)
    if reading.wrong:
        raise EvidenceError(f"the expression cannot be read: {reading.wrong}", fix=reading.fix)
    results = {result.id: result for result in gate.given.results}
    values = {}
    for path in reading.paths:
        try:
            names = resolved(path, results)
        except UnknownName as unknown:
            raise _unknown(path, unknown) from unknown
        values[names] = _value(names, results, gate.given)
    return values


def _unknown(path: Sequence[str], unknown: UnknownName) -> EvidenceError:
    if unknown.code == "GATE-UNKNOWN":
        fix = f"judge it together with this one: --gate {path[1]}, or in the `gates` of the phase"
        return EvidenceError(f"the gate {path[1]} was not judged here", fix=fix)
    return EvidenceError(str(unknown), fix=f"correct the expression in {_FILE}: {unknown.fix}")


def _value(names: tuple[str, ...], results: Mapping[str, GateResult], given: GateInput) -> object:
    if names[0] == "level":
        return given.level.value
    if names[0] == "change":
        return _of_change(names[1], given)
    result = results[names[1]]
    value = _of_result(result, names[2])
    if value is None and result.status in _UNMEASURED:
        fix = result.fix or f"see what {result.id} says"
        raise EvidenceError(f"{'.'.join(names)} is not known: {result.id} could not be judged", fix=fix)
    if value is None:
        fix = f"correct the expression in {_FILE}"
        raise EvidenceError(f"{'.'.join(names)} has no value: a gate of the kind {result.check} sets none", fix=fix)
    return value


def _of_result(result: GateResult, field: str) -> object:
    facts: dict[str, object] = {
        "status": result.status.value,
        "level": result.level.value,
        "check": result.check,
        "duration_ms": result.duration_ms,
    }
    if field in facts or result.status in _UNMEASURED:
        return facts.get(field)
    if field not in ("findings", "excused"):
        return {"observed": result.observed, "threshold": result.threshold, "cached": result.cached}[field]
    try:
        excused = excused_in(result)
    except ValueError as lost:
        raise EvidenceError(str(lost), fix="judge the gates again") from lost
    return excused if field == "excused" else result.findings_total - excused


def _of_change(field: str, given: GateInput) -> object:
    change = given.change()
    if change is None:
        fix = "make a first commit, or leave the change out of the expression"
        raise EvidenceError("there is no base revision, so nothing is known about the change", fix=fix)
    sizes = {
        "files": len(change.files),
        "added": sum(len(file.lines) for file in change.files.values()),
        "removed": sum(file.removed for file in change.files.values()),
    }
    return sizes[field]


def _answer(gate: Gate, values: Mapping[tuple[str, ...], object]) -> bool:
    assert gate.given.expressions is not None
    contexts: dict[str, dict[str, object] | object] = {"gates": {}, "change": {}, "level": gate.given.level.value}
    for (*folders, last), value in values.items():
        here = contexts
        for folder in folders:
            inner = here.setdefault(folder, {})
            assert isinstance(inner, dict)
            here = inner
        here[last] = value
    try:
        answer = gate.given.expressions.evaluate(gate.spec.assert_, contexts)
    except ValueError as wrong:
        fix = f"correct the expression in {_FILE}"
        raise EvidenceError(f"the expression cannot be evaluated: {wrong}", fix=fix) from wrong
    if not isinstance(answer, bool):
        fix = "compare with something, so that it is true or false"
        raise EvidenceError(f"the expression is {_word(answer)}, which is neither true nor false", fix=fix)
    return answer


def _fix(values: Mapping[tuple[str, ...], object]) -> str:
    names = dict.fromkeys(path[1] for path in values if path[0] == "gates")
    said = "see what they say" if len(names) > 1 else "see what it says"
    return f"this rests on {counted(len(names), 'gate')}, {', '.join(names)}: {said}" if names else ""


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _bare(text: str) -> str:
    return text.strip().removeprefix("${{").removesuffix("}}").strip()
