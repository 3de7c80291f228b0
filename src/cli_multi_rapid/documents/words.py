"""Why a run did not simply pass, and what of it was not run, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from signal import Signals
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.approvals import wait_words
from cli_multi_rapid.documents.payload import Reader
from cli_multi_rapid.documents.reports import GateView, NotRun, RunView, StepView, Verdict
from cli_multi_rapid.documents.text import PROGRAM, Symbols, number, plural, tone
from cli_multi_rapid.model.gate import Excuse, Finding, GateResult, GateStatus, WaiverUse
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.model.words import few

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.step_restored_v1_0 import StepRestored

_HEADLINES: dict[Verdict | Status, str] = {
    Verdict.PASS: "Passed",
    Verdict.WARN: "Passed with warnings",
    Verdict.FAIL: "Failed",
    Verdict.ERROR: "Could not be judged",
    Verdict.UNJUDGED: "Done, but not judged",
    Status.TIMEOUT: "Timed out",
    Status.CANCELLED: "Cancelled",
    Status.RUNNING: "Still running",
    Status.INTERRUPTED: "Interrupted",
    Status.STUCK: "Stuck",
    Status.WAITING: "Waiting",
    Status.PENDING: "Not started",
}
_TONES = {
    Verdict.PASS: "good",
    Verdict.WARN: "warn",
    Verdict.FAIL: "bad",
    Verdict.ERROR: "bad",
    Verdict.UNJUDGED: "warn",
    Verdict.UNFINISHED: "busy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the spec of a phase plans: ids of its steps and names of its gates."""

    steps: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()


def headline(view: RunView) -> str:
    """Return the verdict of a run in two or three words."""
    if view.verdict is Verdict.UNFINISHED or view.status in (Status.TIMEOUT, Status.CANCELLED):
        return _HEADLINES[view.status]
    return _HEADLINES[view.verdict]


def tone_of(view: RunView) -> str:
    """Return what a run means to people: good, warn, bad or busy. Only a run that passed is good."""
    if view.verdict is Verdict.UNFINISHED:
        return tone(view.status)
    return _TONES[view.verdict]


def sign_of(view: RunView, symbols: Symbols) -> str:
    """Return the sign of a run's verdict, without colour."""
    if view.status in (Status.INTERRUPTED, Status.CANCELLED):
        return symbols.stopped
    if view.status is Status.WAITING:
        return symbols.waiting
    signs = {"good": symbols.good, "warn": symbols.warn, "bad": symbols.bad, "busy": symbols.busy}
    return signs.get(tone_of(view), symbols.waiting)


def tally(statuses: Sequence[Status | GateStatus]) -> str:
    """Return how often each status occurs: ``11 success, 1 failure``."""
    return ", ".join(f"{statuses.count(one):,} {one.value}" for one in dict.fromkeys(statuses))


def place(finding: Finding) -> str:
    """Return ``path:line:column`` of a finding, as far as it is known."""
    if not finding.path:
        return ""
    return ":".join([finding.path, *(str(part) for part in (finding.line, finding.column) if part)])


def worst(findings: Sequence[Finding], limit: int) -> list[Finding]:
    """Return the worst findings, the worst first; what is excused comes after all that counts."""
    return sorted(findings, key=lambda one: (one.excused is not None, one.severity.rank, one.path, one.line))[:limit]


def waiver_of(result: GateResult, finding: Finding) -> WaiverUse | None:
    """Return the waiver that names a finding of a result, in force or expired."""
    name = (finding.rule, finding.path, finding.fingerprint)
    return next((use for use in result.waivers if (use.rule, use.path, use.fingerprint) == name), None)


def excuse_words(result: GateResult, finding: Finding) -> str:
    """Return why a finding does not count, or that its waiver has expired; nothing where there is neither."""
    use = waiver_of(result, finding)
    if finding.excused is Excuse.BASELINE:
        return "known from the baseline"
    if finding.excused is Excuse.WAIVER:
        return f"waived until {use.expires} by {use.approved_by}: {use.reason}" if use else "waived"
    return f"its waiver has expired on {use.expires}" if use and use.expired else ""


def ending(step: StepView) -> str:
    """Return in words how a step ended: its recorded reason, else its exit code or signal."""
    if step.reason:
        return step.reason
    if step.code is not None:
        return f"exit code {step.code}"
    return f"killed by {signal_name(step.signal)}" if step.signal is not None else step.outcome.value


def signal_name(number_: int) -> str:
    """Return the name of a signal of this system, such as SIGKILL."""
    try:
        return Signals(number_).name
    except ValueError:
        return f"signal {number_}"


def measured(result: GateResult) -> str:
    """Return what a gate observed and needed, or nothing where it measures nothing."""
    if result.observed is None:
        return ""
    seen = f"observed {number(result.observed)}"
    return seen if result.threshold is None else f"{seen}, needed {number(result.threshold)}"


def gate_words(gate: GateView) -> str:
    """Return in one sentence what a gate decided and on what grounds."""
    result = gate.result
    verb = {GateStatus.FAIL: "failed", GateStatus.ERROR: "could not be evaluated", GateStatus.WARN: "warned"}
    quiet = (GateStatus.WARN, GateStatus.WAIVED)
    said = verb.get(result.status, result.status.value)
    why = result.summary or measured(result) or plural(result.findings_total, "finding")
    softened = "" if result.blocks or result.status in quiet else "; advisory, so it does not block"
    return f"gate {result.id} {said}: {why}{softened}"


