"""What all commands that drive a run share: opening the project, watching the run, ending with its summary."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cli_multi_rapid.cli.options import Common
from cli_multi_rapid.errors import InputInvalid

if TYPE_CHECKING:
    from cli_multi_rapid.documents.reports import RunView
    from cli_multi_rapid.engine.recovery import Choice
    from cli_multi_rapid.model.events import Event, NewEvent
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.settings import Settings
    from cli_multi_rapid.services.runs import Ended, Session
    from cli_multi_rapid.services.settings import ProjectSettings
    from cli_multi_rapid.services.snapshot import Wish
    from cli_multi_rapid.services.wiring import Project


def opened(
    common: Common, *, level: str | None = None, timeout: str | None = None
) -> "tuple[Project, ProjectSettings]":
    """Return the project of the working folder and the settings in force, flags included."""
    from cli_multi_rapid.services.settings import load_settings
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    flags: Mapping[str, str | None] = {"level": level, "timeout": timeout}
    given = {name: value for name, value in flags.items() if value is not None}
    return project, load_settings(project.root, environ=project.environ, flags=given)


def wished(settings: "Settings", targets: tuple[str, ...], *, inputs: Sequence[str], job: str = "") -> "Wish":
    """Return what the user asks for.

    Raises:
        InputInvalid: an input is not of the form NAME=VALUE.
    """
    from cli_multi_rapid.services.snapshot import Wish

    values = inputs_of(inputs)
    return Wish(
        targets=targets, job=job, inputs=values, level=settings.level, parallel=settings.parallel,
        approvers=settings.approvers,
    )  # fmt: skip


def inputs_of(texts: Sequence[str], *, flag: str = "--input") -> dict[str, str]:
    """Return inputs by name.

    Raises:
        InputInvalid: one is not of the form NAME=VALUE.
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputInvalid(f"{text!r} is not of the form NAME=VALUE", hint=f"{flag} NAME=VALUE")
        values[name] = value
    return values


def begin(
    common: Common, project: "Project", settings: "ProjectSettings", wish: "Wish", *, validate: bool, take_up: bool,
    wait: bool = False, cache: bool = True,
    adopt: "Callable[[RunStarted], Sequence[NewEvent]]" = lambda _: (),
) -> int:  # fmt: skip
    """Check trust, run what is wished, and return the exit code."""
    from cli_multi_rapid.engine.graph import ordered
    from cli_multi_rapid.services.base import base_of, differing
    from cli_multi_rapid.services.compliance import chosen_level, final_gates, judges
    from cli_multi_rapid.services.phases import prepare, require_trusted
    from cli_multi_rapid.services.runs import start
    from cli_multi_rapid.services.wiring import read_specs

    specs = read_specs(project, base_of(project))
    wish = replace(wish, level=chosen_level(settings, specs))
    if validate or not wish.parent:
        judged = ordered([name for name in wish.targets if name in specs.phases], specs.phases)
        wish = replace(wish, final_gates=final_gates(specs, wish.level, everything=validate, phases=judged))
    trust = require_trusted(project, specs, settings)
    prepared = prepare(project, specs, wish, trust=trust)
    notes = [*prepared.tree.warnings, *(differing(project, specs.base) if judges(prepared.record) else ())]
    if not prepared.tree.git:
        notes.append("this folder is not a git repository: nothing can be restored if a step is interrupted")
    with session_of(common, settings, notes=notes, wait=wait, cache=cache) as session:
        adopted = adopt(prepared.record)
        ended = start(project, prepared.record, session=session, take_up=take_up, adopted=adopted)
    return finish(common, project, ended)


@contextmanager
def session_of(
    common: Common,
    settings: "Settings",
    *,
    notes: Sequence[str] = (),
    wait: bool = False,
    half_done: "Choice | None" = None,
    cache: bool = True,
) -> "Iterator[Session]":
    """Show what is driven within as it happens, on standard error, after some words of warning."""
    from cli_multi_rapid.cli.console import renderer
    from cli_multi_rapid.engine.recovery import Choice
    from cli_multi_rapid.services.runs import Limits, Session

    for text in notes:
        warn(text)
    shown = renderer(verbose=common.verbose)
    limits = Limits(log_cap_bytes=settings.log_cap_bytes, keep_runs=settings.keep_runs, timeout_s=settings.timeout_s)
    try:
        yield Session(
            limits=limits, observer=shown, warn=warn, wait=wait, half_done=half_done or Choice.ASK, cache=cache
        )
    finally:
        shown.close()


def watched(common: Common, events: "Sequence[Event]", *, notes: Sequence[str] = ()) -> None:
    """Show on standard error what has been recorded, after some words of warning."""
    from cli_multi_rapid.cli.console import renderer

    for text in notes:
        warn(text)
    shown = renderer(verbose=common.verbose)
    try:
        for event in events:
            shown.event(event)
    finally:
        shown.close()


def warn(text: str) -> None:
    """Say on standard error what a user should know but need not act on."""
    from cli_multi_rapid.cli.console import note

    note(f"warning: {text}")


def finish(common: Common, project: "Project", ended: "Ended") -> int:
    """Print how the run ended and what to do next; return the exit code."""
    from cli_multi_rapid.cli.console import emit
    from cli_multi_rapid.documents.reports import report
    from cli_multi_rapid.services.history import find_events, one, planned_by, started_of

    view = one(project, ended.run, planned=planned_by(started_of(find_events(project, ended.run))))
    if common.as_json:
        emit(report(view))
    else:
        print_summary(project, view)
    return ended.exit_code


def print_summary(project: "Project", view: "RunView") -> None:
    """Print on standard output why and how a run ended, with the ends of the logs that matter."""
    import sys

    from cli_multi_rapid.cli.console import say, symbols
    from cli_multi_rapid.cli.summary import summary
    from cli_multi_rapid.documents.reports import log_tails
    from cli_multi_rapid.services.history import log_end

    folder = project.folder(view.run)
    logs = log_tails(view, lambda path: log_end(folder / path), folder=str(folder))
    say(summary(view, logs=logs, symbols=symbols(sys.stdout)))
