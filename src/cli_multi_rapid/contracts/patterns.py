"""Patterns as automata, for languages without regular expressions, and in the spelling of .NET."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from cli_multi_rapid.contracts.pattern_syntax import (
    Chars,
    Edge,
    Either,
    Node,
    PatternRefused,
    Ranges,
    Repeat,
    Sequence,
    parsed,
)  # fmt: skip

__all__ = ["Automaton", "PatternRefused", "automaton", "dotnet"]

MAX_STATES = 2000
_MAX_PLACES = 20_000
_BMP = 0xFFFF
_ANY: Ranges = ((0, 0xD7FF), (0xE000, 0x10FFFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """A deterministic automaton that judges a whole text, character by character; it begins in state 0.

    `edges` has for each state (low, high, next) in code points, both included, sorted and apart from each other. A
    character on no edge ends the matter: no text that goes on with it matches. From every state but 0 an accepting
    one is reached.
    """

    edges: tuple[tuple[tuple[int, int, int], ...], ...]
    accepting: frozenset[int]


@lru_cache(maxsize=256)
def automaton(pattern: str) -> Automaton:
    """Return the automaton of a pattern, which finds it anywhere in the text as JSON Schema does.

    Raises:
        PatternRefused: it is no pattern, means different things in different languages, or is too large.
    """
    places = _Places()
    start = places.new()
    end = places.build(parsed(pattern), start)
    return _reaching(*_determined(places, start, end))


def dotnet(pattern: str) -> str:
    """Return a pattern for .NET, whose characters are units of UTF-16.

    Raises:
        PatternRefused: as `automaton`.
    """
    return _written(parsed(pattern))


@dataclass(slots=True)
class _Places:
    """A nondeterministic automaton: places, free steps (at the start or the end of the text only, or always), reads."""

    free: list[list[tuple[int, Edge | None]]] = field(default_factory=list)
    reads: list[list[tuple[Ranges, int]]] = field(default_factory=list)

    def new(self) -> int:
        if len(self.free) >= _MAX_PLACES:
            raise PatternRefused("the pattern is too large: its repetitions multiply")
        self.free.append([])
        self.reads.append([])
        return len(self.free) - 1

    def build(self, node: Node, start: int) -> int:
        """Return the place that is reached from `start` by what a node matches."""
        match node:
            case Chars(ranges):
                end = self.new()
                self.reads[start].append((ranges, end))
                return end
            case Edge():
                end = self.new()
                self.free[start].append((end, node))
                return end
            case Sequence(items):
                for item in items:
                    start = self.build(item, start)
                return start
            case Either(options):
                end = self.new()
                for option in options:
                    self.free[self.build(option, start)].append((end, None))
                return end
            case Repeat(item, low, high):
                return self._repeat(item, start, low, high)

    def _repeat(self, item: Node, start: int, low: int, high: int | None) -> int:
        for _ in range(low):
            start = self.build(item, start)
        end = self.new()
        if high is None:
            loop = self.new()
            self.free[start].append((loop, None))
            self.free[self.build(item, loop)].append((loop, None))
            self.free[loop].append((end, None))
            return end
        for _ in range(high - low):
            self.free[start].append((end, None))
            start = self.build(item, start)
        self.free[start].append((end, None))
        return end

    def closed(self, places: Iterable[int], *, at_start: bool, at_end: bool) -> frozenset[int]:
        """Return the places that are reached without reading."""
        found = set(places)
        todo = list(found)
        while todo:
            for after, edge in self.free[todo.pop()]:
                open_ = edge is None or (at_start if edge.start else at_end)
                if open_ and after not in found:
                    found.add(after)
                    todo.append(after)
        return frozenset(found)


_Edges = list[list[tuple[int, int, int]]]


def _determined(places: _Places, start: int, end: int) -> tuple[_Edges, set[int]]:
    first = places.closed([start], at_start=True, at_end=False)
    known: dict[frozenset[int], int] = {first: 0}
    edges: _Edges = []
    accepting: set[int] = set()
    todo = [first]
    for number, here in enumerate(todo):
        if end in places.closed(here, at_start=number == 0, at_end=True):
            accepting.add(number)
        edges.append([])
        if end in here:  # found; whatever follows
            edges[-1] = [(low, high, number) for low, high in _ANY]
            continue
        for low, high, after in _steps(places, here):
            reached = places.closed([*after, start], at_start=False, at_end=False)
            if reached not in known:
                if len(known) >= MAX_STATES:
                    raise PatternRefused(f"the pattern needs more than {MAX_STATES} states")
                known[reached] = len(known)
                todo.append(reached)
            _join(edges[-1], low, high, known[reached])
    return edges, accepting


def _steps(places: _Places, here: frozenset[int]) -> Iterator[tuple[int, int, frozenset[int]]]:
    """Yield every character that is told apart from others, in ranges, with the places that it leads to."""
    reads = [(low, high, after) for one in here for ranges, after in places.reads[one] for low, high in ranges]
    reads += [(low, high, -1) for low, high in _ANY]
    cuts = sorted({low for low, _, _ in reads} | {high + 1 for _, high, _ in reads})
    opened: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for low, high, after in reads:
        opened.setdefault(low, []).append(after)
        closing.setdefault(high + 1, []).append(after)
    active: dict[int, int] = {}
    for low, after_last in pairwise(cuts):
        for one in opened.get(low, ()):
            active[one] = active.get(one, 0) + 1
        for one in closing.get(low, ()):
            active[one] -= 1
        if active.get(-1):
            yield low, after_last - 1, frozenset(one for one, count in active.items() if count and one >= 0)


def _join(edges: list[tuple[int, int, int]], low: int, high: int, state: int) -> None:
    if edges and edges[-1][1] + 1 == low and edges[-1][2] == state:
        low = edges.pop()[0]
    edges.append((low, high, state))


def _reaching(edges: _Edges, accepting: set[int]) -> Automaton:
    """Leave out the states from which nothing is accepted."""
    sources: dict[int, set[int]] = {}
    for state, leaving in enumerate(edges):
        for _, _, after in leaving:
            sources.setdefault(after, set()).add(state)
    alive, todo = set(accepting), list(accepting)
    while todo:
        for one in sources.get(todo.pop(), set()) - alive:
            alive.add(one)
            todo.append(one)
    kept = sorted(alive | {0})
    number = {state: index for index, state in enumerate(kept)}
    return Automaton(
        edges=tuple(
            tuple((low, high, number[after]) for low, high, after in edges[state] if after in alive) for state in kept
        ),
        accepting=frozenset(number[state] for state in accepting),
    )


def _written(node: Node) -> str:
    match node:
        case Chars(ranges):
            return _characters(ranges)
        case Edge(start):
            return r"\A" if start else r"\z"
        case Sequence(items):
            return "".join(_grouped(item) if isinstance(item, Either) else _written(item) for item in items)
        case Either(options):
            return "|".join(map(_written, options))
        case Repeat(item, low, high):
            count = f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"
            return (_written(item) if isinstance(item, Chars) else _grouped(item)) + count


def _grouped(node: Node) -> str:
    return f"(?:{_written(node)})"


def _characters(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\s\S]"
    plain = [_span(low, min(high, _BMP)) for low, high in ranges if low <= _BMP]
    pairs = [
        f"[{_span(*lead)}][{_span(*trail)}]"
        for low, high in ranges if high > _BMP
        for lead, trail in _pairs(max(low, _BMP + 1), high)
    ]  # fmt: skip
    options = [f"[{''.join(plain)}]", *pairs] if plain else pairs
    return f"(?:{'|'.join(options)})" if pairs else options[0]


def _span(low: int, high: int) -> str:
    return _unit(low) if low == high else f"{_unit(low)}-{_unit(high)}"


def _unit(code: int) -> str:
    return chr(code) if chr(code).isascii() and chr(code).isalnum() else f"\\u{code:04X}"


def _pairs(low: int, high: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the surrogate pairs of a range beyond the BMP as ranges of leading and trailing units."""
    while low <= high:
        block_end = low | 0x3FF
        if low & 0x3FF == 0 and high >= block_end:
            whole = min(high + 1, 0x110000) & ~0x3FF
            yield (_lead(low), _lead(whole - 1)), (0xDC00, 0xDFFF)
            low = whole
            continue
        last = min(high, block_end)
        yield (_lead(low), _lead(low)), (0xDC00 | low & 0x3FF, 0xDC00 | last & 0x3FF)
        low = last + 1


def _lead(code: int) -> int:
    return 0xD800 + (code - 0x10000 >> 10)
