"""The shape of the documents of any contract, also outside of the profile.

A shape holds every document that the schema accepts, and often more: what types cannot say is for the validator.
Nothing of a schema but keys, constant values, bounds and descriptions gets into a shape.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "integer", "number", "boolean", "null"]
Plain = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anything:
    """Any value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A value without parts, and the bounds that every language of types knows, by keyword."""

    kind: Kind
    bounds: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One of these values."""

    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list."""

    item: "Shape"
    bounds: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An object of any keys, whose values have one shape."""

    value: "Shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The record at a place."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several shapes."""

    parts: tuple["Shape", ...]


Shape = Anything | Scalar | Values | Sequence | Table | Named | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a record. `description` is on one line and may hold any character."""

    key: str
    shape: Shape
    required: bool
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object of known keys; an open one may have others, too."""

    entries: tuple[Entry, ...]
    open: bool
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The shape of a contract, and its records by their places in the order in which they are met."""

    place: str
    root: Shape
    records: dict[str, Record]
    description: str = ""


def parts_of(shape: Shape) -> tuple[Shape, ...]:
    """Return the shapes that one is directly made of."""
    match shape:
        case Sequence(item=inner) | Table(value=inner):
            return (inner,)
        case Choice(parts=parts):
            return parts
        case _:
            return ()


def named_in(shape: Shape) -> list[str]:
    """Return the places of the records that a shape names itself, each once."""
    if isinstance(shape, Named):
        return [shape.place]
    return list(dict.fromkeys(place for part in parts_of(shape) for place in named_in(part)))


def chosen(shapes: "list[Shape]") -> Shape:
    """Return the choice of some shapes: without repetition, values together, null last."""
    flat = [part for shape in shapes for part in (shape.parts if isinstance(shape, Choice) else (shape,))]
    if not flat or any(isinstance(one, Anything) for one in flat):
        return Anything()
    constants = [value for one in flat if isinstance(one, Values) for value in one.values]
    parts: list[Shape] = [one for one in dict.fromkeys(flat) if not isinstance(one, Values)]
    if constants:
        parts.insert(0, Values(values=tuple({(type(one), one): one for one in constants}.values())))
    parts.sort(key=lambda one: one == Scalar(kind="null"))
    return parts[0] if len(parts) == 1 else Choice(parts=tuple(parts))
