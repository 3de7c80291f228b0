"""Making a project of a folder: what is in it, what is written, and whether its entry points are still ours."""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from cli_multi_rapid.errors import FolderUnwritable
from cli_multi_rapid.model.contract import EVENTS
from cli_multi_rapid.services.project import CONFIG
from cli_multi_rapid.services.wiring import GATES, PHASES, text_inside

PHASE2 = f"{PHASES}/phase2.yaml"
_PYTHON_MARKS = ("pyproject.toml", "setup.py", "setup.cfg")
_NOT_SOURCES = frozenset(
    {"tests", "test", "testing", "docs", "doc", "examples", "scripts", "workflows", "build", "dist", "benchmarks"}
)
_NOT_MODULES = frozenset({"agentic_framework_v3", "conftest", "fabfile", "noxfile", "setup", "tasks"})
_TEST_FOLDERS = ("tests", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """One generated entry point: what the face calls itself, which arguments it fixes, and its first line."""

    path: str
    program: str
    fixed: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What was found in a folder. `sources` are what coverage measures; empty lets its configuration say.

    `contracts` tells that there are contracts.
    """

    name: str
    python: bool
    node: bool
    sources: tuple[str, ...]
    test_folders: tuple[str, ...]
    contracts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffolded:
    """What `init` did: paths written, paths kept as they were, and remarks."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    notes: tuple[str, ...]


def detect(root: Path) -> Stack:
    """Find out what a project is made of, by looking only."""
    python = (
        any((root / mark).is_file() for mark in _PYTHON_MARKS) or any(root.glob("*.py")) or any(root.glob("src/*/*.py"))
    )
    pyproject = _toml(root / "pyproject.toml")
    configured = _coverage_configured(root, pyproject)
    return Stack(
        name=_name(root, pyproject),
        python=python,
        node=(root / "package.json").is_file(),
        sources=() if configured else _sources(root),
        test_folders=() if _testpaths_configured(root, pyproject) else _tests(root),
        contracts=any((root / EVENTS).glob("*@*.json")),
    )


def planned_files(stack: Stack, entries: Iterable[EntryFile], *, contracts_gate: bool = True) -> dict[str, str]:
    """Return every file of a new project by its path. Without contracts there is no phase about them."""
    values: dict[str, object] = {
        "name": stack.name, "python": stack.python, "node": stack.node, "test_folders": stack.test_folders,
        "contracts": stack.contracts, "contracts_gate": contracts_gate,
        "cov_option": "--cov" if not stack.sources else "\n      - ".join(f"--cov={one}" for one in stack.sources),
    }  # fmt: skip
    contracts = {PHASE2: _rendered("phases/phase2.yaml", values)} if stack.contracts else {}
    return {
        "workflows/__init__.py": _rendered("workflows_init.py", {}),
        **entry_files(entries),
        "workflows/phase_definitions/phase0.yaml": _rendered("phases/phase0.yaml", values),
        "workflows/phase_definitions/phase1.yaml": _rendered("phases/phase1.yaml", values),
        **contracts,
        "workflows/validators/merge_markers.py": _rendered("validators/merge_markers.py", values),
        "config/workflow-config.yaml": _rendered("config/workflow-config.yaml", values),
        "config/compliance-gates.yaml": _rendered("config/compliance-gates.yaml", values),
        "CLAUDE.md": _rendered("CLAUDE.md", values),
        ".vscode/settings.json": _rendered("vscode-settings.json", values),
    }


def entry_files(entries: Iterable[EntryFile]) -> dict[str, str]:
    """Return the content of the entry points by their path."""
    return {
        entry.path: _rendered(
            "entry.py",
            {
                "summary": entry.summary,
                "program": json.dumps(entry.program),
                "fixed": "".join(f", [{json.dumps(one)}]" for one in entry.fixed),
            },
        )
        for entry in entries
    }


def scaffold(root: Path, entries: Iterable[EntryFile], *, contracts: bool = False) -> Scaffolded:
    """Write a project's files where they are missing; nothing that exists is touched.

    All content is made before the first file is written. With `contracts` a project that has none gets those of a
    trading desk, to start from.

    Raises:
        FolderUnwritable: the system refused.
    """
    stack, sample = detect(root), {}
    if contracts and not stack.contracts:
        stack = replace(stack, contracts=True)
        sample = {f"contracts/{path}": text for path, text in sorted(starter_files("sample/contracts").items())}
    gated = not os.path.lexists(root / GATES) or _has_contracts_gate(root)
    wanted = {**planned_files(stack, entries, contracts_gate=gated), **sample}
    notes = []
    if _foreign_package(root, wanted):
        del wanted["workflows/orchestrator.py"]
        notes.append("this project has its own package 'workflows': workflows/orchestrator.py was not written")
    kept = tuple(path for path in wanted if os.path.lexists(root / path))
    fresh = {path: text for path, text in wanted.items() if path not in kept}
    if PHASE2 in fresh and CONFIG in kept:
        notes.append(f"phase2 is new: add it to a job in {CONFIG} if jobs shall run it")
    if PHASE2 in fresh and not gated:
        notes.append(f"{GATES} has no gate for contracts: add  contracts: {{check: contracts}}")
    write_files(root, fresh)
    write_schemas(root)
    return Scaffolded(written=tuple(fresh), kept=kept, notes=tuple(notes))


def _has_contracts_gate(root: Path) -> bool:
    """Tell whether the gates of a project have one called `contracts`; those that cannot be read have none."""
    from cli_multi_rapid.errors import SpecInvalid
    from cli_multi_rapid.gates.config import load_gates
    from cli_multi_rapid.system.files import PathRefused

    try:
        return "contracts" in load_gates(text_inside(root, GATES), GATES).gates
    except (SpecInvalid, PathRefused):
        return False


def write_files(root: Path, content: Mapping[str, str]) -> None:
    """Write files below a folder, making the folders they need.

    Raises:
        FolderUnwritable: the system refused.
    """
    from cli_multi_rapid.system.files import write_atomic

    for path in content:
        for part in (*reversed(Path(path).parents), Path(path)):
            if (root / part).is_symlink():
                raise FolderUnwritable(
                    f"{part} is a link; nothing was written",
                    where=str(root),
                    hint="put a folder or file of the project there",
                )
    for path, text in content.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(root / path, text.encode())
        except OSError as failed:
            raise FolderUnwritable(
                f"{path} cannot be written: {failed.strerror}",
                where=str(root),
                hint="give a folder that may be written to",
            ) from failed


def write_schemas(root: Path) -> None:
    """Write the schemas that editors complete from; they are ours, so older ones are replaced."""
    from cli_multi_rapid.services.reporting import keep_out_of_git
    from cli_multi_rapid.system.document import FORMATS, schema_text

    write_files(root, {f".cmr/schema/{kind}.schema.json": schema_text(kind) for kind in FORMATS})
    keep_out_of_git(root / ".cmr")


def edited_entries(root: Path, entries: Iterable[EntryFile]) -> tuple[str, ...]:
    """Return the entry points that are missing or differ from what `init` writes."""
    found = []
    for path, text in entry_files(entries).items():
        file = root / path
        if not file.is_file() or file.read_text("utf-8", errors="replace") != text:
            found.append(path)
    return tuple(found)


def _foreign_package(root: Path, wanted: Mapping[str, str]) -> bool:
    """Tell whether the project has a package `workflows` that `init` did not write."""
    package = root / "workflows" / "__init__.py"
    if not package.exists() or (root / "workflows" / "orchestrator.py").exists():
        return False
    return package.read_text("utf-8", errors="replace") != wanted["workflows/__init__.py"]


def trust_what_was_written(root: Path, state: Path, environ: Mapping[str, str], *, written: Iterable[str]) -> bool:
    """Approve a project whose every covered file `init` has just written; tell whether the project is trusted now.

    Files that were there before may be anybody's; with one of them a person has to look.
    """
    from cli_multi_rapid.services.project import ensure_state_dir
    from cli_multi_rapid.services.trust import approve, fingerprint, trusted

    if set(fingerprint(root).files) <= set(written):
        ensure_state_dir(state)
        approve(root, state, how="initialised")
    return trusted(root, state, environ).given


def starter_files(folder: str) -> dict[str, str]:
    """Return the files of a folder of `starter/` by their path in it."""
    found: dict[str, str] = {}
    todo = [(files("cli_multi_rapid").joinpath("starter", folder), "")]
    while todo:
        here, prefix = todo.pop()
        for one in here.iterdir():
            if one.is_dir():
                todo.append((one, f"{prefix}{one.name}/"))
            else:
                found[prefix + one.name.removesuffix(".tmpl")] = one.read_text("utf-8")
    return found


def _rendered(name: str, values: Mapping[str, object]) -> str:
    from jinja2 import Environment, StrictUndefined

    text = files("cli_multi_rapid").joinpath("starter", f"{name}.tmpl").read_text("utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701  YAML and Python, not HTML
    return environment.from_string(text).render(values)


def _name(root: Path, pyproject: Mapping[str, object]) -> str:
    project = pyproject.get("project")
    name = str(project.get("name", "")) if isinstance(project, dict) else ""
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", name or root.resolve().name).strip("-_")
    return clean[:63] if clean[:1].isalpha() else f"project-{clean}"[:63].rstrip("-")


def _sources(root: Path) -> tuple[str, ...]:
    """Return what coverage measures: `src`, else the packages at the top, else its modules."""
    if any((root / "src").glob("*/*.py")) or any((root / "src").glob("*.py")):
        return ("src",)
    packages = sorted(one.parent.name for one in root.glob("*/__init__.py") if one.parent.name not in _NOT_SOURCES)
    if packages:
        return tuple(packages)
    modules = sorted(one.stem for one in root.glob("*.py") if one.stem not in _NOT_MODULES)
    return tuple(modules) or (".",)


def _tests(root: Path) -> tuple[str, ...]:
    return tuple(name for name in _TEST_FOLDERS if (root / name).is_dir())[:1]


def _testpaths_configured(root: Path, pyproject: Mapping[str, object]) -> bool:
    options = _table(pyproject, "tool", "pytest", "ini_options") or _table(pyproject, "tool", "pytest")
    if "testpaths" in options:
        return True
    sections = (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
    return any("testpaths" in _ini(root / name, section) for name, section in sections)


def _coverage_configured(root: Path, pyproject: Mapping[str, object]) -> bool:
    """Tell whether the project says itself what coverage measures."""
    run = _table(pyproject, "tool", "coverage", "run")
    sections = ((".coveragerc", "run"), ("setup.cfg", "coverage:run"), ("tox.ini", "coverage:run"))
    keys = {*run, *(name for file, section in sections for name in _ini(root / file, section))}
    return bool(keys & {"source", "source_pkgs", "source_dirs"})


def _table(values: Mapping[str, object], *names: str) -> Mapping[str, object]:
    for name in names:
        inner = values.get(name)
        if not isinstance(inner, dict):
            return {}
        values = inner
    return values


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _ini(path: Path, section: str) -> Mapping[str, str]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, IniError):
        return {}
    return dict(parser[section]) if parser.has_section(section) else {}
