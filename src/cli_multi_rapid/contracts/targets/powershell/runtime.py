"""Generated PowerShell, executed where `pwsh` is on PATH. Where it is not, nothing is claimed."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files as resources
from pathlib import Path

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.targets.exchange import REQUESTS, exchanged
from cli_multi_rapid.contracts.targets.powershell.emitter import SUPPORT, VERSION
from cli_multi_rapid.system.environment import find_program, program_file

NOT_RUN: tuple[tuple[str, str], ...] = ()

_DRIVER = "driver.ps1"
_ANSWERS = "answers"
_SAID = re.compile(r"PowerShell (\d+)\.(\d+)\.(\d+)")
_NEEDED = tuple(map(int, VERSION.split(".")))
_ASK_TIMEOUT_S = 60.0
_KEPT = frozenset({
    "APPDATA", "DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "LANG", "LD_LIBRARY_PATH", "LOCALAPPDATA",
    "PATH",
    "PROGRAMDATA", "PROGRAMFILES", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE", "WINDIR",
})  # fmt: skip
_QUIET = {"NO_COLOR": "1", "POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off", "TERM": "dumb"}


def unavailable(environment: Mapping[str, str]) -> str:
    """Return why PowerShell cannot be executed here; empty where it can."""
    state = program_file("pwsh", environment.get("PATH", ""))
    if state is None:
        return f"pwsh is not on PATH; PowerShell {VERSION} or later is needed"
    version = _version(*map(str, state[1:]))
    if not version:
        return f"{state[1]} does not say its version; PowerShell {VERSION} or later is needed"
    return "" if version >= _NEEDED else f"{state[1]} is {_shown(version)}; PowerShell {VERSION} or later is needed"


def executed(environment: Mapping[str, str]) -> str:
    """Return what executes it, in words."""
    state = program_file("pwsh", environment.get("PATH", ""))
    return f"PowerShell {_shown(_version(*map(str, state[1:])))}" if state else "PowerShell"


def answers(
    contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
    folder: Path, environment: Mapping[str, str], timeout: float,
) -> list[Answer]:  # fmt: skip
    """Return what the generated module of a contract makes of each document.

    Args:
        contract: whose module among `files` is asked.
        files: generated and support files by name.
        documents: JSON texts, or what is to be refused as none.
        folder: an empty folder, which is also PowerShell's home.
        environment: with the PATH that pwsh is looked for on.
        timeout: seconds for all documents.

    Raises:
        RuntimeFailed: pwsh is not there, or did not answer every document.
    """
    if missing := unavailable(environment):
        raise RuntimeFailed(missing)
    here = folder.resolve()
    for name, text in {**files, _DRIVER: resources(__package__).joinpath(_DRIVER).read_text("utf-8")}.items():
        (here / name).write_text(text, "utf-8")
    (module,) = (name for name in files if name not in SUPPORT)
    argv = [
        str(find_program("pwsh", environment.get("PATH", ""))), "-NoLogo", "-NoProfile", "-NonInteractive",
        "-File", str(here / _DRIVER), "-Module", str(here / module), "-Name", contract.name,
        "-Requests", str(here / REQUESTS), "-Answers", str(here / _ANSWERS),
    ]  # fmt: skip
    environ = {**_environ(environment), **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(here))}
    return exchanged(argv, documents, folder=here, environ=environ, timeout_s=timeout, answers=_ANSWERS)


def _environ(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what PowerShell needs: no folder of modules or profiles of the user's."""
    return {**{name: value for name, value in environment.items() if name.upper() in _KEPT}, **_QUIET}


@lru_cache(maxsize=16)
def _version(program: str, _size: str, _time: str) -> tuple[int, ...]:
    """Return the version of a PowerShell, asked once while the file stays the same; empty where it does not say."""
    try:
        ended = subprocess.run(
            (program, "-Version"), stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_ASK_TIMEOUT_S, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = _SAID.match(ended.stdout)
    return tuple(map(int, found.groups())) if found and ended.returncode == 0 else ()


def _shown(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
