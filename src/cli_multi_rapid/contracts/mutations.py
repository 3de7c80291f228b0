"""Documents that are nearly valid: one thing is changed in a valid one. Which are invalid, the validator says."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.json_text import Items, Members, Tree, quoted, replaced, written
from cli_multi_rapid.contracts.misspellings import misspelt
from cli_multi_rapid.contracts.samples import Sampling
from cli_multi_rapid.contracts.scalar_changes import limit_changes, spelling_changes
from cli_multi_rapid.contracts.strict_json import MAX_DEPTH

_BASES = 12
_TYPES = ("null", "true", "false", "0", "1", "1.5", '"1"', '""', "[]", "{}", "[null]", '[""]', '{"":0}')
_HOLDERS = ir.ArrayType | ir.ObjectType | ir.UnionType
_MOST_ITEMS = 2000
_MOST_KEYS = 300
_MOST_OF_A_KEY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A JSON text, or what only looks like one, and what was changed where."""

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class _Place:
    type: ir.Type
    tree: Tree
    steps: tuple[int, ...]
    path: str


def mutations(root: ir.Root, *, seed: int, count: int) -> Iterator[Mutation]:
    """Yield changed documents, each once: every kind of change in one place first, then in other places.

    Raises:
        NoDocument: there is no valid document that could be changed.
    """
    dice = Dice("mutations", seed)
    kinds: dict[str, dict[str, tuple[Tree, _Place, Tree]]] = {}
    for base, place in _some_places(root, seed) if count else ():
        own = ((f"{kind} at {place.path or '/'}", wrong) for kind, wrong in _own_changes(place, dice))
        for kind, wrong in (*own, *_changes(place)):
            shown = wrong if isinstance(wrong, str) else written(wrong)
            kinds.setdefault(kind, {}).setdefault(f"{place.path} {shown}", (base, place, wrong))
    turns = [[(kind, *one) for one in dice.mixed(list(found.values()))] for kind, found in kinds.items()]
    seen: set[str] = set()
    for turn in zip_longest(*dice.mixed(turns)):
        for kind, base, place, wrong in filter(None, turn):
            if len(seen) == count:
                return
            text = written(replaced(base, place.steps, wrong))
            if text not in seen:
                seen.add(text)
                said = kind if " at /" in kind else f"{kind} at {place.path or '/'}"
                yield Mutation(text=text, what=said)


def _some_places(root: ir.Root, seed: int) -> Iterator[tuple[Tree, _Place]]:
    """Yield some documents with their values, of the same key not too many."""
    sampling = Sampling(root, Dice("changed", seed), usual=True)
    seen: Counter[str] = Counter()
    for base in [sampling.tree() for _ in range(_BASES)]:
        for place in _places(root, base, (), ""):
            seen[place.path] += 1
            if len(seen) <= _MOST_KEYS and seen[place.path] <= _MOST_OF_A_KEY:
                yield base, place


def _places(one: ir.Type, tree: Tree, steps: tuple[int, ...], path: str) -> Iterator[_Place]:
    """Yield every value of a document with its type; a value of a union as that, and as the object that it is."""
    yield _Place(one, tree, steps, path)
    if isinstance(one, ir.UnionType) and isinstance(tree, Members):
        tags = {value for key, value in tree.pairs if json.loads(key) == one.tag}
        case = next(case for tag, case in one.cases if quoted(tag) in tags)
        yield from _places(case, tree, steps, path)
    elif isinstance(one, ir.ObjectType) and isinstance(tree, Members):
        types = {member.key: member.type for member in one.members}
        for index, (key, (_, value)) in enumerate(zip(tree.names(), tree.pairs, strict=True)):
            yield from _places(types[key], value, (*steps, index), f"{path}/{key}")
    elif isinstance(one, ir.ArrayType) and isinstance(tree, Items):
        for index, value in enumerate(tree.items[:3]):
            yield from _places(one.item, value, (*steps, index), f"{path}[]")


def _own_changes(place: _Place, dice: Dice) -> Iterator[tuple[str, Tree]]:
    """Yield changes that what the contract says of just this place decides on."""
    if place.tree != "null":
        yield "null", "null"
    match place.type, place.tree:
        case ir.ObjectType() as one, Members() as tree:
            yield from _keys_missing(one, tree)
        case ir.UnionType() as one, Members() as tree:
            yield from _tag_changes(one, tree)
        case ir.ArrayType() as one, Items() as tree:
            yield from _size_changes(one, tree)
        case one, str() as tree if tree != "null" and not isinstance(one, _HOLDERS):
            yield from limit_changes(one, tree, dice)


def _changes(place: _Place) -> Iterator[tuple[str, Tree]]:
    """Yield changes that decide how documents are read, wherever they are made."""
    one, tree = place.type, place.tree
    if not place.steps:
        yield from misspelt(written(tree))
    yield from ((f"of another type, {text}", text) for text in _TYPES if text != tree)
    yield "many levels", "[" * MAX_DEPTH + "]" * MAX_DEPTH
    match one, tree:
        case ir.ObjectType(), Members():
            yield from _object_changes(tree)
        case ir.ArrayType(), Items():
            yield from _array_changes(tree)
        case _, str() if tree != "null" and not isinstance(one, _HOLDERS):
            yield from spelling_changes(one, tree)


