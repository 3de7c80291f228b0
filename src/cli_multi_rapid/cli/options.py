"""Options that every command has."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # `--help` needs no paths
    from pathlib import Path


class Common:
    """What the common options say; commands get it by `pass_common`."""

    __slots__ = ("_folder", "as_json", "debug", "verbose")

    def __init__(
        self, *, folder: "Path | None" = None, as_json: bool = False, debug: bool = False, verbose: bool = False
    ) -> None:
        self._folder = folder
        self.as_json = as_json
        self.debug = debug
        self.verbose = verbose

    @property
    def folder(self) -> "Path":
        """Return the folder to work in."""
        from pathlib import Path

        return self._folder or Path()

    @folder.setter
    def folder(self, folder: "Path") -> None:
        self._folder = folder


def _folder(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    del parameter
    if value is not None:
        from pathlib import Path

        context.ensure_object(Common).folder = Path(value)


def _as_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    del parameter
    if value:
        context.ensure_object(Common).as_json = True


def _debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    del parameter
    if value:
        context.ensure_object(Common).debug = True


def _verbose(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    del parameter
    if value:
        context.ensure_object(Common).verbose = True


_OPTIONS = (
    click.option(
        "-C", "work_dir", metavar="DIR", expose_value=False, callback=_folder, is_eager=True,
        type=click.Path(exists=True, file_okay=False), help="Work as if started in DIR.",
    ),
    click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_as_json, is_eager=True,
        help="Print data as JSON on standard output.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_verbose, is_eager=True,
        help="Show what steps print, line by line.",
    ),
    click.option(
        "--debug", is_flag=True, expose_value=False, callback=_debug, is_eager=True,
        help="Show the traceback of a bug in this program.",
    ),
)  # fmt: skip

pass_common = click.make_pass_decorator(Common, ensure=True)


def common_options(command: Any) -> Any:
    """Add the common options to a command or group."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command of the table: its options, `Common` as first argument, and an example in its help."""

    def declare(function: Callable[..., Any]) -> click.Command:
        epilog = f"\b\nExample:\n  {example}"
        return click.command(name, epilog=epilog)(common_options(pass_common(function)))

    return declare
