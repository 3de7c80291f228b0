"""Text with `${{ }}` in it."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from cli_multi_rapid.engine.expressions.error import ExpressionError
from cli_multi_rapid.engine.expressions.evaluation import HashFiles, Status
from cli_multi_rapid.engine.expressions.expression import evaluate
from cli_multi_rapid.engine.expressions.values import SPACE, to_string

_OPENING: Final = "${{"
# An atomic group, because the possessive `(...)*+` fails to match in Python 3.11.2, which Debian 12 has.
_CLOSING: Final = re.compile(r"((?>(?:[^'}]|'[^']*+'|\}(?!\}))*))\}\}")


class Part(NamedTuple):
    """A piece of a text. `offset` is where `text` starts, from 0; an expression is without braces and outer blanks."""

    kind: Literal["text", "expression"]
    text: str
    offset: int


def split_template(text: str) -> list[Part]:
    """Cut text into literal parts and expressions, in order; `}}` inside a quoted string does not end one.

    Raises:
        ExpressionError: of kind "parsing": braces that are not closed, or nothing between them.
    """
    parts: list[Part] = []
    at = 0
    while (start := text.find(_OPENING, at)) >= 0:
        if start > at:
            parts.append(Part("text", text[at:start], at))
        inside = start + len(_OPENING)
        match = _CLOSING.match(text, inside)
        if match is None:
            hint = "an odd number of quotes hides the braces" if "}}" in text[inside:] else "add `}}`"
            raise ExpressionError("`${{` is not closed", kind="parsing", column=start + 1, hint=hint)
        expression = match[1].strip(SPACE)
        if not expression:
            raise ExpressionError("There is no expression between `${{` and `}}`", kind="parsing", column=start + 1)
        blanks = len(match[1]) - len(match[1].lstrip(SPACE))
        parts.append(Part("expression", expression, inside + blanks))
        at = match.end()
    if at < len(text):
        parts.append(Part("text", text[at:], at))
    return parts


def interpolate(
    text: str,
    contexts: Mapping[str, object],
    *,
    hash_files: HashFiles | None = None,
    status: Status | None = None,
) -> object:
    """Replace every `${{ }}` by its value, read as text; a text that is one `${{ }}` gives the value itself.

    Raises:
        ExpressionError: with the column in the whole text.
    """
    parts = split_template(text)
    values = [_value(part, contexts, hash_files=hash_files, status=status) for part in parts]
    if len(parts) == 1 and parts[0].kind == "expression":
        return values[0]
    return "".join(map(to_string, values))


def condition_text(text: str) -> str:
    """Return the expression of a condition, which stands alone or inside one `${{ }}`.

    Raises:
        ExpressionError: of kind "parsing": there is more than the one `${{ }}`, or nothing.
    """
    if _OPENING not in text:
        if not text.strip(SPACE):
            raise ExpressionError("The condition is empty", kind="parsing")
        return text.strip(SPACE)
    parts = split_template(text)
    outside = [part for part in parts if part.kind == "text" and part.text.strip(SPACE)]
    expressions = [part for part in parts if part.kind == "expression"]
    if outside or len(expressions) > 1:
        column = (outside or expressions[1:])[0].offset + 1
        raise ExpressionError(
            "Text outside `${{ }}` makes a condition that is always true",
            kind="parsing",
            column=column,
            hint="put the whole condition inside one `${{ }}`, or leave the braces out",
        )
    return expressions[0].text


def _value(
    part: Part, contexts: Mapping[str, object], *, hash_files: HashFiles | None, status: Status | None
) -> object:
    if part.kind == "text":
        return part.text
    try:
        return evaluate(part.text, contexts, hash_files=hash_files, status=status)
    except ExpressionError as error:
        raise error.shifted(part.offset) from error
