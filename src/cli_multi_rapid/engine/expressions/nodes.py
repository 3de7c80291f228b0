"""What a parsed expression is made of: functions from an evaluation to a value.

Building them once and calling them often is faster than walking a tree. Chains of operators are flat, so how deep
calls nest is bounded by the depth that the parser allows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cli_multi_rapid.engine.expressions.error import ExpressionError, OperationError
from cli_multi_rapid.engine.expressions.evaluation import ITEM_BYTES, Evaluation
from cli_multi_rapid.engine.expressions.values import (
    FilteredArray,
    equals,
    fold,
    is_primitive,
    less,
    to_number,
    to_string,
    truthy,
)

Node = Callable[[Evaluation], object]
Comparison = Callable[[object, object], bool]
Operation = Callable[[Evaluation, Sequence[Node]], object]

COMPARISONS: Final[dict[str, Comparison]] = {
    "==": equals,
    "!=": lambda left, right: not equals(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": lambda left, right: equals(left, right) or less(left, right),
    ">=": lambda left, right: equals(left, right) or less(right, left),
}

_MISSING: Final = object()
_MAX_INDEX: Final = 2**31 - 1


def constant(value: object) -> Node:
    """Yield the same value always."""
    return lambda _run: value


def context(name: str, column: int) -> Node:
    """Yield a context."""

    def node(run: Evaluation) -> object:
        try:
            return run.context(name)
        except OperationError as fault:
            raise ExpressionError(str(fault), kind="evaluation", column=column) from fault

    return node


def member(target: Node, name: str) -> Node:
    """Yield the member `name` of what the target yields; null where there is none."""

    def node(run: Evaluation) -> object:
        value = target(run)
        if type(value) is dict and name in value:
            return value[name]
        return _item(run, value, name)

    return node


def index(target: Node, key: Node) -> Node:
    """Yield the member or item that the key selects; null where there is none."""

    def node(run: Evaluation) -> object:
        return _item(run, target(run), key(run))

    return node


def every(target: Node) -> Node:
    """Yield a filtered array of all members or items of what the target yields."""

    def node(run: Evaluation) -> object:
        value = target(run)
        result = FilteredArray()
        if isinstance(value, FilteredArray):
            for item in value:
                _extend(run, result, item)
        else:
            _extend(run, result, value)
        return result

    return node


def negation(operand: Node, *, count: int) -> Node:
    """Apply `!` so many times."""
    expected = count % 2 == 0

    def node(run: Evaluation) -> object:
        mark = run.used_bytes
        value = operand(run)
        run.used_bytes = mark
        return truthy(value) is expected

    return node


def comparison(first: Node, steps: Sequence[tuple[Comparison, Node]]) -> Node:
    """Compare from left to right, each result with the next operand."""

    def node(run: Evaluation) -> object:
        mark = run.used_bytes
        value = first(run)
        for compare, operand in steps:
            value = compare(value, operand(run))
        run.used_bytes = mark
        return value

    return node


def choice(operands: Sequence[Node], *, stop_at: bool) -> Node:
    """Yield the first operand that is as true as `stop_at`, else the last one; later operands are not evaluated."""
    *others, last = operands

    def node(run: Evaluation) -> object:
        mark = run.used_bytes
        for operand in others:
            value = operand(run)
            if truthy(value) is stop_at:
                return value
            run.used_bytes = mark
        return last(run)

    return node


def call(operation: Operation, arguments: Sequence[Node], column: int) -> Node:
    """Apply a function to arguments, which it evaluates as far as it needs them."""

    def node(run: Evaluation) -> object:
        mark = run.used_bytes
        try:
            value = operation(run, arguments)
        except OperationError as fault:
            raise ExpressionError(str(fault), kind="evaluation", column=column) from fault
        run.settle(mark, value)
        return value

    return node


def _item(run: Evaluation, value: object, key: object) -> object:
    if isinstance(value, FilteredArray):
        result = FilteredArray()
        for item in value:
            found = _own_item(item, key)
            if found is not _MISSING:
                run.charge(ITEM_BYTES)
                result.append(found)
        return result
    found = _own_item(value, key)
    return None if found is _MISSING else found


def _own_item(value: object, key: object) -> object:
    if isinstance(value, Mapping):
        return _member(value, to_string(key)) if is_primitive(key) else _MISSING
    if isinstance(value, list | tuple):
        number = to_number(key)
        if 0 <= number <= _MAX_INDEX and int(number) < len(value):
            return value[int(number)]
    return _MISSING


def _member(value: Mapping[object, object], name: str) -> object:
    if name in value:
        return value[name]
    folded = fold(name)
    for candidate, item in value.items():
        if isinstance(candidate, str) and fold(candidate) == folded:
            return item
    return _MISSING


def _extend(run: Evaluation, result: FilteredArray, value: object) -> None:
    if isinstance(value, Mapping):
        run.charge(ITEM_BYTES * len(value))
        result.extend(value.values())
    elif isinstance(value, list | tuple):
        run.charge(ITEM_BYTES * len(value))
        result.extend(value)