def _keys_missing(one: ir.ObjectType, tree: Members) -> Iterator[tuple[str, Tree]]:
    pairs = tree.pairs
    needed = {member.key for member in one.members if member.required}
    yield "every key is missing", Members(())
    for index, key in enumerate(tree.names()):
        if key in needed:
            yield f"the required key {key} is missing", Members((*pairs[:index], *pairs[index + 1 :]))


def _object_changes(tree: Members) -> Iterator[tuple[str, Tree]]:
    pairs, keys = tree.pairs, tree.names()
    texts = [f"{key}:{written(value)}" for key, value in pairs]
    for index, key in enumerate(keys):
        value = pairs[index][1]
        yield "a key twice", Members((*pairs, pairs[index]))
        yield "a key twice", Members((pairs[index], *pairs))
        yield "a key twice, written differently", Members((*pairs, (quoted(key, "escaped"), value)))
        yield "a key twice, the first null", Members(((pairs[index][0], "null"), *pairs))
        for wrong in (key.swapcase(), f"{key} ", key[:-1], f"{key}\0"):
            yield "another key in its place", Members((*pairs[:index], (quoted(wrong), value), *pairs[index + 1 :]))
            yield "an unknown key beside it", Members((*pairs, (quoted(wrong), value)))
        inner = written(value)
        for kind, wrong in (
            ("a key without quotes", f"{key or 'x'}:{inner}"), ("a key in single quotes", f"'{key}':{inner}"),
            ("two colons", f"{pairs[index][0]}::{inner}"), ("no colon", f"{pairs[index][0]} {inner}"),
            ("no value", f"{pairs[index][0]}:"), ("a key only", pairs[index][0]), ("a value only", inner),
            ("an escape that is none in a key", f'"\\x{key}":{inner}'), ("a number as key", f"1:{inner}"),
        ):  # fmt: skip
            yield kind, "{" + ",".join([*texts[:index], *texts[index + 1 :], wrong]) + "}"
    yield from (("an unknown key", Members((*pairs, (name, value)))) for name, value in _UNKNOWN)
    yield "an unknown key", Members(((_UNKNOWN[0]), *pairs))
    yield from _comma_changes(texts, "{", "}")


_UNKNOWN = (
    ('"unknown"', "0"), ('"unknown"', "null"), ('""', "1"), ('"__proto__"', "{}"), ('"constructor"', "[]"),
    ('"$schema"', '"x"'), ('"unknown"', '{"a":[1,{"b":null}]}'), ('"toString"', "true"), ('"\\u0000"', "0"),
    ('"unknown"', "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)), ('"\\ud800"', "0"), ('"unknown"', "1e999"),
)  # fmt: skip


def _tag_changes(one: ir.UnionType, tree: Members) -> Iterator[tuple[str, Tree]]:
    index = tree.names().index(one.tag)
    for tag in (*(tag for tag, _ in one.cases), "no such tag", ""):
        changed = (*tree.pairs[:index], (tree.pairs[index][0], quoted(tag)), *tree.pairs[index + 1 :])
        yield "another tag", Members(changed)
        yield "only another tag", Members(((tree.pairs[index][0], quoted(tag)),))
    for _, case in one.cases:
        for member in case.members:
            if member.key not in tree.names():
                yield "a key of another case", Members((*tree.pairs, (quoted(member.key), '"x"')))


def _size_changes(one: ir.ArrayType, tree: Items) -> Iterator[tuple[str, Tree]]:
    items = tree.items
    if one.min_items:
        yield "too few items", Items(items[: one.min_items - 1])
    if one.max_items is not None and one.max_items < _MOST_ITEMS and items:
        yield "too many items", Items((items * (one.max_items // len(items) + 1))[: one.max_items + 1])
    yield "null as an item", Items(("null", *items))


def _array_changes(tree: Items) -> Iterator[tuple[str, Tree]]:
    items = tree.items
    yield "an array in the array", Items((*items, Items(items)))
    yield "an object with indexes", Members(tuple((f'"{index}"', item) for index, item in enumerate(items)))
    yield from _comma_changes([written(item) for item in items], "[", "]")


def _comma_changes(parts: list[str], left: str, right: str) -> Iterator[tuple[str, Tree]]:
    inner = ",".join(parts)
    yield f"a comma before {right}", f"{left}{inner},{right}"
    yield f"a comma after {left}", f"{left},{inner}{right}"
    yield f"two commas in {left}", left + ",,".join(parts) + right
    yield f"no comma in {left}", left + " ".join(parts) + right
    yield f"no {right}", left + inner
    yield f"two {right}", left + inner + right * 2
    yield f"another bracket for {right}", left + inner + ("]" if right == "}" else "}")
