"""Workflows of GitHub Actions as phases: one job, one phase. Pure: nothing is run, read or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from cli_multi_rapid.engine.expressions import to_string
from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.engine.outline import sort
from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.phase import InputSpec, InputType, PhaseSpec
from cli_multi_rapid.services.importing.jobs import Draft, Workflow, make_phase
from cli_multi_rapid.services.importing.names import Names
from cli_multi_rapid.services.importing.source import LeftOut, Refused, Report, Source
from cli_multi_rapid.services.importing.steps import gap
from cli_multi_rapid.services.importing.writing import phase_text
from cli_multi_rapid.system.positions import Document
from cli_multi_rapid.system.yaml import parse

_LEFT: Mapping[str, tuple[str, str]] = {
    "on": ("a phase runs when it is asked for", "cli-multi-rapid run-phase NAME"),
    "permissions": ("steps have no token of GitHub", ""),
    "concurrency": ("one project has one run at a time anyway", ""),
    "run-name": ("runs have no names", ""),
}
_DIFFERENT = (
    "There each job has a fresh checkout; here steps run in the project itself, so what they change stays changed.",
    "Shells are stricter here: unset variables and failures inside of pipes are errors (bash -euo pipefail, sh -eu).",
    "A step that says no timeout may take 60 minutes here; there a job may take six hours.",
)
_KNOWN = frozenset(("name", "env", "defaults", "jobs"))
_PATIENCE = 20
_TYPES = {"boolean": InputType.BOOLEAN, "number": InputType.NUMBER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import makes: the texts of phases by their name, and what is left out."""

    phases: Mapping[str, str]
    left_out: tuple[LeftOut, ...]


