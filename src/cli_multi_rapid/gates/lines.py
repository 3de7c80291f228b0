"""Searches many expressions in the lines of a text at once, in linear time (google-re2)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import re2

_MEMORY_BYTES = 64 << 20
# What would mean something else in a whole text than in a line; such expressions are tried on every line.
_LINE_BOUND = re.compile(r"\\[AzQ]|\(\?[a-zA-Z]*-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One match: its line and column from 1, the text of the line, and the part that matched.

    Column and value are those of the expression's first group, else of the whole match.
    """

    expression: int
    line: int
    column: int
    text: str
    value: str


class LineSearch:
    """Expressions that are searched line by line.

    Raises:
        ValueError: an expression is not valid RE2 syntax.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        self._expressions = [_compiled(expression) for expression in expressions]
        self._always = {number for number, text in enumerate(expressions) if _LINE_BOUND.search(text)}
        self._canary = len(expressions)
        self._set = self._filter(expressions)

    def first(self, text: str, wanted: Callable[[int], bool]) -> Iterator[Match]:
        """Yield the first match of every wanted expression in every line, expression by expression."""
        for number, lines in self._candidates(text, wanted):
            for at, line in enumerate(lines, start=1):
                if found := self._expressions[number].search(line):
                    yield _match(number, at, line, found)

    def every(self, text: str) -> Iterator[Match]:
        """Yield all matches of every expression, expression by expression."""
        for number, lines in self._candidates(text, lambda _: True):
            for at, line in enumerate(lines, start=1):
                for found in self._expressions[number].finditer(line):
                    yield _match(number, at, line, found)

    def _filter(self, expressions: Sequence[str]) -> "re2.Set | None":
        """Build the set that tells in one pass which expressions may match a text at all.

        It allows more than the lines do (`\\s` spans them), never less. The empty expression at its end matches
        always: a set that ran out of memory reports no match at all, which must not read as "nothing found".
        """
        filter_ = re2.Set.SearchSet(_options())
        try:
            for number, expression in enumerate(expressions):
                filter_.Add("" if number in self._always else f"(?m:{expression})")
            filter_.Add("")
            filter_.Compile()
        except re2.error:  # too large together; each one alone is valid
            return None
        return filter_

    def _candidates(self, text: str, wanted: Callable[[int], bool]) -> Iterator[tuple[int, list[str]]]:
        """Yield the expressions that may match, each with the lines of the text."""
        possible = set(self._set.Match(text.encode("utf-8", "replace")) or ()) if self._set else set()
        if self._canary not in possible:
            possible = set(range(self._canary))
        numbers = sorted(number for number in possible - {self._canary} if wanted(number))
        lines = text.split("\n") if numbers else []
        yield from ((number, lines) for number in numbers)


def problem_of(expression: str) -> str:
    """Return what is wrong with an expression in RE2 syntax, or the empty text."""
    try:
        _compiled(expression)
    except ValueError as problem:
        return str(problem)
    return ""


def _match(number: int, line: int, text: str, found: "re2._Match") -> Match:
    group = 1 if found.re.groups and found.group(1) is not None else 0
    return Match(expression=number, line=line, column=found.start(group) + 1, text=text, value=found.group(group))


def _compiled(expression: str) -> "re2._Regexp":
    try:
        return re2.compile(expression, _options())
    except re2.error as problem:
        detail = problem.args[0] if problem.args else problem
        message = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(message) from problem


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    return options
