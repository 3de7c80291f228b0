"""Commands about contracts: validate-contracts, generate-models."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, command
from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.model.contract import Mode, ModelTarget

if TYPE_CHECKING:
    from cli_multi_rapid.services.wiring import Project


@command("validate-contracts", example="cli-multi-rapid validate-contracts --lint --examples")
@click.option("--lint", is_flag=True, help="Also check that contracts keep to the profile that code is generated from.")
@click.option("--examples", is_flag=True, help="Every contract must have valid and invalid examples.")
@click.option("--drift", is_flag=True, help="Generated code must be that of its contract; compares digests only.")
@click.option(
    "--project/--no-project", default=True, show_default=True,
    help="Run the project's own checks in contracts/validators, which must be trusted.",
)  # fmt: skip
@click.option("--compat", metavar="BASE", default="", help="Compare with a git revision, or with the last-release.")
@click.option(
    "--mode", type=click.Choice([one.value for one in Mode]), default=Mode.BACKWARD.value, show_default=True,
    help="What is compatible: old documents stay valid, new ones were valid before, or both.",
)  # fmt: skip
@click.option("--roundtrip", is_flag=True, help="Send generated documents through generated code of every language.")
@click.option(
    "--require", metavar="RUNTIME,...", default="", help="What must run in it: mql4, node, pwsh, metaeditor ..."
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Other documents for the round trip (default: 1).")
@click.option("--documents", type=click.IntRange(1, 100_000), metavar="N", help="Valid documents for each contract.")
@click.option(
    "--no-cache", "cache", flag_value=False, default=True, help="Run the round trip where it has passed, too."
)
@click.option(
    "--events", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), metavar="FILE",
    help="Judge the events in FILE instead: CloudEvents as lines of JSON or a JSON array; - is standard input.",
)  # fmt: skip
def validate_contracts(
    common: Common, *, compat: str, mode: str, roundtrip: bool, require: str, seed: int | None, documents: int | None,
    cache: bool, events: Path | None, **asked: bool,
) -> int:  # fmt: skip
    """Check the contracts in contracts/events, and the examples they have.

    Nothing is fetched, and of the project only its own checks in contracts/validators run, once they are trusted.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.documents.contracts import contracts_data, contracts_lines, exit_code
    from cli_multi_rapid.services.contracts import Asked, checked_contracts
    from cli_multi_rapid.services.wiring import open_project

    wanted, opened = Asked(compat=compat, mode=Mode(mode), **asked), open_project(common.folder)
    if events is not None:
        if wanted not in (Asked(), Asked(project=True)) or roundtrip or require:
            raise UsageError("--events judges events, not contracts", hint="leave the other checks out")
        return _judge_events(common, opened, events)
    if roundtrip:
        from cli_multi_rapid.services.roundtrip import proven_contracts, trip_of

        results = proven_contracts(opened, wanted, trip_of(require, seed=seed, documents=documents, cache=cache))
    elif require or seed is not None or documents is not None or not cache:
        raise UsageError("--require, --seed, --documents and --no-cache are of the round trip", hint="add --roundtrip")
    else:
        results = checked_contracts(opened, wanted)
    if common.as_json:
        emit(contracts_data(results))
    else:
        say("\n".join(contracts_lines(results)))
    return exit_code(results)


def _judge_events(common: Common, project: "Project", file: Path) -> int:
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.cli.inputs import opened
    from cli_multi_rapid.documents.contracts import events_data, events_exit_code, events_lines
    from cli_multi_rapid.services.cloudevents import judged_events

    with opened(file, folder=common.folder) as stream:
        results = tuple(judged_events(project, stream, "stdin" if str(file) == "-" else str(file)))
    if common.as_json:
        emit(events_data(results))
    else:
        say("\n".join(events_lines(results)))
    return events_exit_code(results)


@command("generate-models", example="cli-multi-rapid generate-models --target python --target typescript")
@click.option(
    "--target", "targets", multiple=True, type=click.Choice([one.value for one in ModelTarget]),
    help="A language; repeatable. Default: contracts.targets of the configuration, else all.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is not what would be generated.")
def generate_models(common: Common, *, targets: tuple[str, ...], check: bool) -> int:
    """Generate code from the contracts in contracts/events, all files or none.

    Only files that it has written itself are replaced or removed. Nothing of the project runs.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.documents.models import exit_code, models_data, models_lines
    from cli_multi_rapid.services.models import compared_models, write_models
    from cli_multi_rapid.services.wiring import open_project

    generate = compared_models if check else write_models
    files = generate(open_project(common.folder), tuple(map(ModelTarget, targets)))
    if common.as_json:
        emit(models_data(files))
    else:
        say("\n".join(models_lines(files)))
    return exit_code(files)
