"""Commands about contracts: validate-contracts."""

import click

from cli_multi_rapid.cli.options import Common, command


@command("validate-contracts", example="cli-multi-rapid validate-contracts --lint --examples")
@click.option("--lint", is_flag=True, help="Also check that contracts keep to the profile that code is generated from.")
@click.option("--examples", is_flag=True, help="Every contract must have valid and invalid examples.")
@click.option(
    "--project/--no-project", default=True, show_default=True,
    help="Run the project's own checks in contracts/validators, which must be trusted.",
)  # fmt: skip
def validate_contracts(common: Common, *, lint: bool, examples: bool, project: bool) -> int:
    """Check the contracts in contracts/events, and the examples they have.

    Nothing is fetched, and of the project only its own checks in contracts/validators run, once they are trusted.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.documents.contracts import contracts_data, contracts_lines, exit_code
    from cli_multi_rapid.services.contracts import Asked, checked_contracts
    from cli_multi_rapid.services.wiring import open_project

    results = checked_contracts(open_project(common.folder), Asked(lint=lint, examples=examples, project=project))
    if common.as_json:
        emit(contracts_data(results))
    else:
        say("\n".join(contracts_lines(results)))
    return exit_code(results)
