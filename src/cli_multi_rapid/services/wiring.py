"""A project: where it is, where its state is, and its specs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.services.project import find_root, state_dir

if TYPE_CHECKING:  # what only reads the log needs no specs
    from cli_multi_rapid.model.gate_settings import GateFile
    from cli_multi_rapid.model.phase import PhaseSpec

PHASES = "workflows/phase_definitions"
GATES = "config/compliance-gates.yaml"
CONFIG = "config/workflow-config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project and where its state is. Making one reads nothing of its content."""

    root: Path
    state: Path
    environ: Mapping[str, str]

    @property
    def log(self) -> Path:
        """Return the path of the event log."""
        return self.state / "events.db"

    @property
    def lock(self) -> Path:
        """Return the path of the project's lock."""
        return self.state / "lock"

    def folder(self, run: str) -> Path:
        """Return the folder of a run's logs and artifacts."""
        return self.state / "runs" / run


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs of a project, checked, with the texts they were read from (by path relative to the root)."""

    texts: Mapping[str, str]
    phases: "Mapping[str, PhaseSpec]"
    gates_text: str | None
    gates: "GateFile"


def open_project(folder: Path, environ: Mapping[str, str] | None = None) -> Project:
    """Find the project that a folder belongs to.

    Raises:
        ProjectMissing: there is none here or above.
    """
    environ = os.environ if environ is None else environ
    root = find_root(folder)
    return Project(root=root, state=state_dir(root, environ), environ=environ)


def read_specs(project: Project) -> Specs:
    """Read and check all phases and the gates of a project.

    Raises:
        SpecInvalid: with every problem of every file.
    """
    folder = project.root / PHASES
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    texts = {f"{PHASES}/{file.name}": _text(file) for file in files}
    gates_file = project.root / GATES
    gates_text = _text(gates_file) if gates_file.is_file() else None
    return checked_specs(texts, gates_text, misnamed=tuple(sorted(one.name for one in folder.glob("*.yml"))))


def checked_specs(texts: Mapping[str, str], gates_text: str | None, *, misnamed: tuple[str, ...] = ()) -> Specs:
    """Check the texts of phases and gates, those of a project or those of a run's snapshot.

    Raises:
        SpecInvalid: with every problem of every text.
    """
    return _checked(tuple(texts.items()), gates_text, misnamed)


@lru_cache(maxsize=8)  # a run needs the same specs to check, to plan and to report
def _checked(items: tuple[tuple[str, str], ...], gates_text: str | None, misnamed: tuple[str, ...]) -> Specs:
    from cli_multi_rapid.engine.loader import load_phases
    from cli_multi_rapid.gates.config import load_gates
    from cli_multi_rapid.model.gate_settings import GateFile

    texts = dict(items)
    problems = [_misnamed(name) for name in misnamed]
    gates, phases = GateFile(schema="cmr/gates@v1"), None
    names: frozenset[str] | None = frozenset()
    try:
        gates = load_gates(gates_text, GATES) if gates_text is not None else gates
        names = frozenset(gates.gates)
    except SpecInvalid as invalid:
        problems += invalid.problems
        names = None  # not known, so phases that use gates are not blamed
    try:
        phases = load_phases(texts, gates=names)
    except SpecInvalid as invalid:
        problems += invalid.problems
    if problems or phases is None:
        raise SpecInvalid(tuple(problems))
    return Specs(texts=texts, phases=phases, gates_text=gates_text, gates=gates)


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="surrogateescape")


def _misnamed(name: str) -> Problem:
    fix = f"rename it to {name.removesuffix('.yml')}.yaml"
    return Problem(code="SPEC-NAME", message="the file of a phase ends in .yaml", path=f"{PHASES}/{name}", fix=fix)
