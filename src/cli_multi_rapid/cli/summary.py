"""How a run ended, for people: why it stopped comes first, the exact next command last."""

from collections.abc import Iterable, Mapping

from cli_multi_rapid.documents.approvals import fact_words
from cli_multi_rapid.documents.reports import GateView, Log, RunView, StepView
from cli_multi_rapid.documents.text import UNICODE, Symbols, crop, duration, plural, printable
from cli_multi_rapid.documents.words import (
    ending,
    gate_words,
    headline,
    measured,
    next_commands,
    place,
    sign_of,
    tally,
    tone_of,
    worst,
)
from cli_multi_rapid.model.gate import GateResult
from cli_multi_rapid.model.run import Status

LOG_LINES = 15
_DETAILED = 3
_FINDINGS = 5
_REMARKS = 5
_WIDTH = 160


def summary(view: RunView, *, symbols: Symbols = UNICODE, logs: Mapping[str, Log] | None = None) -> str:
    """Return how a run stands or ended: status and reason, what stopped it, counts, and what to do next.

    `logs` are the ends of the logs of failed steps by the key of the step; see `reports.log_tails`.
    """
    lines = [outcome_line(view, symbols)]
    steps = [step for step in view.failed_steps if step.outcome is not Status.CANCELLED]
    for step in steps[:_DETAILED]:
        lines += _step_lines(step, (logs or {}).get(step.key), symbols)
    lines += _rest(len(steps), "step")
    for step in view.waiting_steps[:_DETAILED]:
        lines += wait_lines(step)
    for gate in view.blocking_gates[:_DETAILED]:
        lines += _gate_lines(gate)
    lines += _rest(len(view.blocking_gates), "gate")
    lines += _counts(view, symbols)
    lines += [_field("warning" if number == 0 else "", text) for number, text in enumerate(view.remarks[:_REMARKS])]
    if len(view.remarks) > _REMARKS:
        lines.append(_field("", f"and {plural(len(view.remarks) - _REMARKS, 'further warning')}"))
    return "\n".join(lines + next_lines(view, symbols))


def outcome_line(view: RunView, symbols: Symbols = UNICODE) -> str:
    """Return status, name, reason, duration and warnings of a run on one line."""
    tone = tone_of(view)
    head = symbols.paint(f"{sign_of(view, symbols)} {headline(view)}", tone)
    parts = [printable(view.title)]
    if view.reason:
        parts.append(crop(printable(view.reason), _WIDTH, ellipsis=symbols.ellipsis))
    parts.append(duration(view.duration_ms))
    if view.warnings:
        parts.append(plural(view.warnings, "warning"))
    return f"{head}  {f' {symbols.dot} '.join(parts)}"


def next_lines(view: RunView, symbols: Symbols = UNICODE) -> list[str]:
    """Return the commands that a person most likely wants next."""
    commands = [symbols.paint(printable(command), "strong") for command in next_commands(view)]
    return [_field("next" if number == 0 else "", command) for number, command in enumerate(commands)]


def _step_lines(step: StepView, log: Log | None, symbols: Symbols) -> list[str]:
    lines = [_field("step", printable(step.key))]
    if step.command:
        command = printable(step.command, lines=True).strip().replace("\n", "\n           ")
        lines.append(_field("ran", f"$ {command}"))
    tries = f", attempt {len(step.attempts)}" if len(step.attempts) > 1 else ""
    code = f" (exit code {step.code})" if step.code is not None and str(step.code) not in ending(step) else ""
    lines.append(_field("ended", f"{printable(ending(step))}{code}{tries}, after {duration(step.duration_ms)}"))
    if log is not None:
        lines.append(_field("log", printable(log.path) + (" (cut at its size limit)" if step.truncated else "")))
        bar = symbols.paint(symbols.bar, "quiet")
        shown = (crop(line, _WIDTH, ellipsis=symbols.ellipsis) for line in log.lines(LOG_LINES))
        lines += [_field("", f"{bar} {line}") for line in shown]
    return lines + _fix(step.fix)


def wait_lines(step: StepView) -> list[str]:
    """Return what a step that waits for a person is about, and how to look at it."""
    approval = step.approval
    if approval is None:
        return []
    lines = [_field("about", f"{printable(step.key)}: {printable(fact_words(approval))}")]
    return [*lines, _field("look", f"git diff HEAD {printable(approval.ref)}")] if approval.ref else lines


def _gate_lines(gate: GateView) -> list[str]:
    result = gate.result
    where = f"{printable(gate.phase)}: " if gate.phase else ""
    lines = [_field("gate", where + printable(gate_words(gate).removeprefix("gate ")))]
    if result.summary and (numbers := measured(result)):
        lines.append(_field("", numbers))
    shown = worst(result.findings, _FINDINGS)
    lines += [_field("", printable(_finding(one_place, severity, text))) for one_place, severity, text in _rows(result)]
    if result.findings_total > len(shown):
        lines.append(_field("", f"and {plural(result.findings_total - len(shown), 'further finding')}"))
    fixes = dict.fromkeys(one.fix for one in shown if one.fix)
    return lines + _fix(result.fix or "; ".join(fixes))


def _rows(result: GateResult) -> Iterable[tuple[str, str, str]]:
    for one in worst(result.findings, _FINDINGS):
        yield place(one), one.severity.value, f"{one.message} ({one.rule})" if one.rule else one.message


def _finding(where: str, severity: str, text: str) -> str:
    return f"{where}  {severity}  {text}" if where else f"{severity}  {text}"


def _counts(view: RunView, symbols: Symbols) -> list[str]:
    parts = []
    if len(view.phases) > 1:
        parts.append(f"{plural(len(view.phases), 'phase')}: {tally([phase.status for phase in view.phases])}")
    if view.steps:
        parts.append(f"{plural(len(view.steps), 'step')}: {tally([step.status for step in view.steps])}")
    if view.gates:
        parts.append(f"{plural(len(view.gates), 'gate')}: {tally([gate.result.status for gate in view.gates])}")
    lines = [_field("in all", f" {symbols.dot} ".join(parts))] if parts else []
    if view.not_run:
        names = ", ".join(printable(one.name) for one in view.not_run[:_DETAILED])
        more = len(view.not_run) - _DETAILED
        lines.append(_field("not run", f"{names} and {more} more" if more > 0 else names))
    return lines


def _rest(count: int, noun: str) -> list[str]:
    more = count - _DETAILED
    return [_field("", f"and {plural(more, f'further {noun}')}, see the report")] if more > 0 else []


def _fix(text: str) -> list[str]:
    return [_field("fix", printable(text))] if text else []


def _field(name: str, text: str) -> str:
    return f"  {name:<8} {text}"
