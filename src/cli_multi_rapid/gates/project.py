"""The project check: a Python file of the project judges it, in a process of its own.

Only the answer that this process leaves counts: neither what it prints nor its exit code can pass the gate.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.listing import findings_in
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.parsing import sequence
from cli_multi_rapid.gates.tool_findings import LineTexts
from cli_multi_rapid.model.gate import Evidence, GateResult
from cli_multi_rapid.model.gate_settings import VALIDATORS, GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.judging import Judge, NoVerdict, answer_of

_CHILD = "cli_multi_rapid.gates.validator_child"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Let the gate's validator judge; what `fail-on` asks for decides which of its findings block."""
    gate = Gate(name, spec, given)
    path = spec.file or f"{VALIDATORS}/{name}.py"
    source = given.validator(path)
    try:
        answer = _answer(gate, path, source)
        result = _verdict(gate, path, answer)
    except EvidenceError as problem:
        result = unjudged(gate, problem)
    digest = sha256(source).hexdigest()
    return replace(result, tool=path, rules_digest=digest, evidence=(Evidence(path=path, sha256=digest),))


def _answer(gate: Gate, path: str, source: bytes) -> Mapping[str, object]:
    """Run the validator and return its answer."""
    given, change = gate.given, gate.given.change()
    judge = Judge(
        module=_CHILD, path=path, source=source, root=given.root, env=given.env, work=given.work,
        timeout=gate.spec.timeout, execute=given.execute,
    )  # fmt: skip
    changed = sorted(change.touched) if change else None
    try:
        return answer_of(judge, {"level": given.level.value, "files": given.files, "changed": changed})
    except NoVerdict as problem:
        raise EvidenceError(str(problem), fix=problem.fix) from problem


def _verdict(gate: Gate, path: str, answer: Mapping[str, object]) -> GateResult:
    root = Path(gate.given.root)
    what = f"the answer of {path}"
    tally, lines = Tally(gate.spec.fail_on), LineTexts(root)
    for finding in findings_in(sequence(answer.get("findings"), what=what), path=what, root=root):
        tally.add(finding, lines.line(finding.path, finding.line))
    found = counted(tally.total, "finding") if tally.total else "no finding"
    summary = one_line(str(answer.get("summary") or ""))
    return replace(
        judged(gate, tally, summary=f"{found}: {summary}" if summary else found),
        observed=_number(answer.get("observed"), float(tally.total), what=what),
        threshold=_number(answer.get("threshold"), 0.0 if answer.get("observed") is None else None, what=what),
        details={"blocking": tally.blocking, "by_rule": dict(sorted(tally.by_rule.items()))},
    )


def _number(value: object, default: float | None, *, what: str) -> float | None:
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise EvidenceError(f"{what} has {value!r:.40} for a number", fix="give a number")
    return float(value)
