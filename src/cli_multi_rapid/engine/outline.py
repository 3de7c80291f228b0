"""The steps of a phase as its checks see them: where they stand, and which rest on which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cli_multi_rapid.model.phase import PhaseSpec, Step
from cli_multi_rapid.system.positions import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One step: its place in the file, its number among all steps of the phase, and whether it is one of `finally`."""

    step: Step
    trail: Trail
    number: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """All steps of a phase. `ids` and `producers` go by lower-case names, because expressions ignore case.

    `needs` are the numbers of the steps that each one needs directly, unknown ones left out. `cycles` lists every
    circle found, as numbers. `rests_on` has a bit for each step that a step rests on; it is empty if there is a circle.
    """

    spec: PhaseSpec
    spots: tuple[Spot, ...]
    ids: Mapping[str, Spot]
    producers: Mapping[str, tuple[Spot, ...]]
    needs: Mapping[int, tuple[int, ...]]
    cycles: tuple[tuple[int, ...], ...]
    rests_on: Mapping[int, int] = field(default_factory=dict)

    def ended(self, other: Spot, *, when: Spot) -> bool:
        """Tell whether one step has always ended when another starts. True in a circle, which is reported by itself."""
        return bool(self.cycles) or bool(self.rests_on[when.number] >> other.number & 1)


def outline(spec: PhaseSpec) -> Outline:
    """Return the steps of a phase and how they rest on each other."""
    main = [Spot(step=step, trail=("steps", i), number=i, final=False) for i, step in enumerate(spec.steps)]
    last = [
        Spot(step=step, trail=("finally", i), number=len(main) + i, final=True) for i, step in enumerate(spec.finally_)
    ]
    spots = (*main, *last)
    ids: dict[str, Spot] = {}
    producers: dict[str, tuple[Spot, ...]] = {}
    for spot in spots:
        ids.setdefault(spot.step.id.lower(), spot)
        for name in spot.step.produces:
            producers[name.lower()] = (*producers.get(name.lower(), ()), spot)
    needs = {**_needs(main), **_needs(last)}
    order, cycles = sort(needs)
    every_main = (1 << len(main)) - 1
    rests_on: dict[int, int] = {}
    for number in () if cycles else order:
        found = every_main if spots[number].final else 0
        for need in needs[number]:
            found |= rests_on[need] | 1 << need
        rests_on[number] = found
    return Outline(
        spec=spec, spots=spots, ids=ids, producers=producers, needs=needs, cycles=tuple(cycles), rests_on=rests_on
    )


def sort(needs: Mapping[int, Sequence[int]]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return all that can be put in order, each after what it needs, and the circles among the rest.

    Every need must itself be a key. A circle is given once, from its first member on, each followed by what it needs.
    """
    waits = {number: len(found) for number, found in needs.items()}
    needed_by: dict[int, list[int]] = {number: [] for number in needs}
    for number, found in needs.items():
        for need in found:
            needed_by[need].append(number)
    order = [number for number, count in waits.items() if not count]
    for number in order:
        for later in needed_by[number]:
            waits[later] -= 1
            if not waits[later]:
                order.append(later)
    left = {number for number, count in waits.items() if count}
    return order, _circles(left, needs)


def _needs(spots: Sequence[Spot]) -> dict[int, tuple[int, ...]]:
    """Return the direct needs; a step that does not say its own needs the one before it."""
    numbers = {spot.step.id: spot.number for spot in reversed(spots)}
    found: dict[int, tuple[int, ...]] = {}
    before: tuple[int, ...] = ()
    for spot in spots:
        named = spot.step.needs
        found[spot.number] = before if named is None else tuple(numbers[name] for name in named if name in numbers)
        before = (spot.number,)
    return found


def _circles(left: set[int], needs: Mapping[int, Sequence[int]]) -> list[tuple[int, ...]]:
    """Find circles among what cannot be put in order: each of these needs another one of them."""
    circles: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for start in sorted(left):
        path: list[int] = []
        here = start
        while here not in seen:
            seen.add(here)
            path.append(here)
            here = next(need for need in needs[here] if need in left)
        if here in path:
            circle = path[path.index(here) :]
            first = circle.index(min(circle))
            circles.append((*circle[first:], *circle[:first]))
    return circles
