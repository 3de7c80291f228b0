"""Checks of what the expressions of a phase read: known names only, and only what is there by then."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.engine.vocabulary import (
    APPROVAL_OUTPUTS,
    CONTEXTS,
    MEMBERS,
    PHASE_MEMBERS,
    RESULT_MEMBERS,
    VISIBLE,
    Place,
)
from cli_multi_rapid.model.phase import PhaseSpec, Step
from cli_multi_rapid.system.faults import choice, suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression can rest on: its phase, where it stands, in which step (if in one), and the other phases."""

    seen: Outline
    place: Place
    spot: Spot | None
    phases: Mapping[str, PhaseSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What is wrong with a reference, and how to mend it."""

    message: str
    fix: str = ""
    code: str = "EXPRESSION"


def objection(path: Sequence[str], scope: Scope) -> Objection | None:
    """Return what is wrong with a reference such as `steps.test.outputs.percent`, or None."""
    name = path[0].lower()
    if name not in CONTEXTS:
        fix = suggestion(path[0], CONTEXTS) or choice(path[0], VISIBLE[scope.place])
        return Objection(message=f"there is no '{path[0]}' in expressions", fix=fix)
    if name not in VISIBLE[scope.place]:
        fix = _ELSEWHERE.get(name, f"use one of: {', '.join(sorted(VISIBLE[scope.place]))}")
        return Objection(message=f"'{name}' cannot be read in {scope.place.value}", fix=fix)
    if name == "matrix" and not (scope.spot and scope.spot.step.matrix):
        return Objection(message="'matrix' is only there in a step with a matrix", fix="add 'matrix' to the step")
    if len(path) == 1:
        return None
    if name in MEMBERS:
        return _known(path, 1, MEMBERS[name])
    return _CHECKS[name](path, scope)


_ELSEWHERE = {
    "secrets": "pass it to the command through 'env'",
    "env": "write out what the value is made of",
    "steps": "read it in the 'env' of the step",
    "artifacts": "read it in the 'env' of the step",
}


def _known(path: Sequence[str], depth: int, names: Collection[str]) -> Objection | None:
    """Object to a key that is none of the names; case does not count."""
    if len(path) <= depth or path[depth] in names or path[depth].lower() in (name.lower() for name in names):
        return None
    fix = choice(path[depth], names) or f"there is nothing in '{'.'.join(path[:depth])}'"
    return Objection(message=f"'{path[depth]}' is unknown in '{'.'.join(path[:depth])}'", fix=fix)


def _input(path: Sequence[str], scope: Scope) -> Objection | None:
    return _known(path, 1, scope.seen.spec.inputs)


def _variable(path: Sequence[str], scope: Scope) -> Objection | None:
    variables = scope.seen.spec.env
    value = next((value for name, value in variables.items() if name.lower() == path[1].lower()), None)
    if isinstance(value, str) and "${{" in value:
        message = f"'{path[1]}' is itself made by an expression, which 'env' does not show"
        return Objection(message=message, fix="write out what the value is made of")
    return _known(path, 1, variables)


def _axis(path: Sequence[str], scope: Scope) -> Objection | None:
    return _known(path, 1, scope.spot.step.matrix if scope.spot else ())


def _secret(path: Sequence[str], scope: Scope) -> Objection | None:
    declared = scope.seen.spec.secrets
    if _known(path, 1, declared) is None:
        return None
    fix = f"write  secrets: [{', '.join((*declared, path[1]))}]"
    return Objection(message=f"the secret '{path[1]}' is not declared", fix=fix)


def _needed_phase(path: Sequence[str], scope: Scope) -> Objection | None:
    needs = scope.seen.spec.needs
    unknown = _known(path, 1, needs)
    if unknown and path[1] in scope.phases:
        message = f"the phase '{path[1]}' is not among the needs of this one"
        return Objection(message=message, fix=f"write  needs: [{', '.join((*needs, path[1]))}]")
    if unknown:
        return unknown
    if len(path) > 2 and (found := _known(path, 2, PHASE_MEMBERS)):
        return found
    phase = next((spec for name, spec in scope.phases.items() if name.lower() == path[1].lower()), None)
    if phase is None or len(path) < 4 or path[2].lower() != "steps":
        return None
    steps = {step.id.lower(): step for step in phase.steps}
    return _known(path, 3, [step.id for step in phase.steps]) or _result(path, 4, steps[path[3].lower()])


def _earlier_step(path: Sequence[str], scope: Scope) -> Objection | None:
    spot = scope.seen.ids.get(path[1].lower())
    if spot is None:
        unsure = "" in scope.seen.ids  # a step without an id could be the one that is meant
        return None if unsure else _known(path, 1, [other.step.id for other in scope.seen.spots])
    itself = scope.place is Place.UNDO and spot is scope.spot
    if not itself and (found := _not_ended(f"the step '{spot.step.id}'", [spot], scope)):
        return found
    return _result(path, 2, spot.step)


def _result(path: Sequence[str], depth: int, step: Step) -> Objection | None:
    if found := _known(path, depth, RESULT_MEMBERS):
        return found
    if len(path) > depth and path[depth].lower() == "outputs":
        return _known(path, depth + 1, step.outputs if step.approval is None else APPROVAL_OUTPUTS)
    return None


def _artifact(path: Sequence[str], scope: Scope) -> Objection | None:
    makers = scope.seen.producers.get(path[1].lower(), ())
    if not makers:
        names = {name for spot in scope.seen.spots for name in spot.step.produces}
        fix = choice(path[1], names) or "declare it under 'produces' of a step"
        return Objection(code="ARTIFACT-UNKNOWN", message=f"no step produces the artifact '{path[1]}'", fix=fix)
    if scope.spot in makers:
        if scope.place is Place.OUTPUTS:
            return None
        message = f"the artifact '{path[1]}' is produced by this step itself"
        return Objection(code="ARTIFACT-UNKNOWN", message=message, fix="use ${{ step.out }} and its path")
    return _not_ended(f"the artifact '{path[1]}' of '{makers[0].step.id}'", makers, scope, code="ARTIFACT-UNKNOWN")


def _not_ended(what: str, makers: Sequence[Spot], scope: Scope, *, code: str = "NEED-MISSING") -> Objection | None:
    """Object if none of the steps has always ended by then; the fix is the need that is missing."""
    if scope.spot is None:  # judged when all main steps have ended
        if any(not maker.final for maker in makers):
            return None
        message = f"{what} comes only in 'finally', after the gates"
        return Objection(code=code, message=message, fix="move the step to 'steps'")
    here = scope.spot
    if any(scope.seen.ended(maker, when=here) for maker in makers if maker is not here):
        return None
    maker = makers[0]
    if maker is here:
        return Objection(code=code, message=f"{what} is the one that reads it", fix="read an earlier step")
    message = f"{what} might not be there yet: '{here.step.id}' does not wait for '{maker.step.id}'"
    if scope.seen.ended(here, when=maker) or (maker.final and not here.final):
        return Objection(code=code, message=message, fix=f"'{maker.step.id}' comes later; read it in a step after it")
    needs = (*(scope.seen.spots[number].step.id for number in scope.seen.needs[here.number]), maker.step.id)
    return Objection(code=code, message=message, fix=f"write  needs: [{', '.join(needs)}]")


_CHECKS: Mapping[str, Callable[[Sequence[str], Scope], Objection | None]] = {
    "inputs": _input,
    "env": _variable,
    "matrix": _axis,
    "secrets": _secret,
    "needs": _needed_phase,
    "steps": _earlier_step,
    "artifacts": _artifact,
}
