"""Evaluating the gates of a project outside of a phase, as a recorded run of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import CouldNotRun, FolderUnwritable, GatesMissing, UsageError
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level, stricter
from cli_multi_rapid.model.gate_settings import Check
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.model.settings import Settings
from cli_multi_rapid.services.base import base_of, differing, level_in
from cli_multi_rapid.services.phases import prepare, require_trusted
from cli_multi_rapid.services.settings import ProjectSettings
from cli_multi_rapid.services.snapshot import Wish, check_gates, plan_of
from cli_multi_rapid.services.trust import approve, trusted
from cli_multi_rapid.services.wiring import BASELINE, GATES, Project, Specs, read_specs
from cli_multi_rapid.system.files import write_atomic

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A run that only evaluates gates: its snapshot, and what the user should know before."""

    record: "RunStarted"
    notes: tuple[str, ...]


def prepare_validation(
    project: Project, settings: ProjectSettings, *, gates: tuple[str, ...], changed: str | None = None,
    history: bool = False, request: str = "",
) -> Validation:  # fmt: skip
    """Return a run that only evaluates gates: those named, else all of the project.

    With `changed`, a revision or nothing, what differs from that base revision is looked at. With `history` the gates
    of the kind secrets search what the commits have added, too.

    Raises:
        GateUnknown: one of them does not exist.
        GatesMissing: there is none at all.
        SpecInvalid: a file is invalid.
        UsageError: the history is wanted, and none of the gates is of the kind secrets.
        ProjectUntrusted: a person has to look first.
    """
    specs = read_specs(project, base_of(project, changed or ""))
    check_gates(specs, gates)
    if not specs.gates.gates:
        raise GatesMissing("this project has no gates, so nothing can be judged", where=GATES)
    level = chosen_level(settings, specs)
    wanted = gates or final_gates(specs, level, everything=True)
    searching = {name for name, gate in specs.gates.gates.items() if gate.check is Check.SECRETS}
    if history and not searching.intersection(wanted):
        raise UsageError("none of these gates is of the kind secrets", hint="leave --history out, or add such a gate")
    trust = require_trusted(project, specs, settings)
    wish = Wish(
        targets=(),
        level=level,
        changed_only=changed is not None,
        history=history,
        request=request,
        parallel=settings.parallel,
        final_gates=wanted,
        approvers=settings.approvers,
    )
    record = prepare(project, specs, wish, trust=trust).record
    return Validation(record=record, notes=differing(project, specs.base))


def final_gates(
    specs: Specs, level: Level, *, everything: bool, phases: Sequence[PhaseSpec] = ()
) -> tuple[str, ...]:  # fmt: skip
    """Return the gates that judge the project in the end: those of the project, if that is asked for.

    In strict, whatever is judged, also what is implied: nothing passes because the change looks away from it.
    """
    found = tuple(specs.gates.gates) if everything else ()
    judged = everything or any(phase.gates for phase in phases)
    return tuple(dict.fromkeys((*found, *specs.implied))) if judged and level is Level.STRICT else found


def judges(record: "RunStarted") -> bool:
    """Tell whether any gate is evaluated in a run."""
    return bool(record["final_gates"]) or any(phase.gates for phase in plan_of(record).phases)


def chosen_level(settings: Settings, specs: Specs) -> Level:
    """Return the level in force: a flag or variable decides, then the gates file, then the configuration.

    Of the files as they are and as the base revision has them, the stricter counts.
    """
    if settings.origins["level"].startswith(("flag", "environment")):
        return settings.level
    present = specs.gates.level or settings.level
    return stricter(present, level_in(specs.base) if specs.base else None) or present


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBaseline:
    """A baseline that was written: how many findings it has, and which gates could not be judged for it."""

    path: str
    findings: int
    unjudged: tuple[str, ...]


def write_baseline(project: Project, results: Sequence[GateResult]) -> WrittenBaseline:
    """Write what the gates have found as the project's baseline. A project that was trusted stays so.

    Raises:
        CouldNotRun: a gate found more than can be kept.
        FolderUnwritable: the system refused.
    """
    from cli_multi_rapid.gates.baseline import Baseline, baseline_text, load_baseline

    path = project.root / BASELINE
    before = load_baseline(path.read_text("utf-8", "replace"), BASELINE) if path.is_file() else Baseline()
    try:
        text = baseline_text(results, before=before)
    except ValueError as lost:
        raise CouldNotRun(f"the baseline cannot be written: {lost}", hint="leave more out with `exclude`") from lost
    standing = trusted(project.root, project.state, project.environ)
    try:
        write_atomic(path, text.encode())
    except OSError as failed:
        raise FolderUnwritable(f"the baseline cannot be written: {failed.strerror}", where=str(path)) from failed
    if standing.state in ("approved", "initialised"):
        now = trusted(project.root, project.state, project.environ)
        if {changed for changed, _ in now.changed} == {BASELINE}:
            approve(project.root, project.state, how=standing.state, expected=now.covered.digest)
    kept = load_baseline(text, BASELINE)
    return WrittenBaseline(
        path=BASELINE,
        findings=sum(len(found) for found in kept.findings.values()),
        unjudged=tuple(result.id for result in results if result.status is GateStatus.ERROR),
    )
