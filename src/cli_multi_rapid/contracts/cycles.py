"""Circles of references: endless ones, which no validator can follow, and those of recursive types."""

from cli_multi_rapid.contracts.loading import ContractSet, Target
from cli_multi_rapid.contracts.schema_tree import children


def circle(found: ContractSet, start: Target, *, in_place: bool) -> tuple[Target, ...]:
    """Return the first circle that is reached from a place, its first place repeated at the end; else nothing.

    `in_place` looks only at what judges the same value: such a circle has no end.
    """
    done: set[Target] = set()
    trail: list[Target] = []
    todo: list[tuple[Target, bool]] = [(start, True)]
    while todo:
        here, enter = todo.pop()
        if not enter:
            trail.pop()
            done.add(here)
        elif here in trail:
            return (*trail[trail.index(here) :], here)
        elif here not in done:
            trail.append(here)
            todo.append((here, False))
            todo += [(one, True) for one in reversed(_next(found, here, in_place=in_place))]
    return ()


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
