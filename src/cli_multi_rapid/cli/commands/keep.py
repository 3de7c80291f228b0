"""Commands about what is kept: cache."""

import click

from cli_multi_rapid.cli.options import Common, command


@command("cache", example="cli-multi-rapid cache prune --older-than 7d")
@click.argument("what", type=click.Choice(["prune"]))
@click.option("--older-than", metavar="DURATION", default="30d", show_default=True, help="What was not used so long.")
def cache(common: Common, what: str, *, older_than: str) -> int:
    """Remove what steps did and nobody has used lately (prune)."""
    del what  # there is one thing to do with it so far
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.errors import UsageError
    from cli_multi_rapid.model.phase import duration_s
    from cli_multi_rapid.services.keeping import prune_cache
    from cli_multi_rapid.services.wiring import open_project

    try:
        limit_s = duration_s(older_than)
    except ValueError as wrong:
        raise UsageError(f"--older-than: {wrong}", hint="write a whole number and a unit: 12h, 7d") from wrong
    count, size = prune_cache(open_project(common.folder), older_than_s=limit_s)
    if common.as_json:
        emit({"removed": count, "bytes": size})
    else:
        say(f"removed {count} cached steps, {size} bytes")
    return 0
