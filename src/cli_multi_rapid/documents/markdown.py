"""One run as Markdown, for summaries of CI jobs, pull requests and terminals.

Every text that was recorded stands in a code span or, in the drawing, as entity codes, so that none of it can become
markup, a link, a mention or HTML. Long lists are cut and counted: a summary on GitHub may hold 1 MiB, a drawing 500
edges.
"""

import re
from collections.abc import Iterable, Sequence

from cli_multi_rapid.documents.graph import Node, graph
from cli_multi_rapid.documents.reports import GateView, PhaseView, RunView, StepView, require_results
from cli_multi_rapid.documents.text import PROGRAM, UNICODE, crop, duration, number, plural, printable
from cli_multi_rapid.documents.words import ending, excuse_words, headline, next_commands, place, sign_of, tally, worst
from cli_multi_rapid.model.gate import Finding, GateResult
from cli_multi_rapid.model.run import Status

FINDINGS_SHOWN = 20
GATES_DETAILED = 20
ROWS_SHOWN = 100
NODES_DRAWN = 100
_EDGES_DRAWN = 400
_REASONS = 8
_WIDTH = 300
_BACKTICKS = re.compile("`+")


def render_markdown(view: RunView, *, nodes: Sequence[Node] = ()) -> str:
    """Return a run as Markdown in GitHub's flavour; `nodes` are its steps with what they need, to be drawn.

    Raises:
        EvidenceMissing: the run has no recorded result.
    """
    require_results(view)
    blocks = [
        f"# {sign_of(view, UNICODE)} {headline(view)}: {code(view.title)}",
        _bullets(map(code, view.reasons), limit=_REASONS),
        _bullets((f"warning: {code(remark)}" for remark in view.remarks), limit=_REASONS),
        _next(view),
        _facts(view),
        *_gates(view),
        *_findings(view),
        *_phases(view),
        *_graph(view, nodes),
        *_not_run(view),
        _footer(view),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def code(text: str, *, cell: bool = False) -> str:
    """Return a text as a code span, in which nothing is markup; in a `cell` of a table its bars divide nothing.

    Where a bar follows a backslash, renderers disagree about whether it is escaped: such a bar is shown as ``\\x7c``.
    """
    shown = crop(printable(text), _WIDTH)
    if not shown.strip():
        return ""
    if cell:
        shown = shown.replace("\\|", "\\\\x7c").replace("|", "\\|")
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(shown)), default=0) + 1)
    blank = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def _next(view: RunView) -> str:
    commands = [] if view.verdict.value in ("pass", "warn", "unjudged") else next_commands(view)
    return "Next: " + " or ".join(map(code, commands)) if commands else ""


def _facts(view: RunView) -> str:
    cells = {
        "Run": code(view.run, cell=True),
        "Started (UTC)": code(view.started[:19].replace("T", " "), cell=True),
        "Took": duration(view.duration_ms),
        "Level": code(view.origin.level, cell=True),
        "Branch": code(view.origin.branch, cell=True),
        "Commit": code(view.origin.head[:12], cell=True),
        "Tree": code(view.origin.tree[:12], cell=True),
    }
    known = {name: value for name, value in cells.items() if value}
    return _table(tuple(known), [tuple(known.values())])


def _gates(view: RunView) -> list[str]:
    gates = _blocking_first((*view.gates, *view.accepting))
    title = f"## Gates: {tally([gate.result.status for gate in gates])}" if gates else "## Gates"
    none = "" if view.gates else "No gate has judged this run, so nothing here counts as accepted."
    head = ("Gate", "Status", "Result", "Observed", "Needed", "Time")
    return [title, none, *(_cut(head, [_gate_row(gate) for gate in gates]) if gates else ())]


def _blocking_first(gates: Iterable[GateView]) -> list[GateView]:
    return sorted(gates, key=lambda gate: not gate.result.blocks)


