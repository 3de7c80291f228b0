"""Checks of the values of a phase, one by one: names, durations, inputs, matrices, paths, exit codes."""

import re
from collections.abc import Iterable, Mapping

from cli_multi_rapid.engine.kinds import check_kind
from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.model.phase import Cache, InputSpec, InputType, PhaseSpec, Retry, Scalar, Step, Workspace
from cli_multi_rapid.system.checks import (
    MAX_EXIT_CODE,
    check_duration,
    check_exit_codes,
    check_globs,
    check_name,
    leads_outside,
)
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label, listed
from cli_multi_rapid.system.positions import Trail

MAX_STEPS = 2000
MAX_COMBINATIONS = 256
MAX_ATTEMPTS = 20
RESERVED_PREFIX = "CMR_"

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_VARIABLE_FORM = "use letters, digits and '_', and no digit at the start"
_REQUIREMENT = re.compile(r"(?:python:)?[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_RETRY_ON = re.compile(r"timeout|failure|exit:(?:0|[1-9][0-9]{0,2})")


def check_values(seen: Outline, findings: Findings) -> None:
    """Note every value that fits its type and still cannot be meant."""
    spec = seen.spec
    if len(seen.spots) > MAX_STEPS:
        message = f"the phase has {len(seen.spots)} steps; at most {MAX_STEPS} are allowed"
        findings.add("SPEC-LIMIT", ("steps",), message, fix="split it into several phases", key=True)
    if not seen.spots and not spec.gates:
        findings.add("SPEC-VALUE", ("steps",), "the phase has neither steps nor gates", fix="add a step", key=True)
    for name, given in spec.inputs.items():
        check_name(("inputs", name), findings)
        _input(("inputs", name), given, findings)
    _variables(("env",), spec.env, findings)
    for i, name in enumerate(spec.secrets):
        if not _ENV_NAME.match(name):
            message = f"'{name}' cannot be an environment variable"
            findings.add("SPEC-VALUE", ("secrets", i), message, fix=_VARIABLE_FORM)
    if spec.permissions is not None:
        check_globs(("permissions", "write"), spec.permissions.write, findings)
    _workspace(spec, findings)
    _concurrency(spec, findings)
    _budget(spec, findings)
    check_duration(("defaults", "timeout"), spec.defaults.timeout, findings)
    _retry(("defaults", "retry"), spec.defaults.retry, findings)
    for spot in seen.spots:
        _step(spot, findings, worktree=spec.workspace is Workspace.WORKTREE)


def _concurrency(spec: PhaseSpec, findings: Findings) -> None:
    if spec.concurrency is not None and not spec.concurrency.group.strip():
        fix = "write a name, such as  ${{ phase.name }}-${{ git.branch }}"
        findings.add("SPEC-VALUE", ("concurrency", "group"), "the group has no name", fix=fix, key=True)


def _budget(spec: PhaseSpec, findings: Findings) -> None:
    for name in ("usd", "tokens") if spec.budget is not None else ():
        value = getattr(spec.budget, name)
        if value is not None and value < 0:
            message = f"'{name}' is {value}; a budget cannot be negative"
            findings.add("SPEC-VALUE", ("budget", name), message, fix="use 0 or more", key=True)


def _workspace(spec: PhaseSpec, findings: Findings) -> None:
    for i, folder in enumerate(spec.link):
        if leads_outside(folder):
            message = f"'{folder}' is not a folder inside the project"
            fix = "write it relative to the project's root, without '..'"
            findings.add("PATH-OUTSIDE", ("link", i), message, fix=fix)
    if spec.workspace is Workspace.WORKTREE:
        return
    for name in ("setup", "link"):
        if (name,) in findings.document.keys:
            message = f"'{name}' prepares worktrees, and this phase works in place"
            findings.add("SPEC-VALUE", (name,), message, fix="write  workspace: worktree, or remove it", key=True)


def _step(spot: Spot, findings: Findings, *, worktree: bool) -> None:
    step, trail = spot.step, spot.trail
    check_kind(spot, findings, worktree=worktree)
    if step.undo is not None:
        _variables((*trail, "undo", "env"), step.undo.env, findings)
    _variables((*trail, "env"), step.env, findings)
    _matrix((*trail, "matrix"), step, findings)
    for key, names in (("produces", step.produces), ("outputs", step.outputs)):
        for name in names:
            check_name((*trail, key, name), findings)
    _produces((*trail, "produces"), step, findings)
    if step.cache is not None:
        _cache((*trail, "cache", "inputs"), step.cache, findings)
    check_exit_codes((*trail, "ok-codes"), step.ok_codes, findings)
    for i, name in enumerate(step.requires):
        if not _REQUIREMENT.match(name):
            fix = "write ruff for a program, python:pytest for a module"
            findings.add("SPEC-VALUE", (*trail, "requires", i), f"'{name}' is neither a program nor a module", fix=fix)
    check_globs((*trail, "writes"), step.writes or (), findings)
    if step.timeout is not None:
        check_duration((*trail, "timeout"), step.timeout, findings)
    if step.retry is not None:
        _retry((*trail, "retry"), step.retry, findings)


def _produces(trail: Trail, step: Step, findings: Findings) -> None:
    for name, path in step.produces.items():
        if leads_outside(path):
            message = f"'{path}' is not a path inside the step's folder"
            fix = "write it relative to $CMR_OUT, without '..'"
            findings.add("PATH-OUTSIDE", (*trail, name), message, fix=fix)


def _cache(trail: Trail, cache: Cache, findings: Findings) -> None:
    check_globs(trail, cache.inputs, findings)
    if not cache.inputs:
        message = "'inputs' is empty, so the step would never run again"
        findings.add("SPEC-VALUE", trail, message, fix="name all files that it reads", key=True)


def _variables(trail: Trail, names: Iterable[str], findings: Findings) -> None:
    for name in names:
        here = (*trail, name)
        if not _ENV_NAME.match(name):
            message = f"'{name}' cannot be an environment variable"
            findings.add("SPEC-VALUE", here, message, fix=_VARIABLE_FORM, key=True)
        elif name.upper().startswith(RESERVED_PREFIX):
            message = f"'{name}' is reserved: names with {RESERVED_PREFIX} are given by the program"
            findings.add("SPEC-VALUE", here, message, fix="use another name", key=True)


def _input(trail: Trail, given: InputSpec, findings: Findings) -> None:
    for i, option in enumerate(given.options):
        _of_type((*trail, "options", i), option, given.type, findings)
    if given.default is None:
        return
    here = (*trail, "default")
    _of_type(here, given.default, given.type, findings)
    if given.options and not any(_same(given.default, option) for option in given.options):
        fix = f"use one of: {', '.join(str(option) for option in given.options)}"
        findings.add("SPEC-VALUE", here, f"the default '{given.default}' is none of the options", fix=fix, key=True)
    if given.type is InputType.PATH and isinstance(given.default, str) and leads_outside(given.default):
        message = f"'{given.default}' is not a path inside the project"
        findings.add(
            "PATH-OUTSIDE", here, message, fix="write it relative to the project's root, without '..'", key=True
        )


def _same(one: Scalar, other: Scalar) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


_FITTING: Mapping[InputType, tuple[tuple[type, ...], str]] = {
    InputType.STRING: ((str,), "text"),
    InputType.PATH: ((str,), "a path"),
    InputType.NUMBER: ((int, float), "a number"),
    InputType.BOOLEAN: ((bool,), "true or false"),
}


def _of_type(trail: Trail, value: Scalar, kind: InputType, findings: Findings) -> None:
    types, words = _FITTING[kind]
    if type(value) not in types:
        shown = str(value).lower() if isinstance(value, bool) else "nothing" if value is None else f"'{value}'"
        fix = "put it in quotes" if str in types and value is not None else f"write {words}, or change the type"
        message = f"{label(trail)}: the input is of type {kind.value}, so this must be {words}, not {shown}"
        findings.add("SPEC-VALUE", trail, message, fix=fix)


def _retry(trail: Trail, retry: Retry, findings: Findings) -> None:
    if not 1 <= retry.attempts <= MAX_ATTEMPTS:
        message = f"'attempts' is {retry.attempts}; it must be from 1 to {MAX_ATTEMPTS}"
        findings.add("SPEC-VALUE", (*trail, "attempts"), message, fix="use a number in that range", key=True)
    check_duration((*trail, "initial"), retry.initial, findings, zero=True)
    check_duration((*trail, "max"), retry.max, findings, zero=True)
    for i, condition in enumerate(retry.on):
        if not _RETRY_ON.fullmatch(condition) or int(condition.partition(":")[2] or 0) > MAX_EXIT_CODE:
            message = f"'{condition}' is not a reason to try again"
            findings.add(
                "SPEC-VALUE", (*trail, "on", i), message, fix="use timeout, failure, or exit:N with N from 0 to 255"
            )


def _matrix(trail: Trail, step: Step, findings: Findings) -> None:
    combinations = 1
    for name, values in step.matrix.items():
        here = (*trail, name)
        check_name(here, findings)
        if isinstance(values, str):
            if "${{" not in values:
                message = f"{label(here)} must be a list, or an expression that gives one"
                findings.add("SPEC-VALUE", here, message, fix=f"write  {listed(values)}", key=True)
            continue
        if not values:
            message = f"{label(here)} has no values, so the step would never run"
            findings.add("SPEC-VALUE", here, message, fix="add a value, or remove it", key=True)
        combinations *= max(1, len(values))
        for i in range(len(values)):
            _version((*here, i), findings)
    if combinations > MAX_COMBINATIONS:
        message = f"the matrix has {combinations} combinations; at most {MAX_COMBINATIONS} are allowed"
        findings.add("SPEC-LIMIT", trail, message, fix="split the step", key=True)


def _version(trail: Trail, findings: Findings) -> None:
    written = findings.document.written(trail)
    if written.endswith("0") and "." in written and "e" not in written.lower():
        message = f"the number {written} loses its last zero"
        findings.add("SPEC-VERSION-NUMBER", trail, message, fix=f'put it in quotes: "{written}"')
