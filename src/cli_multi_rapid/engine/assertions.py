"""Expressions over the results of gates, for the gates, which do not know the language."""

import re
from collections.abc import Mapping

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    ExpressionError,
    compile_expression,
    condition_text,
    evaluate,
)
from cli_multi_rapid.model.ports import Reading

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_OPEN_ENDED = re.compile(r"\*|\[(?!\s*'+\s*\])")
_UNANSWERED = STATUS_FUNCTIONS | {"hashfiles"}


class Assertions:
    """Reads and evaluates the expressions of gates; implements `model.ports.Expressions`."""

    def read(self, text: str) -> Reading:
        """Return what an expression reads; see `model.ports.Expressions.read`."""
        try:
            inner = condition_text(text)
            start = text.index(inner)
        except ExpressionError as error:
            return _wrong(error, 0)
        try:
            found = compile_expression(inner)
        except ExpressionError as error:
            return _wrong(error, start)
        if asked := found.functions & _UNANSWERED:
            return Reading(wrong=f"{min(asked)}() cannot be asked about gates", place=start, fix="compare a status")
        if open_ended := _OPEN_ENDED.search(_QUOTED.sub(lambda quoted: "'" * len(quoted[0]), inner)):
            place = start + open_ended.start()
            return Reading(wrong="there are no lists here", place=place, fix="name every gate and every field")
        return Reading(paths=found.references, places=tuple(start + at - 1 for at in found.reference_columns))

    def evaluate(self, text: str, contexts: Mapping[str, object]) -> object:
        """Return the value of an expression; see `model.ports.Expressions.evaluate`."""
        return evaluate(condition_text(text), contexts)


def _wrong(error: ExpressionError, start: int) -> Reading:
    message = error.message[:1].lower() + error.message[1:]
    return Reading(
        wrong=message, place=start + error.column - 1, fix=error.hint or "compare numbers, texts, true, false"
    )
