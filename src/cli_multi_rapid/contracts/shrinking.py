"""Smaller documents that are like a given one."""

from collections.abc import Iterator

from cli_multi_rapid.contracts.json_text import Items, Members, Tree, at, replaced, tree_of, written

_MOST = 300
_MOST_SIGNS = 8_000_000


def smaller(text: str) -> list[str]:
    """Return texts that are shorter than this one, each with one thing less; none where it is no JSON."""
    tree = tree_of(text)
    if tree is None:
        return []
    found = {written(tree)}
    size = 0
    for steps in _places(tree, ()):
        for less in _less(at(tree, steps)):
            made = written(replaced(tree, steps, less))
            size += len(made)
            found.add(made)
            if len(found) >= _MOST or size > _MOST_SIGNS:
                break
    return sorted((one for one in found if len(one) < len(text)), key=lambda one: (len(one), one))


def _places(tree: Tree, steps: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    yield steps
    inner = () if isinstance(tree, str) else tree.items if isinstance(tree, Items) else [one for _, one in tree.pairs]
    for index, one in enumerate(inner):
        yield from _places(one, (*steps, index))


def _less(tree: Tree) -> Iterator[Tree]:
    match tree:
        case Items(items):
            yield Items(())
            yield Items(items[:1])
            yield from (Items((*items[:index], *items[index + 1 :])) for index in range(len(items)))
        case Members(pairs):
            yield Members(())
            yield from (Members((*pairs[:index], *pairs[index + 1 :])) for index in range(len(pairs)))
        case str() if tree.startswith('"'):
            body = tree[1:-1]
            half = len(body) // 2
            for less in ("", body[:half], body[half:], body[1:], body[:-1], body[:1], body[:12], body[-1:]):
                yield f'"{less}"'
        case str():
            yield from ("0", "1")
