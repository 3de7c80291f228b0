"""What `status` prints: the recent runs as a table, or one run with its phases, steps and gates."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cli_multi_rapid.cli.summary import next_lines, outcome_line, wait_lines
from cli_multi_rapid.documents.approvals import wait_words
from cli_multi_rapid.documents.reports import GateView, PhaseView, RunView, StepView, compliance, listed
from cli_multi_rapid.documents.text import PROGRAM, UNICODE, Symbols, cells, crop, duration, pad, plural, printable
from cli_multi_rapid.documents.words import ending, headline, next_commands, sign_of, tone_of
from cli_multi_rapid.model.gate import GateStatus, WaiverUse
from cli_multi_rapid.model.run import Status

if TYPE_CHECKING:
    from cli_multi_rapid.services.standing import Standing

_STEPS = 60
_REASON = 60
_COMMAND = 80


def status_lines(views: Sequence[RunView], *, now: datetime, symbols: Symbols = UNICODE) -> str:
    """Return the runs, newest first, as a table, and what to do about the newest if it did not end well."""
    if not views:
        return f"nothing has run here yet:  {PROGRAM} run-phase phase0"
    reruns = {view.origin.parent: view.run for view in reversed(views) if view.origin.parent}
    rows = [_row(view, now, symbols, reruns.get(view.run, "")) for view in views]
    head = ("", "run", "what", "status", "took", "age")
    widths = [max(cells(row[column]) for row in (*rows, head)) for column in range(len(head))]
    lines = [symbols.paint(_joined((*head, "why"), widths), "quiet")]
    for view, row in zip(views, rows, strict=True):
        mark = symbols.paint(row[0], tone_of(view)) + " " * (widths[0] - cells(row[0]))
        lines.append(f"{mark}  {_joined(row[1:], widths[1:])}".rstrip())
    newest = views[0]
    busy = (Status.INTERRUPTED, Status.STUCK, Status.RUNNING, Status.WAITING)
    if newest.status in busy or newest.status.bad:
        lines += ["", f"{headline(newest).lower()}:  {next_commands(newest)[0]}"]
    return "\n".join(lines)


def status_run(view: RunView, *, symbols: Symbols = UNICODE) -> str:
    """Return one run: how it stands, its phases with their steps and gates, what was not run, and what to do next."""
    origin = view.origin
    facts = [f"run {view.run}", f"started {view.started[:19].replace('T', ' ')} UTC"]
    facts += [f"level {origin.level}"] if origin.level else []
    facts += [f"branch {printable(origin.branch)}"] if origin.branch else []
    facts += [f"rerun of {printable(origin.parent)}"] if origin.parent else []
    lines = [outcome_line(view, symbols), "  " + f" {symbols.dot} ".join(facts)]
    for phase in view.phases:
        lines += ["", *_phase_lines(phase, symbols)]
    for step in view.waiting_steps:
        lines += ["", *wait_lines(step)]
    project = [gate for gate in view.gates if not gate.phase]
    if project:
        lines += ["", "project", *(_gate_line(gate, symbols) for gate in project)]
    missing = [one for one in view.not_run if one.kind != "phase"]
    unreached = [one for one in missing if one.reason == "was not reached"]
    if unreached:
        names = ", ".join(printable(one.name) for one in unreached[:10])
        lines += ["", f"  not reached: {names}{f' and {len(unreached) - 10} more' if len(unreached) > 10 else ''}"]
    return "\n".join([*lines, "", *next_lines(view, symbols)])


def compliance_lines(standing: "Standing | None", *, now: datetime, symbols: Symbols = UNICODE) -> str:
    """Return what gates decided last, how old that is, whether it still holds, and which waivers end soon."""
    judge = f"{PROGRAM} validate-compliance"
    if standing is None:
        return f"compliance: no gate has judged anything yet:  {judge}"
    view = standing.view
    head = symbols.paint(f"{sign_of(view, symbols)} {headline(view)}", tone_of(view))
    level = f" at level {view.origin.level}" if view.origin.level else ""
    lines = [f"compliance: {head}{level}, {_age(standing.judged, now)} ago, run {view.run}"]
    if standing.changed_only:
        lines.append("  only what differed from the base revision was looked at")
    if standing.present is None:
        lines.append(f"  whether the project has changed since is not known: {printable(standing.unknown)}")
    elif standing.present:
        lines.append("  the project has not changed since")
    else:
        lines.append(f"  the project has changed since:  {judge}")
    lines += [_gate_line(gate, symbols) for gate in view.gates]
    return "\n".join([*lines, *(f"  {_ending(use, now, symbols)}" for use in standing.ending)])


def compliance_data(standing: "Standing | None", *, now: datetime) -> dict[str, object] | None:
    """Return the same as plain data; None where no gate has judged anything yet."""
    if standing is None:
        return None
    decided = compliance(standing.view)
    gates = [{"id": gate.result.id, "phase": gate.phase, "status": gate.result.status} for gate in standing.view.gates]
    return {
        "run": standing.view.run,
        "status": decided["status"],
        "verdict": standing.view.verdict,
        "level": decided["level"],
        "judged": standing.judged.isoformat(),
        "age_s": int((now - standing.judged).total_seconds()),
        "trees": sorted({gate.result.tree for gate in standing.view.gates}),
        "present": standing.present,
        "unknown": standing.unknown,
        "changed_only": standing.changed_only,
        "gates": gates,
        "waivers_ending": standing.ending,
    }


def _age(then: datetime, now: datetime) -> str:
    return duration((now - then).total_seconds() * 1000)


def _ending(use: WaiverUse, now: datetime, symbols: Symbols) -> str:
    ends = datetime.fromisoformat(use.expires)
    when = f"ends in {_age(now, ends)}" if ends > now else f"has ended on {use.expires}"
    text = f"waiver of {use.rule} in {use.path} {when}, approved by {use.approved_by}: {use.reason}"
    return f"{symbols.paint(symbols.warn, 'warn')} {printable(text)}"


def _row(view: RunView, now: datetime, symbols: Symbols, rerun: str) -> tuple[str, ...]:
    why = [view.reason] if view.reason else []
    why += [plural(view.warnings, "warning")] if view.warnings and view.reason not in view.remarks else []
    shown = crop(printable("; ".join(why)), _REASON, ellipsis=symbols.ellipsis)
    if rerun:
        shown = f"{shown} {symbols.arrow} rerun as {rerun}".strip()
    started = datetime.fromisoformat(view.started)
    age_ms = (now - started).total_seconds() * 1000
    took = age_ms if view.status is Status.RUNNING else view.duration_ms
    what = crop(printable(view.title), 32, ellipsis=symbols.ellipsis)
    return (sign_of(view, symbols), view.run, what, headline(view).lower(), duration(took), duration(age_ms), shown)


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join([pad(cell, width) for cell, width in zip(row, widths, strict=False)] + list(row[len(widths) :]))


def _phase_lines(phase: PhaseView, symbols: Symbols) -> list[str]:
    title = f"  {printable(phase.title)}" if phase.title else ""
    took = f" {duration(phase.duration_ms)}" if phase.duration_ms else ""
    why = f": {printable(phase.reason)}" if phase.reason else ""
    lines = [f"{symbols.mark(phase.status)} {printable(phase.name)}{title}  {phase.status.value}{took}{why}"]
    steps, left_out = listed(phase.steps, _STEPS)
    width = max((cells(printable(step.id)) for step in steps), default=0)
    lines += [_step_line(step, min(width, 28), symbols) for step in steps]
    if left_out:
        lines.append(f"    {symbols.ellipsis} {plural(left_out, 'further step')} that did not fail")
    return lines + [_gate_line(gate, symbols) for gate in phase.gates]


def _step_line(step: StepView, width: int, symbols: Symbols) -> str:
    status = step.outcome if step.softened else step.status
    took = duration(step.duration_ms) if step.status.ended and step.attempts else ""
    said = printable(step.command.strip())
    if step.outcome.bad or step.status is Status.SKIPPED:
        said = printable(ending(step)) + ("; the spec allows it" if step.softened else "")
    if step.cached:
        said = printable(step.reason)
    elif step.approval is not None:
        said = printable(step.reason or wait_words(step.approval))
    shown = crop(said, _COMMAND, ellipsis=symbols.ellipsis)
    return (
        f"  {_mark(status, symbols)} {pad(printable(step.id), width)}  {status.value:<11} {took:>6}  {shown}".rstrip()
    )


def _gate_line(gate: GateView, symbols: Symbols) -> str:
    result = gate.result
    shown = crop(printable(result.summary), _COMMAND, ellipsis=symbols.ellipsis)
    report = result.status in (GateStatus.FAIL, GateStatus.ERROR) and not result.blocks
    level = " (advisory)" if report else ""
    return (
        f"  {_mark(result.status, symbols)} gate {printable(result.id)}  {result.status.value}{level}  {shown}".rstrip()
    )


def _mark(status: Status | GateStatus, symbols: Symbols) -> str:
    return symbols.mark(status) + " " * (symbols.width - cells(symbols.sign(status)))
