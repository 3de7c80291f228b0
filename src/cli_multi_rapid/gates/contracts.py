"""The contracts check: asks `validate-contracts` anew, and believes no report that was written before.

The project's own checks of contracts judge as the base revision has them, like every validator.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError, Report, collect
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.parsing import mapping, read_json
from cli_multi_rapid.model.contract import EVENTS, MANIFEST, CheckStatus, ContractCheck
from cli_multi_rapid.model.contract_answer import answered
from cli_multi_rapid.model.gate import Finding, GateResult
from cli_multi_rapid.model.gate_settings import COMPAT, GateSpec
from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.system.contract_judging import CHILD, is_judge, said_of
from cli_multi_rapid.system.judging import Judge, NoVerdict

_TOOL = "validate-contracts"
_BY_HAND = f"run it yourself: cli-multi-rapid {_TOOL}"
_LOG_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One check of one contract, by the contract's path."""

    contract: str
    check: ContractCheck

    @property
    def name(self) -> str:
        return f"{self.check.check}-{self.check.target}".rstrip("-")


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Judge the contracts of the project as they are now."""
    gate = Gate(name, spec, given)
    reports: tuple[Report, ...] = ()
    try:
        reports = _reports(gate)
        told = [one for report in reports for one in _read(report)]
        contracts = tuple(dict.fromkeys(one.contract for one in told))
        told += _own(gate, contracts)
        result = _verdict(gate, told, contracts)
    except EvidenceError as problem:
        result = unjudged(gate, problem)
    evidence = tuple(report.evidence for report in reports)
    return replace(result, evidence=evidence, tool=_TOOL, tool_version=VERSION)


def _reports(gate: Gate) -> tuple[Report, ...]:
    spec, given = gate.spec, gate.given
    folder = Path(tempfile.mkdtemp(prefix="contracts-", dir=given.work))
    log, output = folder / "log.txt", folder / "report.json"
    argv = (sys.executable, "-I", "-m", "cli_multi_rapid", _TOOL, "--json", "--no-project", "-C", given.root)
    command = Command(
        argv=(*argv, *_asked(spec, given)), cwd=given.root, env=given.env, log=str(log), stdout=str(output),
        tag="contracts", timeout_s=duration_s(spec.timeout), cap_bytes=_LOG_BYTES << 6,
    )  # fmt: skip
    ended = given.execute(command)
    if ended.timed_out:
        raise EvidenceError(f"it did not end within {spec.timeout}", fix="give it more `timeout`")
    if ended.code not in (0, 1, 2, 3) or ended.truncated:
        why = ended.error or (f"signal {ended.signal}" if ended.signal else f"exit code {ended.code}")
        raise EvidenceError(f"it could not be asked: {why}{_complaint(log)}", fix=_BY_HAND)
    if not output.is_file() or not output.stat().st_size:
        raise EvidenceError(f"it said nothing{_complaint(log)}", fix=_BY_HAND)
    reports = collect(spec, replace(given, evidence=(str(output),)))
    if ended.code == 2:  # its answer says what is invalid
        list(_read(reports[0]))
        raise EvidenceError(f"it could not be asked: exit code 2{_complaint(log)}", fix=_BY_HAND)
    return reports


def _asked(spec: GateSpec, given: GateInput) -> Iterator[str]:
    """Yield the options: generated code is compared as soon as there is some, or a change takes it away."""
    if spec.lint:
        yield "--lint"
    if spec.examples:
        yield "--examples"
    if MANIFEST in given.files or ((change := given.change()) is not None and MANIFEST in change.touched):
        yield "--drift"
    if spec.compat:
        yield f"--compat={spec.compat}"
        yield f"--mode={spec.mode.value}"
    if spec.roundtrip:
        yield "--roundtrip"
        if names := [one for one in spec.require if one != COMPAT]:
            yield f"--require={','.join(names)}"


def _complaint(log: Path) -> str:
    """Return the last thing that the program complained about."""
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {one_line(lines[-1])}" if lines else ""


def _read(report: Report) -> Iterator[_Told]:
    what = "what it said"
    answer = mapping(read_json(report.data, path=what), what=what)
    if "error" in answer:
        error = mapping(answer["error"], what=what)
        where = f"{error['where']}: " if error.get("where") else ""
        raise EvidenceError(f"{where}{error.get('message')}", fix=str(error.get("fix") or _BY_HAND))
    try:
        results = answered(answer)
    except ValueError as problem:
        raise EvidenceError(f"what it said cannot be used: {problem}", fix=_BY_HAND) from problem
    if not results:
        raise EvidenceError("there is no contract", fix=f"put JSON Schemas into {EVENTS}, as Name@1.0.json")
    for one in results:
        for check in one.checks:
            yield _Told(contract=f"{EVENTS}/{one.name}@{one.version}.json", check=check)


def _own(gate: Gate, contracts: Sequence[str]) -> Iterator[_Told]:
    """Yield what the project's own checks say; those that a change takes away judge it, too."""
    given = gate.given
    change = given.change()
    for path in sorted({path for path in (*given.files, *(change.touched if change else ())) if is_judge(path)}):
        judge = Judge(
            module=CHILD, path=path, source=given.validator(path), root=given.root, env=given.env, work=given.work,
            timeout=gate.spec.timeout, execute=given.execute,
        )  # fmt: skip
        try:
            said = said_of(judge, contracts)
        except NoVerdict as problem:
            raise EvidenceError(str(problem), fix=problem.fix) from problem
        yield from (_Told(contract=contract, check=check) for contract in contracts for check in said[contract])


def _verdict(gate: Gate, told: Sequence[_Told], contracts: Sequence[str]) -> GateResult:
    """Return the result: what could not be judged comes first, unless something is wrong for sure."""
    tally = Tally(gate.spec.fail_on)
    for one in told:
        if one.check.status is CheckStatus.FAIL:
            tally.add(_finding(one))
    idle = [one for one in told if one.check.status is CheckStatus.NOT_RUN]
    needed = [one for one in told if one.check.status is CheckStatus.ERROR] + [
        one for one in idle if one.check.needed or one.check.check in gate.spec.require
    ]
    if needed and not tally.total:
        first = needed[0].check
        where = f"{first.pointer}: " if first.pointer else ""
        raise EvidenceError(f"{needed[0].name} could not be judged: {where}{first.detail}", fix=_BY_HAND)
    counts = Counter(one.check.status.value for one in told)
    words = [f"{counted(len(contracts), 'contract')}: {counts['pass']:,} of {counted(len(told), 'check')} passed"]
    reasons = {one.name: one.check.detail for one in idle}
    if reasons:
        words.append(f"not run: {', '.join(reasons)}{f', {idle[0].check.detail}' if len(reasons) == 1 else ''}")
    return replace(
        judged(gate, tally, summary="; ".join(words)),
        observed=float(tally.total),
        threshold=0.0,
        details={"contracts": len(contracts), "checks": dict(sorted(counts.items())), "not_run": reasons},
    )


def _finding(told: _Told) -> Finding:
    check = told.check
    path, _, pointer = (check.pointer or told.contract).partition("#")
    inside = bool(path) and not path.startswith("/") and ".." not in path.split("/")
    where = f"{pointer}: " if pointer else ""
    return Finding(
        rule=told.name,
        message=one_line(f"{where}{check.detail}" or told.name),
        path=path if inside else told.contract,
    )
