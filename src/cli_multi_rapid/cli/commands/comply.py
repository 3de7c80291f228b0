"""Commands about compliance: validate-compliance, generate-report."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, command
from cli_multi_rapid.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli_multi_rapid.documents.reports import RunView
    from cli_multi_rapid.model.events import Event
    from cli_multi_rapid.services.wiring import Project


@command("validate-compliance", example="cli-multi-rapid validate-compliance --gate secrets")
@click.option("--level", type=click.Choice(["advisory", "standard", "strict"]), help="How strict gates are.")
@click.option("--gate", "gates", multiple=True, metavar="ID", help="Evaluate only this gate; repeatable.")
@click.option(
    "--changed",
    is_flag=False,
    flag_value="",
    metavar="[BASE]",
    help="Look only at files that differ from BASE (by default the upstream branch, else HEAD).",
)
@click.option("--history", is_flag=True, help="Search what the commits have added for secrets, too.")
@click.option(
    "--write-baseline", is_flag=True, help="Keep what is found as known: from then on only new findings block."
)
@click.option("--no-cache", "cache", flag_value=False, default=True, help="Judge anew, also what is unchanged.")
def validate_compliance(
    common: Common, *, level: str | None, gates: tuple[str, ...], changed: str | None, history: bool,
    write_baseline: bool, cache: bool,
) -> int:  # fmt: skip
    """Evaluate the gates of config/compliance-gates.yaml on the project as it is.

    Gates, level, waivers and baseline are those of the base revision: the common ancestor with BASE, else with the
    upstream branch, else HEAD.
    """
    from cli_multi_rapid.services.unchanged import judged_before, request_of
    from cli_multi_rapid.services.wiring import open_project

    if write_baseline and changed is not None:
        raise UsageError("--write-baseline and --changed exclude each other", hint="a baseline is of the whole project")
    request = None
    if not write_baseline:
        project = open_project(common.folder)
        request = request_of(project, asked=[level, gates, changed, history], base=changed or "")
        known = judged_before(project, request) if request and cache else None
        if request and known:
            return _taken_over(common, project, known, notes=request.notes)
    from cli_multi_rapid.cli.driving import opened, session_of
    from cli_multi_rapid.services.compliance import prepare_validation
    from cli_multi_rapid.services.runs import start

    project, settings = opened(common, level=level)
    wanted = prepare_validation(
        project, settings, gates=gates, changed=changed, history=history, request=request.digest if request else ""
    )
    with session_of(common, settings, notes=wanted.notes) as session:
        ended = start(project, wanted.record, session=session, alone=False)
    view = _shown(common, project, ended.run)
    return _kept(project, view) if write_baseline and ended.status.ended else ended.exit_code


def _taken_over(common: Common, project: "Project", events: "Sequence[Event]", *, notes: "Sequence[str]") -> int:
    """Show a verdict that still stands; return its exit code."""
    from cli_multi_rapid.cli.console import note
    from cli_multi_rapid.cli.driving import watched

    watched(common, events, notes=notes)
    note("nothing has changed since these gates judged last, so their verdict stands; --no-cache judges anew")
    return _shown(common, project, events[0].run).exit_code or 0


def _shown(common: Common, project: "Project", run: str) -> "RunView":
    """Print what gates decided in a run, and return it."""
    from cli_multi_rapid.cli.console import emit
    from cli_multi_rapid.cli.driving import print_summary
    from cli_multi_rapid.documents.reports import compliance
    from cli_multi_rapid.services.history import one

    view = one(project, run)
    if common.as_json:
        emit(compliance(view))
    else:
        print_summary(project, view)
    return view


def _kept(project: "Project", view: "RunView") -> int:
    """Write what gates have found as the baseline, say so, and return the exit code."""
    from cli_multi_rapid.cli.console import note
    from cli_multi_rapid.documents.text import plural
    from cli_multi_rapid.services.compliance import write_baseline

    written = write_baseline(project, [gate.result for gate in view.gates])
    found = plural(written.findings, "finding")
    note(f"{written.path} has {found}; it counts once it is committed in the base revision")
    if written.unjudged:
        note(f"warning: not in it, because they could not be judged: {', '.join(written.unjudged)}")
    return 3 if written.unjudged else 0


@command("generate-report", example="cli-multi-rapid generate-report last --format html")
@click.argument("run", default="last")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "json", "sarif", "junit", "md"]),
    default="html",
    show_default=True,
    help="Format.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file; - is standard output."
)
def generate_report(common: Common, run: str, *, form: str, output: Path | None) -> int:
    """Render the stored results of RUN (by default the newest) without judging anything anew.

    The formats are one HTML file for people, canonical JSON (see schema report), SARIF and JUnit XML for platforms and
    editors, and Markdown for the summary of a CI job.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.services.reporting import Form, default_path, rendered, write_report
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    text, view = rendered(project, run, form=Form(form), now=datetime.now(UTC))
    if output is not None and str(output) == "-":
        say(text.rstrip("\n"))
        return 0
    path = output or default_path(project, view, Form(form))
    write_report(path, text)
    if common.as_json:
        emit({"run": view.run, "format": form, "path": str(path)})
    else:
        say(str(path))
    return 0
