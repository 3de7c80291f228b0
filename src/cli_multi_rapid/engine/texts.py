"""Checks of every text of a phase in which an expression stands: may it be there, is it valid, what does it read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    ExpressionError,
    compile_expression,
    condition_text,
    split_template,
)
from cli_multi_rapid.engine.interpreters import code_arguments
from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.engine.references import Scope, objection
from cli_multi_rapid.engine.vocabulary import Place
from cli_multi_rapid.model.phase import GateUse, PhaseSpec, Undo
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label
from cli_multi_rapid.system.positions import Trail

_OPENING = "${{"
_PATH = re.compile(r"[a-z]+(?:\.[A-Za-z_][A-Za-z0-9_-]*){1,9}")
_INTO_ENV = "pass the value through 'env:' and use the variable"

_CORRECT = "write an expression in the language of GitHub's workflows"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    place: Place
    trail: Trail
    text: str
    spot: Spot | None = None


def check_texts(seen: Outline, findings: Findings, *, phases: Mapping[str, PhaseSpec]) -> None:
    """Note everything that is wrong with the expressions of a phase. `phases` are those that it may need."""
    evaluated: dict[Trail, str] = {}
    for found in _texts(seen):
        evaluated[found.trail] = found.text
        scope = Scope(seen=seen, place=found.place, spot=found.spot, phases=phases)
        if found.place is Place.CONDITION:
            _condition(found, scope, findings)
        else:
            _template(found, scope, findings)
    for spot in seen.spots:
        commands: list[tuple[Trail, str | tuple[str, ...]]] = [((*spot.trail, "run"), spot.step.run)]
        commands += [((*spot.trail, "undo", "run"), spot.step.undo.run)] if spot.step.undo else []
        for trail, run in commands:
            if isinstance(run, str):
                evaluated[trail] = run
                _in_shell(trail, run, findings)
            elif any(_OPENING in item for item in run):
                _in_interpreter(trail, run, findings)
    _elsewhere(findings, evaluated)


def _texts(seen: Outline) -> Iterator[_Text]:
    """Yield every text that has to be evaluated."""
    for name, value in seen.spec.env.items():
        if isinstance(value, str) and _OPENING in value:
            yield _Text(place=Place.PHASE_ENV, trail=("env", name), text=value)
    if seen.spec.concurrency is not None and _OPENING in seen.spec.concurrency.group:
        yield _Text(place=Place.GROUP, trail=("concurrency", "group"), text=seen.spec.concurrency.group)
    for i, use in enumerate(seen.spec.gates):
        if isinstance(use, GateUse) and use.from_:
            yield _Text(place=Place.EVIDENCE, trail=("gates", i, "from"), text=use.from_)
    for spot in seen.spots:
        yield from _step_texts(spot)


def _step_texts(spot: Spot) -> Iterator[_Text]:
    step, trail = spot.step, spot.trail
    if isinstance(step.if_, str):
        yield _Text(place=Place.CONDITION, trail=(*trail, "if"), text=step.if_, spot=spot)
    if not isinstance(step.run, str):
        for i, item in enumerate(step.run):
            if _OPENING in item:
                yield _Text(place=Place.RUN, trail=(*trail, "run", i), text=item, spot=spot)
    mappings = (
        (Place.MATRIX, "matrix", step.matrix),
        (Place.STEP_ENV, "env", step.env),
        (Place.PRODUCES, "produces", step.produces),
        (Place.OUTPUTS, "outputs", step.outputs),
        (Place.WITH, "with", step.with_),
    )
    for place, key, mapping in mappings:
        for name, value in mapping.items():
            if isinstance(value, str) and _OPENING in value:
                yield _Text(place=place, trail=(*trail, key, name), text=value, spot=spot)
    if step.undo is not None:
        yield from _undo_texts(spot, step.undo)


def _undo_texts(spot: Spot, undo: Undo) -> Iterator[_Text]:
    trail = (*spot.trail, "undo")
    if not isinstance(undo.run, str):
        for i, item in enumerate(undo.run):
            if _OPENING in item:
                yield _Text(place=Place.UNDO, trail=(*trail, "run", i), text=item, spot=spot)
    for key, mapping in (("env", undo.env), ("with", undo.with_)):
        for name, value in mapping.items():
            if isinstance(value, str) and _OPENING in value:
                yield _Text(place=Place.UNDO, trail=(*trail, key, name), text=value, spot=spot)


def _condition(found: _Text, scope: Scope, findings: Findings) -> None:
    try:
        text = condition_text(found.text)
    except ExpressionError as error:
        code = "CONDITION-TEXT" if error.message.startswith("Text outside") else "EXPRESSION"
        at = _at(findings, found, error.column - 1)
        findings.add(code, found.trail, _said(error), fix=error.hint or _CORRECT, at=at)
        return
    _expression(found, text, found.text.index(text), scope=scope, findings=findings)


def _template(found: _Text, scope: Scope, findings: Findings) -> None:
    if _OPENING not in found.text:  # only 'from' gets here, which would take its text for the path of a file
        fix = "write  ${{ artifacts.NAME }}"
        findings.add("EXPRESSION", found.trail, f"'from' needs an expression, not '{found.text}'", fix=fix)
        return
    try:
        parts = split_template(found.text)
    except ExpressionError as error:
        at = _at(findings, found, error.column - 1)
        findings.add("EXPRESSION", found.trail, _said(error), fix=error.hint or _CORRECT, at=at)
        return
    for part in parts:
        if part.kind == "expression":
            _expression(found, part.text, part.offset, scope=scope, findings=findings)


def _expression(found: _Text, text: str, offset: int, *, scope: Scope, findings: Findings) -> None:
    """Check one expression, which starts `offset` characters after the start of its text."""
    try:
        reading = _reading(text)
    except ExpressionError as error:
        at = _at(findings, found, offset + error.column - 1)
        findings.add("EXPRESSION", found.trail, f"'{text}': {_said(error)}", fix=error.hint or _CORRECT, at=at)
        return
    if found.place is not Place.CONDITION and (asked := reading.functions & STATUS_FUNCTIONS):
        message = f"{min(asked)}() can be asked in 'if' only"
        findings.add("EXPRESSION", found.trail, message, fix="move it to 'if'", at=_at(findings, found, offset))
    for path, column in zip(reading.references, reading.columns, strict=True):
        if wrong := objection(path, scope):
            at = _at(findings, found, offset + column - 1)
            findings.add(wrong.code, found.trail, wrong.message, fix=wrong.fix, at=at)


class _Reading(NamedTuple):
    """What an expression reads (paths with their columns, from 1) and the functions it calls."""

    references: Sequence[tuple[str, ...]]
    columns: Sequence[int]
    functions: frozenset[str]


def _reading(text: str) -> _Reading:
    """Return what an expression reads. A mere path, which most of them are, needs no parser."""
    if _PATH.fullmatch(text):
        return _Reading((tuple(text.split(".")),), (1,), frozenset())
    found = compile_expression(text)
    return _Reading(found.references, found.reference_columns, found.functions)


def _in_shell(trail: Trail, run: str, findings: Findings) -> None:
    """Note every expression in a text command."""
    whole = _Text(place=Place.RUN, trail=trail, text=run)
    index = run.find(_OPENING)
    while index >= 0:
        message = "`${{ }}` in a text command would turn data into code"
        at = _at(findings, whole, index)
        findings.add("SHELL-INJECTION", whole.trail, message, fix=_INTO_ENV, at=at)
        index = run.find(_OPENING, index + 1)


def _in_interpreter(trail: Trail, run: Sequence[str], findings: Findings) -> None:
    """Note every expression that would become the code or the script of an interpreter."""
    for i in sorted({i for i in code_arguments(run) if i < len(run) and _OPENING in run[i]}):
        item = _Text(place=Place.RUN, trail=(*trail, i), text=run[i])
        message = "`${{ }}` where an interpreter expects code would turn data into code"
        at = _at(findings, item, run[i].index(_OPENING))
        findings.add("SHELL-INJECTION", item.trail, message, fix=_INTO_ENV, at=at)


def _elsewhere(findings: Findings, evaluated: Mapping[Trail, str]) -> None:
    """Note expressions where none is evaluated: they would be taken literally."""
    document = findings.document
    seen = sum(text.count(_OPENING) for text in evaluated.values())
    if not document.aliases and seen == document.text.count(_OPENING):
        return  # all that are in the file were looked at
    for trail, text in _strings(document.values, ()):
        if _OPENING in text and trail not in evaluated and trail[-1] != "description":
            message = f"{label(trail)} is taken as it is; expressions are not evaluated here"
            fix = (
                "expressions work in: if, run (a list), env, matrix (in place of a list), produces, outputs, with, from"
            )
            findings.add("EXPRESSION", trail, message, fix=fix)


def _strings(value: object, trail: Trail) -> Iterator[tuple[Trail, str]]:
    if isinstance(value, str):
        yield trail, value
    elif isinstance(value, dict | list):
        pairs: Iterable[tuple[str | int, object]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _strings(item, (*trail, key))


def _said(error: ExpressionError) -> str:
    return error.message[:1].lower() + error.message[1:]


def _at(findings: Findings, found: _Text, index: int) -> tuple[int, int]:
    """Return where a character of a text stands in the file."""
    return findings.document.inside(found.trail, found.text, index, opening=_OPENING)
