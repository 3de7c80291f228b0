"""The environment that the steps of a project see: its interpreter, its programs, and what of them is missing."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

Kind = Literal["venv", "uv", "tox", "active", "none"]
RunProgram = Callable[[tuple[str, ...]], str | None]

_MODULE = "python:"
_LEADING_ELSEWHERE = frozenset({"PYTHONHOME", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "__PYVENV_LAUNCHER__"})
_WINDOWS = os.name == "nt"
_PROGRAMS = "Scripts" if _WINDOWS else "bin"
_PYTHON_NAMES = ("python.exe",) if _WINDOWS else ("python", "python3")
_ASK_TIMEOUT_S = 30.0
_ASK = """
import sys, site, importlib.util
if sys.prefix == sys.base_prefix:
    site.addsitedir(site.getusersitepackages())
def absent(name):
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, ValueError):
        return True
print("\\nabsent:" + ",".join(filter(absent, sys.argv[1:])))
"""
_DISTRIBUTIONS = {
    "attr": "attrs", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "dotenv": "python-dotenv", "git": "GitPython", "jsonschema_rs": "jsonschema-rs", "PIL": "pillow",
    "pytest_asyncio": "pytest-asyncio", "pytest_cov": "pytest-cov", "pytest_mock": "pytest-mock",
    "pytest_timeout": "pytest-timeout", "re2": "google-re2", "sklearn": "scikit-learn", "xdist": "pytest-xdist",
    "yaml": "pyyaml",
}  # fmt: skip
_PYTHON_PROGRAMS = frozenset({
    "bandit", "black", "coverage", "flake8", "isort", "mypy", "nox", "pip-audit", "pre-commit", "pylint", "pyright",
    "pytest", "ruff", "tox", "twine", "uv", "vulture",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What was found for a project.

    `path_entries` come before the user's PATH and `last_entries` after it. `prefix` is the virtual environment's
    folder, or None; `python` its interpreter, or without one the first that steps would find, which can be this
    program's own.
    """

    path_entries: tuple[str, ...]
    last_entries: tuple[str, ...]
    prefix: str | None
    python: str | None
    kind: Kind
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A requirement that is not met, and the command that meets it."""

    name: str
    fix: str


class Presence(StrEnum):
    """What can be said about a requirement without running anything."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


def find_environment(root: Path, environ: Mapping[str, str], *, program_prefix: str = sys.prefix) -> Environment:
    """Find the environment of a project.

    The first of these that has an interpreter: the project's `.venv` or `venv`; an activated one (VIRTUAL_ENV) that
    lies in the project; tox's newest `.tox/py*`; an activated one elsewhere, unless it is this program's own, which
    the user entered to start us and not for the project. `node_modules/.bin` of the project is added to any.

    Args:
        root: the project's folder.
        environ: the user's environment variables.
        program_prefix: folder of the environment that this program runs in.
    """
    active = environ.get("VIRTUAL_ENV", "")
    found, kind, notes = _chosen(root, active, program_prefix)
    entries = [str(found / _PROGRAMS)] if found else []
    node = root / "node_modules" / ".bin"
    if node.is_dir():
        entries.append(str(node))
    last = _own_programs()
    if found:
        python = _interpreter(found)
    else:
        path = os.pathsep.join([*_absolute(environ.get("PATH", "")), *last])
        python = next((at for name in _PYTHON_NAMES if (at := find_program(name, path))), None)
        own = ", this program's own" if python and str(Path(python).parent) in last else ""
        notes = (*notes, f"no environment in the project; python is {python or 'not there'}{own}")
    return Environment(
        path_entries=tuple(entries), last_entries=last, prefix=str(found) if found else None, python=python,
        kind=kind, notes=notes,
    )  # fmt: skip


