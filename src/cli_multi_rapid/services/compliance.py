"""Evaluating the gates of a project outside of a phase, as a recorded run of its own."""

from cli_multi_rapid.model.events import Payload
from cli_multi_rapid.model.gate import Level, stricter
from cli_multi_rapid.model.settings import Settings
from cli_multi_rapid.services.base import base_of, level_in
from cli_multi_rapid.services.phases import prepare, require_trusted
from cli_multi_rapid.services.settings import ProjectSettings
from cli_multi_rapid.services.snapshot import Wish, check_gates
from cli_multi_rapid.services.wiring import Project, Specs, read_specs


def prepare_validation(
    project: Project, settings: ProjectSettings, *, gates: tuple[str, ...], changed: str | None = None
) -> Payload:
    """Return the snapshot of a run that only evaluates gates: those named, else all of the project.

    With `changed`, a revision or nothing, what differs from that base revision is looked at.

    Raises:
        GateUnknown: one of them does not exist.
        SpecInvalid: a file is invalid.
        ProjectUntrusted: a person has to look first.
    """
    specs = read_specs(project, base_of(project, changed or ""))
    check_gates(specs, gates)
    trust = require_trusted(project, specs, settings)
    wish = Wish(
        targets=(),
        level=chosen_level(settings, specs),
        changed_only=changed is not None,
        parallel=settings.parallel,
        final_gates=gates or tuple(specs.gates.gates),
        approvers=settings.approvers,
    )
    return prepare(project, specs, wish, trust=trust).record


def chosen_level(settings: Settings, specs: Specs) -> Level:
    """Return the level in force: a flag or variable decides, then the gates file, then the configuration.

    Of the files as they are and as the base revision has them, the stricter counts.
    """
    if settings.origins["level"].startswith(("flag", "environment")):
        return settings.level
    present = specs.gates.level or settings.level
    return stricter(present, level_in(specs.base) if specs.base else None) or present
