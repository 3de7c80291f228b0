"""The functions of the language: GitHub's, and `min max sum len` of our own."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from cli_multi_rapid.engine.expressions import json_text
from cli_multi_rapid.engine.expressions.error import OperationError
from cli_multi_rapid.engine.expressions.evaluation import Evaluation
from cli_multi_rapid.engine.expressions.nodes import Node, Operation
from cli_multi_rapid.engine.expressions.values import (
    ARRAY,
    NULL,
    OBJECT,
    STRING,
    equals,
    fold,
    is_primitive,
    kind_of,
    normalised,
    to_number,
    to_string,
)

MAX_ARGUMENTS: Final = 255
STATUS_FUNCTIONS: Final = frozenset({"success", "failure", "always", "cancelled"})
"""Functions that only make sense in the condition of a step: whoever evaluates it supplies their answers."""

_PLACEHOLDER: Final = re.compile(r"\{([0-9]{1,9})(?::((?:[^}]|\}\})*+))?\}")
_LITERAL: Final = re.compile(r"[^{}]++")


class Function(NamedTuple):
    """A function: its name as documented, how many arguments it takes, what it does."""

    name: str
    minimum: int
    maximum: int
    apply: Operation


def _contains(run: Evaluation, arguments: Sequence[Node]) -> object:
    where, what = arguments[0](run), arguments[1](run)
    if isinstance(where, list | tuple):
        return any(equals(what, item) for item in where)
    if not _both_text(where, what):
        return False
    text = to_string(where)
    run.work(len(text))
    return fold(to_string(what)) in fold(text)


def _starts_with(run: Evaluation, arguments: Sequence[Node]) -> object:
    where, what = arguments[0](run), arguments[1](run)
    if not _both_text(where, what):
        return False
    start = to_string(what)
    return equals(to_string(where)[: len(start)], start)


def _ends_with(run: Evaluation, arguments: Sequence[Node]) -> object:
    where, what = arguments[0](run), arguments[1](run)
    if not _both_text(where, what):
        return False
    text, end = to_string(where), to_string(what)
    return len(end) <= len(text) and equals(text[len(text) - len(end) :], end)


def _join(run: Evaluation, arguments: Sequence[Node]) -> object:
    items = arguments[0](run)
    if not isinstance(items, list | tuple):
        return to_string(items) if is_primitive(items) else ""
    separator = ","
    if len(items) > 1 and len(arguments) > 1:
        given = arguments[1](run)
        separator = to_string(given) if is_primitive(given) else separator
    pieces: list[str] = []
    for item in items:
        piece = to_string(item)
        run.charge(2 * (len(piece) + len(separator)))
        pieces.append(piece)
    return separator.join(pieces)


def _format(run: Evaluation, arguments: Sequence[Node]) -> object:
    template = to_string(arguments[0](run))
    texts: dict[int, str] = {}
    pieces: list[str] = []
    for piece in _template_pieces(template):
        if isinstance(piece, int):
            if piece not in texts:
                if piece > len(arguments) - 2:
                    raise OperationError(
                        f"The following format string references more arguments than were supplied: {template}"
                    )
                texts[piece] = to_string(arguments[piece + 1](run))
            pieces.append(texts[piece])
        else:
            pieces.append(piece)
        run.charge(2 * len(pieces[-1]))
    return "".join(pieces)


def _template_pieces(template: str) -> Iterator[str | int]:
    """Yield literal text and the numbers of arguments."""
    at = 0
    while at < len(template):
        if match := _LITERAL.match(template, at):
            yield match.group()
        elif (brace := template[at : at + 2]) in {"{{", "}}"}:
            yield brace[0]
            at += 2
            continue
        elif (match := _PLACEHOLDER.match(template, at)) and int(match[1]) <= MAX_ARGUMENTS:
            if match[2]:
                raise OperationError(f"Format specifiers are not supported: {match[2]}")
            yield int(match[1])
        else:
            raise OperationError(f"The following format string is invalid: {template}")
        at = match.end()


def _to_json(run: Evaluation, arguments: Sequence[Node]) -> object:
    return json_text.render(run, arguments[0](run))


def _from_json(run: Evaluation, arguments: Sequence[Node]) -> object:
    return json_text.parse(run, to_string(arguments[0](run)))


def _case(run: Evaluation, arguments: Sequence[Node]) -> object:
    for predicate, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
        holds = predicate(run)
        if not isinstance(holds, bool):
            raise OperationError("case predicate must evaluate to a boolean value")
        if holds:
            return value(run)
    return arguments[-1](run)


def _hash_files(run: Evaluation, arguments: Sequence[Node]) -> object:
    if run.hash_files is None:
        raise OperationError("hashFiles() cannot be used here: there are no files to look at")
    return run.hash_files(*(to_string(argument(run)) for argument in arguments))


def _status(name: str, run: Evaluation, _arguments: Sequence[Node]) -> object:
    if run.status is None or name not in run.status:
        raise OperationError(f"{name}() can only be used in the condition of a step")
    answer = run.status[name]
    return answer if isinstance(answer, bool) else bool(answer())


def _of_numbers(
    name: str, reduce: Callable[[list[float]], float], run: Evaluation, arguments: Sequence[Node]
) -> object:
    numbers: list[float] = []
    for argument in arguments:
        value = argument(run)
        items = value if isinstance(value, list | tuple) else (value,)
        for item in items:
            number = to_number(item)
            if math.isnan(number):
                shown = repr(item) if isinstance(item, str) else to_string(item)
                raise OperationError(f"{name}() needs numbers, not {shown[:100]}")
            numbers.append(number)
    if not numbers:
        raise OperationError(f"{name}() needs at least one number; the list is empty")
    result = reduce(numbers)
    if math.isnan(result):
        raise OperationError(f"{name}() has no result: infinities of both signs")
    return normalised(result)


def _len(run: Evaluation, arguments: Sequence[Node]) -> object:
    value = arguments[0](run)
    kind = kind_of(value)
    if kind == NULL:
        return 0
    if kind in {STRING, ARRAY, OBJECT}:
        return len(value)  # type: ignore[arg-type]
    raise OperationError(f"len() needs text, a list or an object, not {to_string(value)}")


def _both_text(left: object, right: object) -> bool:
    return is_primitive(left) and is_primitive(right)


FUNCTIONS: Final[dict[str, Function]] = {
    function.name.lower(): function
    for function in (
        Function("contains", 2, 2, _contains),
        Function("startsWith", 2, 2, _starts_with),
        Function("endsWith", 2, 2, _ends_with),
        Function("format", 1, MAX_ARGUMENTS, _format),
        Function("join", 1, 2, _join),
        Function("toJSON", 1, 1, _to_json),
        Function("fromJSON", 1, 1, _from_json),
        Function("hashFiles", 1, MAX_ARGUMENTS, _hash_files),
        Function("case", 3, MAX_ARGUMENTS, _case),
        Function("min", 1, MAX_ARGUMENTS, partial(_of_numbers, "min", min)),
        Function("max", 1, MAX_ARGUMENTS, partial(_of_numbers, "max", max)),
        Function("sum", 1, MAX_ARGUMENTS, partial(_of_numbers, "sum", sum)),
        Function("len", 1, 1, _len),
        *(Function(name, 0, 0, partial(_status, name)) for name in sorted(STATUS_FUNCTIONS)),
    )
}
"""Every function by its lower-case name.

`min max sum` take numbers, lists of them, or both; null counts as 0 like everywhere in the language; nothing at all,
or something that is not a number, is an evaluation error. `len` of null is 0, of a number or boolean an error.
"""