def reasons(run: RunView) -> tuple[str, ...]:
    """Return why a run did not pass, in words, the most important first."""
    words = [f"step {step.key} {_verb(step)}" for step in run.failed_steps]
    words += [gate_words(gate) for gate in run.blocking_gates]
    if run.status is Status.CANCELLED or (run.cancelled_by and not run.status.ended):
        words.insert(0, f"cancelled by {run.cancelled_by}" if run.cancelled_by else "cancelled")
    elif run.status in (Status.INTERRUPTED, Status.STUCK):
        words.insert(0, _interruption(run))
    words += [f"step {step.key} {wait_words(step.approval)}" for step in run.waiting_steps if step.approval]
    if run.verdict is Verdict.UNJUDGED:
        words.append("no gate has judged this run")
    return tuple(words)


def restored_words(record: "StepRestored", read: Reader) -> str:
    """Return in one sentence what was done about the changes of an interrupted attempt, or nothing."""
    if record.get("choice") == "keep":
        return "it was interrupted, and what it had changed was left as it was, because somebody said so"
    paths, kept = read.texts(record.get("paths")), read.texts(record.get("kept"))
    if not paths:
        return ""
    return (
        f"it was interrupted; put back to its start: {few(paths)}. "
        f"What was there is kept:  git restore --source={' or '.join(kept)} -- FILE"
    )


def remarks(run: RunView) -> tuple[str, ...]:
    """Return what was not well and yet did not block, in words: failures that are allowed, gates that only report."""
    quiet = {GateStatus.PASS, GateStatus.SKIPPED}
    words = [f"step {step.key} {_verb(step)}; the spec allows it" for step in run.steps if step.softened]
    words += [f"step {step.key}: {remark}" for step in run.steps for remark in step.remarks]
    words += [gate_words(gate) for gate in run.gates if not gate.result.blocks and gate.result.status not in quiet]
    return tuple(words)


def _verb(step: StepView) -> str:
    verb = {Status.TIMEOUT: "timed out", Status.CANCELLED: "was cancelled", Status.ERROR: "could not run"}
    said, why = verb.get(step.outcome, "failed"), ending(step)
    return said if why in (step.outcome.value, said) else f"{said}: {why}"


def _interruption(run: RunView) -> str:
    if run.status is Status.STUCK:
        return f"it was taken up {run.taken} times and died again without finishing a step"
    if run.interruptions and run.interruptions[-1]:
        return f"interrupted by {run.interruptions[-1]}"
    return "the program that ran it is gone"


def not_run(run: RunView, planned: Mapping[str, Planned]) -> tuple[NotRun, ...]:
    """Return what was planned and has no result: phases, steps and gates that were skipped or never reached."""
    found = []
    for phase in run.phases:
        if not phase.steps and phase.status in (Status.PENDING, Status.SKIPPED, Status.CANCELLED):
            found.append(NotRun(kind="phase", name=phase.name, reason=phase.reason or "was not reached"))
        skipped = (step for step in phase.steps if step.status in (Status.SKIPPED, Status.PENDING))
        found += [NotRun(kind="step", name=step.key, reason=step.reason or "was not reached") for step in skipped]
        plan = planned.get(phase.name, Planned())
        known = {step.id.partition("[")[0] for step in phase.steps}
        found += [_unreached("step", f"{phase.name}/{one}") for one in plan.steps if one not in known]
        judged = {gate.result.id for gate in phase.gates}
        found += [_unreached("gate", f"{phase.name}/gate:{one}") for one in plan.gates if one not in judged]
    for gate in run.gates:
        if gate.result.status is GateStatus.SKIPPED:
            found.append(NotRun(kind="gate", name=gate.key, reason=gate.result.summary or "was skipped"))
    return tuple(found)


def _unreached(kind: str, name: str) -> NotRun:
    return NotRun(kind=kind, name=name, reason="was not reached")


def next_commands(run: RunView) -> tuple[str, ...]:
    """Return the exact commands that a person most likely wants next, the best first."""
    if run.status is Status.RUNNING:
        return (f"{PROGRAM} logs {run.run} -f", f"{PROGRAM} cancel {run.run}")
    if run.status is Status.WAITING and not run.cancelled_by:
        open_ = [step.key for step in run.waiting_steps if step.approval and not step.approval.decision]
        return (*(f"{PROGRAM} approve {run.run} {key}" for key in open_), f"{PROGRAM} resume {run.run}")
    if run.status in (Status.INTERRUPTED, Status.WAITING):
        return (f"{PROGRAM} resume {run.run}",)
    if not run.status.bad and not run.blocking_gates and run.status.ended:
        return (f"{PROGRAM} generate-report {run.run}",)
    offers = [f"{PROGRAM} run-phase {name} --input fix=true" for name in _fixable(run)]
    return (f"{PROGRAM} rerun {run.run}", *offers)


def _fixable(run: RunView) -> list[str]:
    """Return the phases that stopped and have a switch `fix` that was off."""
    stopped = {step.phase for step in run.failed_steps} | {gate.phase for gate in run.blocking_gates}
    return [phase.name for phase in run.phases if phase.name in stopped and phase.inputs.get("fix") is False]
