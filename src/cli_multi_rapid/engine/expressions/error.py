"""What goes wrong in an expression, and where."""

from typing import Literal

Kind = Literal["lexing", "parsing", "evaluation"]


class ExpressionError(ValueError):
    """An expression cannot be read or evaluated.

    `message` is GitHub's own text where GitHub has one; `hint` (may be empty) says how to mend it. `column` counts
    from 1, in characters of the text that was given.
    """

    def __init__(self, message: str, *, kind: Kind, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.column = column
        self.hint = hint

    def shifted(self, offset: int) -> "ExpressionError":
        """Return the same error for a longer text, in which the expression starts `offset` characters later."""
        return ExpressionError(self.message, kind=self.kind, column=self.column + offset, hint=self.hint)


class OperationError(Exception):
    """An operation failed; the node that knows its column turns this into an ExpressionError."""


def nearest(name: str, known: list[str], *, what: str) -> str:
    """Return a hint that names the known word closest to `name`, or all of them where none is close."""
    from difflib import get_close_matches

    by_fold = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{by_fold[close[0]]}'?"
    return f"{what}: {', '.join(sorted(known, key=str.casefold))}" if known else f"there are no {what}"
