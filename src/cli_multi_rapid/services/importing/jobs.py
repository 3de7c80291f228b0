"""One job of a workflow as a phase."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cli_multi_rapid.engine.expressions import ExpressionError, condition_text, to_string
from cli_multi_rapid.model.phase import SCHEMA, Defaults, InputSpec, PhaseSpec, Scalar, Shell, Step
from cli_multi_rapid.model.words import few
from cli_multi_rapid.services.importing.commands import shell_of
from cli_multi_rapid.services.importing.contexts import Scope, Translator, contexts_of
from cli_multi_rapid.services.importing.expressions import OPENING, conjuncts
from cli_multi_rapid.services.importing.matrix import Matrix, machine, read_matrix
from cli_multi_rapid.services.importing.source import Refused, Report, Source
from cli_multi_rapid.services.importing.steps import (
    Job,
    check_variable,
    make_step,
    text_of,
    timeout_of,
    title_of,
    undecided,
)

HERE = "every step runs on this machine"
_LEFT: Mapping[str, tuple[str, str]] = {
    "permissions": ("steps have no token of GitHub", ""),
    "concurrency": ("one project has one run at a time anyway", ""),
    "environment": ("there are no deployments here", "a step with 'approval' waits for a person"),
    "container": (HERE, "run the command in the container: run: [docker, run, --rm, IMAGE, COMMAND]"),
    "services": (HERE, "start the service before the run, or in the step that needs it"),
    "outputs": ("the outputs of a job are not carried over", "needs.PHASE.steps.ID.outputs.NAME reads those of a step"),
    "continue-on-error": ("a phase that fails makes the run fail", "write it at the steps that may fail"),
}
_STRATEGY: Mapping[str, str] = {
    "fail-fast": "a combination that fails does not stop the others",
    "max-parallel": "engine.parallel of the configuration says how many steps may run at once",
}
_KNOWN = frozenset((
    "name", "needs", "if", "runs-on", "env", "defaults", "steps", "timeout-minutes", "strategy", "uses", "with",
    "secrets",
))  # fmt: skip
_ASKS_STATUS = re.compile(r"\b(always|failure|cancelled)\(")
_HOLDS_ANYWAY = frozenset({"always()", "success()", "!cancelled()", "success()||failure()"})
_TOGETHER = "make one step of those that belong together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What the jobs of a file share: what it is called, and its inputs by lower-case name.

    `conditions` tells that a job whose condition cannot be carried over is left out; else it loses the condition.
    """

    source: Source
    name: str
    inputs: Mapping[str, tuple[str, InputSpec]]
    conditions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A phase made of a job, with the places of its steps in the workflow, by id.

    `comments` stand at the top of its file; `notes` say what is left out before a step, by its id, or at the end ("").
    """

    spec: PhaseSpec
    source: Source
    steps: Mapping[str, Source]
    comments: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]


def make_phase(
    source: Source, workflow: Workflow, name: str, *, phases: Mapping[str, str], report: Report
) -> Draft | None:
    """Return what a job is here; None if nothing of it can be carried over, which is then on the list.

    Args:
        source: the job.
        workflow: the file that it is in.
        name: what the phase is called.
        phases: the phases that it needs, by id of their job.
        report: takes what is left out.

    Raises:
        Refused: the condition of the job cannot be carried over.
    """
    if source.has("uses"):
        report.add(source.at("uses"), "a job that calls another workflow has no steps", "import that workflow itself")
        return None
    own = Report()
    job = _job(source, workflow, phases=phases, report=own)
    comments = _set_condition(source.at("if"), job, workflow, needs=bool(phases))
    report.take(own)
    job.report = report
    _leave_out(source, report)
    made: dict[str, tuple[Step, Source]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for one in source.at("steps").members():
        step = make_step(one, job)
        if isinstance(step, Step):
            made[step.id] = (step, one)
            notes[step.id] = notes.pop("", ())
        elif step.note:
            notes[""] = (*notes.get("", ()), step.note)
    if not made:
        report.add(source, "no step of the job is carried over, so there is no phase of it")
        return None
    steps = tuple(step for step, _ in made.values())
    _tell(source, job, steps)
    spec = PhaseSpec(
        schema=SCHEMA,
        name=name,
        title=title_of(source.at("name"), report),
        needs=tuple(dict.fromkeys(phases.values())),
        env=_phase_env(job),
        inputs={given: spec for given, spec in workflow.inputs.values() if given in job.used.inputs},
        secrets=tuple(job.used.secrets),
        defaults=_defaults(source.at("timeout-minutes"), job),
        steps=steps,
    )
    places = {name: place for name, (_, place) in made.items()}
    return Draft(spec=spec, source=source, steps=places, comments=comments, notes=notes)


def _leave_out(source: Source, report: Report) -> None:
    """Note the keys of a job that have no equivalent."""
    for key, value in source.items():
        if key in _LEFT and value.value is not False:
            report.add(value, *_LEFT[key])
        elif key not in _KNOWN and key not in _LEFT:
            report.add(value, f"'{key}' is no key of a job that is known here")
    for key, value in source.at("strategy").items():
        if key in _STRATEGY and value.value is not False:
            report.add(value, _STRATEGY[key])
    if source.at("strategy").text:
        report.add(source.at("strategy"), "a strategy that an expression makes is not known here")
    if not isinstance(source.at("steps").value, list):
        report.add(source.at("steps"), "the steps of a job are a list")


def _tell(source: Source, job: Job, steps: Sequence[Step]) -> None:
    """Say how the matrix of a job has become one of its steps, and where its token comes from."""
    place, matrix = source.at("strategy", "matrix"), job.scope.matrix
    read = set(job.used.axes)
    once = [step.id for step in steps if not step.matrix]
    unread = [one for one in (*matrix.names, *matrix.dynamic) if one not in read and len(matrix.values(one)) > 1]
    if unread:
        why = f"no step that is carried over reads {', '.join(unread)} of the matrix"
        job.report.add(place, why, "give the steps a matrix with it, if they shall run for each value")
    if read:
        alone = f"; these read nothing of it and run once: {few(once)}" if once else ""
        job.report.add(place, f"each step goes through its combinations before the next one starts{alone}", _TOGETHER)
    if job.narrowed:
        why = f"what these do for some combinations only, all later steps find: {few(job.narrowed)}"
        job.report.add(place, why, _TOGETHER)
    if "GITHUB_TOKEN" in job.used.secrets:
        why = "GitHub makes a GITHUB_TOKEN for every run; here it is the environment variable of that name"
        job.report.add(source, why, "set GITHUB_TOKEN before the run")


def _job(source: Source, workflow: Workflow, *, phases: Mapping[str, str], report: Report) -> Job:
    """Return what the steps of a job share."""
    strategy = source.at("strategy", "matrix")
    system, matrix = _on_one_system(source.at("runs-on"), read_matrix(strategy, report), report)
    job = Job(report=report, used=Translator(Scope(workflow=workflow.name, system=system)))
    variables = {
        name: value
        for place in (workflow.source.at("env"), source.at("env"))
        for name, value in _variables(place, report)
    }
    env = _texts(variables, job)
    scope = Scope(
        workflow=workflow.name,
        system=system,
        phases=phases,
        inputs=workflow.inputs,
        env=env,
        shown=frozenset(name for name, text in env.items() if OPENING not in text),
    )
    job.used.scope = scope
    job.used.scope = replace(scope, matrix=_axes_known(strategy, matrix, job.used, report))
    job.folder = _default(workflow.source, source, "working-directory")
    _choose_shell(_default(workflow.source, source, "shell"), job)
    _sort_variables(variables, job)
    return job


def _on_one_system(runs_on: Source, matrix: Matrix, report: Report) -> tuple[str, Matrix]:
    """Return the system that a job is imported for, with the combinations for it: Linux where the job runs on it."""
    systems = [machine(runs_on, one) for one in matrix.combinations]
    system = next((one for one in ("Linux", "macOS", "Windows") if one in systems), "Linux")
    others = ", ".join(dict.fromkeys(one for one in systems if one != system))
    more = f"; what is only for {others} is left out" if others else ""
    if runs_on.value is not None:
        report.add(runs_on, f"{HERE}, as on {system}{more}")
    return system, matrix.where([one == system for one in systems])


def _axes_known(source: Source, matrix: Matrix, used: Translator, report: Report) -> Matrix:
    """Return the matrix with the axes that an expression gives in the words of this format."""
    known: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for name, text in matrix.dynamic.items():
        try:
            known[name] = used.template(text)
        except Refused as refusal:
            report.refused(source.at(name), refusal)
            unknown[name] = refusal.why
    return replace(matrix, dynamic=known, unknown=unknown)


def _default(workflow: Source, job: Source, key: str) -> Source | None:
    for place in (job, workflow):
        found = place.at("defaults", "run", key)
        if found.text:
            return found
    return None


def _choose_shell(source: Source | None, job: Job) -> None:
    """Find the shell of the steps that do not say their own."""
    if source is None:
        job.shell = Shell.PWSH if job.scope.system == "Windows" else Shell.BASH
        return
    try:
        job.shell = shell_of(source, job.report)
    except Refused as refusal:
        job.no_shell = refusal


# -- variables


def _variables(source: Source, report: Report) -> Sequence[tuple[str, Source]]:
    if not isinstance(source.value, dict | None):
        report.add(source, "'env' is no mapping of variables to values", "write the variables out")
    return tuple(source.items())


def _texts(variables: Mapping[str, Source], job: Job) -> dict[str, str]:
    """Return variables with their texts; those that cannot be carried over are lost."""
    found: dict[str, str] = {}
    for name, value in variables.items():
        try:
            check_variable(name)
            found[name] = text_of(value)
        except Refused as refusal:
            job.report.refused(value, refusal)
            job.lost[name] = refusal.why
    return found


def _sort_variables(variables: Mapping[str, Source], job: Job) -> None:
    """Find the variables that read the matrix, which every step has to have; and lose what cannot be carried over."""
    for name, text in job.scope.env.items():
        translator = Translator(job.scope)
        try:
            translator.template(text)
        except Refused as refusal:
            job.report.refused(variables[name], refusal)
            job.lost[name] = refusal.why
            continue
        if translator.axes:
            job.moving[name] = text


def _phase_env(job: Job) -> dict[str, Scalar]:
    """Return the variables that all steps have in the words of this format."""
    found: dict[str, Scalar] = {}
    for name, text in job.scope.env.items():
        if name in job.moving or name in job.lost:
            continue
        translator = Translator(replace(job.scope, shown=frozenset()))
        found[name] = translator.template(text)
        job.used.take(translator)
    return found


def _defaults(timeout: Source, job: Job) -> Defaults:
    found = timeout_of(timeout, job.report)
    if found is None:
        return Defaults(shell=job.shell)
    job.report.add(timeout, "it limits each step, not the phase as a whole")
    return Defaults(timeout=found, shell=job.shell)


# -- the condition


def _set_condition(source: Source, job: Job, workflow: Workflow, *, needs: bool) -> tuple[str, ...]:
    """Give every step of a job its condition; return what the top of the file says if it has to do without.

    Raises:
        Refused: it cannot be carried over, and must not be lost.
    """
    try:
        job.condition = _condition(source, job, needs=needs)
    except Refused as refusal:
        if workflow.conditions:
            why = f"the job is left out with its condition: {refusal.why}"
            raise Refused(why, "if it shall run without it: --without-conditions", needle=refusal.needle) from refusal
        job.report.add(source, f"the job has lost its condition: {refusal.why}", "see that it may run without it")
        return (f"Left out: its condition (line {source.line}): {to_string(source.value)}",)
    return ()


def _condition(source: Source, job: Job, *, needs: bool) -> str:
    """Return the condition of a job in the words of this format."""
    if source.value is None or source.value is True:
        return ""
    if isinstance(source.value, list | dict):
        raise Refused("a condition is one expression")
    try:
        text = condition_text(to_string(source.value))
    except ExpressionError as error:
        raise Refused(error.message[:1].lower() + error.message[1:], error.hint) from error
    compact = "".join(text.split()).lower()
    if compact in _HOLDS_ANYWAY and not needs:
        return ""
    if "()" in contexts_of(text) and _ASKS_STATUS.search(compact):
        raise Refused("a phase runs only if the phases that it needs succeeded")
    translator = Translator(job.scope)
    parts = undecided(translator.expression(" ".join(part.split("\n"))) for part in conjuncts(text))
    if translator.axes:
        raise Refused("the condition of a job cannot read its matrix, on GitHub neither")
    job.used.take(translator)
    return " && ".join(parts)
