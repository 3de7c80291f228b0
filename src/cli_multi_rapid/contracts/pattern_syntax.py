"""Patterns of contracts: the part of regular expressions that means the same in every language, read into a tree."""

from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]
"""Code points, both ends included, sorted and apart from each other."""

MAX_REPEAT = 1000
_MAX_DEPTH = 50
_SURROGATES = (0xD800, 0xDFFF)
_LAST = 0x10FFFF
_DIGITS: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SYNTAX = "^$\\.*+?()[]{}|/"
_HEX = frozenset("0123456789abcdefABCDEF")


class PatternRefused(ValueError):
    """A pattern is not one, or means different things in different languages."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of these."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Edge:
    """The start (`^`) or the end (`$`) of the text."""

    start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of several."""

    options: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """At least `low` and at most `high` times; None is without end."""

    item: "Node"
    low: int
    high: int | None


Node = Chars | Edge | Sequence | Either | Repeat


def parsed(pattern: str) -> Node:
    """Return the tree of a pattern.

    Raises:
        PatternRefused: with what is wrong and where.
    """
    reading = _Reading(pattern)
    made = reading.either(0)
    if reading.at < len(pattern):
        raise reading.refused("this closes nothing")
    return made


def ranges_of(pairs: list[tuple[int, int]]) -> Ranges:
    """Return ranges sorted and joined, without surrogates, which are no characters."""
    low, high = _SURROGATES
    cut = [part for a, b in pairs for part in ((a, min(b, low - 1)), (max(a, high + 1), b)) if part[0] <= part[1]]
    made: list[tuple[int, int]] = []
    for a, b in sorted(cut):
        if made and a <= made[-1][1] + 1 and not (made[-1][1] < low < a):
            made[-1] = (made[-1][0], max(made[-1][1], b))
        else:
            made.append((a, b))
    return tuple(made)


def others(ranges: Ranges) -> Ranges:
    """Return every character that is not in these ranges."""
    made, start = [], 0
    for a, b in ranges:
        made.append((start, a - 1))
        start = b + 1
    return ranges_of([*made, (start, _LAST)])


@dataclass(slots=True)
class _Reading:
    text: str
    at: int = 0

    def refused(self, reason: str) -> PatternRefused:
        return PatternRefused(f"{reason} (character {self.at + 1} of the pattern)")

    def either(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise self.refused(f"groups are nested more than {_MAX_DEPTH} deep")
        options = [self._sequence(depth)]
        while self._next("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Either(tuple(options))

    def _next(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _sequence(self, depth: int) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            items.append(self._repeated(self._atom(depth)))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _atom(self, depth: int) -> Node:
        sign = self.text[self.at]
        if sign in "*+?{":
            raise self.refused("there is nothing to repeat")
        if sign in "]}":
            raise self.refused(f"write \\{sign} for the character")
        if sign == ".":
            raise self.refused("`.` leaves out other characters in each language: write the characters, such as [^\\n]")
        if sign == "(":
            return self._group(depth)
        if sign == "[":
            return self._class()
        self.at += 1
        if sign in "^$":
            return Edge(sign == "^")
        return Chars(self._escape(in_class=False)) if sign == "\\" else Chars(((ord(sign), ord(sign)),))

    def _group(self, depth: int) -> Node:
        self.at += 1
        if not self._next("?:") and self.text.startswith("?", self.at):
            raise self.refused("of the groups that begin with (? only (?: is possible")
        made = self.either(depth + 1)
        if not self._next(")"):
            raise self.refused("a group is not closed")
        return made

    def _repeated(self, item: Node) -> Node:
        start = self.at
        low, high = self._count()
        if self.at == start:
            return item
        if isinstance(item, Edge) and self.text[start - 1] != ")":
            raise self.refused("an end of the text cannot be repeated")
        if self.at < len(self.text) and self.text[self.at] in "*+?{":
            raise self.refused("a repetition is not repeated or made lazy: leave this out, or use a group")
        return Repeat(item, low, high)

    def _count(self) -> tuple[int, int | None]:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._next(sign):
                return counts
        if not self.text.startswith("{", self.at):
            return 1, 1
        body, closed, _ = self.text[self.at + 1 :].partition("}")
        low, comma, high = body.partition(",")
        if not closed or not _number(low) or not (_number(high) or not high):
            raise self.refused("a repetition is {2}, {2,} or {2,5}; write \\{ for the character")
        self.at += len(body) + 2
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if max(least, most or 0) > MAX_REPEAT:
            raise self.refused(f"a repetition counts at most to {MAX_REPEAT}")
        if most is not None and most < least:
            raise self.refused("a repetition ends below its start")
        return least, most

    def _class(self) -> Node:
        self.at += 1
        negated = self._next("^")
        pairs: list[tuple[int, int]] = []
        while not self._next("]"):
            pairs += self._member(first=not pairs)
        if not pairs:
            raise self.refused("a class without characters matches nothing, or everything")
        made = ranges_of(pairs)
        return Chars(others(made) if negated else made)

    def _member(self, *, first: bool) -> list[tuple[int, int]]:
        low = self._one(first=first)
        if not self.text.startswith("-", self.at) or self.text.startswith("-]", self.at):
            return list(low)
        self.at += 1
        high = self._one(first=False)
        if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
            raise self.refused("a range goes from one character to another")
        if low[0][0] > high[0][0]:
            raise self.refused("a range ends before its start")
        return [(low[0][0], high[0][0])]

    def _one(self, *, first: bool) -> Ranges:
        if self.at >= len(self.text):
            raise self.refused("a class is not closed")
        sign = self.text[self.at]
        if sign == "[":
            raise self.refused("write \\[ for the character")
        if sign == "-" and not first and not self.text.startswith("-]", self.at):
            raise self.refused("write \\- for the character")
        if sign in "&~" and self.text.startswith(sign, self.at + 1):
            raise self.refused(f"`{sign * 2}` in a class means different things")
        self.at += 1
        return self._escape(in_class=True) if sign == "\\" else ((ord(sign), ord(sign)),)

    def _escape(self, *, in_class: bool) -> Ranges:
        if self.at >= len(self.text):
            raise self.refused("a backslash ends the pattern")
        sign = self.text[self.at]
        self.at += 1
        known = {"d": _DIGITS, "D": others(_DIGITS), "w": _WORD, "W": others(_WORD)}
        if sign in known:
            return known[sign]
        if sign in _CONTROLS:
            return ((_CONTROLS[sign], _CONTROLS[sign]),)
        if sign in _SYNTAX or (sign == "-" and in_class):
            return ((ord(sign), ord(sign)),)
        if sign in "xu":
            return self._coded(sign)
        self.at -= 1
        raise self.refused(f"\\{sign} means different things in different languages, or nothing")

    def _coded(self, sign: str) -> Ranges:
        if sign == "u" and self._next("{"):
            digits, closed, _ = self.text[self.at :].partition("}")
            self.at += len(digits) + len(closed)
        else:
            digits = self.text[self.at : self.at + (2 if sign == "x" else 4)]
            closed = "" if len(digits) < (2 if sign == "x" else 4) else "}"
            self.at += len(digits)
        if not closed or not digits or len(digits) > 6 or not set(digits) <= _HEX:
            raise self.refused("a coded character is \\x41, \\u0041 or \\u{41}")
        code = int(digits, 16)
        if code > _LAST or _SURROGATES[0] <= code <= _SURROGATES[1]:
            raise self.refused("this is no character")
        return ((code, code),)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
