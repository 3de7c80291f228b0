"""Say in words what is wrong with a file: names that are near, and the errors of the JSON Schema validator."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cli_multi_rapid.errors import Problem
from cli_multi_rapid.model.gate_settings import SIZE
from cli_multi_rapid.model.phase import DURATION, NAME
from cli_multi_rapid.system.positions import Document, Trail

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Schema = Mapping[str, Any]
"""A JSON Schema or a part of one, as plain JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A problem with the place in the values that it is about."""

    trail: Trail
    problem: Problem


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the nearest known word, or nothing if none is near."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[near[0]]}'?" if near else ""


def choice(word: str, known: Iterable[str]) -> str:
    """Return how to mend an unknown name: the nearest known one, else all of them."""
    names = sorted(known)
    if found := suggestion(word, names):
        return found
    return f"use one of: {', '.join(names)}" if names else ""


def label(trail: Trail) -> str:
    """Return what people call a place: `'timeout'`, `item 2 of 'needs'`, `the file`."""
    if not trail:
        return "the file"
    last = trail[-1]
    return f"item {last + 1} of {label(trail[:-1])}" if isinstance(last, int) else f"'{last}'"


def explain(error: "ValidationError", document: Document, schema: Schema) -> Iterator[Fault]:
    """Say one error of the validator in words. It is about several places where there are several unknown keys."""
    trail = tuple(error.instance_path)
    kind: Any = error.kind
    node = _node(schema, error.schema_path[:-1])
    if kind.name == "additionalProperties":
        for name in kind.unexpected:
            yield _unknown(document, (*trail, name), node)
    elif kind.name == "required":
        yield _missing(document, (*trail, kind.property), node)
    elif trail == ("schema",) and "pattern" in node:
        yield _schema_line(document, trail, node["pattern"])
    elif kind.name == "anyOf":
        yield from _none_fits(error, document, schema)
    elif not _fits(error.instance, _types(node, schema)):
        yield _wrong_type(document, trail, node, schema)
    else:
        yield _wrong_value(document, trail, error)


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_FORMS = {
    NAME: ("a name", "start with a letter; then letters, digits, '_' and '-', at most 63 in all"),
    SIZE: ("a size", "write a whole number and a unit: 500KiB or 2MiB"),
    DURATION: ("a duration", "write a whole number and a unit: 250ms, 90s, 10m, 24h or 7d"),
}


def _unknown(document: Document, trail: Trail, node: Schema) -> Fault:
    key = str(trail[-1])
    known = node.get("properties", {})
    fix = suggestion(key, known) or f"the keys here are: {', '.join(known)}"
    return _fault(document, trail, code="SPEC-KEY-UNKNOWN", message=f"unknown key '{key}'", fix=fix)


def _missing(document: Document, trail: Trail, node: Schema) -> Fault:
    key = str(trail[-1])
    about = str(node["properties"][key].get("description", ""))
    if key == "schema":
        return _schema_line(document, trail, node["properties"][key]["pattern"])
    return _fault(
        document, trail, code="SPEC-KEY-MISSING", message=f"the key '{key}' is missing", fix=f"add '{key}': {about}"
    )


def _schema_line(document: Document, trail: Trail, pattern: str) -> Fault:
    version = pattern.strip("^$")
    found = document.values.get("schema") if isinstance(document.values, dict) else None
    message = "the line 'schema:' is missing" if found is None else f"'schema' is {_quoted(found)}"
    return _fault(document, trail, code="SPEC-SCHEMA", message=message, fix=f"write  schema: {version}")


def _none_fits(error: "ValidationError", document: Document, schema: Schema) -> Iterator[Fault]:
    """Report what is wrong with the alternative whose type the value has; else what types there are."""
    trail = tuple(error.instance_path)
    kind: Any = error.kind
    for branch in kind.context:
        if not any(inner.kind.name == "type" and tuple(inner.instance_path) == trail for inner in branch):
            for inner in branch:
                yield from explain(inner, document, schema)
            return
    yield _wrong_type(document, trail, _node(schema, error.schema_path[:-1]), schema)


def _wrong_type(document: Document, trail: Trail, node: Schema, schema: Schema) -> Fault:
    value = _node(document.values, trail)
    kinds = _types(node, schema)
    expected = _expected(kinds, node, schema)
    message = f"{label(trail)}: expected {expected}, got {_described(value)}"
    fix = "" if _options(node, schema) else _mended(value, kinds)
    fix = fix or f"write {expected}"
    return _fault(document, trail, code="SPEC-VALUE", message=message, fix=fix)


def _wrong_value(document: Document, trail: Trail, error: "ValidationError") -> Fault:
    kind: Any = error.kind
    shown = _quoted(error.instance)
    if kind.name == "enum":
        options = [str(option) for option in kind.options]
        message = f"{label(trail)} is {shown}; it must be one of: {', '.join(options)}"
        return _fault(document, trail, code="SPEC-VALUE", message=message, fix=choice(str(error.instance), options))
    if kind.name == "pattern":
        form, fix = _FORMS.get(kind.pattern, (f"of the form {kind.pattern}", "write it in that form"))
        return _fault(
            document, trail, code="SPEC-VALUE", message=f"{label(trail)} is {shown}, which is not {form}", fix=fix
        )
    return _fault(
        document, trail, code="SPEC-VALUE", message=f"{label(trail)}: {error.message}", fix="correct the value"
    )


def _fault(document: Document, trail: Trail, *, code: str, message: str, fix: str = "") -> Fault:
    at = document.position(trail, key=True)
    return Fault(trail=trail, problem=document.problem(code, message, at=at, fix=fix))


def _node(value: Any, steps: Iterable[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _types(node: Schema, schema: Schema) -> tuple[str, ...]:
    """Return the JSON types that a part of a schema allows; all if it does not say."""
    if "$ref" in node:
        return _types(_node(schema, node["$ref"].removeprefix("#/").split("/")), schema)
    if "anyOf" in node:
        return tuple(dict.fromkeys(kind for branch in node["anyOf"] for kind in _types(branch, schema)))
    return (node["type"],) if "type" in node else tuple(_TYPES)


def _fits(value: object, kinds: tuple[str, ...]) -> bool:
    kind = _kind(value)
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _kind(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _expected(kinds: tuple[str, ...], node: Schema, schema: Schema) -> str:
    """Return the types in words; for a choice of words, these words."""
    words = [_TYPES[kind] for kind in kinds if kind != "null" and not (kind == "integer" and "number" in kinds)]
    if options := _options(node, schema):
        words[0] = f"one of {', '.join(options)}"
    return " or ".join(words) or "nothing"


def _options(node: Schema, schema: Schema) -> list[str]:
    if "$ref" in node:
        return _options(_node(schema, node["$ref"].removeprefix("#/").split("/")), schema)
    if "anyOf" in node:
        return [option for branch in node["anyOf"] for option in _options(branch, schema)]
    return list(node.get("enum", ()))


def _described(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a number" if float(value).is_integer() else f"the number {value}"
    return _TYPES[_kind(value)]


def _quoted(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else _described(value)


def listed(text: str) -> str:
    """Return YAML of a list with one text, in quotes where it would mean something else without."""
    plain = re.fullmatch(r"[\w./@]([\w./@+= -]*[\w./@+=-])?", text)
    return f"[{text}]" if plain else f"[{json.dumps(text, ensure_ascii=False)}]"


def _mended(value: object, kinds: tuple[str, ...]) -> str:
    """Return how the value could be written, where that can be said."""
    if isinstance(value, int | float) and "string" in kinds:
        return "put it in quotes"
    if isinstance(value, str) and {"integer", "number"} & set(kinds):
        return "write the number without quotes"
    if isinstance(value, str) and "boolean" in kinds:
        return "write true or false, without quotes"
    if isinstance(value, str) and "array" in kinds:
        return f"write  {listed(value)}"
    return "write a value, or remove the key" if value is None else ""
