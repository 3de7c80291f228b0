"""What users ask of phases: plan them, run them, go on, run again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import JobUnknown, ProjectUntrusted, UsageError
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.settings import Settings
from cli_multi_rapid.services.project import CONFIG
from cli_multi_rapid.services.settings import ProjectSettings
from cli_multi_rapid.services.snapshot import Wish, check_approvers, check_phase, secret_names, snapshot
from cli_multi_rapid.services.tree import Tree, tree_of
from cli_multi_rapid.services.trust import require_trust, trusted
from cli_multi_rapid.services.wiring import GATES, Project, Specs, read_specs, text_inside
from cli_multi_rapid.system.files import PathRefused

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that could start now: its snapshot, and what the user should know before."""

    record: "RunStarted"
    tree: Tree


def prepare(project: Project, specs: Specs, wish: Wish, *, trust: str) -> Prepared:
    """Snapshot what a wish needs; nothing runs.

    Raises:
        PhaseUnknown: a target is no phase of this project.
        InputInvalid: an input does not fit.
        SpecInvalid: a step waits for approvers that nobody has defined.
    """
    from cli_multi_rapid.services.surroundings import surroundings

    for target in wish.targets:
        check_phase(target, specs)
    check_approvers(specs, wish.approvers)
    tree = tree_of(project)
    around = surroundings(project, secret_names(specs))
    record = snapshot(project, specs, wish, tree=tree, trust=trust, path=around.environ["PATH"])
    refuse_secrets(record, around.secrets)
    return Prepared(record=record, tree=tree)


def refuse_secrets(record: "RunStarted", secrets: Mapping[str, str]) -> None:
    """Refuse to record a snapshot in which a declared secret stands in clear.

    Raises:
        UsageError: it does; a snapshot cannot be masked, because the run goes on with it.
    """
    text = json.dumps(record, ensure_ascii=False)
    for name, value in secrets.items():
        if value in text or json.dumps(value, ensure_ascii=False)[1:-1] in text:
            raise UsageError(
                f"the value of the secret {name} stands in a phase, in the gates or in an input",
                hint=f"remove it there; the step that needs it gets it by  env: {{{name}: ${{{{ secrets.{name} }}}}}}",
            )


Jobs = Mapping[str, tuple[str, ...]]


def check_job(project: Project, jobs: Jobs, name: str, *, everything: bool) -> tuple[str, ...]:
    """Return the phases of a job; with `everything`, check that all jobs name phases that exist.

    Raises:
        JobUnknown: there is no such job.
        PhaseUnknown: a job names a phase that does not exist.
    """
    if name not in jobs:
        known = ", ".join(jobs) or "none"
        raise JobUnknown(f"job {name!r} is not defined", where=CONFIG, hint=f"use one of: {known}")
    specs = read_specs(project)
    for phases in jobs.values() if everything else (jobs[name],):
        for phase in phases:
            check_phase(phase, specs)
    return tuple(jobs[name])


def require_trusted(project: Project, specs: Specs, settings: ProjectSettings) -> str:
    """Return how the project is trusted, having made sure that what was read is what is trusted.

    Raises:
        ProjectUntrusted: it is not trusted, or a file changed between reading and checking.
    """
    found = require_trust(project.root, project.state, project.environ)
    texts = dict(specs.texts)
    if specs.gates_text is not None:
        texts[GATES] = specs.gates_text
    digests = {path: sha256(text.encode("utf-8", "surrogateescape")).hexdigest() for path, text in texts.items()}
    for path, digest in {CONFIG: settings.digest, **digests}.items():
        if found.covered.files.get(path) != digest:
            raise ProjectUntrusted(f"{path} changed while it was being read", where=str(project.root))
    return found.state


def require_standing(project: Project) -> None:
    """Check that the project may go on with a run that was trusted when it began.

    A run goes on with its own snapshot, so changes since then do not matter; that the approval was taken back does.

    Raises:
        ProjectUntrusted: it is not trusted any more.
    """
    if trusted(project.root, project.state, project.environ).state == "none":
        require_trust(project.root, project.state, project.environ)


def changed_since(project: Project, record: "RunStarted") -> tuple[str, ...]:
    """Return the phase files that no longer have the text that a run began with."""
    phases = record["phases"]
    return tuple(phase["path"] for phase in phases if _text_of(project, phase["path"]) != phase["text"])


def wish_again(record: "RunStarted", run: str, settings: Settings) -> Wish:
    """Return the wish that repeats a recorded run: same targets, level, and the inputs as they were given."""
    return Wish(
        targets=tuple(record["targets"]),
        job=record["job"],
        inputs=record["given"],
        level=Level(record["level"]),
        parallel=settings.parallel,
        final_gates=tuple(record["final_gates"]),
        parent=run,
        branch=record.get("to_branch", ""),
        history=record.get("history", False),
        changed_only=record.get("changed_only", False),
        approvers=settings.approvers,
    )


def _text_of(project: Project, path: str) -> str | None:
    try:
        return text_inside(project.root, path)
    except PathRefused:
        return None
