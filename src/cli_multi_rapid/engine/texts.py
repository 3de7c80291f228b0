"""Checks of every text of a phase in which an expression stands: may it be there, is it valid, what does it read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    Expression,
    ExpressionError,
    compile_expression,
    condition_text,
    split_template,
)
from cli_multi_rapid.engine.interpreters import code_arguments
from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.engine.references import Scope, objection
from cli_multi_rapid.engine.vocabulary import Place
from cli_multi_rapid.model.phase import GateUse, PhaseSpec
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label
from cli_multi_rapid.system.positions import Trail

_OPENING = "${{"
_INTO_ENV = "pass the value through 'env:' and use the variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    place: Place
    trail: Trail
    text: str
    spot: Spot | None = None


def check_texts(seen: Outline, findings: Findings, *, phases: Mapping[str, PhaseSpec]) -> None:
    """Note everything that is wrong with the expressions of a phase. `phases` are those that it may need."""
    evaluated: set[Trail] = set()
    for found in _texts(seen):
        evaluated.add(found.trail)
        scope = Scope(seen=seen, place=found.place, spot=found.spot, phases=phases)
        if found.place is Place.CONDITION:
            _condition(found, scope, findings)
        elif _OPENING in found.text:
            _template(found, scope, findings)
    for spot in seen.spots:
        _injections(spot, findings)
        if isinstance(spot.step.run, str):
            evaluated.add((*spot.trail, "run"))
    _elsewhere(findings, evaluated)


def _texts(seen: Outline) -> Iterator[_Text]:
    """Yield every text that is evaluated."""
    for name, value in seen.spec.env.items():
        if isinstance(value, str):
            yield _Text(place=Place.PHASE_ENV, trail=("env", name), text=value)
    for i, use in enumerate(seen.spec.gates):
        if isinstance(use, GateUse):
            yield _Text(place=Place.EVIDENCE, trail=("gates", i, "from"), text=use.from_)
    for spot in seen.spots:
        yield from _step_texts(spot)


def _step_texts(spot: Spot) -> Iterator[_Text]:
    step, trail = spot.step, spot.trail
    if isinstance(step.if_, str):
        yield _Text(place=Place.CONDITION, trail=(*trail, "if"), text=step.if_, spot=spot)
    if not isinstance(step.run, str):
        for i, item in enumerate(step.run):
            yield _Text(place=Place.RUN, trail=(*trail, "run", i), text=item, spot=spot)
    mappings = (
        (Place.MATRIX, "matrix", step.matrix),
        (Place.STEP_ENV, "env", step.env),
        (Place.PRODUCES, "produces", step.produces),
        (Place.OUTPUTS, "outputs", step.outputs),
    )
    for place, key, mapping in mappings:
        for name, value in mapping.items():
            if isinstance(value, str):
                yield _Text(place=place, trail=(*trail, key, name), text=value, spot=spot)


def _condition(found: _Text, scope: Scope, findings: Findings) -> None:
    try:
        text = condition_text(found.text)
    except ExpressionError as error:
        code = "CONDITION-TEXT" if error.message.startswith("Text outside") else "EXPRESSION"
        at = _at(findings, found, error.column - 1)
        findings.add(code, found.trail, _said(error), fix=error.hint, at=at)
        return
    _expression(found, text, found.text.index(text), scope=scope, findings=findings)


def _template(found: _Text, scope: Scope, findings: Findings) -> None:
    try:
        parts = split_template(found.text)
    except ExpressionError as error:
        at = _at(findings, found, error.column - 1)
        findings.add("EXPRESSION", found.trail, _said(error), fix=error.hint, at=at)
        return
    for part in parts:
        if part.kind == "expression":
            _expression(found, part.text, part.offset, scope=scope, findings=findings)


def _expression(found: _Text, text: str, offset: int, *, scope: Scope, findings: Findings) -> None:
    """Check one expression, which starts `offset` characters after the start of its text."""
    try:
        compiled = _compiled(text)
    except ExpressionError as error:
        at = _at(findings, found, offset + error.column - 1)
        findings.add("EXPRESSION", found.trail, f"'{text}': {_said(error)}", fix=error.hint, at=at)
        return
    if found.place is not Place.CONDITION and (asked := compiled.functions & STATUS_FUNCTIONS):
        message = f"{min(asked)}() can be asked in 'if' only"
        findings.add("EXPRESSION", found.trail, message, fix="move it to 'if'", at=_at(findings, found, offset))
    for path, column in zip(compiled.references, compiled.reference_columns, strict=True):
        if wrong := objection(path, scope):
            at = _at(findings, found, offset + column - 1)
            findings.add(wrong.code, found.trail, wrong.message, fix=wrong.fix, at=at)


@lru_cache(maxsize=2048)
def _compiled(text: str) -> Expression:
    return compile_expression(text)


def _injections(spot: Spot, findings: Findings) -> None:
    """Note every expression that would become code."""
    run = spot.step.run
    trail = (*spot.trail, "run")
    if isinstance(run, str):
        whole = _Text(place=Place.RUN, trail=trail, text=run)
        index = run.find(_OPENING)
        while index >= 0:
            message = "`${{ }}` in a text command would turn data into code"
            findings.add("SHELL-INJECTION", trail, message, fix=_INTO_ENV, at=_at(findings, whole, index))
            index = run.find(_OPENING, index + 1)
        return
    for i in sorted({i for i in code_arguments(run) if i < len(run) and _OPENING in run[i]}):
        item = _Text(place=Place.RUN, trail=(*trail, i), text=run[i])
        message = "`${{ }}` in code that is run by an interpreter would turn data into code"
        at = _at(findings, item, run[i].index(_OPENING))
        findings.add("SHELL-INJECTION", item.trail, message, fix=_INTO_ENV, at=at)


def _elsewhere(findings: Findings, evaluated: set[Trail]) -> None:
    """Note expressions where none is evaluated: they would be taken literally."""
    if findings.document.text.count(_OPENING) == 0:
        return
    for trail, text in _strings(findings.document.values, ()):
        if _OPENING in text and trail not in evaluated and trail[-1] != "description":
            message = f"{label(trail)} is taken as it is; expressions are not evaluated here"
            fix = "expressions work in: if, run (a list), env, matrix (in place of a list), produces, outputs, from"
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
    """Return where a character of a text stands in the file, as exactly as quoting and folding allow."""
    start = found.text.rfind(_OPENING, 0, index + len(_OPENING))
    needle, nth = _OPENING, found.text.count(_OPENING, 0, max(start, 0))
    if start < 0:
        needle, nth = found.text.strip().partition("\n")[0], 0
        start = found.text.find(needle)
    line, column = findings.document.position_of(found.trail, needle, nth=nth)
    between = found.text[start:index]
    return line, column + (0 if "\n" in between else len(between))
