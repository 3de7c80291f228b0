"""TypedDict classes of a contract: types only, of the standard library, laid out as ruff formats them."""

import keyword
from collections.abc import Mapping
from dataclasses import dataclass

from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.naming import place_names
from cli_multi_rapid.contracts.targets.python.shapes import (
    Anything,
    Choice,
    Entry,
    Named,
    Plain,
    Record,
    Scalar,
    Sequence,
    Shape,
    Shapes,
    Table,
    Values,
    named_in,
)  # fmt: skip
from cli_multi_rapid.contracts.targets.python.words import WIDTH, docstring_text, quoted

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_WORDS = frozenset({
    "str", "int", "float", "bool", "list", "dict", "object", "None", "Literal", "NotRequired", "TypedDict", "TypeAlias",
})  # fmt: skip
_IMPORTED = ("Literal", "NotRequired", "TypeAlias", "TypedDict")


def typed_text(contract: Contract, shapes: Shapes, *, header: str) -> str:
    """Return a module with a TypedDict for every object of known keys, the one of the contract by its name.

    An open object has the keys it names; that it may have others cannot be said.
    """
    places = [_root(shapes), *shapes.records]
    names = place_names(contract.name, _root(shapes), places, reserved=_reserved(), joint="")
    writing = _Writing(names=names, later=frozenset())
    parts = []
    for place, later in _ordered(shapes.records):
        here = _Writing(names=names, later=later)
        parts.append(here.record(place, shapes.records[place]))
    if not isinstance(shapes.root, Named):
        parts.append(writing.alias(names[_root(shapes)], shapes))
    body = "\n\n\n".join(parts)
    imported = [word for word in _IMPORTED if f"{word}[" in body or f"({word}" in body or f" {word}" in body]
    needed = f"from typing import {', '.join(imported)}\n\n\n" if imported else "\n"
    return f"{header}\n{needed}{body}\n"


def _root(shapes: Shapes) -> str:
    return shapes.root.place if isinstance(shapes.root, Named) else f"{shapes.place}="


def _reserved() -> frozenset[str]:
    return _WORDS | frozenset(keyword.kwlist)


def _ordered(records: Mapping[str, Record]) -> list[tuple[str, frozenset[str]]]:
    """Return the places so that a record stands behind those it names, and which of those stand behind it after all."""
    placed: dict[str, frozenset[str]] = {}
    todo: list[tuple[str, bool]] = [(place, False) for place in reversed(list(records))]
    open_: set[str] = set()
    while todo:
        place, left = todo.pop()
        inner = dict.fromkeys(one for entry in records[place].entries for one in named_in(entry.shape))
        if left:
            placed[place] = frozenset(one for one in inner if one not in placed)
        elif place not in open_:
            open_.add(place)
            todo += [(place, True), *((one, False) for one in reversed(inner))]
    return list(placed.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    """A type as it is written: `head[arguments]`, or `a | b` where the head is `|`, or only a head."""

    head: str
    arguments: "tuple[_Type, ...]" = ()

    def __str__(self) -> str:
        if self.head == "|":
            return " | ".join(map(str, self.arguments))
        return f"{self.head}[{', '.join(map(str, self.arguments))}]" if self.arguments else self.head

    def laid_out(self, before: str, after: str, indent: int) -> str:
        """Return it behind some text, on one line where it fits, else as ruff breaks it."""
        flat = f"{before}{self}{after}"
        if len(flat.rpartition("\n")[2]) <= WIDTH or not self.arguments:
            return flat
        margin, inner = " " * indent, " " * (indent + 4)
        if self.head == "|":
            rows = [one.laid_out(inner + ("| " if index else ""), "", indent + 4) for index, one in self._numbered()]
            return f"{before}(\n" + "\n".join(rows) + f"\n{margin}){after}"
        joined = inner + ", ".join(map(str, self.arguments))
        if len(joined) <= WIDTH:
            return f"{before}{self.head}[\n{joined}\n{margin}]{after}"
        comma = "," if len(self.arguments) > 1 else ""
        rows = [one.laid_out(inner, comma, indent + 4) for one in self.arguments]
        return f"{before}{self.head}[\n" + "\n".join(rows) + f"\n{margin}]{after}"

    def _numbered(self) -> list[tuple[int, "_Type"]]:
        return list(enumerate(self.arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    names: Mapping[str, str]
    later: frozenset[str]

    def record(self, place: str, record: Record) -> str:
        """Return the class of a record, or the call that makes it where a key cannot be an attribute."""
        name = self.names[place]
        if any(not self._fits(entry.key) for entry in record.entries):
            return self._called(name, record)
        said = f"{docstring_text(record.description or f'An object at {place}.', 4)}\n"
        rows = [f"class {name}(TypedDict):", said]
        rows += [self._entry(entry) for entry in record.entries]
        return "\n".join(rows).rstrip("\n")

    def alias(self, name: str, shapes: Shapes) -> str:
        """Return the name of a contract that is no object of known keys."""
        made = self.type(shapes.root).laid_out(f"{name}: TypeAlias = ", "", 0)
        return f"{made}\n{docstring_text(shapes.description, 0)}" if shapes.description else made

    def type(self, shape: Shape) -> _Type:
        """Return the type of a shape."""
        match shape:
            case Scalar(kind=kind):
                return _Type(head=_SCALARS[kind])
            case Values(values=values):
                return _Type(head="Literal", arguments=tuple(_Type(head=_literal(one)) for one in values))
            case Sequence(item=item):
                return _Type(head="list", arguments=(self.type(item),))
            case Table(value=value):
                return _Type(head="dict", arguments=(_Type(head="str"), self.type(value)))
            case Named(place=place):
                return _Type(head=self.names[place])
            case Choice(parts=parts):
                return _Type(head="|", arguments=tuple(self.type(one) for one in parts))
            case Anything():
                return _Type(head="object")

    def _entry(self, entry: Entry) -> str:
        row = self._wrapped(entry).laid_out(f"    {entry.key}: ", "", 4)
        return f"{row}\n{docstring_text(entry.description, 4)}" if entry.description else row

    def _called(self, name: str, record: Record) -> str:
        rows = [self._wrapped(entry).laid_out(f"        {quoted(entry.key)}: ", ",", 8) for entry in record.entries]
        text = "\n".join([f"{name} = TypedDict(", f"    {quoted(name)},", "    {", *rows, "    },", ")"])
        return f"{text}\n{docstring_text(record.description, 0)}" if record.description else text

    def _wrapped(self, entry: Entry) -> _Type:
        made = self.type(entry.shape)
        if self.later & set(named_in(entry.shape)):
            made = _Type(head=quoted(str(made)))
        return made if entry.required else _Type(head="NotRequired", arguments=(made,))

    def _fits(self, key: str) -> bool:
        """Tell whether a key can be an attribute of a class, under its own name and without hiding another."""
        plain = key.isascii() and key.isidentifier() and not keyword.iskeyword(key)
        return plain and not key.startswith("__") and key not in _WORDS and key not in self.names.values()


def _literal(value: Plain) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)
