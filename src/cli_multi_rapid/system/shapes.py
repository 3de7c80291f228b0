"""Turn plain values into the frozen dataclasses of the model. Whether they fit is for the JSON Schema to say."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(shape: type[T], values: Mapping[str, object]) -> T:
    """Return values as a dataclass.

    Values that fit its schema are taken as they are. Of others, unknown keys are left out, and what is missing or of
    the wrong type has its default, else is empty, so that the rest can still be checked.
    """
    return cast("T", _builder(cast("Any", shape))(values))


def spelling(field: "Field[Any]") -> str:
    """Return how the key of a field is spelled in a file."""
    return str(field.metadata.get("alias", field.name))


class _Unfit(Exception):
    """The value has another type."""


_Convert = Callable[[object], Any]
_SCALARS = (str, bool, int, float, type(None))


@cache
def _builder(shape: type) -> _Convert:
    """Return what makes a dataclass of a mapping."""
    hints = get_type_hints(shape)
    plan = [
        (field.name, spelling(field), _converter(hints[field.name]), _fallback(field, hints)) for field in fields(shape)
    ]

    def convert(value: object) -> object:
        if not isinstance(value, dict):
            raise _Unfit
        found: dict[str, object] = {}
        for name, key, inner, fallback in plan:
            if key in value:
                try:
                    found[name] = inner(value[key])
                    continue
                except _Unfit:
                    pass
            if fallback is not None:
                found[name] = fallback()
        return shape(**found)

    return convert


def _fallback(field: "Field[Any]", hints: Mapping[str, Any]) -> Callable[[], object] | None:
    """Return what makes the value of a required key that is missing; None where the dataclass has a default."""
    if field.default is not MISSING or field.default_factory is not MISSING:
        return None
    return _empty(hints[field.name])


def _empty(hint: Any) -> Callable[[], object]:
    origin = get_origin(hint) or hint
    if origin in (Union, types.UnionType):
        return _empty(get_args(hint)[0])
    if isinstance(origin, type) and issubclass(origin, Enum):
        return lambda: next(iter(origin))
    if is_dataclass(origin):
        return lambda: _builder(cast("Any", origin))({})
    return cast("Callable[[], object]", origin)


def _converter(hint: Any) -> _Convert:
    """Return what converts a plain value to a type; it raises `_Unfit` for a value of another type."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _any_of(get_args(hint))
    if origin is tuple:
        return _list_of(get_args(hint)[0])
    if origin is dict:
        return _mapping_of(get_args(hint)[1])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    return _builder(cast("Any", hint)) if is_dataclass(hint) else _scalar(hint)


def _scalar(kind: type) -> _Convert:
    def convert(value: object) -> object:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        raise _Unfit

    return convert


def _enum(kind: type[Enum]) -> _Convert:
    def convert(value: object) -> object:
        try:
            return kind(value)
        except ValueError as error:
            raise _Unfit from error

    return convert


def _list_of(hint: Any) -> _Convert:
    inner, empty = _converter(hint), _empty(hint)

    def convert(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise _Unfit
        return tuple(_or_empty(inner, item, empty) for item in value)

    return convert


def _mapping_of(hint: Any) -> _Convert:
    inner, empty = _converter(hint), _empty(hint)

    def convert(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise _Unfit
        return {key: _or_empty(inner, item, empty) for key, item in value.items()}

    return convert


def _or_empty(inner: _Convert, item: object, empty: Callable[[], object]) -> object:
    try:
        return inner(item)
    except _Unfit:
        return empty()


def _any_of(hints: tuple[Any, ...]) -> _Convert:
    """Return the first conversion that fits; exact types first, so that 1 stays a whole number and true stays true."""
    exact = tuple(hint for hint in hints if hint in _SCALARS)
    others = tuple(_converter(hint) for hint in hints if hint not in _SCALARS)
    loose = tuple(_scalar(hint) for hint in exact if hint in (int, float))

    def convert(value: object) -> object:
        if type(value) in exact:
            return value
        for inner in (*others, *loose):
            try:
                return inner(value)
            except _Unfit:
                continue
        raise _Unfit

    return convert
