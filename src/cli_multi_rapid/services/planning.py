"""What would run, and how it hangs together. Runs nothing of the project."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from cli_multi_rapid.documents.approvals import approval_words
from cli_multi_rapid.documents.graph import Node
from cli_multi_rapid.documents.reports import RunView
from cli_multi_rapid.engine.commands import SHELLS, shown
from cli_multi_rapid.engine.graph import Graph, build, ordered
from cli_multi_rapid.errors import RunUnknown
from cli_multi_rapid.model.phase import Network, PhaseSpec, Step, Workspace
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.services.snapshot import Wish, check_approvers, check_phase, chosen_inputs, recorded_specs
from cli_multi_rapid.services.surroundings import surroundings
from cli_multi_rapid.services.wiring import Project, read_specs

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted

Present = Callable[[tuple[str, ...]], Mapping[str, str]]


def planned(project: Project, wish: Wish) -> dict[str, object]:
    """Return what a wish would run, as plain data.

    Raises:
        PhaseUnknown, InputInvalid, SpecInvalid: as the run itself would.
    """
    specs = read_specs(project)
    for target in wish.targets:
        check_phase(target, specs)
    check_approvers(specs, wish.approvers)
    phases = ordered(wish.targets, specs.phases)
    inputs = chosen_inputs(phases, wish)
    around = surroundings(project)
    graph = build(phases)
    return {
        "targets": list(wish.targets),
        "level": wish.level.value,
        "environment": {
            "kind": around.kind, "python": around.python, "path": around.environ["PATH"], "notes": list(around.notes),
        },
        "phases": [
            {
                "name": phase.name,
                "title": phase.title,
                "facts": _facts(phase),
                "inputs": inputs[phase.name],
                "descriptions": {name: spec.description for name, spec in phase.inputs.items() if spec.description},
                "steps": _steps(phase, graph, around.present, final=False),
                "gates": [gate if isinstance(gate, str) else gate.use for gate in phase.gates],
                "finally": _steps(phase, graph, around.present, final=True),
            }
            for phase in phases
        ],
    }  # fmt: skip


def planned_lines(plan: Mapping[str, object]) -> list[str]:
    """Return a plan as people read it."""
    environment = cast("dict[str, object]", plan["environment"])
    lines = [
        f"level {plan['level']} · environment {environment['kind']} · python {environment['python'] or 'none found'}"
    ]
    lines += [f"note: {note}" for note in cast("list[str]", environment["notes"])]
    for phase in cast("list[dict[str, object]]", plan["phases"]):
        title = f"  {phase['title']}" if phase["title"] else ""
        lines += ["", f"{phase['name']}{title}"]
        lines += [f"  {name:<8}{text}" for name, text in cast("dict[str, str]", phase["facts"]).items()]
        inputs = cast("dict[str, object]", phase["inputs"])
        if inputs:
            lines.append("  inputs  " + " ".join(f"{name}={_plain(value)}" for name, value in inputs.items()))
        lines += [f"          {name}: {text}" for name, text in cast("dict[str, str]", phase["descriptions"]).items()]
        for part in ("steps", "finally"):
            for step in cast("list[dict[str, object]]", phase[part]):
                lines += _step_lines(step, part)
        gates = cast("list[str]", phase["gates"])
        if gates:
            lines.append("  gates   " + ", ".join(gates))
    return lines


def graph_of(project: Project, what: str) -> list[Node]:
    """Return the graph of a phase of the project or, if there is none of that name, of a run.

    Raises:
        PhaseUnknown: it is neither.
    """
    from cli_multi_rapid.services.history import find_events, one, started_of

    specs = read_specs(project)
    if what in specs.phases:
        return _nodes(ordered((what,), specs.phases), {})
    try:
        events = find_events(project, what)
    except RunUnknown:
        check_phase(what, specs)
        raise
    return graph_of_run(started_of(events), one(project, events[0].run))


def graph_of_run(record: "RunStarted", view: RunView) -> list[Node]:
    """Return the graph of a run, from its snapshot. Of a matrix the worst combination counts, ended ones last."""
    found = recorded_specs(record).phases
    statuses: dict[str, Status] = {}
    for step in view.steps:
        name = step.key.partition("[")[0]
        statuses[name] = min(statuses.get(name, step.status), step.status, key=_rank)
    return _nodes(tuple(found[phase["name"]] for phase in record["phases"]), statuses)


def _rank(status: Status) -> int:
    return 0 if status.bad else 1 if not status.ended else 2 if status is Status.SUCCESS else 3


def _nodes(phases: tuple[PhaseSpec, ...], statuses: Mapping[str, Status]) -> list[Node]:
    """Return one node a step. First steps of a phase hang on the last ones of the phases it needs."""
    graph = build(phases)
    nodes: list[Node] = []
    ends: dict[str, tuple[str, ...]] = {}
    for phase in phases:
        main = graph.of(phase.name, final=False)
        needed = {need for step in main for need in step.needs}
        ends[phase.name] = tuple(step.key for step in main if step.key not in needed)
        outside = tuple(key for need in phase.needs for key in ends.get(need, ()))
        finals = graph.of(phase.name, final=True)
        for step, before in [*((one, outside) for one in main), *((one, ends[phase.name]) for one in finals)]:
            nodes.append(
                Node(
                    name=step.key, group=phase.name, label=step.step.id, needs=step.needs or before,
                    status=statuses.get(step.key),
                )
            )  # fmt: skip
    return nodes


def _steps(phase: PhaseSpec, graph: Graph, present: Present, *, final: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for node in graph.of(phase.name, final=final):
        step = node.step
        found.append(
            {
                "id": step.id,
                "title": step.title,
                "needs": [need.partition("/")[2] for need in node.needs],
                "if": step.if_,
                "command": _command(step, phase),
                "matrix": {name: list(v) if not isinstance(v, str) else v for name, v in step.matrix.items()},
                "writes": node.writes,
                "timeout": step.timeout or phase.defaults.timeout,
                "requires": dict(present(step.requires)) if step.requires else {},
            }
        )
    return found


def _facts(phase: PhaseSpec) -> dict[str, str]:
    """Return what is unusual about a phase, in words."""
    facts: dict[str, str] = {}
    if phase.workspace is Workspace.WORKTREE:
        facts["works"] = "in worktrees of the last commit; the project's own folder is left alone"
    if phase.permissions is not None and phase.permissions.network is Network.NONE:
        facts["network"] = "none"
    if phase.budget is not None:
        parts = [f"{phase.budget.usd:.2f} USD"] if phase.budget.usd is not None else []
        parts += [f"{phase.budget.tokens:,} tokens"] if phase.budget.tokens is not None else []
        facts["budget"] = f"{' and '.join(parts) or 'none given'}, then {phase.budget.on_exceed.value}; no step spends"
    if phase.concurrency is not None:
        facts["group"] = f"{phase.concurrency.group}, {phase.concurrency.on_conflict.value}"
    if phase.rollback is not None:
        facts["undone"] = f"on {', '.join(one.value for one in phase.rollback.on)}"
    return facts


def _command(step: Step, phase: PhaseSpec) -> str:
    if step.uses:
        return f"uses {step.uses}"
    if step.approval is not None:
        until = f" for at most {step.approval.expires}" if step.approval.expires else ""
        return f"waits for {approval_words(step.approval.by, not_author=step.approval.not_author, until=until)}"
    if isinstance(step.run, str):
        return f"{SHELLS[step.shell or phase.defaults.shell][0]}: {step.run.strip()}"
    return shown(step.run)


def _step_lines(step: Mapping[str, object], part: str) -> list[str]:
    label = "step  " if part == "steps" else "last  "
    needs = cast("list[str]", step["needs"])
    notes = [f"after {', '.join(needs)}"] if needs else []
    if step["if"] is not None:
        notes.append(f"if {step['if']}")
    if step["matrix"]:
        notes.append("for each " + ", ".join(cast("dict[str, object]", step["matrix"])))
    if not step["writes"]:
        notes.append("writes nothing")
    lines = [f"  {label}  {step['id']}" + (f"   ({'; '.join(notes)})" if notes else "")]
    lines += [f"            {line}" for line in str(step["command"]).splitlines()]
    lines += [f"            {name}: {state}" for name, state in cast("dict[str, str]", step["requires"]).items()]
    return lines


def _plain(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
