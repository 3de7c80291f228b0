"""The project check: a Python file of the project judges it, in a process of its own.

Only the answer that this process leaves counts: neither what it prints nor its exit code can pass the gate.
"""

import json
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError, read_regular
from cli_multi_rapid.gates.listing import findings_in
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.parsing import mapping, read_json, sequence
from cli_multi_rapid.gates.tool_findings import LineTexts
from cli_multi_rapid.model.gate import Evidence, GateResult
from cli_multi_rapid.model.gate_settings import VALIDATORS, GateSpec
from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit

_CHILD = "cli_multi_rapid.gates.validator_child"
_ANSWER = "answer.json"
_LIMIT_BYTES = 64 << 20
_LOG_BYTES = 1 << 20


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
    spec, given, word = gate.spec, gate.given, secrets.token_hex(16)
    change = given.change()
    asked = {
        "word": word, "answer": _ANSWER, "path": path, "source": _text(path, source), "root": given.root,
        "level": given.level.value, "files": given.files, "changed": sorted(change.touched) if change else None,
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="validator-", dir=given.work))
    request = folder / "request.json"
    request.write_text(json.dumps(asked), "utf-8")
    command = Command(
        argv=(sys.executable, "-I", "-B", "-m", _CHILD, str(request)),
        cwd=given.root,
        env=given.env,
        log=str(folder / "log.txt"),
        tag="validator",
        timeout_s=duration_s(spec.timeout),
        cap_bytes=_LOG_BYTES,
    )
    _refuse_unended(spec, path, given.execute(command))
    return _read_answer(folder / _ANSWER, path, word=word)


def _text(path: str, source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise EvidenceError(f"{path} is no text in UTF-8", fix="save it as UTF-8") from problem


def _refuse_unended(spec: GateSpec, path: str, ended: Exit) -> None:
    """Refuse what did not come to an end by itself; an exit code other than 0 comes with an answer that says why."""
    if ended.error:
        raise EvidenceError(f"{path} could not be started: {ended.error}", fix="check how Python is installed")
    if ended.timed_out:
        raise EvidenceError(f"{path} did not end within {spec.timeout}", fix="give it more `timeout`, or less to do")
    if ended.code is None:
        raise EvidenceError(f"{path} was killed by signal {ended.signal}", fix="find out why it crashed")


def _read_answer(file: Path, path: str, *, word: str) -> Mapping[str, object]:
    try:
        data, _ = read_regular(file, limit_bytes=_LIMIT_BYTES)
    except (OSError, ValueError) as problem:
        fix = "let check(ctx) return its findings; do not leave the process"
        raise EvidenceError(f"{path} ended without an answer", fix=fix) from problem
    what = f"the answer of {path}"
    answer = mapping(read_json(data, path=what), what=what)
    if answer.get("word") != word:
        raise EvidenceError(f"{what} is not the one that was asked for", fix="let check(ctx) return its findings")
    if "failed" in answer:
        raise EvidenceError(str(answer["failed"]), fix=f"correct {path}")
    return answer


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
