"""Generated Python, executed by the Python that executes this program, in a process of its own."""

import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as resources
from pathlib import Path

from cli_multi_rapid.contracts.emitting import Answer
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.targets.exchange import exchanged

NOT_RUN: tuple[tuple[str, str], ...] = ()

_NEEDED = ("pydantic", "datamodel-code-generator")
_DRIVER = "driver.py"
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")


def unavailable(_environment: Mapping[str, str]) -> str:
    """Return why Python models cannot be made and executed here; empty where they can."""
    missing = [name for name in _NEEDED if not _version(name)]
    return f"{' and '.join(missing)} is not installed; install cli-multi-rapid[contracts]" if missing else ""


def executed(_environment: Mapping[str, str]) -> str:
    """Return what executes them, in words."""
    return f"Python {platform.python_version()}, pydantic {_version('pydantic')}"


def answers(
    contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
    folder: Path, environment: Mapping[str, str], timeout: float,
) -> list[Answer]:  # fmt: skip
    """Return what the generated module of a contract makes of each document.

    Raises:
        RuntimeFailed: it cannot be imported, or did not answer every document.
    """
    driver = resources(__package__).joinpath(_DRIVER).read_text("utf-8")
    for name, text in {**files, _DRIVER: driver}.items():
        (folder / name).write_text(text, "utf-8")
    (module,) = files
    argv = [sys.executable, "-I", "-B", _DRIVER, module, contract.name]
    kept = {name: value for name, value in environment.items() if name in _KEPT}
    return exchanged(argv, documents, folder=folder, environ={**kept, "PYTHONUTF8": "1"}, timeout_s=timeout)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
