"""JSON as it is written: trees keep the form of numbers and texts, the order of keys, and keys that stand twice."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal["plain", "escaped", "short"]
"""How a text is written: as few escapes as possible, every character as `\\uXXXX`, or every escape that has a name."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_NAMED = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BMP = 0xFFFF


@dataclass(frozen=True, slots=True)
class Items:
    """An array."""

    items: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Members:
    """An object: pairs of a key, as it is written with its quotes, and a value."""

    pairs: tuple[tuple[str, "Tree"], ...]

    def names(self) -> list[str]:
        """Return the keys as texts."""
        return [str(json.loads(key)) for key, _ in self.pairs]


Tree = str | Items | Members
"""A text is what is neither array nor object, exactly as it is written."""


def quoted(text: str, form: Form = "plain") -> str:
    """Return a text as JSON."""
    if form == "plain":
        return json.dumps(text, ensure_ascii=False)
    return f'"{"".join(_escaped(sign, form) for sign in text)}"'


def written(tree: Tree, gap: Callable[[], str] = str) -> str:
    """Return a tree as text; `gap` gives the white space for each place where some may stand."""
    parts: list[str] = []
    _write(tree, gap, parts)
    return "".join([gap(), *parts, gap()])


def tree_of(text: str) -> Tree | None:
    """Return the tree of a JSON text; None where it is none."""
    tokens = _TOKEN.findall(text)
    try:
        json.loads(text)
        tree, end = _read(tokens, 0)
    except (ValueError, RecursionError):
        return None
    return tree if end == len(tokens) else None


def at(tree: Tree, steps: Sequence[int]) -> Tree:
    """Return what some steps (indexes of items or pairs) lead to."""
    for step in steps:
        assert not isinstance(tree, str)
        tree = tree.items[step] if isinstance(tree, Items) else tree.pairs[step][1]
    return tree


def replaced(tree: Tree, steps: Sequence[int], new: Tree) -> Tree:
    """Return a tree with something else where these steps lead to."""
    if not steps:
        return new
    step, *rest = steps
    assert not isinstance(tree, str)
    if isinstance(tree, Items):
        inner = replaced(tree.items[step], rest, new)
        return Items((*tree.items[:step], inner, *tree.items[step + 1 :]))
    key, value = tree.pairs[step]
    return Members((*tree.pairs[:step], (key, replaced(value, rest, new)), *tree.pairs[step + 1 :]))


def _escaped(sign: str, form: Form) -> str:
    if form == "short":
        return _NAMED.get(sign) or (sign if sign >= " " else f"\\u{ord(sign):04X}")
    code = ord(sign)
    if code <= _BMP:
        return f"\\u{code:04x}"
    code -= _BMP + 1
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _write(tree: Tree, gap: Callable[[], str], parts: list[str]) -> None:
    if isinstance(tree, str):
        parts.append(tree)
        return
    left, right = "[]" if isinstance(tree, Items) else "{}"
    parts += [left, gap()]
    for index, one in enumerate(tree.items if isinstance(tree, Items) else tree.pairs):
        if index:
            parts += [",", gap()]
        if isinstance(one, tuple):
            parts += [one[0], gap(), ":", gap()]
        _write(one[1] if isinstance(one, tuple) else one, gap, parts)
        parts.append(gap())
    parts.append(right)


def _read(tokens: list[str], at: int) -> tuple[Tree, int]:
    """Return a value and where the next token stands; the text is known to be JSON."""
    sign = tokens[at]
    if sign not in "[{":
        return sign, at + 1
    items: list[Tree] = []
    keys: list[str] = []
    at += 1
    while tokens[at] not in "]}":
        if sign == "{":
            keys.append(tokens[at])
            at += 2
        value, at = _read(tokens, at)
        items.append(value)
        at += tokens[at] == ","
    return (Items(tuple(items)) if sign == "[" else Members(tuple(zip(keys, items, strict=True)))), at + 1
