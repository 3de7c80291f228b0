"""Texts that a pattern matches, found by walking its automaton."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.patterns import Automaton, automaton

_MOST_SIZES = 40
_MOST_STEPS = 3000

Step = tuple[int, int, int]


@dataclass(slots=True)
class Walk:
    """Walks from the start of an automaton to where it accepts."""

    made: Automaton
    _open: list[frozenset[int]] = field(default_factory=list)

    def sizes(self, least: int, most: int | None) -> list[int]:
        """Return some lengths of texts that match, shortest first, within limits."""
        found: list[int] = []
        limit = least + _MOST_STEPS if most is None else min(most, least + _MOST_STEPS)
        for size in range(limit + 1):
            if not self._ends(size):
                break
            if size >= least and 0 in self._ends(size):
                found.append(size)
                if len(found) == _MOST_SIZES:
                    break
        return found

    def text(self, size: int, dice: Dice, *, taken: set[tuple[int, Step]]) -> str:
        """Return a text of one of these lengths. Edges that are not among those `taken` come first, and are then."""
        signs, state = [], 0
        for left in range(size - 1, -1, -1):
            ends = self._ends(left)
            steps = [step for step in self.made.edges[state] if step[2] in ends]
            step = dice.one_of([one for one in steps if (state, one) not in taken] or steps)
            taken.add((state, step))
            signs.append(_sign(step, dice))
            state = step[2]
        return "".join(signs)

    def _ends(self, size: int) -> frozenset[int]:
        """Return the states from which some text of exactly this length is accepted."""
        if not self._open:
            self._open.append(self.made.accepting)
        while len(self._open) <= size:
            last = self._open[-1]
            self._open.append(frozenset(
                state for state, edges in enumerate(self.made.edges) if any(after in last for _, _, after in edges)
            ))  # fmt: skip
        return self._open[size]


def _sign(step: Step, dice: Dice) -> str:
    low, high, _ = step
    picked = (low, high, low + dice.below(high - low + 1), max(low, min(high, ord("a"))))
    code = dice.one_of(picked)
    return chr(code if not 0xD800 <= code <= 0xDFFF else low)


@lru_cache(maxsize=256)
def walk_of(pattern: str) -> Walk:
    """Return the walk of a pattern, which remembers what it has found out."""
    return Walk(automaton(pattern))


@dataclass(slots=True)
class Ways:
    """The shortest way through every edge of an automaton."""

    made: Automaton
    _to: dict[int, str] = field(default_factory=dict)
    _from: dict[int, str] = field(default_factory=dict)

    def at_limits(self, most: int) -> list[str]:
        """Return texts that match, with the first and the last character of so many edges."""
        return [
            self._through(state, code, after)
            for state, (low, high, after) in self._edges(most) for code in dict.fromkeys((low, high))
        ]  # fmt: skip

    def beside(self, most: int) -> list[str]:
        """Return the same with the characters just before the first and just after the last."""
        return [
            self._through(state, code, after)
            for state, (low, high, after) in self._edges(most) for code in (low - 1, high + 1)
            if 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        ]  # fmt: skip

    def _edges(self, most: int) -> Iterator[tuple[int, Step]]:
        self._find()
        found = ((state, step) for state in self._to for step in self.made.edges[state])
        yield from (one for _, one in zip(range(most), found, strict=False))

    def _through(self, state: int, code: int, after: int) -> str:
        return self._to[state] + chr(code) + self._from[after]

    def _find(self) -> None:
        """Find the shortest text to each state, and from each to the end."""
        self._to = {0: ""}
        todo = deque([0])
        sources: dict[int, list[tuple[int, int]]] = {}
        while todo:
            state = todo.popleft()
            for low, _, after in self.made.edges[state]:
                sources.setdefault(after, []).append((low, state))
                if after not in self._to:
                    self._to[after] = self._to[state] + chr(low)
                    todo.append(after)
        self._from = dict.fromkeys(self.made.accepting, "")
        todo = deque(self._from)
        while todo:
            state = todo.popleft()
            for low, before in sources.get(state, ()):
                if before not in self._from:
                    self._from[before] = chr(low) + self._from[state]
                    todo.append(before)
