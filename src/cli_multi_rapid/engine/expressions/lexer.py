"""Text to tokens."""

import math
import re
from typing import Final, NamedTuple, NoReturn

from cli_multi_rapid.engine.expressions.error import ExpressionError
from cli_multi_rapid.engine.expressions.values import SPACE, normalised, number_from_text

MAX_LENGTH: Final = 21_000
"""Longest expression, in characters."""

LITERAL: Final = "literal"
NAME: Final = "name"
END: Final = "end"

_BOUNDARY: Final = r"()\[\],.!><=&|" + SPACE
_TOKEN: Final = re.compile(
    rf"[{SPACE}]*+(?:"
    rf"(?P<name>[A-Za-z_][A-Za-z0-9_-]*+(?![^{_BOUNDARY}]))"
    r"|(?P<operator>[()\[\],*]|[<>!]=?+|==|&&|\|\|)"
    r"|(?P<dot>\.)"
    r"|'(?P<string>(?:[^']|'')*+)'"
    rf"|(?P<number>[-+0-9](?:[^{_BOUNDARY}]|\.)*+)"
    rf"|(?P<other>.[^{_BOUNDARY}]*+)"
    r")",
    re.DOTALL,
)
_NUMBER_REST: Final = re.compile(rf"(?:[^{_BOUNDARY}]|\.)*+")
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}
_BLANKS: Final = frozenset(SPACE)
_BEFORE_DOT: Final = frozenset({NAME, ")", "]", "*"})


class Token(NamedTuple):
    """One token. Operators and brackets are their own `kind`; `start` counts from 0; `text` is what messages show."""

    kind: str
    text: str
    start: int
    value: object


def tokenize(text: str) -> list[Token]:
    """Cut an expression into tokens; the last one is the end. Anything else is a lexing error."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"Exceeded max expression length {MAX_LENGTH}", kind="lexing", column=MAX_LENGTH + 1)
    tokens: list[Token] = []
    previous, at = END, 0
    while match := _TOKEN.match(text, at):
        group = match.lastgroup
        assert group is not None
        lexeme, start, at = match[group], match.start(group), match.end()
        if group == "name":
            token = _name(lexeme, start, follows_dot=previous == ".")
        elif group == "operator" or (group == "dot" and previous in _BEFORE_DOT):
            token = Token(lexeme, lexeme, start, None)
        elif group == "string":
            lexeme = lexeme.replace("''", "'")
            token = Token(LITERAL, lexeme, start - 1, lexeme)
        elif group == "other":
            _unexpected(text, text[start:] if lexeme[0] == "'" else lexeme, start)
        else:
            at = at if group == "number" else _end_of_number(text, at)
            token = _number(text, start, at)
        tokens.append(token)
        previous = token.kind
    tokens.append(Token(END, "EOF", _end(text, tokens), None))
    return tokens


def _end(text: str, tokens: list[Token]) -> int:
    """Return where GitHub reports the end: at the last character if it is blank, else at the last token."""
    if text[-1:] in _BLANKS:
        return max(len(text) - 1, 0)
    return tokens[-1].start if tokens else 0


def _name(lexeme: str, start: int, *, follows_dot: bool) -> Token:
    if lexeme in _WORDS and not follows_dot:
        return Token(LITERAL, lexeme, start, _WORDS[lexeme])
    return Token(NAME, lexeme, start, None)


def _end_of_number(text: str, at: int) -> int:
    match = _NUMBER_REST.match(text, at)
    return match.end() if match else at


def _number(text: str, start: int, end: int) -> Token:
    lexeme = text[start:end]
    value = number_from_text(lexeme)
    if math.isnan(value):
        _unexpected(text, lexeme, start)
    return Token(LITERAL, lexeme, start, normalised(value))


def _unexpected(text: str, lexeme: str, start: int) -> NoReturn:
    raise ExpressionError(
        f"Unexpected symbol: '{lexeme}'. Located at position {start + 1} within expression: {text}",
        kind="lexing",
        column=start + 1,
        hint=_LEXING_HINTS["'"] if "'" in lexeme else _LEXING_HINTS.get(lexeme[0], ""),
    )


_LEXING_HINTS: Final = {
    '"': "text is written in single quotes",
    "'": "the text is not closed; a quote inside text is doubled",
    "=": "`==` compares",
    "&": "`&&` means and",
    "|": "`||` means or",
    "$": "leave out the inner `${{ }}`",
    "-": "there is no arithmetic",
    "+": "there is no arithmetic",
}