def step_environ(environment: Environment, environ: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a step: the user's, led to the project's environment, then `extra`.

    Empty and relative entries of PATH are dropped: they would make programs of whatever lies in the working
    directory. This program's own script folder comes last, so that the tools it brings (ruff) are found where the
    project has none. PYTHONHOME is removed. PYTHONSAFEPATH is left alone: with it `python -m pytest` would no longer
    put the project on the import path, which many test suites rely on.
    """
    made = {name: value for name, value in environ.items() if name not in _LEADING_ELSEWHERE}
    entries = (*environment.path_entries, *_absolute(environ.get("PATH", "")), *environment.last_entries)
    made["PATH"] = os.pathsep.join(dict.fromkeys(entries))
    if environment.prefix:
        made["VIRTUAL_ENV"] = environment.prefix
    return {**made, **extra}


def missing_requirements(
    requires: Sequence[str],
    *,
    environ_path: str,
    python: str | None,
    run: RunProgram | None = None,
    root: Path | None = None,
) -> tuple[Missing, ...]:
    """Return the requirements that are not met, in their order, each with the command that helps.

    Modules are looked for by one child of the project's interpreter, isolated (`-I`), so that nothing in the project
    folder can pass for a module. That child runs the interpreter's own start-up only.

    Args:
        requires: entries `program` or `python:module`.
        environ_path: the PATH of steps.
        python: the project's interpreter, or None.
        run: starts a program and returns its standard output, or None where it failed; default: a child process.
        root: the project's folder; with it the fixes are written relative to it.
    """
    modules = tuple(entry.removeprefix(_MODULE) for entry in requires if entry.startswith(_MODULE))
    absent = _absent_modules(modules, python, run or _run) if modules else frozenset()
    lacking = [entry for entry in requires if not _met(entry, environ_path, absent)]
    fix = _Fix(python=python, root=root, lacking=tuple(lacking))
    return tuple(Missing(name=entry, fix=fix.of(entry)) for entry in lacking)


def present_without_running(
    requires: Sequence[str], environment: Environment, *, environ_path: str
) -> dict[str, Presence]:
    """Tell for each requirement whether it is met, by looking at files only; for projects that are not trusted."""
    return {entry: _presence(entry, environment, environ_path) for entry in requires}


def program_file(name: str, path: str) -> list[object] | None:
    """Return a program's name, its file on a PATH, the size and the time of the last change; None if there is none.

    A relative name with a folder in it is found nowhere: it may be another file in another folder.
    """
    bare = not os.path.dirname(name)  # noqa: PTH120  also of Windows' names
    found = find_program(name, path) if bare else name if os.path.isabs(name) else None  # noqa: PTH117
    try:
        state = os.stat(found) if found else None  # noqa: PTH116  the program itself, links followed
    except OSError:
        return None
    return [name, found, state.st_size, state.st_mtime_ns] if state else None


def find_program(name: str, path: str, *, avoid: Path | None = None) -> str | None:
    """Return the absolute path of a program on a PATH, or None.

    Entries that are empty or relative are skipped, and what lies below the folder `avoid`, links resolved.
    """
    endings = os.environ.get("PATHEXT", ".EXE").split(os.pathsep) if _WINDOWS and not Path(name).suffix else [""]
    for entry in _absolute(path):
        for ending in endings:
            candidate = Path(entry, name + ending)
            if not (os.path.isfile(candidate) and os.access(candidate, os.X_OK)):  # noqa: PTH113  does not raise
                continue
            if avoid is None or not any(Path(os.path.realpath(at)).is_relative_to(avoid) for at in (candidate, entry)):
                return str(candidate)
    return None


def path_outside(path: str, folder: Path) -> str:
    """Return a PATH without the entries that are empty or relative, and those below a folder, links resolved."""
    return os.pathsep.join(entry for entry in _absolute(path) if not _real(Path(entry)).is_relative_to(_real(folder)))


def _chosen(root: Path, active: str, program_prefix: str) -> tuple[Path | None, Kind, tuple[str, ...]]:
    activated = Path(active) if active and Path(active).is_absolute() and _interpreter(Path(active)) else None
    inside = activated if activated and _real(activated).is_relative_to(_real(root)) else None
    for folder in (root / ".venv", root / "venv"):
        if _interpreter(folder):
            note = f"VIRTUAL_ENV={active} is not used: the project has its own {folder.name}"
            differs = activated is not None and _real(activated) != _real(folder)
            return folder, ("uv" if _made_by_uv(folder) else "venv"), (note,) if differs else ()
    if inside:
        return inside, "active", ()
    if tox := _newest_tox(root):
        return tox, "tox", (f"using {tox.relative_to(root)}; the project has no .venv",)
    if activated and _real(activated) == _real(Path(program_prefix)):
        return None, "none", (f"VIRTUAL_ENV={active} is not used: it is this program's own environment",)
    if activated:
        return activated, "active", (f"using the activated environment {active}, which is outside the project",)
    return None, "none", ()


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _interpreter(prefix: Path) -> str | None:
    """Return the interpreter of a virtual environment; None for a folder that is none or has lost its interpreter."""
    if not (prefix / "pyvenv.cfg").is_file():
        return None
    candidates = (prefix / _PROGRAMS / name for name in _PYTHON_NAMES)
    return next((str(at) for at in candidates if at.is_file() and os.access(at, os.X_OK)), None)


def _configuration(prefix: Path) -> dict[str, str]:
    try:
        text = (prefix / "pyvenv.cfg").read_text("utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _made_by_uv(prefix: Path) -> bool:
    return "uv" in _configuration(prefix)


def _newest_tox(root: Path) -> Path | None:
    def version(folder: Path) -> tuple[int, int]:
        digits = folder.name.removeprefix("py").replace(".", "")
        return (int(digits[0]), int(digits[1:] or 0)) if digits.isdecimal() else (0, 0)

    found = [folder for folder in root.glob(".tox/py*") if _interpreter(folder)]
    return max(found, key=lambda folder: (version(folder), folder.name), default=None)


def _own_programs() -> tuple[str, ...]:
    import sysconfig

    return (sysconfig.get_path("scripts"),)


def _absolute(path: str) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry and Path(entry).is_absolute()]


def _met(entry: str, path: str, absent: frozenset[str]) -> bool:
    if entry.startswith(_MODULE):
        return entry.removeprefix(_MODULE) not in absent
    return find_program(entry, path) is not None


def _is_module_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _absent_modules(modules: tuple[str, ...], python: str | None, run: RunProgram) -> frozenset[str]:
    wrong = frozenset(name for name in modules if not _is_module_name(name))
    asked = tuple(name for name in modules if name not in wrong)
    if not asked:
        return wrong
    answer = run((python, "-I", "-c", _ASK, *asked)) if python else None
    if answer is None or "\nabsent:" not in answer:
        return frozenset(modules)
    listed = answer.rpartition("\nabsent:")[2].strip()
    return wrong | frozenset(listed.split(",") if listed else ())


def _run(argv: tuple[str, ...]) -> str | None:
    try:
        ended = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
            timeout=_ASK_TIMEOUT_S, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fix:
    """Words the commands that install what is lacking."""

    python: str | None
    root: Path | None
    lacking: tuple[str, ...]

    def of(self, entry: str) -> str:
        """Return the command for one requirement."""
        if not self._installable(entry):
            module = entry.startswith(_MODULE)
            return (
                "correct it: this is not the name of a module"
                if module
                else f"install {entry} so that it is on the PATH"
            )
        if self.python is None or not self._is_the_projects(Path(self.python)):
            return self._new_environment()
        if _made_by_uv(Path(self.python).parent.parent):
            return f"uv pip install --python {self._quoted(self.python)} {_distribution(entry)}"
        return f"{self._quoted(self.python)} -m pip install {_distribution(entry)}"

    def _is_the_projects(self, python: Path) -> bool:
        """Tell whether packages may be installed there: neither the system's nor this program's own environment."""
        if not (python.parent.parent / "pyvenv.cfg").is_file():
            return False
        return str(python.parent) not in _own_programs() or (self.root is not None and python.is_relative_to(self.root))

    def _new_environment(self) -> str:
        names = list(dict.fromkeys(_distribution(entry) for entry in self.lacking if self._installable(entry)))
        if self.root and any((self.root / name).is_file() for name in ("pyproject.toml", "setup.py")):
            names = ["-e", ".", *names]
        python = str(Path(".venv", _PROGRAMS, _PYTHON_NAMES[0]))
        maker = "py" if _WINDOWS else "python3"
        return f"{maker} -m venv .venv && {python} -m pip install {' '.join(names)}"

    def _installable(self, entry: str) -> bool:
        return _is_module_name(entry.removeprefix(_MODULE)) if entry.startswith(_MODULE) else entry in _PYTHON_PROGRAMS

    def _quoted(self, python: str) -> str:
        path = Path(python)
        if self.root and path.is_relative_to(self.root):
            path = path.relative_to(self.root)
        return shlex.quote(str(path)) if not _WINDOWS else f'"{path}"'


def _distribution(entry: str) -> str:
    module = entry.removeprefix(_MODULE).partition(".")[0]
    return _DISTRIBUTIONS.get(module, module)


def _presence(entry: str, environment: Environment, path: str) -> Presence:
    if not entry.startswith(_MODULE):
        return Presence.PRESENT if find_program(entry, path) else Presence.MISSING
    module = entry.removeprefix(_MODULE).partition(".")[0]
    if module in sys.stdlib_module_names:
        return Presence.PRESENT
    if environment.prefix is None:
        return Presence.UNKNOWN
    prefix = Path(environment.prefix)
    folders = [*prefix.glob("lib*/python*/site-packages"), prefix / "Lib" / "site-packages"]
    if any(_holds(folder, module) for folder in folders):
        return Presence.PRESENT
    shared = _configuration(prefix).get("include-system-site-packages", "false").lower() == "true"
    return Presence.UNKNOWN if shared or any(_leads_elsewhere(folder) for folder in folders) else Presence.MISSING


def _holds(folder: Path, module: str) -> bool:
    if (folder / module).is_dir() or (folder / f"{module}.py").is_file():
        return True
    return any(at.suffix in (".so", ".pyd") for at in folder.glob(f"{module}.*"))


def _leads_elsewhere(folder: Path) -> bool:
    """Tell whether a site-packages folder adds others to the import path, as editable installs do."""
    harmless = ("distutils-precedence.pth", "_virtualenv.pth", "a1_coverage.pth")
    return any(at.name not in harmless for at in folder.glob("*.pth"))
