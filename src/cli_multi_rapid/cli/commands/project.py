"""Commands that make and approve projects: init, demo, trust."""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, command
from cli_multi_rapid.cli.table import FACES

if TYPE_CHECKING:
    from cli_multi_rapid.services.scaffold import EntryFile


@command("init", example="cli-multi-rapid init")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only tell which entry points are missing or were edited.")
@click.option(
    "--contracts", is_flag=True, help="Where there are no contracts, write those of a trading desk to start from."
)
def init(common: Common, folder: Path | None, *, check: bool, contracts: bool) -> int:
    """Make a project of FOLDER (by default the working folder). Files that exist are never touched.

    Where contracts/events has contracts, phase2 checks them.
    """
    from cli_multi_rapid.cli.console import emit, note, say
    from cli_multi_rapid.services.scaffold import edited_entries, scaffold, trust_what_was_written
    from cli_multi_rapid.services.wiring import open_project

    root = (common.folder / folder if folder else common.folder).resolve()
    if check:
        edited = edited_entries(root, entries())
        if common.as_json:
            emit({"edited": list(edited)})
        else:
            say("\n".join(f"edited or missing: {path}" for path in edited) or "all entry points are as init wrote them")
        return 1 if edited else 0
    root.mkdir(parents=True, exist_ok=True)
    done = scaffold(root, entries(), contracts=contracts)
    project = open_project(root)
    trusted = trust_what_was_written(project.root, project.state, project.environ, written=done.written)
    if common.as_json:
        emit(
            {
                "root": str(root),
                "written": list(done.written),
                "kept": list(done.kept),
                "notes": list(done.notes),
                "trusted": trusted,
            }
        )
        return 0
    for text in done.notes:
        note(f"note: {text}")
    for path, count in Counter(map(_grouped, done.written)).items():
        say(f"wrote  {path}{f' ({count} files)' if count > 1 else ''}")
    for path in done.kept:
        say(f"kept   {path}")
    where = "" if root == Path.cwd() else f"-C {root} "
    if not trusted:
        say(f"\nread what this project can run, then:  cli-multi-rapid {where}trust")
    say(f"\nnext:  cli-multi-rapid {where}run-phase phase0")
    return 0


@command("demo", example="cli-multi-rapid demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Build the sample project here; it must be empty or new.",
)
def demo(common: Common, folder: Path | None) -> int:
    """Build a small sample project and run its phases.

    One mistake is repaired, one gate blocks, one test is added, and contracts become code that is tried out.
    """
    from cli_multi_rapid.cli.showing import show
    from cli_multi_rapid.errors import UsageError

    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="--folder NEW_FOLDER, or leave it out")
    place = folder or Path(tempfile.mkdtemp(prefix="cli-multi-rapid-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    return show(common, place.resolve(), entries())


@command("trust", example="cli-multi-rapid trust")
@click.option("--revoke", is_flag=True, help="Take the approval back.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts that have looked themselves.")
def trust(common: Common, *, revoke: bool, yes: bool) -> int:
    """Approve what this project can run: its phases, configuration, validators, templates and entry points."""
    from cli_multi_rapid.cli.console import emit, note, say
    from cli_multi_rapid.services import trust as trusting
    from cli_multi_rapid.services.project import ensure_state_dir
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    if revoke:
        trusting.revoke(project.state)
        emit({"trusted": False}) if common.as_json else say("approval taken back; nothing of this project runs")
        return 0
    shown = trusting.fingerprint(project.root)
    if not common.as_json:
        say(
            trusting.difference(project.root, project.state).rstrip("\n")
            or "nothing has changed since the last approval"
        )
        note(f"covered: {', '.join(f'{one}/**' for one in trusting.FOLDERS)}, {', '.join(trusting.FILES)}")
        note("not covered: what they call, such as tests, conftest.py, Makefile and installed packages")
    if not yes and not _agreed():
        if common.as_json:
            emit({"trusted": False})
        note("not approved; on a terminal, answer y; in a script that has looked itself, --yes")
        return 4
    ensure_state_dir(project.state)
    trusting.approve(project.root, project.state, expected=shown.digest)
    if common.as_json:
        emit({"trusted": True, "files": len(shown.files), "digest": shown.digest})
    else:
        say(f"approved {len(shown.files)} files")
    return 0


def _grouped(path: str) -> str:
    """Return what is said of a file: examples of contracts are many, so their folder is named."""
    folder, mark, _ = path.partition("/examples/")
    return f"{folder}{mark}" if mark else path


def entries() -> "tuple[EntryFile, ...]":
    """Return the entry points of a project from the table of faces."""
    from cli_multi_rapid.services.scaffold import EntryFile

    return tuple(
        EntryFile(path=path, program=program, fixed=fixed, summary=summary)
        for path, (program, fixed, summary) in FACES.items()
    )


def _agreed() -> bool:
    """Ask for one key on a terminal; without one nobody has looked."""
    if not sys.stdin.isatty():
        return False
    click.echo("approve? [y/N] ", nl=False, err=True)
    key = str(click.getchar())
    click.echo(key if key.isprintable() else "", err=True)
    return key.lower() == "y"
