"""Commands that run phases: run-phase, run-job, resume, rerun, cancel."""

from dataclasses import replace

import click

from cli_multi_rapid.cli.driving import begin as start_wished
from cli_multi_rapid.cli.driving import finish, inputs_of, opened, session_of, warn, wished
from cli_multi_rapid.cli.options import Common, command
from cli_multi_rapid.errors import UsageError

_INPUT = click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="Give an input; repeatable.")
_LEVEL = click.option("--level", type=click.Choice(["advisory", "standard", "strict"]), help="How strict gates are.")
_TIMEOUT = click.option("--timeout", metavar="DURATION", help="Stop the whole run after this time (90s, 10m, 2h).")
_RESUME = click.option(
    "--resume/--no-resume",
    "take_up",
    default=True,
    show_default=True,
    help="Go on with an interrupted run of the same.",
)


_CACHE = click.option("--no-cache", "cache", flag_value=False, default=True, help="Run every step, also cached ones.")
_WAIT = click.option("--wait", is_flag=True, help="Wait for another orchestrator that holds the project.")


@command("run-phase", example="cli-multi-rapid run-phase phase1 --validate --input fix=true")
@click.argument("phase")
@click.option("--validate", is_flag=True, help="Evaluate all gates of the project afterwards, too.")
@_INPUT
@_RESUME
@_LEVEL
@_TIMEOUT
@_WAIT
@_CACHE
@click.option("--branch", metavar="NAME", default="", help="Leave what worktrees made as this branch; merge nothing.")
def run_phase(
    common: Common, phase: str, *, validate: bool, inputs: tuple[str, ...], take_up: bool, level: str | None,
    timeout: str | None, wait: bool, cache: bool, branch: str,
) -> int:  # fmt: skip
    """Run PHASE and the phases it needs."""
    project, settings = opened(common, level=level, timeout=timeout)
    wish = replace(wished(settings, (phase,), inputs=inputs), branch=branch)
    return start_wished(common, project, settings, wish, validate=validate, take_up=take_up, wait=wait, cache=cache)


@command("run-job", example="cli-multi-rapid run-job nightly --compliance-check")
@click.argument("job", default="default")
@click.option(
    "--workflow-validate", is_flag=True, help="Check every spec, gate file and contract before anything runs."
)
@click.option("--compliance-check", is_flag=True, help="Evaluate all gates of the project afterwards.")
@click.option(
    "--file",
    "job_file",
    type=click.Path(exists=True, dir_okay=False),
    help="Read the jobs from this configuration file.",
)
@_INPUT
@_RESUME
@_LEVEL
@_TIMEOUT
@_WAIT
@_CACHE
def run_job(
    common: Common, job: str, *, workflow_validate: bool, compliance_check: bool, job_file: str | None,
    inputs: tuple[str, ...], take_up: bool, level: str | None, timeout: str | None, wait: bool, cache: bool,
) -> int:  # fmt: skip
    """Run JOB of config/workflow-config.yaml (by default the job named default)."""
    from cli_multi_rapid.services.phases import check_job
    from cli_multi_rapid.services.settings import read_jobs

    project, settings = opened(common, level=level, timeout=timeout)
    if workflow_validate:
        from cli_multi_rapid.services.contracts import require_valid

        require_valid(project)
    jobs = read_jobs(job_file) if job_file else settings.jobs
    wish = wished(settings, check_job(project, jobs, job, everything=workflow_validate), inputs=inputs, job=job)
    return start_wished(
        common, project, settings, wish, validate=compliance_check, take_up=take_up, wait=wait, cache=cache
    )


@command("resume", example="cli-multi-rapid resume")
@click.argument("run", default="last")
@click.option("--restore", is_flag=True, help="Put back what an interrupted step changed; what is there is kept.")
@click.option("--keep", is_flag=True, help="Leave what an interrupted step changed as it is.")
@_TIMEOUT
@_WAIT
def resume(common: Common, run: str, *, restore: bool, keep: bool, timeout: str | None, wait: bool) -> int:
    """Go on with RUN (by default the newest) where it was interrupted.

    A step that says what it may change is put back to its start by itself. For one that does not, --restore or --keep
    decides.
    """
    from cli_multi_rapid.engine.recovery import Choice
    from cli_multi_rapid.services.history import find_events, started_of
    from cli_multi_rapid.services.phases import changed_since, require_standing
    from cli_multi_rapid.services.runs import resume as go_on

    if restore and keep:
        raise UsageError("--restore and --keep exclude each other", hint="give one of them")
    half_done = Choice.RESTORE if restore else Choice.KEEP if keep else Choice.ASK
    project, settings = opened(common, timeout=timeout)
    events = find_events(project, run)
    require_standing(project)
    changed = changed_since(project, started_of(events))
    notes = [f"{path} has changed since; this run goes on with the text it began with" for path in changed]
    with session_of(common, settings, notes=notes, wait=wait, half_done=half_done) as session:
        ended = go_on(project, events[0].run, session=session)
    return finish(common, project, ended)


@command("rerun", example="cli-multi-rapid rerun last --failed")
@click.argument("run", default="last")
@click.option("--from", "begin", metavar="STEP", default="", help="Run this step again and all that rests on it.")
@click.option("--failed", is_flag=True, help="Run again what did not succeed, and all that rests on it.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Give an input another value; repeatable.")
@_TIMEOUT
@_WAIT
@_CACHE
def rerun(
    common: Common, run: str, *, begin: str, failed: bool, changes: tuple[str, ...], timeout: str | None, wait: bool,
    cache: bool,
) -> int:  # fmt: skip
    """Run again what RUN ran, with the same inputs, as a new run linked to it.

    With --from or --failed, steps that succeeded and rest on nothing that runs again are taken over from RUN.
    """
    from cli_multi_rapid.services.history import find_events, started_of
    from cli_multi_rapid.services.phases import wish_again
    from cli_multi_rapid.services.reruns import adopted

    if begin and failed:
        raise UsageError("--from and --failed exclude each other", hint="give one of them")
    project, settings = opened(common, timeout=timeout)
    events = find_events(project, run)
    wish = wish_again(started_of(events), events[0].run, settings)
    wish = replace(wish, inputs={**wish.inputs, **inputs_of(changes, flag="--set")})
    return start_wished(
        common, project, settings, wish, validate=False, take_up=False, wait=wait, cache=cache,
        adopt=lambda record: adopted(events, record, begin=begin, failed=failed, warn=warn),
    )  # fmt: skip


@command("cancel", example="cli-multi-rapid cancel last")
@click.argument("run", default="last")
def cancel(common: Common, run: str) -> int:
    """Ask RUN to stop: its steps are ended, its final steps run."""
    from cli_multi_rapid.cli.console import emit, note
    from cli_multi_rapid.services.history import find_events, is_alive
    from cli_multi_rapid.services.runs import cancel as ask
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(common.folder)
    found = find_events(project, run)[0].run
    ask(project, found)
    working = is_alive(project, found)
    if common.as_json:
        emit({"run": found, "asked": True, "running": working})
    else:
        note(
            f"asked run {found} to stop"
            if working
            else f"run {found} will end as cancelled:  cli-multi-rapid resume {found}"
        )
    return 0
