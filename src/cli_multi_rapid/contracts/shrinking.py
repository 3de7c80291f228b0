"""Smaller documents that are like a given one."""

import json
import re
from collections.abc import Iterator

from cli_multi_rapid.contracts.json_text import Items, Members, Tree, at, quoted, replaced, tree_of, written

_MOST = 300
_MOST_SIGNS = 3_000_000
_LONG = 10_000
_PARTS = 16
_SIGN = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


def smaller(text: str) -> list[str]:
    """Return texts that are shorter than this one, each with one thing less; none where it is no JSON."""
    tree = tree_of(text)
    if tree is None:
        return []
    found = {written(tree), written(_plainly(tree))}
    size = 0
    for made in _reduced(tree):
        size += len(made)
        found.add(made)
        if len(found) >= _MOST or size > _MOST_SIGNS:
            break
    return sorted((one for one in found if len(one) < len(text)), key=lambda one: (len(one), one))


def _reduced(tree: Tree) -> Iterator[str]:
    """Yield texts with one thing less; where a text is very long, only that."""
    places = list(_places(tree, ()))
    long = [steps for steps in places if isinstance(one := at(tree, steps), str) and len(one) > _LONG]
    for steps in long or places:
        yield from (written(replaced(tree, steps, less)) for less in _less(at(tree, steps)))


def _places(tree: Tree, steps: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    yield steps
    inner = () if isinstance(tree, str) else tree.items if isinstance(tree, Items) else [one for _, one in tree.pairs]
    for index, one in enumerate(inner):
        yield from _places(one, (*steps, index))


def _less(tree: Tree) -> Iterator[Tree]:
    match tree:
        case Items(items):
            yield Items(())
            yield from (Items((*items[:start], *items[end:])) for start, end in _chunks(len(items)))
        case Members(pairs):
            yield Members(())
            yield Members(tuple((_plain(key), value) for key, value in pairs))
            yield from (Members((*pairs[:start], *pairs[end:])) for start, end in _chunks(len(pairs)))
        case str() if tree.startswith('"'):
            signs = _SIGN.findall(tree[1:-1])
            yield '""'
            yield from (f'"{"".join(signs[:start] + signs[end:])}"' for start, end in _chunks(len(signs), most=_PARTS))
            yield _plain(tree)
        case str():
            yield from ("0", "1")


def _chunks(count: int, *, most: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where parts begin and end that can be left out: halves, quarters ... at last each alone.

    With `most` in no more parts than that.
    """
    size = count // 2
    while size and (not most or size * most >= count):
        yield from ((start, min(start + size, count)) for start in range(0, count, size))
        size //= 2


def _plainly(tree: Tree) -> Tree:
    """Return a tree whose texts and keys have no escape that they do not need."""
    match tree:
        case Items(items):
            return Items(tuple(map(_plainly, items)))
        case Members(pairs):
            return Members(tuple((_plain(key), _plainly(value)) for key, value in pairs))
    return _plain(tree)


def _plain(text: str) -> str:
    if not text.startswith('"'):
        return text
    made = quoted(json.loads(text))
    return text if any("\ud800" <= one <= "\udfff" for one in made) else made
