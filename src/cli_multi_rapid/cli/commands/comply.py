"""Commands about compliance: validate-compliance, generate-report."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cli_multi_rapid.cli.options import Common, command


@command("validate-compliance", example="cli-multi-rapid validate-compliance --gate secrets")
@click.option("--level", type=click.Choice(["advisory", "standard", "strict"]), help="How strict gates are.")
@click.option("--gate", "gates", multiple=True, metavar="ID", help="Evaluate only this gate; repeatable.")
def validate_compliance(common: Common, *, level: str | None, gates: tuple[str, ...]) -> int:
    """Evaluate the gates of config/compliance-gates.yaml on the project as it is."""
    from cli_multi_rapid.cli.console import emit
    from cli_multi_rapid.cli.driving import opened, print_summary, session_of
    from cli_multi_rapid.documents.reports import compliance
    from cli_multi_rapid.services.compliance import prepare_validation
    from cli_multi_rapid.services.history import one
    from cli_multi_rapid.services.runs import start

    project, settings = opened(common, level=level)
    record = prepare_validation(project, settings, gates=gates)
    with session_of(common, settings) as session:
        ended = start(project, record, session=session, alone=False)
    view = one(project, ended.run)
    if common.as_json:
        emit(compliance(view))
    else:
        print_summary(project, view)
    return ended.exit_code


@command("generate-report", example="cli-multi-rapid generate-report last --format html")
@click.argument("run", default="last")
@click.option(
    "--format", "form", type=click.Choice(["html", "json"]), default="html", show_default=True, help="Format."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file; - is standard output."
)
def generate_report(common: Common, run: str, *, form: str, output: Path | None) -> int:
    """Render the stored results of RUN (by default the newest) without judging anything anew."""
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.services.reporting import default_path, rendered, write_report
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    text, view = rendered(project, run, form=form, now=datetime.now(UTC))
    if output is not None and str(output) == "-":
        say(text.rstrip("\n"))
        return 0
    path = output or default_path(project, view, form)
    write_report(path, text)
    if common.as_json:
        emit({"run": view.run, "format": form, "path": str(path)})
    else:
        say(str(path))
    return 0
