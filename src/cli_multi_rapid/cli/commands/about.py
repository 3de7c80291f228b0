"""Commands about the program and what it needs: health-check, schema, config, explain, completion."""

import click

from cli_multi_rapid.cli.console import emit, say
from cli_multi_rapid.cli.options import Common, command, common_options, pass_common
from cli_multi_rapid.errors import CodeUnknown, error_classes
from cli_multi_rapid.model.problems import PROBLEMS

_KINDS = ("phase", "gates", "waivers", "config", "report")


@command("health-check", example="cli-multi-rapid health-check --json")
def health_check(common: Common) -> int:
    """Check what the program and, in a project, its phases need."""
    from cli_multi_rapid.cli.health import health_lines
    from cli_multi_rapid.services.operations import health

    checks = health(common.folder)
    if common.as_json:
        emit(
            {
                "healthy": all(check.status != "fail" for check in checks),
                "checks": [check.as_dict() for check in checks],
            }
        )
    else:
        say("\n".join(health_lines(checks)))
    return 1 if any(check.status == "fail" for check in checks) else 0


@command("schema", example="cli-multi-rapid schema phase > phase.schema.json")
@click.argument("kind", type=click.Choice(_KINDS))
def schema(common: Common, kind: str) -> int:
    """Print the JSON Schema of a file format: phase, gates, waivers, config or report."""
    from cli_multi_rapid.system.document import schema_text

    del common  # it is JSON anyway
    say(schema_text(kind).rstrip("\n"))
    return 0


@click.group("config", epilog="\b\nExample:\n  cli-multi-rapid config show --origin")
def config() -> None:
    """Show the settings in force."""


@config.command("show", epilog="\b\nExample:\n  cli-multi-rapid config show --origin")
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@common_options
@pass_common
def show(common: Common, *, origin: bool) -> int:
    """Show every setting, and with --origin where it comes from."""
    from cli_multi_rapid.cli.driving import opened
    from cli_multi_rapid.services.settings import shown_settings

    _, settings = opened(common)
    rows = shown_settings(settings)
    if common.as_json:
        emit({name: {"value": value, "origin": settings.origins.get(name, "default")} for name, value in rows.items()})
        return 0
    width = max(len(name) for name in rows)
    for name, value in rows.items():
        text = "none" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
        say(f"{name:<{width}}  {text}" + (f"   ({settings.origins.get(name, 'default')})" if origin else ""))
    return 0


@command("explain", example="cli-multi-rapid explain PHASE-UNKNOWN")
@click.argument("code", required=False)
def explain(common: Common, code: str | None) -> int:
    """Explain an error CODE, or list all of them."""
    texts = {name: found.explanation for name, found in error_classes().items() if found.explanation}
    texts = dict(sorted({**PROBLEMS, **texts}.items()))
    if code is None:
        if common.as_json:
            emit(texts)
        else:
            say("\n".join(texts))
        return 0
    wanted = code.upper()
    if wanted not in texts:
        raise CodeUnknown(f"there is no error code {code!r}", hint="cli-multi-rapid explain")
    classes = error_classes()
    exit_code = classes[wanted].exit_code if wanted in classes else 2
    if common.as_json:
        emit({"code": wanted, "exit_code": exit_code, "explanation": texts[wanted]})
    else:
        say(f"{wanted} (exit code {exit_code})\n{texts[wanted]}")
    return 0


@command("completion", example='eval "$(cli-multi-rapid completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion(common: Common, shell: str) -> int:
    """Print the script that completes commands and options in SHELL."""
    from cli_multi_rapid.cli.completion import script

    if common.as_json:
        emit({"shell": shell, "script": script(shell)})
    else:
        say(script(shell).rstrip("\n"))
    return 0
