"""The matrix of a job, as its steps see it here: plain lists of values.

A job runs once for every combination on GitHub; here a step does, and only for the values that it reads.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import TypeVar

from cli_multi_rapid.engine.expressions import ExpressionError, interpolate
from cli_multi_rapid.engine.values import MAX_COMBINATIONS
from cli_multi_rapid.model.phase import Scalar
from cli_multi_rapid.services.importing.expressions import OPENING, literal
from cli_multi_rapid.services.importing.source import Refused, Report, Source

T = TypeVar("T")
Combination = Mapping[str, object]

PACKED = "combination"
"""The axis that holds whole combinations where lists of values cannot say which there are."""


class Uneven(Refused):
    """The values do not go every one with every other one, or are no plain ones: combinations have to be packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All combinations of a job. `dynamic` are axes whose values an expression gives; `broken` says why none is known.

    `unknown` are axes whose expression cannot be carried over, with why. Where it is `packed`, expressions read a value
    as `matrix.combination.NAME`.
    """

    combinations: tuple[Combination, ...] = ({},)
    dynamic: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    broken: str = ""
    packed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the keys that a combination can have."""
        return tuple(dict.fromkeys(name for one in self.combinations for name in one))

    def named(self, name: str) -> str | None:
        """Return an axis as it is spelled in the matrix; expressions do not tell upper from lower case."""
        known = (*self.names, *self.dynamic, *self.unknown)
        return next((one for one in known if one.lower() == name.lower()), None)

    def values(self, name: str) -> tuple[object, ...]:
        """Return the different values of a key, in order; nothing (None) where a combination has none."""
        return _different(one.get(name) for one in self.combinations)

    def where(self, keep: Sequence[bool]) -> "Matrix":
        """Return the matrix with some of its combinations."""
        kept = [one for one, holds in zip(self.combinations, keep, strict=True) if holds]
        return replace(self, combinations=tuple(kept))

    def axes(self, names: Iterable[str]) -> dict[str, tuple[Scalar, ...] | str]:
        """Return the matrix of a step that reads some of the keys.

        Raises:
            Uneven: lists of values cannot say it, and it is not packed.
        """
        wanted = set(names)
        chosen = [name for name in self.names if name in wanted]
        lists = {name: self.values(name) for name in chosen}
        rows = _different([one.get(name) for name in chosen] for one in self.combinations)
        if self.packed and chosen:
            packed = [json.dumps(dict(zip(chosen, row, strict=True)), ensure_ascii=False) for row in rows]
            text = "[\n  " + ",\n  ".join(packed) + "\n]"
            return {PACKED: f"${{{{ fromJSON({literal(text)}) }}}}", **self._dynamic(wanted)}
        plain = all(one is None or isinstance(one, str | int | float) for values in lists.values() for one in values)
        if not plain or prod(len(values) for values in lists.values()) != len(rows):
            raise Uneven("the matrix is uneven")
        found: dict[str, tuple[Scalar, ...] | str] = {
            name: tuple(value for value in values if value is None or isinstance(value, str | int | float))
            for name, values in lists.items()
        }
        return {**found, **self._dynamic(wanted)}

    def seen(self, combination: Combination) -> Combination:
        """Return what expressions see of a combination under `matrix`."""
        return {PACKED: combination} if self.packed else combination

    def _dynamic(self, wanted: set[str]) -> dict[str, str]:
        return {name: text for name, text in self.dynamic.items() if name in wanted}


def read_matrix(source: Source, report: Report) -> Matrix:
    """Return the matrix of a job's `strategy`. What is left out of it is noted where a step reads it."""
    if source.value is None:
        return Matrix()
    if not isinstance(source.value, dict):
        return Matrix(broken="the matrix is made by an expression as a whole")
    lists: dict[str, list[object]] = {}
    dynamic: dict[str, str] = {}
    for name, axis in source.items():
        if name in {"include", "exclude"}:
            continue
        if isinstance(axis.value, str) and OPENING in axis.value:
            dynamic[name] = axis.value
        elif isinstance(axis.value, list):
            lists[name] = [_plain(one, report) for one in axis.members()]
        else:
            report.add(axis, "an axis of a matrix is a list of values")
    included, excluded = (_entries(source.at(key), report) for key in ("include", "exclude"))
    if included is None or excluded is None or (dynamic and (included or excluded)):
        return Matrix(broken="'include' or 'exclude' meets values that an expression gives")
    if prod(len(values) for values in lists.values()) > MAX_COMBINATIONS:
        return Matrix(broken=f"the matrix has more than {MAX_COMBINATIONS} combinations")
    return Matrix(combinations=_expanded(lists, included, excluded), dynamic=dynamic)


def machine(runs_on: Source, combination: Combination) -> str:
    """Return the system of the machine that `runs-on` names, as `runner.os` says it; Linux where it is not known."""
    found = runs_on.at("labels").value if isinstance(runs_on.value, dict) else runs_on.value
    labels = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
    try:
        text = " ".join(str(interpolate(label, {"matrix": combination})) for label in labels).lower()
    except ExpressionError:
        text = ""
    return "Windows" if "windows" in text else "macOS" if "macos" in text else "Linux"


def _entries(source: Source, report: Report) -> list[dict[str, object]] | None:
    """Return the entries of `include` or `exclude`; None if they cannot be known."""
    if source.value is None:
        return []
    if not isinstance(source.value, list) or not all(isinstance(one, dict) for one in source.value):
        return None
    return [{name: _plain(value, report) for name, value in one.items()} for one in source.members()]


def _plain(source: Source, report: Report) -> object:
    """Return a value; a number that loses its last zero is taken for the text that stands there."""
    written = source.document.written(source.trail)
    if written.endswith("0") and "." in written and "e" not in written.lower():
        report.add(source, f"the number {written} loses its last zero on GitHub; here it is the text '{written}'")
        return written
    return source.value


def _expanded(
    lists: Mapping[str, Sequence[object]], included: Sequence[Combination], excluded: Sequence[Combination]
) -> tuple[Combination, ...]:
    """Return the combinations as GitHub makes them.

    An entry of `include` is added to all combinations whose own values it does not change, else it is a new one.
    """
    base = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())] if lists else []
    base = [one for one in base if not any(_fits(entry, one) for entry in excluded)]
    own = [dict(one) for one in base]
    new: list[dict[str, object]] = []
    for entry in included:
        hits = [
            place for place, one in enumerate(own) if all(one[name] == entry[name] for name in entry if name in one)
        ]
        for place in hits:
            base[place] = {**base[place], **entry}
        if not hits:
            new.append(dict(entry))
    return (*base, *new) or ({},)


def _fits(entry: Combination, one: Combination) -> bool:
    return bool(entry) and all(name in one and one[name] == value for name, value in entry.items())


def _different(values: Iterable[T]) -> tuple[T, ...]:
    """Return values without repeating any; true is not 1."""
    found: dict[str, T] = {}
    for value in values:
        found.setdefault(repr(value), value)
    return tuple(found.values())
