"""GitHub's expressions, taken apart and put together with other names in them."""

from collections.abc import Callable
from typing import NamedTuple

from cli_multi_rapid.engine.expressions import ExpressionError, compile_expression, split_template, to_string
from cli_multi_rapid.engine.expressions.lexer import END, LITERAL, NAME, Token, tokenize
from cli_multi_rapid.services.importing.source import Refused

OPENING = "${{"


class Reference(NamedTuple):
    """A path from a context on, up to the first key that is not fixed, and where it stands. `more` follows or not."""

    path: tuple[str, ...]
    start: int
    end: int
    more: bool


Replace = Callable[[Reference], str]
"""Returns what stands for a reference, or raises Refused."""

Translate = Callable[[str], str]
"""Returns what stands for a whole expression, or raises Refused."""


def references(text: str) -> list[Reference]:
    """Return what an expression (without braces) reads.

    Raises:
        Refused: it is not valid.
    """
    try:
        compile_expression(text)
    except ExpressionError as error:
        raise Refused(f"the expression is not valid: {error.message}", error.hint, needle=text) from error
    tokens = tokenize(text)
    found: list[Reference] = []
    before = ""
    at = 0
    while tokens[at].kind != END:
        token = tokens[at]
        if token.kind == NAME and before != "." and tokens[at + 1].kind != "(":
            path, last = _path(tokens, at)
            end = tokens[last].start + len(tokens[last].text)  # a name or a bracket, which are as long as their text
            found.append(Reference(path, token.start, end, tokens[last + 1].kind in {".", "["}))
            at = last
        before = tokens[at].kind
        at += 1
    return found


def rewrite(text: str, replace: Replace) -> str:
    """Return an expression with every reference replaced.

    Raises:
        Refused: it is not valid, or a reference has no replacement.
    """
    pieces: list[str] = []
    at = 0
    for reference in references(text):
        pieces += [text[at : reference.start], replace(reference)]
        at = reference.end
    return "".join([*pieces, text[at:]])


def as_expression(text: str, translate: Translate) -> str:
    """Return one expression that gives what a text with `${{ }}` in it gives, for use inside another expression.

    Raises:
        Refused: braces are not closed, or an expression cannot be translated.
    """
    pieces = pieces_of(text)
    if all(plain for plain, _ in pieces):
        return literal("".join(piece for _, piece in pieces))
    if len(pieces) == 1:
        return f"({translate(pieces[0][1])})"
    form = ""
    values: list[str] = []
    for plain, piece in pieces:
        if plain:
            form += piece.replace("{", "{{").replace("}", "}}")
        else:
            form += f"{{{len(values)}}}"
            values.append(translate(piece))
    return f"format({', '.join([literal(form), *values])})"


def pieces_of(text: str) -> list[tuple[bool, str]]:
    """Return the parts of a text in order, with true for literal text and false for an expression without its braces.

    Raises:
        Refused: the braces are not closed, or empty.
    """
    try:
        return [(part.kind == "text", part.text) for part in split_template(text)]
    except ExpressionError as error:
        raise Refused(error.message, error.hint, needle=OPENING) from error


def conjuncts(text: str) -> list[str]:
    """Return the parts of a condition that must all hold; one part if it is no `&&` of parts."""
    tokens = tokenize(text)
    depth, cuts = 0, []
    for token in tokens:
        depth += (token.kind in {"(", "["}) - (token.kind in {")", "]"})
        if depth == 0 and token.kind == "||":
            return [text]
        if depth == 0 and token.kind == "&&":
            cuts.append(token.start)
    parts = [text[a:b] for a, b in zip([0, *(cut + 2 for cut in cuts)], [*cuts, len(text)], strict=True)]
    return [part.strip() for part in parts]


def texts_in(text: str) -> list[str]:
    """Return the texts in quotes of a valid expression."""
    return [token.value for token in tokenize(text) if token.kind == LITERAL and isinstance(token.value, str)]


def literal(value: object) -> str:
    """Return a value of a file as a literal of the language."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else to_string(value)


def _path(tokens: list[Token], at: int) -> tuple[tuple[str, ...], int]:
    """Return the path that begins at a token, and the number of its last token."""
    path = [tokens[at].text]
    while True:
        kind = tokens[at + 1].kind
        if kind == "." and tokens[at + 2].kind == NAME:
            path.append(tokens[at + 2].text)
            at += 2
        elif (
            kind == "["
            and tokens[at + 2].kind == LITERAL
            and isinstance(tokens[at + 2].value, str)
            and tokens[at + 3].kind == "]"
        ):
            path.append(tokens[at + 2].text)
            at += 3
        else:
            return tuple(path), at
