"""Searches many expressions in the bytes of a whole file, in linear time (google-re2)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from re2 import _Match

_MEMORY_BYTES = 64 << 20


class ByteSearch:
    """Expressions on UTF-8 bytes. One pass over a file tells which of them may match at all."""

    def __init__(self, expressions: Sequence[bytes]) -> None:
        self._expressions = [re2.compile(expression, _options()) for expression in expressions]
        self._filter = re2.Set.SearchSet(_options())
        for expression in expressions:
            self._filter.Add(expression)
        # It matches always: a set that ran out of memory reports no match, which must not read as "nothing found".
        self._canary = self._filter.Add(b"")
        self._filter.Compile()

    def possible(self, data: bytes) -> list[int]:
        """Return the numbers of the expressions that may match."""
        found = set(self._filter.Match(data) or ())
        return sorted(found - {self._canary}) if self._canary in found else list(range(len(self._expressions)))

    def matches(self, number: int, data: bytes, *, limit: int) -> "Matches":
        """Return the matches of one expression from left to right, at most `limit` of them."""
        return Matches(self._expressions[number].finditer(data), limit)


class Matches:
    """Matches to be gone through once. Afterwards `cut` tells whether there were more than the limit."""

    def __init__(self, matches: "Iterator[_Match]", limit: int) -> None:
        self.cut = False
        self._matches = matches
        self._limit = limit

    def __iter__(self) -> "Iterator[_Match]":
        for number, match in enumerate(self._matches):
            if number == self._limit:
                self.cut = True
                return
            yield match


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    return options
