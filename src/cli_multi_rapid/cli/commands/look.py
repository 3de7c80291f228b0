"""Commands that look and run nothing: plan, status, logs, graph."""

import time
from pathlib import Path
from typing import Literal

import click

from cli_multi_rapid.cli.options import Common, command


@command("plan", example="cli-multi-rapid plan phase1")
@click.argument("phase")
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="Give an input; repeatable.")
def plan(common: Common, phase: str, *, inputs: tuple[str, ...]) -> int:
    """Show what run-phase PHASE would run, in which order and environment; runs nothing."""
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.cli.driving import opened, wished
    from cli_multi_rapid.services.planning import planned, planned_lines

    project, settings = opened(common)
    found = planned(project, wished(settings, (phase,), inputs=inputs))
    if common.as_json:
        emit(found)
    else:
        say("\n".join(planned_lines(found)))
    return 0


@command("status", example="cli-multi-rapid status last")
@click.argument("run", required=False)
@click.option(
    "-n", "--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many runs to list."
)
@click.option(
    "--include-compliance", is_flag=True, help="Show also what gates decided last, and whether it still holds."
)
def status(common: Common, run: str | None, *, limit: int, include_compliance: bool) -> int:
    """Show the recent runs, or RUN with its steps and gates."""
    from datetime import UTC, datetime

    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.cli.status import compliance_data, compliance_lines, status_lines, status_run
    from cli_multi_rapid.documents.reports import report
    from cli_multi_rapid.services.history import one, recent
    from cli_multi_rapid.services.wiring import open_project

    project, now = open_project(common.folder), datetime.now(UTC)
    views = recent(project, limit=limit) if run is None else (one(project, run),)
    found = None
    if include_compliance:
        from cli_multi_rapid.services.standing import standing

        found = standing(project, now=now)
    if common.as_json:
        listed = {"runs": [report(view) for view in views]}
        more = {"compliance": compliance_data(found, now=now)} if include_compliance else {}
        emit(report(views[0]) if run is not None and not include_compliance else listed | more)
        return 0
    text = status_lines(views, now=now) if run is None else status_run(views[0])
    if include_compliance:
        text = f"{text}\n\n{compliance_lines(found, now=now)}"
    say(text)
    return 0


@command("logs", example="cli-multi-rapid logs last phase1/test")
@click.argument("run", default="last")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the run has ended.")
def logs(common: Common, run: str, step: str | None, *, follow: bool) -> int:
    """Print the output of RUN (by default the newest) or of one STEP of it."""
    from cli_multi_rapid.cli.console import emit
    from cli_multi_rapid.services.history import log_files, one
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    view = one(project, run)
    if common.as_json:
        emit([{"step": key, "log": str(path), "text": _text(path)} for key, path in log_files(project, view, step)])
        return 0
    seen: dict[Path, int] = {}
    while True:
        unfinished = view.status.value == "running"
        for key, path in log_files(project, view, step):
            _print_new(key, path, seen, alone=step is not None)
        if not (follow and unfinished):
            return 0
        time.sleep(0.3)
        view = one(project, view.run)


@command("graph", example="cli-multi-rapid graph phase1 --format mermaid")
@click.argument("what")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="How to draw it.",
)
def graph(common: Common, what: str, *, form: Literal["text", "mermaid", "json"]) -> int:
    """Draw the phases and steps of a phase or run."""
    from cli_multi_rapid.cli.console import say
    from cli_multi_rapid.documents.graph import graph as drawn
    from cli_multi_rapid.services.planning import graph_of
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    say(drawn(graph_of(project, what), format="json" if common.as_json else form).rstrip("\n"))
    return 0


@command("diff", example="cli-multi-rapid diff 01M8A19E last")
@click.argument("one")
@click.argument("other", default="last")
def diff(common: Common, one: str, other: str) -> int:
    """Show what differs between the runs ONE and OTHER (by default the newest)."""
    from dataclasses import asdict

    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.documents.difference import difference_lines, differences
    from cli_multi_rapid.services.history import find_events, started_of
    from cli_multi_rapid.services.history import one as view_of
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    views = (view_of(project, one), view_of(project, other))
    first, second = (started_of(find_events(project, name)) for name in (one, other))
    found = differences(*views, started=(first, second))
    if common.as_json:
        emit({"one": views[0].run, "other": views[1].run, "differences": [asdict(each) for each in found]})
    else:
        say("\n".join(difference_lines(*views, found)))
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")  # as it is: text mode would change line ends
    except FileNotFoundError:
        return ""


def _print_new(key: str, path: Path, seen: dict[Path, int], *, alone: bool) -> None:
    """Print what a log has gained since the last call, below a heading where several steps are printed."""
    from cli_multi_rapid.cli.console import say
    from cli_multi_rapid.documents.text import printable

    try:
        with path.open("rb") as log:
            log.seek(seen.get(path, 0))
            data = log.read()
    except FileNotFoundError:
        return
    if path not in seen and not alone:
        say(f"== {key}")
    seen[path] = seen.get(path, 0) + len(data)
    if data:
        say("\n".join(printable(line) for line in data.decode("utf-8", errors="replace").rstrip("\n").split("\n")))