def _gate_row(gate: GateView) -> tuple[str, ...]:
    result = gate.result
    of = f" of {code(gate.phase, cell=True)}" if gate.phase else ""
    level = " (advisory)" if result.status.value in ("fail", "error") and not result.blocks else ""
    cached = " (from the cache)" if result.cached else ""
    return (
        f"{code(result.id, cell=True)}{of}",
        f"{UNICODE.sign(result.status)} {result.status.value}{level}",
        f"{code(result.summary, cell=True)}{cached}",
        "" if result.observed is None else number(result.observed),
        "" if result.threshold is None else number(result.threshold),
        duration(result.duration_ms),
    )


def _findings(view: RunView) -> list[str]:
    gates = [gate for gate in _blocking_first((*view.gates, *view.accepting)) if gate.result.findings]
    blocks = ["## Findings"] if gates else []
    for gate in gates[:GATES_DETAILED]:
        result = gate.result
        shown = worst(result.findings, FINDINGS_SHOWN)
        of = f" of {code(gate.phase)}" if gate.phase else ""
        blocks.append(f"### {code(result.id)}{of}: {plural(result.findings_total, 'finding')}")
        lines = [f"- {_finding(result, finding)}" for finding in shown]
        if result.findings_total > len(shown):
            lines.append(f"- and {plural(result.findings_total - len(shown), 'further finding')}")
        blocks.append("\n".join(lines))
    if len(gates) > GATES_DETAILED:
        blocks.append(f"Findings of {plural(len(gates) - GATES_DETAILED, 'further gate')} are in the JSON report.")
    return blocks


def _finding(result: GateResult, finding: Finding) -> str:
    excuse = excuse_words(result, finding)
    parts = [
        f"**{finding.severity.value}**",
        code(place(finding)),
        code(finding.message),
        f"({code(finding.rule)})" if finding.rule else "",
        f"fix: {code(finding.fix)}" if finding.fix else "",
        f"({code(excuse)})" if excuse else "",
    ]
    return " ".join(part for part in parts if part)


def _phases(view: RunView) -> list[str]:
    if not view.phases:
        return []
    rows = [_phase_row(phase) for phase in view.phases]
    blocks = ["## Phases", *_cut(("Phase", "Status", "Steps", "Time", "Why"), rows)]
    failed = [f"{code(step.key)} {_step(step)}" for step in view.failed_steps]
    return [*blocks, _bullets((f"step {line}" for line in failed), limit=FINDINGS_SHOWN)]


def _phase_row(phase: PhaseView) -> tuple[str, ...]:
    return (
        code(phase.name, cell=True),
        f"{UNICODE.sign(phase.status)} {phase.status.value}",
        tally([step.status for step in phase.steps]),
        duration(phase.duration_ms) if phase.duration_ms else "",
        code(phase.reason, cell=True),
    )


def _step(step: StepView) -> str:
    verb = "timed out" if step.outcome is Status.TIMEOUT else "failed"
    ran = f", ran {code(step.command)}" if step.command else ""
    return f"{verb}: {code(ending(step))}{ran}"


def _graph(view: RunView, nodes: Sequence[Node]) -> list[str]:
    if not nodes:
        return []
    if len(nodes) > NODES_DRAWN or sum(len(node.needs) for node in nodes) > _EDGES_DRAWN:
        return [f"{plural(len(nodes), 'step')} are too many to be drawn here: {code(f'{PROGRAM} graph {view.run}')}"]
    return ["## Steps", f"```mermaid\n{graph(nodes, format='mermaid')}\n```"]


def _not_run(view: RunView) -> list[str]:
    lines = [f"{one.kind} {code(one.name)} {code(one.reason)}" for one in view.not_run]
    return ["## Not run", "Nothing is claimed about these.", _bullets(lines, limit=FINDINGS_SHOWN)] if lines else []


def _footer(view: RunView) -> str:
    version = f" {code(view.origin.version)}" if view.origin.version else ""
    return f"Made from recorded results by CLI Multi-Rapid{version}; hash over all events {code(view.head)}."


def _cut(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    more = len(rows) - ROWS_SHOWN
    return [_table(head, rows[:ROWS_SHOWN]), f"and {plural(more, 'further row')}" if more > 0 else ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(lines: Iterable[str], *, limit: int) -> str:
    listed = list(lines)
    more = len(listed) - limit
    shown = [f"- {line}" for line in listed[:limit]]
    return "\n".join([*shown, *((f"- and {more:,} more",) if more > 0 else ())])
