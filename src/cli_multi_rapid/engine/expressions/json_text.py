"""JSON text to values and back, as `fromJSON` and `toJSON` do it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

from cli_multi_rapid.engine.expressions.error import OperationError
from cli_multi_rapid.engine.expressions.evaluation import Evaluation
from cli_multi_rapid.engine.expressions.values import (
    ARRAY,
    BOOLEAN,
    NUMBER,
    OBJECT,
    STRING,
    fold,
    kind_of,
    normalised,
    to_string,
)

MAX_DEPTH: Final = 100
"""How deep arrays and objects may nest in JSON text."""

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_FAILED: Final = "Error parsing JSON when evaluating fromJson"


def parse(run: Evaluation, text: str) -> object:
    """Read JSON strictly: no NaN, nothing after the value; of keys that differ only in case the first one counts."""
    run.work(len(text))
    if not text.strip():
        raise OperationError(f"{_FAILED}: empty input")
    try:
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):
            _ENCODER.encode(value).encode()
    except json.JSONDecodeError as error:
        raise OperationError(f"{_FAILED}: {error}") from error
    except RecursionError as error:
        raise OperationError(f"{_FAILED}: nested deeper than {MAX_DEPTH}") from error
    except UnicodeEncodeError as error:
        raise OperationError(f"{_FAILED}: half a surrogate pair") from error
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)
    return value


def render(run: Evaluation, value: object) -> str:
    """Write a value as JSON, indented by two spaces."""
    pieces: list[str] = []
    for piece in _pieces(value, 0):
        run.charge(2 * len(piece))
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: object, level: int) -> Iterator[str]:
    kind = kind_of(value)
    if kind == OBJECT:
        assert isinstance(value, Mapping)
        keys = (f"{_ENCODER.encode(to_string(key))}: " for key in value)
        yield from _block("{}", zip(keys, value.values(), strict=True), level)
    elif kind == ARRAY:
        assert isinstance(value, list | tuple)
        yield from _block("[]", (("", item) for item in value), level)
    elif kind == STRING:
        yield _ENCODER.encode(value)
    else:
        yield to_string(value) if kind in {BOOLEAN, NUMBER} else "null"


def _block(brackets: str, items: Iterator[tuple[str, object]], level: int) -> Iterator[str]:
    if level >= MAX_DEPTH:
        raise OperationError(f"The value is nested deeper than {MAX_DEPTH}")
    separator = brackets[0]
    for prefix, item in items:
        yield f"{separator}\n{'  ' * (level + 1)}{prefix}"
        yield from _pieces(item, level + 1)
        separator = ","
    yield brackets if separator != "," else f"\n{'  ' * level}{brackets[1]}"


def _check_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise OperationError(f"{_FAILED}: nested deeper than {MAX_DEPTH}")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len({key.upper() for key in result}) == len(pairs):
        return result
    first: dict[str, tuple[str, object]] = {}
    for key, value in pairs:
        first.setdefault(fold(key), (key, value))
    return dict(first.values())


def _refuse(name: str) -> NoReturn:
    raise OperationError(f"{_FAILED}: {name} is not JSON")


def _number(text: str) -> int | float:
    return normalised(float(text))


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_refuse
)
