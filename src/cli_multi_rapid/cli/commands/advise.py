"""Commands about advisory databases: advisories."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, common_options, pass_common

if TYPE_CHECKING:
    from cli_multi_rapid.services.advisories import Held

_PLACE = click.Path(path_type=Path)


@click.group("advisories", epilog="\b\nExample:\n  cli-multi-rapid advisories show osv/")
def advisories() -> None:
    """Look at the advisory database of the dependencies check, or make one file of it."""


@advisories.command("show", epilog="\b\nExample:\n  cli-multi-rapid advisories show osv/")
@click.argument("source", type=_PLACE, required=False)
@common_options
@pass_common
def show(common: Common, source: Path | None) -> int:
    """Show what SOURCE holds; by default that of CMR_ADVISORY_DB, else the folder in the cache."""
    import os

    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.services.advisories import look, usual_source

    place = common.folder / source if source else usual_source(os.environ)
    held = look(place, os.environ)
    if common.as_json:
        emit({"path": str(place), "ecosystems": {one.ecosystem: _described(one) for one in held}})
    else:
        said = [(one.ecosystem, *_described(one).values()) for one in held]
        say("\n".join(f"{name}  {number:,} advisories, the newest of {newest}" for name, number, newest in said))
    return 0


@advisories.command("build", epilog="\b\nExample:\n  cli-multi-rapid advisories build osv/ -o advisories.sqlite")
@click.argument("source", type=_PLACE)
@click.option("-o", "--output", type=_PLACE, default=Path("advisories.sqlite"), show_default=True, help="The file.")
@common_options
@pass_common
def build(common: Common, source: Path, *, output: Path) -> int:
    """Make one file of SOURCE, a folder or archive of advisories in the OSV format."""
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.services.advisories import write_database

    target = common.folder / output
    write_database(common.folder / source, target)
    if common.as_json:
        emit({"path": str(target), "bytes": target.stat().st_size})
    else:
        say(str(target))
    return 0


def _described(held: "Held") -> dict[str, object]:
    return {"advisories": held.advisories, "newest": held.newest.isoformat() if held.newest else None}
