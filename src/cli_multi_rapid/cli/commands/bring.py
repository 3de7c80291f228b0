"""Commands that speak to other systems: import, which makes phases of what they run, and export."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli_multi_rapid.services.importing.source import LeftOut
    from cli_multi_rapid.services.wiring import Project

_EDITOR = "yaml-language-server: $schema=../../.cmr/schema/phase.schema.json"


@command("import", example="cli-multi-rapid import github .github/workflows/ci.yml")
@click.argument("kind", type=click.Choice(["github"]))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the phases into this folder; without it, into the project.",
)
@click.option("--stdout", "shown", is_flag=True, help="Print the phases, and write nothing.")
@click.option(
    "--without-conditions",
    is_flag=True,
    help="Import jobs whose condition cannot be carried over, without it; else they are left out.",
)
def import_(
    common: Common, kind: str, files: tuple[Path, ...], out: Path | None, *, shown: bool, without_conditions: bool
) -> int:
    """Make phases of the workflows of GitHub Actions in FILE...: one job, one phase.

    Nothing is run, fetched or overwritten. What cannot be carried over is listed, with its place and the reason.
    """
    from cli_multi_rapid.cli.console import emit, note, say
    from cli_multi_rapid.errors import UsageError
    from cli_multi_rapid.services.importing.github import import_workflows
    from cli_multi_rapid.services.importing.placing import Placed, place, read_workflows
    from cli_multi_rapid.services.wiring import PHASES, open_project

    del kind  # there is one so far
    if out is not None and shown:
        raise UsageError("--out and --stdout exclude each other", hint="choose one of them")
    root = common.folder if out is not None or shown else open_project(common.folder).root
    found = import_workflows(
        read_workflows(files, folder=common.folder, root=root),
        comments=(_EDITOR,) if out is None else (),
        conditions=not without_conditions,
    )
    placed = Placed(written=(), unchanged=())
    if not shown:
        placed = place(found.phases, root / PHASES if out is None else common.folder / out)
    prefix = PHASES if out is None else out.as_posix()
    if common.as_json:
        data: dict[str, object] = {
            "written": [f"{prefix}/{name}" for name in placed.written],
            "unchanged": [f"{prefix}/{name}" for name in placed.unchanged],
            "left_out": [
                {"where": one.where, "what": one.what, "why": one.why, "fix": one.fix} for one in found.left_out
            ],
        }
        emit({**data, "phases": dict(found.phases)} if shown else data)
        return 0 if found.phases else 1
    for line in _lines(found.left_out):
        note(line)
    if shown and found.phases:
        say("---\n".join(found.phases.values()).rstrip("\n"))
    for name in placed.written:
        say(f"wrote  {prefix}/{name}")
    for name in placed.unchanged:
        say(f"same   {prefix}/{name}")
    phases, left = _counted(len(found.phases), "phase"), _counted(len(found.left_out), "thing")
    note(f"{phases}; {left} left out" if found.phases else f"nothing could be imported; {left} left out")
    if out is None and placed.written:
        note("read the phases, then:  cli-multi-rapid trust")
    return 0 if found.phases else 1


def _lines(items: "Sequence[LeftOut]") -> list[str]:
    """Return what is left out as people read it."""
    from cli_multi_rapid.cli.console import printable

    lines: list[str] = []
    for one in items:
        lines += [f"{printable(one.where)}  {printable(one.what)}", f"    {printable(one.why)}"]
        lines += [f"    fix  {printable(one.fix)}"] if one.fix else []
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@command("export", example="cli-multi-rapid export pre-commit -o .pre-commit-config.yaml")
@click.argument("kind", type=click.Choice(["pre-commit", "cloudevents", "asyncapi"]))
@click.argument("run", required=False)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this new file.")
def export(common: Common, kind: str, run: str | None, output: Path | None) -> int:
    """Write what other systems need: hooks of pre-commit, the events of RUN (default: last), or an AsyncAPI document.

    The hooks run this project's gates: before a commit, secrets and deny-list look at what is changed; before a push,
    the other gates judge the project. Events are written as lines of JSON, each a CloudEvent. The document has all
    contracts of the project.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.errors import UsageError
    from cli_multi_rapid.services.reporting import write_report
    from cli_multi_rapid.services.wiring import open_project

    if run is not None and kind != "cloudevents":
        raise UsageError(f"{kind} is not of a run", hint=f"cli-multi-rapid export {kind}")
    text = _exported(open_project(common.folder), kind, run or "last")
    if output is None and not common.as_json:
        say(text.rstrip("\n"))
        return 0
    if output is not None:
        path = common.folder / output
        if path.exists():
            raise UsageError(f"{output} is there already; nothing was written", hint="print it, and merge it by hand")
        write_report(path, text)
    if common.as_json:
        emit({"kind": kind, "text": text, "written": str(output) if output else None})
    else:
        say(str(output))
    return 0


def _exported(project: "Project", kind: str, run: str) -> str:
    if kind == "cloudevents":
        from cli_multi_rapid.services.cloudevents import exported_run

        return exported_run(project, run)
    if kind == "asyncapi":
        from cli_multi_rapid.services.contracts import asyncapi_text

        return asyncapi_text(project)
    from cli_multi_rapid.services.exporting import pre_commit_hooks
    from cli_multi_rapid.services.wiring import read_specs

    return pre_commit_hooks(read_specs(project))
