"""Load phases: every problem of every file at once, each with its place and how to mend it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from cli_multi_rapid.engine.kinds import LATER
from cli_multi_rapid.engine.outline import outline, sort
from cli_multi_rapid.engine.relations import check_relations
from cli_multi_rapid.engine.texts import check_texts
from cli_multi_rapid.engine.values import check_values
from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.system.document import Findings, Loaded, load_document
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.positions import Document, in_order


class Phases(Mapping[str, PhaseSpec]):
    """Checked phases by name, in the order of their names. `documents` tells where everything stands in the files."""

    def __init__(self, specs: Mapping[str, PhaseSpec], documents: Mapping[str, Document]) -> None:
        self._specs = dict(sorted(specs.items()))
        self.documents = documents

    def __getitem__(self, name: str) -> PhaseSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)


def load_phase(text: str | bytes, path: str, *, gates: frozenset[str] | None) -> PhaseSpec:
    """Load one phase by itself: the phases that it needs are not looked at.

    Args:
        text: the content of the file.
        path: what problems call it, with `/` between folders; its last part is the name of the phase.
        gates: the gates that are defined; None if that is not known.

    Raises:
        SpecInvalid: with every problem of the file.
    """
    file = _open(text, path)
    _check(file, gates=gates, phases={})
    file.findings.check()
    return file.spec


def load_phases(files: Mapping[str, str | bytes], *, gates: frozenset[str] | None) -> Phases:
    """Load all phases of a project, given as texts by path, and check them with each other.

    Raises:
        SpecInvalid: with every problem of every file.
    """
    opened = [_open(text, path) for path, text in files.items()]
    by_name: dict[str, _File] = {}
    for file in opened:
        by_name.setdefault(file.name, file)
    specs = {name: file.spec for name, file in by_name.items()}
    for file in opened:
        _check(file, gates=gates, phases=specs)
        if by_name[file.name] is not file:
            message = f"the phase '{file.name}' is already defined in {by_name[file.name].path}"
            file.findings.add("SPEC-NAME", ("name",), message, fix="give one of the two another name")
    _check_needs(by_name)
    problems: list[Problem] = [problem for file in opened for problem in file.findings.problems]
    if problems:
        raise SpecInvalid(in_order(problems))
    return Phases(specs, {name: file.findings.document for name, file in by_name.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file as far as it could be read; an empty phase stands for one that could not be."""

    path: str
    name: str
    spec: PhaseSpec
    readable: bool
    findings: Findings


def _open(text: str | bytes, path: str) -> _File:
    loaded: Loaded[PhaseSpec] = load_document(text, path, shape=PhaseSpec, schema="phase")
    name = PurePosixPath(path).stem
    spec = loaded.draft or PhaseSpec(schema="", name=name, steps=())
    return _File(path=path, name=name, spec=spec, readable=loaded.draft is not None, findings=Findings(loaded))


def _check(file: _File, *, gates: frozenset[str] | None, phases: Mapping[str, PhaseSpec]) -> None:
    if not file.readable:
        return
    findings = file.findings
    if file.spec.name != file.name:
        message = f"the phase is called '{file.spec.name}', its file '{PurePosixPath(file.path).name}'"
        findings.add("SPEC-NAME", ("name",), message, fix=f"write  name: {file.name}, or rename the file")
    _kinds(findings)
    seen = outline(file.spec)
    check_values(seen, findings)
    check_relations(seen, findings, gates=gates)
    check_texts(seen, findings, phases=phases)


def _kinds(findings: Findings) -> None:
    """Say of actions that this version does not have that they are none, instead of calling their keys unknown."""
    values = findings.document.values
    assert isinstance(values, dict)
    for part in ("steps", "finally"):
        steps = values.get(part)
        for i, step in enumerate(steps if isinstance(steps, list) else ()):
            for kind in LATER:
                if isinstance(step, dict) and kind in step:
                    message = f"'{kind}' is not an action of this version"
                    trail = (part, i, kind)
                    findings.replace(trail, code="STEP-KIND", message=message, fix="use 'run' with a command")


def _check_needs(files: Mapping[str, _File]) -> None:
    """Note phases that need one that does not exist, and circles of phases."""
    names = list(files)
    numbers = {name: number for number, name in enumerate(names)}
    needs: dict[int, tuple[int, ...]] = {}
    for name, file in files.items():
        for i, need in enumerate(file.spec.needs):
            if need not in files:
                fix = choice(need, (other for other in files if other != name)) or "write  needs: []"
                file.findings.add("NEED-UNKNOWN", ("needs", i), f"there is no phase '{need}' to wait for", fix=fix)
        needs[numbers[name]] = tuple(numbers[need] for need in file.spec.needs if need in numbers)
    _, circles = sort(needs)
    for circle in circles:
        path = [names[number] for number in (*circle, circle[0])]
        first = files[path[0]]
        message = f"these phases wait for each other: {' -> '.join(path)}"
        trail = ("needs", first.spec.needs.index(path[1]))
        first.findings.add("CYCLE", trail, message, fix="remove one of these needs")
