"""How the command of a step is run, and how it is shown."""

import shlex
from collections.abc import Iterable, Mapping

from cli_multi_rapid.model.phase import Shell

SHELLS: Mapping[Shell, tuple[str, ...]] = {
    Shell.BASH: ("bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"),
    Shell.SH: ("sh", "-eu", "-c"),
    Shell.PWSH: ("pwsh", "-NoProfile", "-NonInteractive", "-Command"),
    Shell.PYTHON: ("python", "-c"),
}
"""How a text command is run."""


def shown(argv: Iterable[str]) -> str:
    """Return a command as people would type it."""
    return shlex.join(argv)


def step_tool(run: str | tuple[str, ...]) -> str:
    """Return the program that a step starts."""
    return "its shell" if isinstance(run, str) else run[0]
