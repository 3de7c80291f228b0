"""Percentages as people read them, and as they are compared: exactly."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import counted


def least_percent(value: float, key: str) -> Fraction:
    """Return the percentage that a key of a gate asks for.

    Raises:
        EvidenceError: it is none.
    """
    # The shortest decimal text of the number is what was written in the file; its binary value is not.
    try:
        least = Fraction(repr(float(value)))
    except ValueError:
        least = Fraction(-1)
    if not 0 <= least <= 100:
        raise EvidenceError(f"`{key}` is {value}, not a percentage", fix=f"set `{key}` to a number from 0 to 100")
    return least


def percent_text(percent: Fraction, *others: Fraction) -> str:
    """Return a percentage with as many digits as it takes to be less, equal or more than others as it really is."""
    for digits in range(1, 16):
        shown = round(percent, digits)
        if all((shown >= other, shown > other) == (percent >= other, percent > other) for other in others):
            return f"{float(shown):.{digits}f}"
    return f"{percent.numerator}/{percent.denominator}"


def line_ranges(lines: Sequence[int], *, limit: int = 12) -> str:
    """Return sorted line numbers as ranges, `3-7, 12`, the rest after `limit` ranges as a number of lines."""
    if not lines:
        return ""
    starts = [lines[0], *(after for before, after in pairwise(lines) if after != before + 1)]
    ends = [*(before for before, after in pairwise(lines) if after != before + 1), lines[-1]]
    texts = [str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]
    hidden = sum(end - start + 1 for start, end in list(zip(starts, ends, strict=True))[limit:])
    return ", ".join(texts[:limit]) + (f" and {counted(hidden, 'more line', plural='more lines')}" if hidden else "")
