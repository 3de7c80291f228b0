"""What the expressions of gates can name, and what is wrong with a name that they cannot."""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import choice

if TYPE_CHECKING:
    from cli_multi_rapid.model.ports import Expressions

_OPENING = "${{"

FIELDS: Mapping[str, str] = {
    "status": "pass, fail, warn, error, skipped or waived",
    "findings": "how many findings count, without those that are excused",
    "excused": "how many findings a waiver or the baseline excuses",
    "observed": "what was measured, such as the percentage of coverage",
    "threshold": "what it was measured against",
    "level": "advisory, standard or strict",
    "check": "the kind of check",
    "cached": "whether everything was known from before",
    "duration_ms": "how long it took",
}
"""What can be read of a gate's result: `gates.NAME.FIELD`."""

CHANGE: Mapping[str, str] = {
    "files": "how many files differ",
    "added": "how many lines are new or altered",
    "removed": "how many lines are gone or altered",
}
"""What can be read of the change since the base revision: `change.FIELD`."""

ROOTS = ("gates", "change", "level")
"""The names an expression begins with; `level` is the level in force."""


class UnknownName(Exception):
    """An expression names what is not there. `fix` says what is, `code` is that of the problem."""

    def __init__(self, message: str, *, fix: str, code: str = "EXPRESSION") -> None:
        super().__init__(message)
        self.fix = fix
        self.code = code


def resolved(path: Sequence[str], gates: Collection[str]) -> tuple[str, ...]:
    """Return a name as it is spelled where it is defined; case does not count in expressions.

    Raises:
        UnknownName: it is none.
    """
    root = path[0].lower()
    if root not in ROOTS:
        fix = f"use one of: {', '.join(ROOTS)}"
        raise UnknownName(f"there is no '{path[0]}' in the expressions of gates", fix=fix)
    if root == "level":
        return (root, *_last(path, 1))
    if root == "change":
        if len(path) < 2:
            raise UnknownName("'change' is no value of its own", fix=f"use one of: change.{', change.'.join(CHANGE)}")
        return (root, _known(path[1], CHANGE, f"'{path[1]}' is unknown in 'change'"), *_last(path, 2))
    if len(path) < 2:
        raise UnknownName("'gates' is no value of its own", fix="name a gate and a field: gates.NAME.findings")
    gate = _known(path[1], gates, f"there is no gate '{path[1]}'", code="GATE-UNKNOWN")
    if len(path) < 3:
        fix = f"use one of: {', '.join(f'{root}.{gate}.{field}' for field in FIELDS)}"
        raise UnknownName(f"'gates.{gate}' is no value of its own", fix=fix)
    return (root, gate, _known(path[2], FIELDS, f"'{path[2]}' is unknown in 'gates.{gate}'"), *_last(path, 3))


def check_expressions(gates: Mapping[str, GateSpec], findings: Findings, expressions: "Expressions") -> None:
    """Note every expression of a file that cannot be read, names what is not there, or rests on itself."""
    needs: dict[str, list[str]] = {}
    for name, gate in gates.items():
        if gate.check is not Check.EXPRESSION or not gate.assert_.strip():
            continue
        trail = ("gates", name, "assert")
        reading = expressions.read(gate.assert_)
        if reading.wrong:
            at = findings.document.inside(trail, gate.assert_, reading.place, opening=_OPENING)
            findings.add("EXPRESSION", trail, reading.wrong, fix=reading.fix, at=at)
        for path, place in zip(reading.paths, reading.places, strict=True):
            try:
                names = resolved(path, gates)
            except UnknownName as unknown:
                at = findings.document.inside(trail, gate.assert_, place, opening=_OPENING)
                findings.add(unknown.code, trail, str(unknown), fix=unknown.fix, at=at)
                continue
            needs.setdefault(name, []).extend(names[1:2] if names[0] == "gates" else ())
    if circle := circle_of(needs):
        message = f"these gates judge each other: {' -> '.join(circle)}"
        findings.add("CYCLE", ("gates", circle[0], "assert"), message, fix="leave one of them out")


def circle_of(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return gates that judge each other in a circle, the first one at the end again; none where there is no circle."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as found:
        return tuple(reversed(found.args[1]))
    return ()


def _known(name: str, known: Collection[str], message: str, *, code: str = "EXPRESSION") -> str:
    if name in known:
        return name
    for other in known:
        if other.lower() == name.lower():
            return other
    raise UnknownName(message, fix=choice(name, known) or "define one", code=code)


def _last(path: Sequence[str], end: int) -> tuple[str, ...]:
    if len(path) > end:
        whole = ".".join(path[:end])
        raise UnknownName(f"'{whole}' has no parts, so there is no '{path[end]}'", fix=f"write  {whole}")
    return ()