def import_workflows(files: Mapping[str, bytes], *, comments: Sequence[str] = (), conditions: bool = True) -> Imported:
    """Return the phases of workflows, given by path. Whatever is written can be loaded.

    Args:
        files: the contents by the paths that the report calls them by.
        comments: lines for the top of every file.
        conditions: jobs whose condition cannot be carried over are left out; else they lose the condition.

    Raises:
        SpecInvalid: with every problem of every file that is not a workflow.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for path, data in files.items():
        try:
            documents.append(_document(data, path))
        except SpecInvalid as invalid:
            problems += invalid.problems
    if problems:
        raise SpecInvalid(tuple(problems))
    report, names = Report(), Names()
    drafts: dict[str, Draft] = {}
    for document in documents:
        source = Source(document=document, value=document.values)
        drafts.update(_drafts(_workflow(source, report, conditions=conditions), names, report))
    texts = _loadable(drafts, comments, report)
    return Imported(phases=texts, left_out=report.items)


def _document(data: bytes, path: str) -> Document:
    document = parse(data, path)
    found = document.values
    jobs = found.get("jobs") if isinstance(found, dict) else None
    if isinstance(jobs, dict) and jobs:
        return document
    message, fix = "this is no workflow: it has no 'jobs'", "give the path of a file of .github/workflows"
    if isinstance(found, dict) and "runs" in found:
        message, fix = "this is an action, not a workflow", "copy its steps into a phase by hand"
    at = document.position(("jobs",), key=True)
    raise SpecInvalid((document.problem("WORKFLOW-INVALID", message, at=at, fix=fix),))


def _workflow(root: Source, report: Report, *, conditions: bool) -> Workflow:
    for key, value in root.items():
        if key in _LEFT:
            report.add(value, *_LEFT[key])
        elif key not in _KNOWN:
            report.add(value, f"'{key}' is no key of a workflow that is known here")
    name = root.at("name").text or root.document.path
    return Workflow(source=root, name=name, inputs=_inputs(root), conditions=conditions)


def _drafts(workflow: Workflow, names: Names, report: Report) -> dict[str, Draft]:
    """Return the phases of one workflow by name, in the order of its jobs."""
    root = workflow.source
    jobs = dict(root.at("jobs").items())
    made: dict[str, Draft] = {}
    phases: dict[str, str] = {}
    skipped: set[str] = set()
    stem = PurePosixPath(root.document.path).stem
    for job in _in_order(jobs, report):
        source = jobs[job]
        needs = source.at("needs").texts()
        if waiting := [need for need in needs if need in skipped]:
            why = f"the job is left out: it waits for '{waiting[0]}', which is left out with its condition"
            report.add(source.at("needs"), why, "if it shall run without it: --without-conditions", needle=waiting[0])
            skipped.add(job)
            continue
        name = names.take(f"{stem}-{job}" if names.has(job) else job, otherwise="phase")
        known = {need: phases[need] for need in needs if need in phases}
        try:
            draft = make_phase(source, workflow, name, phases=known, report=report)
        except Refused as refusal:
            report.refused(source.at("if"), refusal)
            skipped.add(job)
            draft = None
        if draft is None:
            names.free(name)
            continue
        if name != job:
            report.add(source, f"the name does not fit or is taken: the phase is called '{name}'")
        made[job] = _with_missing_needs(draft, jobs, phases, report)
        phases[job] = name
    return {phases[job]: made[job] for job in jobs if job in made}


def _in_order(jobs: Mapping[str, Source], report: Report) -> list[str]:
    """Return the jobs, each after those that it needs; those that wait for each other are left out."""
    names = list(jobs)
    numbers = {name: number for number, name in enumerate(names)}
    needs = {
        numbers[name]: tuple(numbers[need] for need in source.at("needs").texts() if need in numbers)
        for name, source in jobs.items()
    }
    order, circles = sort(needs)
    for circle in circles:
        path = " -> ".join(names[number] for number in (*circle, circle[0]))
        report.add(jobs[names[circle[0]]].at("needs"), f"these jobs wait for each other: {path}", "remove one need")
    for number in needs:
        if number not in order:
            report.add(jobs[names[number]], "the job is in a circle of needs, or waits for one that is")
    return [names[number] for number in order]


def _with_missing_needs(draft: Draft, jobs: Mapping[str, Source], phases: Mapping[str, str], report: Report) -> Draft:
    """Note the jobs that a phase does not wait for, because they are not carried over."""
    source = draft.source.at("needs")
    comments = list(draft.comments)
    for need in source.texts():
        if need not in phases:
            why = f"the job '{need}' is not carried over" if need in jobs else f"there is no job '{need}'"
            report.add(source, f"{why}, so it is not waited for", "see that the phase may run without it", needle=need)
            comments.append(f"Left out: needs {need} (line {source.line})")
    return replace(draft, comments=tuple(comments))


def _inputs(root: Source) -> dict[str, tuple[str, InputSpec]]:
    """Return the inputs of a workflow that is started by hand or by another one, by lower-case name."""
    found: dict[str, tuple[str, InputSpec]] = {}
    for trigger in ("workflow_dispatch", "workflow_call"):
        for name, given in root.at("on", trigger, "inputs").items():
            found.setdefault(name.lower(), (name, _input(given)))
    return found


def _input(given: Source) -> InputSpec:
    kind = _TYPES.get(given.at("type").text, InputType.STRING)
    default = given.at("default").value
    options = given.at("options").texts()
    if kind is InputType.BOOLEAN:
        default = default is True or default == "true"
    elif kind is InputType.NUMBER:
        default = default if isinstance(default, int | float) and not isinstance(default, bool) else 0
    elif default is None and options:
        default = options[0]
    elif default is not None or given.at("required").value is not True:
        default = to_string(default) if default is None or isinstance(default, str | int | float) else ""
    return InputSpec(
        type=kind,
        default=default if isinstance(default, str | int | float) else None,
        description=" ".join(given.at("description").text.split()),
        options=options if default in options else (),
    )


# -- what is written can be loaded


def _loadable(drafts: dict[str, Draft], comments: Sequence[str], report: Report) -> dict[str, str]:
    """Return the texts of phases; what the loader refuses is left out with its message.

    Each time it is the step that has a problem; if that goes on for long, it is the phase.
    """
    attempt = 0
    while True:
        texts = {name: _text(draft, comments) for name, draft in drafts.items()}
        try:
            load_phases({f"{name}.yaml": text for name, text in texts.items()}, gates=None)
        except SpecInvalid as invalid:
            drafts = _without(drafts, texts, invalid.problems, report, whole=attempt >= _PATIENCE)
            attempt += 1
        else:
            return texts


def _text(draft: Draft, comments: Sequence[str]) -> str:
    document = draft.source.document
    made = f"Made by 'cli-multi-rapid import github' of the job '{draft.source.trail[-1]}' in {document.path}."
    return phase_text(draft.spec, comments=(*comments, made, *_DIFFERENT, *draft.comments), notes=draft.notes)


def _without(
    drafts: Mapping[str, Draft],
    texts: Mapping[str, str],
    problems: Sequence[Problem],
    report: Report,
    *,
    whole: bool,
) -> dict[str, Draft]:
    """Return the drafts without what has problems: the step that they are in, else the phase."""
    left = dict(drafts)
    for problem in problems:
        name = PurePosixPath(problem.path).stem
        if name not in left:
            continue
        draft = left[name]
        step = "" if whole else _step_at(texts[name], problem.line, drafts[name].spec)
        where = draft.steps.get(step, draft.source)
        report.add(where, f"the result would not be valid: {problem.message}", problem.fix)
        kept = tuple(one for one in draft.spec.steps if one.id != step)
        if not step or not kept:
            del left[name]
        else:
            note = gap(where, problem.message).note
            left[name] = replace(draft, spec=replace(draft.spec, steps=kept), notes=_moved(draft, step, note))
    return {name: replace(draft, spec=_waiting_for(draft.spec, left)) for name, draft in left.items()}


def _moved(draft: Draft, step: str, note: str) -> dict[str, tuple[str, ...]]:
    """Return the notes of a draft that loses a step: they and a new one stand before the step after it."""
    ids = [one.id for one in draft.spec.steps]
    after = ids[ids.index(step) + 1 :]
    heir = after[0] if after else ""
    notes = dict(draft.notes)
    notes[heir] = (*notes.pop(step, ()), note, *notes.get(heir, ()))
    return notes


def _waiting_for(spec: PhaseSpec, phases: Mapping[str, Draft]) -> PhaseSpec:
    return replace(spec, needs=tuple(need for need in spec.needs if need in phases))


def _step_at(text: str, line: int, spec: PhaseSpec) -> str:
    """Return the id of the step that a line of a phase's text belongs to; nothing if it belongs to none."""
    found = ""
    ids = iter(spec.steps)
    for number, content in enumerate(text.split("\n"), start=1):
        if number > line:
            break
        if content.startswith("  - id: "):
            found = next(ids).id
    return found
