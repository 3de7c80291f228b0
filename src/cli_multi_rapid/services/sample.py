"""The sample project of `demo`: real code, tests and contracts, a mistake that can be repaired, a gap that cannot."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable
from pathlib import Path

from cli_multi_rapid.errors import ToolMissing
from cli_multi_rapid.services.scaffold import EntryFile, scaffold, starter_files, write_files

_NEEDED = ("pytest", "pytest_cov", "datamodel_code_generator")


def build_sample(folder: Path, entries: Iterable[EntryFile]) -> None:
    """Build the sample project, a git repository with one commit, in an empty folder.

    Its `.venv` borrows pytest from the environment of this program, so that nothing is downloaded.

    Raises:
        ToolMissing: pytest, pytest-cov or datamodel-code-generator is not installed beside this program.
    """
    for module in _NEEDED:
        if importlib.util.find_spec(module) is None:
            raise ToolMissing(
                f"the demo needs {module.replace('_', '-')} beside this program",
                hint=f"{Path(sys.executable)} -m pip install 'cli-multi-rapid[demo]'",
            )
    write_files(folder, starter_files("sample"))
    _environment(folder / ".venv")
    scaffold(folder, entries)
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "Stops, risks, re-entries, and contracts")


def add_missing_test(folder: Path) -> tuple[str, ...]:
    """Write the test that the sample project lacks; return its path."""
    found = starter_files("sample_later")
    write_files(folder, found)
    return tuple(found)


def _environment(folder: Path) -> None:
    venv.create(folder, symlinks=os.name == "posix", with_pip=False)
    config = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    borrowed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    (Path(config) / "borrowed.pth").write_text("\n".join(dict.fromkeys(borrowed)) + "\n", "utf-8")


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgsign=false")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        subprocess.run(("git", *identity, *arguments), cwd=folder, check=True, env=environ, stdin=subprocess.DEVNULL)
    except FileNotFoundError as missing:
        raise ToolMissing("the demo needs git", hint="install git") from missing
