"""Expressions in the text of a command, put there as environment variables, so that data stays data."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cli_multi_rapid.model.phase import Shell
from cli_multi_rapid.services.importing import powershell_text
from cli_multi_rapid.services.importing.expressions import OPENING, pieces_of
from cli_multi_rapid.services.importing.shell_text import MARKS, Quoting, Spot, is_mark, spots
from cli_multi_rapid.services.importing.source import Refused

_MAX_EXPRESSIONS = 1000
_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+")
_WORDS = re.compile(r"[A-Za-z0-9_@%+=:,./^*?\[\] \t-]*")
_CLOSING_QUOTE: Mapping[Quoting, str] = {Quoting.DOUBLE: '"$`\\', Quoting.SINGLE: "'", Quoting.HERE: "$`\\"}
_IN_PYTHON = "pass the value through 'env' and read os.environ"
_BY_HAND = "pass the value through 'env' and read the variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """What stands for an expression: an environment variable, and its values where the workflow itself has them all."""

    name: str
    values: tuple[str, ...] | None = None

    @property
    def word(self) -> bool:
        """Tell whether it can be nothing but one plain word."""
        return self.values is not None and all(_WORD.fullmatch(value) for value in self.values)

    @property
    def words(self) -> bool:
        """Tell whether it can be nothing but plain words and patterns of file names, or nothing at all."""
        return self.values is not None and all(_WORDS.fullmatch(value) for value in self.values)


Resolve = Callable[[str], Datum | str]


class _Marked(NamedTuple):
    text: str
    data: Sequence[tuple[str, Datum]]


def with_variables(text: str, shell: Shell, resolve: Resolve) -> str:
    """Return the text of a command with a variable in place of every `${{ }}`.

    Args:
        text: the command as the workflow has it.
        shell: what it is written for.
        resolve: returns what stands for an expression (without braces): a variable, or the text itself where it is
            always the same; may raise Refused.

    Raises:
        Refused: an expression cannot be carried over, or stands where the value would be code.
    """
    if OPENING not in text:
        return text
    marked = _marked(text, resolve)
    if marked.data and shell is Shell.PYTHON:
        raise Refused("an expression in Python text would turn data into code", _IN_PYTHON, needle=marked.data[0][0])
    if not marked.data:
        return marked.text
    places = powershell_text.spots(marked.text) if shell is Shell.PWSH else spots(marked.text)
    put = powershell_text.variable if shell is Shell.PWSH else _in_shell
    pieces: list[str] = []
    for index, character in enumerate(marked.text):
        if not is_mark(character):
            pieces.append(character)
            continue
        expression, datum = marked.data[ord(character) - ord(MARKS[0])]
        following = marked.text[index + 1 : index + 2]
        try:
            pieces.append(_put(places.get(index), expression, datum, following=following, put=put))
        except Refused as refusal:
            raise Refused(refusal.why, refusal.fix, needle=refusal.needle or expression) from refusal
    return "".join(pieces)


def _put(
    place: Spot | None, expression: str, datum: Datum, *, following: str, put: Callable[[Spot, Datum, str], str]
) -> str:
    if place is None:
        raise Refused("a backslash before it makes it something else", _BY_HAND)
    if place.quoting is Quoting.COMMENT:
        return " ".join(expression.split())
    try:
        return put(place, datum, following)
    except Refused:
        if datum.values is None or len(datum.values) != 1:
            raise
        return datum.values[0]  # it is always the same, so it is as much text as what is around it


def _marked(text: str, resolve: Resolve) -> _Marked:
    """Return a text with one character in place of every expression that is data."""
    if any(map(is_mark, text)):
        raise Refused("the text has characters of private use")
    data: list[tuple[str, Datum]] = []
    pieces: list[str] = []
    for plain, piece in pieces_of(text):
        found = piece if plain else resolve(piece)
        if isinstance(found, Datum):
            data.append((piece, found))
            found = chr(ord(MARKS[0]) + len(data) - 1)
        pieces.append(found)
    if len(data) > _MAX_EXPRESSIONS:
        raise Refused("the text has too many expressions")
    return _Marked("".join(pieces), data)


def _in_shell(place: Spot, datum: Datum, following: str) -> str:
    """Return the variable as it has to stand at a place of a POSIX shell's text."""
    name = f"${{{datum.name}}}" if re.match(r"[A-Za-z0-9_\[]", following) else f"${datum.name}"
    if place.quoting is Quoting.FIXED:
        raise Refused("the shell puts no variable here", _BY_HAND)
    if (place.runs or place.interpreted) and not datum.word:
        return _as_words(place, datum, name)
    if place.quoting is Quoting.ARITHMETIC:
        return f"${{{datum.name}}}"
    if place.quoting is Quoting.NONE:
        return f'"${datum.name}"' if datum.word or datum.values is None else _as_words(place, datum, name)
    if datum.values is not None and any(set(value) & set(_CLOSING_QUOTE[place.quoting]) for value in datum.values):
        raise Refused("the value would end its quotes, or be run", _BY_HAND)
    return f"'\"${datum.name}\"'" if place.quoting is Quoting.SINGLE else name


def _as_words(place: Spot, datum: Datum, name: str) -> str:
    """Return a variable without quotes: the shell makes words of its value, as of the text on GitHub."""
    if datum.values is None:
        raise Refused("the value would be run as code, or read by the shell", _BY_HAND)
    if not datum.words or place.quoting is not Quoting.NONE or place.assigned or place.interpreted:
        raise Refused("the value is shell code, not data", "write the command out")
    return name
