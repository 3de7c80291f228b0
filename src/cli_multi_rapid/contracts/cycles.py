"""Circles of references: endless ones, which no validator can follow, and those of recursive types."""

from cli_multi_rapid.contracts.loading import ContractSet, Target
from cli_multi_rapid.contracts.schema_tree import children
from cli_multi_rapid.errors import Problem, SpecInvalid

MAX_DEPTH = 200
MAX_WORK = 100_000
"""So many schemas may judge one and the same value, those counted again that are reached in several ways."""


def circle(found: ContractSet, start: Target, *, in_place: bool) -> tuple[Target, ...]:
    """Return the first circle that is reached from a place, its first place repeated at the end; else nothing.

    `in_place` looks only at what judges the same value: such a circle has no end.

    Raises:
        SpecInvalid: schemas and references lead more than 200 levels deep.
    """
    done: set[Target] = set()
    trail: list[Target] = []
    first: tuple[Target, ...] = ()
    todo: list[tuple[Target, bool]] = [(start, True)]
    while todo:
        here, enter = todo.pop()
        if not enter:
            trail.pop()
            done.add(here)
        elif here in trail:
            first = first or (*trail[trail.index(here) :], here)
        elif len(trail) >= MAX_DEPTH:
            message = f"schemas and references lead more than {MAX_DEPTH} levels deep"
            raise SpecInvalid((Problem(code="CONTRACT-REF", message=message, path=start.path, fix="make it flatter"),))
        elif here not in done:
            trail.append(here)
            todo.append((here, False))
            todo += [(one, True) for one in reversed(_next(found, here, in_place=in_place))]
    return first


def require_end(found: ContractSet, start: Target) -> None:
    """Check that a validator that begins at a place comes to an end.

    Raises:
        SpecInvalid: references lead back to each other, too deep, or in too many ways to the same.
    """
    circle(found, start, in_place=False)  # refuses what is too deep
    if loop := circle(found, start, in_place=True):
        message = f"these references lead back to each other: {shown(found, loop)}"
        raise SpecInvalid((Problem(code="CYCLE", message=message, path=start.path, fix="remove one of them"),))
    known: dict[Target, int] = {}
    for here in _reached(found, start):
        if _work(found, here, known) > MAX_WORK:
            message = f"more than {MAX_WORK:,} schemas judge one value: many references lead to the same ones"
            problem = Problem(code="CONTRACT-REF", message=message, path=str(here), fix="refer to each of them once")
            raise SpecInvalid((problem,))


def _reached(found: ContractSet, start: Target) -> list[Target]:
    """Return every place that is reached from one, itself first."""
    seen = {start: None}
    todo = [start]
    while todo:
        new = [one for one in _next(found, todo.pop(), in_place=False) if one not in seen]
        seen.update(dict.fromkeys(new))
        todo += new
    return list(seen)


def _work(found: ContractSet, here: Target, known: dict[Target, int]) -> int:
    """Return how many schemas judge a value at a place; there is no circle, and the depth is limited."""
    if here not in known:
        known[here] = 1 + sum(_work(found, one, known) for one in _next(found, here, in_place=True))
    return known[here]


def shown(found: ContractSet, path: tuple[Target, ...]) -> str:
    """Return a circle in words: its places that refer to another one."""
    stops = [str(one) for one in path[:-1] if one in found.references]
    return " -> ".join([*stops, stops[0]])


def _next(found: ContractSet, here: Target, *, in_place: bool) -> list[Target]:
    schema = found.resolved(here)
    after = [found.references[here]] if here in found.references else []
    if isinstance(schema, dict):
        after += [
            Target(here.path, here.fragment + below)
            for below, _, same in children(schema)
            if (same or not in_place) and not below.startswith(("/$defs/", "/definitions/"))
        ]
    return after
