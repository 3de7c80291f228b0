"""The types of a contract within the profile, as every generator of code reads them. Names are the JSON keys."""

from collections.abc import Iterator
from dataclasses import dataclass

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanType:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerType:
    """A whole number between two bounds within int64, both included."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberType:
    """A finite number of double precision; the bounds are included."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StringType:
    """Text. Lengths count characters of Unicode; an empty `enum` allows every text."""

    min_length: int = 0
    max_length: int | None = None
    pattern: str = ""
    format: str = ""
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstType:
    """One value: text, a whole number within int64, or a truth value."""

    value: str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayType:
    """Items of one type, at least and at most so many."""

    item: "Type"
    min_items: int = 0
    max_items: int | None = None
    item_nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One key of an object. `description` is what the schema says of it, on one line; it may hold any character."""

    key: str
    type: "Type"
    required: bool
    nullable: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """A closed object with members in the order of the schema. `place` is where it is defined: the same is the same."""

    place: str
    members: tuple[Member, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionType:
    """One of several objects, told apart by the constant text of the member `tag`."""

    place: str
    tag: str
    cases: tuple[tuple[str, ObjectType], ...]
    description: str = ""


Type = BooleanType | IntegerType | NumberType | StringType | ConstType | ArrayType | ObjectType | UnionType
Root = ObjectType | UnionType


def objects(root: Type) -> Iterator[ObjectType | UnionType]:
    """Yield every object and union that a type is made of, once each, inner ones before those that hold them."""
    yield from _objects(root, set())


def _objects(one: Type, seen: set[str]) -> Iterator[ObjectType | UnionType]:
    if isinstance(one, ArrayType):
        yield from _objects(one.item, seen)
    if not isinstance(one, ObjectType | UnionType) or one.place in seen:
        return
    seen.add(one.place)
    inner = [member.type for member in one.members] if isinstance(one, ObjectType) else [case for _, case in one.cases]
    for each in inner:
        yield from _objects(each, seen)
    yield one
