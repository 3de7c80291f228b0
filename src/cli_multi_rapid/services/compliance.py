"""Evaluating the gates of a project outside of a phase, as a recorded run of its own."""

from cli_multi_rapid.model.events import Payload
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.settings import Settings
from cli_multi_rapid.services.phases import prepare, require_trusted
from cli_multi_rapid.services.settings import ProjectSettings
from cli_multi_rapid.services.snapshot import Wish, check_gates
from cli_multi_rapid.services.wiring import Project, read_specs


def prepare_validation(project: Project, settings: ProjectSettings, *, gates: tuple[str, ...]) -> Payload:
    """Return the snapshot of a run that only evaluates gates: those named, else all of the project.

    Raises:
        GateUnknown: one of them does not exist.
        SpecInvalid: a file is invalid.
        ProjectUntrusted: a person has to look first.
    """
    specs = read_specs(project)
    check_gates(specs, gates)
    trust = require_trusted(project, specs, settings)
    wish = Wish(
        targets=(),
        level=chosen_level(settings, specs.gates.level),
        parallel=settings.parallel,
        final_gates=gates or tuple(specs.gates.gates),
        approvers=settings.approvers,
    )
    return prepare(project, specs, wish, trust=trust).record


def chosen_level(settings: Settings, gate_file: Level | None) -> Level:
    """Return the level in force: a flag or variable decides, then the gates file, then the configuration."""
    decided = settings.origins["level"].startswith(("flag", "environment"))
    return settings.level if decided or gate_file is None else gate_file
