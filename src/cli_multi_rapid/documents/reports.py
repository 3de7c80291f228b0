"""One view of a recorded run, and what is rendered from it: status, summary, HTML and JSON show the same facts.

A report comes from recorded events only. What was not recorded is shown as not run, and without any recorded result
there is no report at all.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum, StrEnum
from hashlib import sha256
from math import isfinite

from cli_multi_rapid.documents.approvals import ApprovalView
from cli_multi_rapid.documents.text import printable
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level
from cli_multi_rapid.model.run import Artifact, Status

SCHEMA = "cmr/report@v1"
# JSON may hold these as they are; a terminal that shows the JSON would obey them.
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_TAIL_BYTES = 16 << 10


class Verdict(StrEnum):
    """What a run proves. Only `pass` is green.

    Warn: nothing blocked, but a gate warned or was waived, an advisory gate did not pass, or a failure was allowed.
    Unjudged: the work ended well, but no gate looked at it. Unfinished: the run has not ended.
    """

    PASS = "pass"  # noqa: S105  the verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    UNJUDGED = "unjudged"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt of a step. An attempt whose end was never recorded is interrupted, or running in a live run."""

    number: int
    status: Status
    reason: str = ""
    code: int | None = None
    signal: int | None = None
    duration_ms: int = 0
    wait_ms: int = 0
    log: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step, or one combination of a matrix (`key` is ``phase1/test[0]``). `log` is relative to the run's folder.

    `changed` is how many files it changed, of a step that may write. `remarks` are sentences about what was unusual;
    `undone` tells how taking the step back ended, if that was tried; it is `cached` if it did not have to run.
    `approval` is there if it has waited for a person, `gates` if gates decided about its last attempt.
    """

    key: str
    phase: str
    id: str
    status: Status
    outcome: Status
    reason: str = ""
    fix: str = ""
    command: str = ""
    log: str = ""
    matrix: Mapping[str, object] = field(default_factory=dict)
    code: int | None = None
    signal: int | None = None
    outputs: Mapping[str, object] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    started: str = ""
    duration_ms: int = 0
    leftover: int = 0
    truncated: bool = False
    changed: int = 0
    remarks: tuple[str, ...] = ()
    undone: str = ""
    cached: bool = False
    gates: tuple[GateResult, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    approval: ApprovalView | None = None

    @property
    def softened(self) -> bool:
        """Tell whether the step failed and was allowed to."""
        return self.outcome.bad and not self.status.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """The result of a gate, and the phase that it judged (empty for the whole project, else perhaps a step's key)."""

    phase: str
    result: GateResult

    @property
    def key(self) -> str:
        """Return the name of the gate as events spell it."""
        return f"{self.phase}/gate:{self.result.id}" if self.phase else f"gate:{self.result.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One phase with its steps and gates in the order in which they came."""

    name: str
    title: str
    status: Status
    path: str = ""
    reason: str = ""
    duration_ms: int = 0
    inputs: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[StepView, ...] = ()
    gates: tuple[GateView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """Something that was planned and has no result: a phase, step or gate, and why."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a run was started from, and where."""

    job: str = ""
    targets: tuple[str, ...] = ()
    level: str = ""
    parallel: int = 0
    tree: str = ""
    head: str = ""
    branch: str = ""
    fingerprint: str = ""
    version: str = ""
    root: str = ""
    host: str = ""
    trust: str = ""
    parent: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as its events tell it. Times are UTC in ISO 8601; `started` and `updated` are the first and last event.

    `reasons` says in words why the run did not pass, the most important first; `remarks` what else was not well and
    did not block. `head` is the hash of the last event, which covers all events before it. `gates` also holds those
    that judged no phase but the project.
    """

    run: str
    status: Status
    verdict: Verdict
    reason: str = ""
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    exit_code: int | None = None
    started: str = ""
    updated: str = ""
    duration_ms: int = 0
    interruptions: tuple[str, ...] = ()
    taken: int = 0
    cancelled_by: str = ""
    phases: tuple[PhaseView, ...] = ()
    gates: tuple[GateView, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    origin: Origin = field(default_factory=Origin)
    events: int = 0
    head: str = ""

    @property
    def title(self) -> str:
        """Return what was run: the job, else the phases that were asked for."""
        named = self.origin.job or ", ".join(self.origin.targets)
        return named or ", ".join(phase.name for phase in self.phases) or "compliance"

    @property
    def steps(self) -> tuple[StepView, ...]:
        """Return the steps of all phases."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def accepting(self) -> tuple[GateView, ...]:
        """Return the results of gates that steps had to pass, each with the key of its step in place of a phase."""
        return tuple(GateView(phase=step.key, result=result) for step in self.steps for result in step.gates)

    @property
    def failed_steps(self) -> tuple[StepView, ...]:
        """Return the steps that stopped their phase."""
        return tuple(step for step in self.steps if step.status.bad)

    @property
    def waiting_steps(self) -> tuple[StepView, ...]:
        """Return the steps that wait for a person, or for the run to be taken up since one has decided."""
        return tuple(step for step in self.steps if step.status is Status.WAITING)

    @property
    def blocking_gates(self) -> tuple[GateView, ...]:
        """Return the gates that stopped the work, failed ones before those that could not be evaluated."""
        found = (gate for gate in self.gates if gate.result.blocks)
        return tuple(sorted(found, key=lambda gate: gate.result.status is GateStatus.ERROR))

    @property
    def warnings(self) -> int:
        """Return how many gates and steps did not simply pass and yet do not block."""
        return sum(_is_warning(gate.result) for gate in self.gates) + sum(step.softened for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The end of a step's log, masked but otherwise as it was written, and the path of the whole of it."""

    path: str
    tail: str

    def lines(self, count: int) -> tuple[str, ...]:
        """Return the last lines, made harmless."""
        text = printable(self.tail, lines=True).rstrip()
        return tuple(text.split("\n")[-count:]) if text else ()


def verdict_of(status: Status, gates: Sequence[GateResult], *, softened: bool = False) -> Verdict:
    """Return what a run proves, from how it ended and what its gates recorded. A blocking gate outranks any status."""
    if any(gate.blocks and gate.status is GateStatus.FAIL for gate in gates):
        return Verdict.FAIL
    if status in (Status.FAILURE, Status.TIMEOUT, Status.CANCELLED):
        return Verdict.FAIL
    if status is Status.ERROR or any(gate.blocks for gate in gates):
        return Verdict.ERROR
    if not status.ended:
        return Verdict.UNFINISHED
    if all(gate.status is GateStatus.SKIPPED for gate in gates):
        return Verdict.UNJUDGED
    return Verdict.WARN if softened or any(map(_is_warning, gates)) else Verdict.PASS


def require_results(view: RunView) -> None:
    """Refuse to report on a run that has neither a step nor a gate with a result.

    Raises:
        EvidenceMissing: there is nothing that a report could rest on.
    """
    if not view.gates and not any(step.status.ended for step in view.steps):
        raise EvidenceMissing(f"run {view.run} has no recorded result to report on", where=f"run {view.run}")


def verify_evidence(view: RunView, read: Callable[[str], bytes | None]) -> list[str]:
    """Return what is wrong with the evidence that the gates recorded: files that are gone or have changed.

    `read` gets a path as the gate recorded it and returns the content, or None where there is no such file.
    """
    problems = []
    for gate in (*view.gates, *view.accepting):
        for evidence in gate.result.evidence:
            content = read(evidence.path)
            found = None if content is None else sha256(content).hexdigest()
            if found is None:
                problems.append(f"{gate.key}: {evidence.path} is gone")
            elif found != evidence.sha256:
                problems.append(
                    f"{gate.key}: {evidence.path} has changed since it was judged "
                    f"(sha256 {evidence.sha256[:12]} then, {found[:12]} now)"
                )
    return problems


def log_tails(
    view: RunView, read: Callable[[str], bytes | None], *, folder: str = "", everything: bool = False
) -> dict[str, Log]:
    """Return the ends of the logs of the steps that failed, or of all with `everything`, by the key of the step.

    `read` gets a log's path, relative to the run's folder, and returns its content or its end; 16 KiB are kept.
    """
    found = {}
    for step in view.steps:
        if not step.log or not (everything or step.outcome.bad):
            continue
        content = read(step.log)
        if content is not None:
            path = f"{folder}/{step.log}" if folder else step.log
            found[step.key] = Log(path=path, tail=content[-_TAIL_BYTES:].decode(errors="replace"))
    return found


def render_json(view: RunView) -> str:
    """Return the canonical report: JSON with sorted keys, two blanks of indent and a newline at the end.

    Raises:
        EvidenceMissing: the run has no recorded result.
    """
    require_results(view)
    return json_text(report(view), sort_keys=True) + "\n"


def report(view: RunView) -> dict[str, object]:
    """Return a run as plain data: what `--json` shows of it and what `render_json` writes."""
    run = _plain_fields(view, without=("phases", "gates", "verdict", "reasons", "remarks", "not_run", "origin"))
    phases = [_plain_fields(phase, without=("gates",)) for phase in view.phases]
    gates = [{"phase": gate.phase, "blocks": gate.result.blocks} | _plain_fields(gate.result) for gate in view.gates]
    return {
        "schema": SCHEMA,
        "run": run | {"title": view.title, "job": view.origin.job, "parent": view.origin.parent},
        "verdict": {
            "status": view.verdict.value,
            "reasons": list(view.reasons),
            "remarks": list(view.remarks),
            "exit_code": view.exit_code,
        },
        "phases": phases,
        "gates": gates,
        "not_run": plain(view.not_run),
        "environment": plain(view.origin),
    }


def compliance(view: RunView) -> dict[str, object]:
    """Return what the gates of a run decided, as `validate-compliance --json` prints it. Nothing judged is an error."""
    results = tuple(gate.result for gate in view.gates)
    trees = dict.fromkeys(result.tree for result in results)
    statuses = {Verdict.PASS: "pass", Verdict.WARN: "pass", Verdict.FAIL: "fail"}
    return {
        "status": statuses.get(view.verdict, "error"),
        "level": view.origin.level,
        "tree": view.origin.tree or next(iter(trees), ""),
        "run": view.run,
        "gates": [_plain_fields(result) for result in results],
    }


def json_text(data: object, *, sort_keys: bool = False, indent: int | None = 2) -> str:
    r"""Return data as JSON that is safe to show on a terminal, on one line if `indent` is None.

    Dataclasses become objects.

    Bytes that were no UTF-8 (in a file name) read back as visible text such as ``\udcff``, since no other character
    stands for them and strict readers refuse halves of one.
    """
    text = json.dumps(plain(data), ensure_ascii=False, indent=indent, sort_keys=sort_keys, allow_nan=False)
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"{'' if code < 0xD800 or code > 0xDFFF else chr(92)}\\u{code:04x}"


def plain(value: object) -> object:
    """Return a value as JSON knows it: dataclasses as objects, enums as their values, numbers JSON lacks as text."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _plain_fields(value) if is_dataclass(value) else str(value)


def listed(steps: Sequence[StepView], limit: int) -> tuple[tuple[StepView, ...], int]:
    """Return the steps to list, in order, and how many are left out: never one that failed."""
    room = limit - sum(step.outcome.bad for step in steps)
    shown = []
    for step in steps:
        if not step.outcome.bad:
            room -= 1
            if room < 0:
                continue
        shown.append(step)
    return tuple(shown), len(steps) - len(shown)


def _plain_fields(value: object, without: tuple[str, ...] = ()) -> dict[str, object]:
    assert is_dataclass(value)
    return {one.name: plain(getattr(value, one.name)) for one in fields(value) if one.name not in without}


def _is_warning(result: GateResult) -> bool:
    softened = result.level is Level.ADVISORY and result.status in (GateStatus.FAIL, GateStatus.ERROR)
    return softened or result.status in (GateStatus.WARN, GateStatus.WAIVED)
