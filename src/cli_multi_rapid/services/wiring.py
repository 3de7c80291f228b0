"""A project: where it is, where its state is, and its specs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.services.project import find_root, state_dir
from cli_multi_rapid.system.files import PathRefused, read_inside

if TYPE_CHECKING:  # what only reads the log needs no specs
    from cli_multi_rapid.model.gate_settings import GateFile, GateSpec
    from cli_multi_rapid.model.phase import PhaseSpec
    from cli_multi_rapid.model.policy import Base

PHASES = "workflows/phase_definitions"
GATES = "config/compliance-gates.yaml"
WAIVERS = "config/waivers.yaml"
BASELINE = "config/compliance-baseline.json"
SPEC_LIMIT_BYTES = 2 << 20
BASELINE_LIMIT = 16 << 20  # 50,000 findings, and as much as trust covers


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

    def run_lock(self, run: str) -> Path:
        """Return the path of the lock that whoever works on a run holds."""
        return self.folder(run) / "lock"

    def folder(self, run: str) -> Path:
        """Return the folder of a run's logs and artifacts."""
        return self.state / "runs" / run


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs of a project, checked, with the texts they were read from (by path relative to the root).

    `gates` are those in force: with a base revision what it has, and what is new. `implied` are those that strict adds.
    `base_text` is the text of the base's gates where it differs.
    """

    texts: Mapping[str, str]
    phases: "Mapping[str, PhaseSpec]"
    gates_text: str | None
    gates: "GateFile"
    implied: "Mapping[str, GateSpec]" = field(default_factory=dict)
    base: "Base | None" = None
    base_text: str | None = None


def open_project(folder: Path, environ: Mapping[str, str] | None = None) -> Project:
    """Find the project that a folder belongs to.

    Raises:
        ProjectMissing: there is none here or above.
    """
    environ = os.environ if environ is None else environ
    root = find_root(folder)
    return Project(root=root, state=state_dir(root, environ), environ=environ)


def read_specs(project: Project, base: "Base | None" = None) -> Specs:
    """Read and check all phases and the gates of a project; with a base revision, its gates are in force.

    Where the gates of the base cannot be read, those of the project are.

    Raises:
        SpecInvalid: with every problem of every file.
    """
    folder = project.root / PHASES
    names = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
    problems = [_misnamed(name) for name in names if name.endswith(".yml")]
    texts: dict[str, str] = {}
    for path in [*(f"{PHASES}/{name}" for name in names if name.endswith(".yaml")), GATES]:
        try:
            texts[path] = text_inside(project.root, path)
        except PathRefused as refused:
            if not refused.missing:
                problems.append(outside(path, refused))
    gates_text = texts.pop(GATES, None)
    problems += _excuses(project)
    before = base.texts.get(GATES) if base else None
    try:
        specs = checked_specs(texts, gates_text, before if before != gates_text and _readable(before) else None)
    except SpecInvalid as invalid:
        raise SpecInvalid((*problems, *invalid.problems)) from invalid
    if problems:
        raise SpecInvalid(tuple(problems))
    return replace(specs, base=base)


def _excuses(project: Project) -> tuple[Problem, ...]:
    """Return what is wrong with the project's waivers and baseline, although only those of the base count."""
    from cli_multi_rapid.gates.baseline import load_baseline
    from cli_multi_rapid.gates.waivers import load_waivers

    found: list[Problem] = []
    for path, load, limit in ((WAIVERS, load_waivers, SPEC_LIMIT_BYTES), (BASELINE, load_baseline, BASELINE_LIMIT)):
        if not (project.root / path).exists():
            continue
        try:
            load(read_inside(project.root, path, limit_bytes=limit).decode("utf-8", "surrogateescape"), path)
        except SpecInvalid as invalid:
            found += invalid.problems
        except PathRefused as refused:
            found.append(outside(path, refused, limit_bytes=limit))
    return tuple(found)


def outside(path: str, refused: PathRefused, *, limit_bytes: int = SPEC_LIMIT_BYTES) -> Problem:
    """Return the problem of a file that is there and must not be read."""
    fix = f"put a regular file of at most {limit_bytes >> 20} MiB there"
    return Problem(code="PATH-OUTSIDE", message=refused.reason, path=path, fix=fix)


def text_inside(root: Path, path: str) -> str:
    """Return the text of a project's file exactly as it is: line ends stay, foreign bytes become surrogates.

    Raises:
        PathRefused: it is missing, no regular file, reached by a link, or too large for a spec.
    """
    return read_inside(root, path, limit_bytes=SPEC_LIMIT_BYTES).decode("utf-8", errors="surrogateescape")


def checked_specs(texts: Mapping[str, str], gates_text: str | None, base_text: str | None = None) -> Specs:
    """Check the texts of phases and gates, those of a project or those of a run's snapshot.

    `base_text` are the gates of a base revision, which then are in force.

    Raises:
        SpecInvalid: with every problem of every text.
    """
    return _checked(tuple(texts.items()), gates_text, base_text)


@lru_cache(maxsize=8)  # a run needs the same specs to check, to plan and to report
def _checked(items: tuple[tuple[str, str], ...], gates_text: str | None, base_text: str | None) -> Specs:
    from cli_multi_rapid.engine.loader import load_phases
    from cli_multi_rapid.gates.policy import effective_gates, implied_gates
    from cli_multi_rapid.model.gate_settings import GateFile

    texts = dict(items)
    problems: list[Problem] = []
    gates, phases = GateFile(schema="cmr/gates@v1"), None
    before = gates
    names: frozenset[str] | None = frozenset()
    try:
        gates = _gates(gates_text, GATES) if gates_text is not None else gates
        before = _gates(base_text, f"{GATES} (in the base revision)") if base_text is not None else gates
        gates = effective_gates(gates, before)
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
    return Specs(
        texts=texts, phases=phases, gates_text=gates_text, gates=gates,
        implied=implied_gates(gates.gates, before.gates), base_text=base_text,
    )  # fmt: skip


def _gates(text: str, path: str) -> "GateFile":
    from cli_multi_rapid.engine.assertions import Assertions
    from cli_multi_rapid.gates.config import load_gates

    return load_gates(text, path, expressions=Assertions())


def _readable(gates_text: str | None) -> bool:
    try:
        return gates_text is not None and _gates(gates_text, GATES) is not None
    except SpecInvalid:
        return False


def _misnamed(name: str) -> Problem:
    fix = f"rename it to {name.removesuffix('.yml')}.yaml"
    return Problem(code="SPEC-NAME", message="the file of a phase ends in .yaml", path=f"{PHASES}/{name}", fix=fix)
