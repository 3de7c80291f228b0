"""The faces of the program, the lazy command group, and the one error boundary."""

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Sequence

import click

from cli_multi_rapid.cli.options import Common, common_options
from cli_multi_rapid.cli.streams import use_utf8
from cli_multi_rapid.cli.table import COMMANDS
from cli_multi_rapid.errors import CmrError, CommandUnknown, CouldNotRun, InternalError, UsageError
from cli_multi_rapid.model.version import VERSION


class LazyGroup(click.Group):
    """A group whose commands are listed from the table and imported when one is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(f"cli_multi_rapid.cli.commands.{module}"), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean: {near[0]}" if near else f"{ctx.command_path} --help"
            raise CommandUnknown(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)


@common_options
@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample:\n  cli-multi-rapid init && cli-multi-rapid run-phase phase0",
    invoke_without_command=False,
)
@click.version_option(VERSION)
def app() -> None:
    """Run developer tools as durable, gated, auditable phases, and prove what happened."""


def main() -> None:
    """Run the installed command."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]  # noqa: PTH119, PTH122  pathlib is slow to import
    sys.exit(entry(name if name in ("cmr", "cli-multi-rapid") else "cli-multi-rapid"))


def entry(program: str, fixed: Sequence[str] = (), *, arguments: Sequence[str] | None = None) -> int:
    """Run one face of the program and return its exit code.

    `fixed` stands before the user's arguments; `program` is what usage texts call it.
    """
    use_utf8()
    if "powershell_complete" in os.environ.values():
        importlib.import_module("cli_multi_rapid.cli.completion")  # click itself does not know PowerShell
    given = [*fixed, *(sys.argv[1:] if arguments is None else arguments)]
    common = Common()
    common.as_json = "--json" in given  # so that errors found before the flag is read have its form, too
    try:
        result = app.main(args=given, prog_name=program, standalone_mode=False, obj=common)
    except click.exceptions.NoArgsIsHelpError as helped:
        click.echo(helped.format_message(), err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        _silence_stdout()
        return 141
    except Exception as error:  # noqa: BLE001  the error boundary: what is not known below is a bug of ours
        return _answered(error, common)
    return result if isinstance(result, int) else 0


def _answered(error: Exception, common: Common) -> int:
    """Show an error as what it is and return its exit code."""
    if isinstance(error, CmrError):
        return _shown(error, common)
    if isinstance(error, click.ClickException):
        return _shown(_usage_error(error), common)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        _silence_stdout()
        return _shown(CouldNotRun(f"standard output cannot be written: {error.strerror}"), common)
    if common.debug:
        raise error
    return _shown(_crash(error), common)


def _shown(error: CmrError, common: Common) -> int:
    from cli_multi_rapid.cli.console import show_error

    try:
        show_error(error, as_json=common.as_json)
        sys.stdout.flush()  # what could not be written before would fail once more at exit
    except (CouldNotRun, OSError):
        _silence_stdout()
        if common.as_json:
            show_error(error)  # on standard error, because standard output is what cannot be written
    return error.exit_code


def _usage_error(wrong: click.ClickException) -> UsageError:
    context = wrong.ctx if isinstance(wrong, click.UsageError) else None
    hint = f"{context.command_path} --help" if context else ""
    return UsageError(wrong.format_message().rstrip("."), hint=hint)


def _crash(bug: Exception) -> InternalError:
    """Write a crash log that can be attached to a report; it holds no environment and no arguments' values."""
    import platform
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(bug))
    head = f"cli-multi-rapid {VERSION} · Python {platform.python_version()} · {platform.platform()}\n"
    handle, name = tempfile.mkstemp(prefix="cli-multi-rapid-crash-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        log.write(head + text)
    return InternalError(
        f"{type(bug).__name__}: {bug}", where=name, hint="please report it with that file; recorded work is kept"
    )


def _silence_stdout() -> None:
    """Keep Python from complaining about the closed pipe once more at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
