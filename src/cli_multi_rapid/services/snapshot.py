"""What a run is: the snapshot that its first event records, and the plan that follows from it."""

import json
import math
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.graph import RunPlan, ordered
from cli_multi_rapid.engine.loader import Phases
from cli_multi_rapid.errors import GateUnknown, InputInvalid, PhaseUnknown, Problem, SpecInvalid
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import Approvers, Person
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.phase import InputSpec, InputType, PhaseSpec, Scalar
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.services.project import CONFIG
from cli_multi_rapid.services.tree import Tree
from cli_multi_rapid.services.wiring import PHASES, Project, Specs, checked_specs
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.positions import in_order
from cli_multi_rapid.system.users import system_user

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import Phase, RunStarted

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user asks for: which phases, with which inputs, judged how.

    With `history` every gate of the kind secrets searches what the commits have added, too. `request` is a digest of
    all that a verdict of gates alone follows from; see `services.unchanged`.
    """

    targets: tuple[str, ...]
    job: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    level: Level = Level.STANDARD
    parallel: int = 1
    final_gates: tuple[str, ...] = ()
    parent: str = ""
    branch: str = ""
    changed_only: bool = False
    history: bool = False
    request: str = ""
    approvers: Approvers = field(default_factory=dict)


def snapshot(project: Project, specs: Specs, wish: Wish, *, tree: Tree, trust: str, path: str) -> "RunStarted":
    """Return the payload of `run.started`: everything that the run needs to go on, whatever happens to the files.

    Raises:
        InputInvalid: an input is unknown, missing, or does not fit its definition.
    """
    phases = ordered(wish.targets, specs.phases)
    inputs = chosen_inputs(phases, wish)
    person = Person(user=system_user(), name=tree.user[0], email=tree.user[1])
    record: RunStarted = {
        "phases": [_phase(phase, specs) for phase in phases], "targets": list(wish.targets), "job": wish.job,
        "inputs": inputs, "given": dict(wish.inputs), "secrets": list(secret_names(specs)),
        "gates_text": specs.gates_text, "final_gates": list(wish.final_gates), "level": wish.level.value,
        "parallel": wish.parallel, "fingerprint": "", "tree": tree.id, "head": tree.head, "branch": tree.branch,
        "version": VERSION, "root": str(project.root), "host": socket.gethostname(), "trust": trust, "path": path,
        "parent": wish.parent, "to_branch": wish.branch, "changed_only": wish.changed_only,
        "by": forms.of_person(person),
    }  # fmt: skip
    if specs.base is not None:
        record["base"] = {"commit": specs.base.commit, "why": specs.base.why, "gates_text": specs.base_text}
    if wish.history:
        record["history"] = True
    if wish.request:
        record["request"] = wish.request
    if wish.approvers and any(step.approval for phase in phases for step in phase.steps):
        record["approvers"] = {name: list(members) for name, members in wish.approvers.items()}
    record["fingerprint"] = fingerprint(record, tree.id)
    return record


def fingerprint(record: "RunStarted", tree: str) -> str:
    """Return what approvals and resumes are bound to: SHA-256 over specs, inputs, gates, level and base."""
    bound: list[object] = [
        record["phases"], record["targets"], record["inputs"], record["gates_text"], record["final_gates"],
        record["level"], tree,
    ]  # fmt: skip
    if "base" in record:
        bound.append(record["base"])
    if "history" in record:
        bound.append(record["history"])
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def fingerprint_of(record: "RunStarted") -> str | None:
    """Return the fingerprint that a recorded snapshot has to have; None where it is none."""
    try:
        return fingerprint(record, record["tree"])
    except KeyError:
        return None


def plan_of(record: "RunStarted") -> RunPlan:
    """Return the plan of a recorded snapshot."""
    specs = recorded_specs(record)
    return RunPlan(
        phases=tuple(specs.phases[phase["name"]] for phase in record["phases"]),
        inputs=record["inputs"],
        gates=_gates(specs, record),
        final_gates=tuple(record["final_gates"]),
        level=Level(record["level"]),
        parallel=record["parallel"],
        secrets=tuple(record["secrets"]),
        git={"head": record["head"], "branch": record["branch"], "tree": record["tree"]},
    )


def recorded_specs(record: "RunStarted") -> Specs:
    """Return the specs of a recorded snapshot."""
    texts = {phase["path"]: phase["text"] for phase in record["phases"]}
    return checked_specs(texts, record["gates_text"], record["base"]["gates_text"] if "base" in record else None)


def base_commit(record: "RunStarted") -> str:
    """Return the commit that a recorded run is compared with; nothing where there is none."""
    return record["base"]["commit"] if "base" in record else ""


def _gates(specs: Specs, record: "RunStarted") -> dict[str, GateSpec]:
    """Return the gates of a run, those of the kind secrets with the history where that was asked for."""
    wanted = record.get("history") is True
    return {
        name: replace(gate, history=True) if wanted and gate.check is Check.SECRETS else gate
        for name, gate in {**specs.gates.gates, **specs.implied}.items()
    }


def secret_names(specs: Specs) -> tuple[str, ...]:
    """Return the names that any phase of the project declares as secrets: what one of them hides, all do."""
    return tuple(sorted({name for phase in specs.phases.values() for name in phase.secrets}))


def chosen_inputs(phases: tuple[PhaseSpec, ...], wish: Wish) -> dict[str, dict[str, Scalar]]:
    """Return the inputs of each phase: what was given, else the defaults.

    A value given reaches every phase of the run that declares an input of that name.
    """
    known = {name for phase in phases for name in phase.inputs}
    for name in wish.inputs:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise InputInvalid(f"no phase of this run has an input {name!r}", hint=f"inputs: {listed}")
    return {
        phase.name: {name: _input(phase, name, spec, wish) for name, spec in phase.inputs.items()} for phase in phases
    }


def _phase(phase: PhaseSpec, specs: Specs) -> "Phase":
    path = next(path for path in specs.texts if path.endswith(f"/{phase.name}.yaml"))
    return {"name": phase.name, "title": phase.title, "path": path, "text": specs.texts[path]}


def _input(phase: PhaseSpec, name: str, spec: InputSpec, wish: Wish) -> Scalar:
    if name not in wish.inputs:
        if spec.default is None:
            what = f" ({spec.description})" if spec.description else ""
            raise InputInvalid(f"{phase.name} needs a value for {name}{what}", hint=f"--input {name}=VALUE")
        return spec.default
    value = _parsed(name, spec.type, wish.inputs[name])
    if spec.options and value not in spec.options:
        listed = ", ".join(str(option) for option in spec.options)
        raise InputInvalid(f"{name} cannot be {value!r}", hint=f"one of: {listed}")
    return value


def _parsed(name: str, kind: InputType, text: str) -> Scalar:
    try:
        return _PARSERS[kind](text)
    except ValueError as wrong:
        raise InputInvalid(f"{name}: {wrong}", hint=f"--input {name}=VALUE with a {kind.value}") from wrong


def _number(text: str) -> Scalar:
    number: int | float = math.nan
    if _NUMBER.fullmatch(text) and len(text) <= _NUMBER_CHARACTERS:
        number = float(text) if set(text) & set(".eE") else int(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:_NUMBER_CHARACTERS]!r} is not a number")
    return number


def _boolean(text: str) -> Scalar:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _path(text: str) -> Scalar:
    """Return a path that stays inside the project on every system: POSIX, relative, without a way up or a drive."""
    if not text or text.startswith("/") or ".." in text.split("/") or set(text) & {"\\", "\0"} or text[1:2] == ":":
        raise ValueError(f"{text!r} does not stay inside the project")
    return text


_PARSERS: Mapping[InputType, Callable[[str], Scalar]] = {
    InputType.STRING: str,
    InputType.NUMBER: _number,
    InputType.BOOLEAN: _boolean,
    InputType.PATH: _path,
}


def check_gates(specs: Specs, names: tuple[str, ...]) -> None:
    """Raise GateUnknown for a name that is no gate of the project."""
    for name in names:
        if name not in specs.gates.gates and name not in specs.implied:
            listed = ", ".join(specs.gates.gates) or "none"
            raise GateUnknown(f"there is no gate {name!r}", hint=f"use one of: {listed}")


def check_approvers(specs: Specs, known: Approvers) -> None:
    """Raise SpecInvalid for steps that wait for a group of approvers which the configuration does not define."""
    assert isinstance(specs.phases, Phases)
    problems: list[Problem] = []
    for phase in specs.phases.values():
        document = specs.phases.documents[phase.name]
        for i, step in enumerate(phase.steps):
            for j, name in enumerate(step.approval.by if step.approval else ()):
                if name not in known:
                    at = document.position(("steps", i, "approval", "by", j))
                    message = f"the approvers '{name}' are not defined in {CONFIG}"
                    fix = choice(name, known) or f"add there  approvers: {{{name}: [name@example.org]}}"
                    problems.append(document.problem("APPROVER-UNKNOWN", message, at=at, fix=fix))
    if problems:
        raise SpecInvalid(in_order(problems))


def check_phase(name: str, specs: Specs) -> None:
    """Raise PhaseUnknown, naming the nearest phase, for a name that is none."""
    if name in specs.phases:
        return
    from difflib import get_close_matches

    known = ", ".join(specs.phases) or "none; cli-multi-rapid init writes some"
    near = get_close_matches(name, specs.phases, n=1)
    hint = f"did you mean {near[0]}? phases: {known}" if near else f"use one of: {known}"
    raise PhaseUnknown(f"phase {name!r} is not defined", where=f"{PHASES}/", hint=hint)
