"""Files in which people write what a project depends on, without saying which versions are installed."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError, read_own
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.parsing import read_json
from cli_multi_rapid.model.ports import GateInput

_PYTHON = ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile")
_PYTHON_KEYS = ("dependencies", "optional-dependencies", "dynamic", "group")
_NPM = "package.json"
_NPM_KEYS = ("dependencies", "devDependencies", "optionalDependencies")
_GATE_FILE = "config/compliance-gates.yaml"


def python_manifest(top: Sequence[str], given: GateInput) -> str | None:
    """Return the file in the root (whose files are `top`) that says that Python packages are needed.

    Raises:
        EvidenceError: `pyproject.toml` cannot be read.
    """
    for name in _PYTHON:
        if name in top and (name != "pyproject.toml" or _pyproject_needs(given)):
            return name
    return None


def npm_manifest(top: Sequence[str], given: GateInput) -> str | None:
    """Return `package.json` if it is in the root and says that npm packages are needed.

    Raises:
        EvidenceError: it cannot be read.
    """
    if _NPM not in top:
        return None
    values = read_json(read_own(Path(given.root, _NPM), given).data, path=_NPM)
    return _NPM if isinstance(values, dict) and any(values.get(key) for key in _NPM_KEYS) else None


def environment_manifest(top: Sequence[str]) -> str:
    """Return the file that stands for the environment in findings, whose own place differs between machines."""
    requirements = [name for name in top if name.startswith("requirements") and name.endswith(".txt")]
    return next((name for name in (*_PYTHON, *requirements) if name in top), _GATE_FILE)


def _pyproject_needs(given: GateInput) -> bool:
    text = read_own(Path(given.root, "pyproject.toml"), given).data.decode(errors="replace")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        raise EvidenceError(
            f"pyproject.toml is not valid TOML: {one_line(str(problem), limit=120)}", fix="correct it"
        ) from problem
    tools = values.get("tool")
    tables = [values.get("project"), tools.get("poetry") if isinstance(tools, dict) else None]
    named = [table.get(key) for table in tables if isinstance(table, dict) for key in _PYTHON_KEYS]
    return any([*named, values.get("dependency-groups")])
