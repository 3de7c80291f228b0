"""Where the values of a file stand in its text, and problems at a line and column of it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cli_multi_rapid.errors import Problem

Trail = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the root."""


SHOWN_CHARACTERS = 2000
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML does not allow in a file."""

_SPACE = re.compile("[\t\n\r\x85\u2028\u2029]+")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file: its values (never to be changed: aliases share them), where they stand, and what is wrong.

    Lines and columns count from 1. `complete` tells that the text could be read to its end, so that `values` may be
    judged further although there are problems.
    """

    path: str
    text: str
    values: object = None
    complete: bool = False
    problems: tuple[Problem, ...] = ()
    marks: Mapping[Trail, tuple[int, int]] = field(default_factory=dict)
    keys: Mapping[Trail, tuple[int, int]] = field(default_factory=dict)
    floats: Mapping[Trail, str] = field(default_factory=dict)
    aliases: Mapping[Trail, Trail] = field(default_factory=dict)

    def position(self, trail: Trail, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of a value, or of its key; where it is not in the file, of what it would stand in."""
        trail = self._home(trail)
        if key and trail in self.keys:
            return self.keys[trail]
        while trail and trail not in self.marks:
            trail = trail[:-1]
        return self.marks.get(trail, (1, 1))

    def position_of(self, trail: Trail, needle: str, *, nth: int = 0) -> tuple[int, int]:
        """Return where `needle` stands for the nth time (from 0) from the start of a text on, else that start."""
        line, column = self.position(trail)
        index = _line_starts(self.text)[line - 1] + column - 2
        for _ in range(nth + 1):
            index = self.text.find(needle, index + 1)
            if index < 0:
                return line, column
        return place(self.text, index)

    def inside(self, trail: Trail, text: str, index: int, *, opening: str) -> tuple[int, int]:
        """Return where a character of the text at a trail stands, as exactly as quoting and folding allow.

        It is sought from the last `opening` before it in the text on, or from the start of the text.
        """
        start = text.rfind(opening, 0, index + len(opening))
        needle, nth = opening, text.count(opening, 0, max(start, 0))
        if start < 0:
            needle, nth = text.strip().partition("\n")[0], 0
            start = text.find(needle)
        line, column = self.position_of(trail, needle, nth=nth)
        between = text[start:index]
        return line, column + (0 if "\n" in between else len(between))

    def written(self, trail: Trail) -> str:
        """Return how an unquoted number with a fraction or an exponent is written; nothing for all else."""
        return self.floats.get(self._home(trail), "")

    def problem(self, code: str, message: str, *, at: tuple[int, int], fix: str = "") -> Problem:
        """Make a problem of this file at a line and column."""
        return problem_at(self.path, self.text, code=code, message=message, at=at, fix=fix)

    def _home(self, trail: Trail) -> Trail:
        for end in range(1, len(trail) + 1):
            home = self.aliases.get(trail[:end])
            if home is not None:
                return self._home(home + trail[end:])
        return trail


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems by file and position, each once."""
    return tuple(dict.fromkeys(sorted(problems, key=lambda one: (one.path, one.line, one.column, one.code))))


def problem_at(path: str, text: str, *, code: str, message: str, at: tuple[int, int], fix: str = "") -> Problem:
    """Make a problem at a line and column of a text, with that line (as it stands, so that columns fit)."""
    starts = _line_starts(text)
    end = starts[at[0]] if at[0] < len(starts) else len(text)
    shown = text[starts[at[0] - 1] : end].rstrip("\r\n\x85\u2028\u2029") if at[0] <= len(starts) else ""
    return Problem(
        code=code,
        message=_printable(message),
        path=path,
        line=at[0],
        column=at[1],
        text=UNPRINTABLE.sub("\ufffd", shown[:SHOWN_CHARACTERS]),
        fix=_printable(fix),
    )


def place(text: str, index: int) -> tuple[int, int]:
    """Return line and column of a character of a text, given by its index."""
    starts = _line_starts(text)
    line = bisect_right(starts, index)
    return line, index - starts[line - 1] + 1


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\ufffd", _SPACE.sub(" ", text))


@lru_cache(maxsize=8)
def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _BREAK.finditer(text))]
