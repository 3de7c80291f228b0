"""A project: where it is, where its state is, and its specs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.model.gate import GateFile
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.services.project import find_root, state_dir

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
    phases: Mapping[str, PhaseSpec]
    gates_text: str | None
    gates: GateFile


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
    texts = {f"{PHASES}/{file.name}": file.read_text("utf-8", errors="surrogateescape") for file in files}
    gates_file = project.root / GATES
    gates_text = gates_file.read_text("utf-8", errors="surrogateescape") if gates_file.is_file() else None
    return checked_specs(texts, gates_text)


def checked_specs(texts: Mapping[str, str], gates_text: str | None) -> Specs:
    """Check the texts of phases and gates, those of a project or those of a run's snapshot."""
    from cli_multi_rapid.engine.loader import load_phases
    from cli_multi_rapid.gates.config import load_gates

    gates = load_gates(gates_text, GATES) if gates_text is not None else GateFile(schema="cmr/gates@v1")
    phases = load_phases(texts, gates=frozenset(gates.gates))
    return Specs(texts=texts, phases=phases, gates_text=gates_text, gates=gates)
