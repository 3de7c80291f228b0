"""Changes of single values: beyond the limits that a contract gives them, or written as no value is."""

import json
import math
from collections.abc import Iterator

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.json_text import quoted
from cli_multi_rapid.contracts.misspellings import LITERALS, NUMBERS, TEXTS
from cli_multi_rapid.contracts.near_misses import near_misses
from cli_multi_rapid.contracts.sample_texts import FORMATTED
from cli_multi_rapid.contracts.samples import EXACT, Scalar, integer_forms

_BEYOND = (
    2**63, -(2**63) - 1, 2**64, 2**64 + 1, -(2**64), 10**19, 10**30, -(10**30), 2**32, 2**31, -(2**31) - 1, 256, -1, 0
)  # fmt: skip
_LARGE = ("1e19", "1e30", "1e308", "9223372036854775808.0", "9.3e18", "-9.3e18", "92233720368547758080e-1")
_FRACTIONS = ("0.5", "1.5", "-0.25", "1e-1", "15e-1", "1.0000000001", "99.99")
_TOO_LARGE = ("1.7976931348623159e308", "1e309", "-1e309", "2e308", "1e99999999999")

Change = tuple[str, str]
"""The kind of a change, and what stands in the place of the value."""


def limit_changes(one: Scalar | ir.StringType, text: str, dice: Dice) -> Iterator[Change]:
    """Yield changes that what a contract says of just this value decides on; `text` is how it is written now."""
    match one:
        case ir.StringType():
            yield from ((kind, quoted(wrong)) for kind, wrong in near_misses(one, dice))
        case ir.IntegerType():
            yield from _integers(one)
        case ir.NumberType():
            yield from _numbers(one)
        case ir.ConstType():
            yield from _constants(one, text)


def spelling_changes(one: Scalar | ir.StringType, text: str) -> Iterator[Change]:
    """Yield changes that decide how numbers, texts and words are read, wherever they stand."""
    match one:
        case ir.StringType(format=form):
            yield from ((f"the {form} {wrong!r}", quoted(wrong)) for wrong in FORMATTED.get(form, ()))
            yield from _texts(text)
        case ir.IntegerType() | ir.NumberType():
            yield from ((f"written {wrong[:12]}", wrong) for wrong in NUMBERS)
    if isinstance(one, ir.IntegerType):
        yield from ((f"the number {form}", form) for form in (*map(str, _BEYOND), *_LARGE, *_FRACTIONS))
    if isinstance(one, ir.NumberType):
        yield from ((f"the number {form}", form) for form in _TOO_LARGE)
    if not isinstance(one, ir.StringType):
        yield "a text", f'"{text}"' if text[0] != '"' else text[1:-1]
        yield from ((f"written {wrong}", wrong) for wrong in LITERALS)


def _integers(one: ir.IntegerType) -> Iterator[Change]:
    for kind, value in (("below its minimum", one.minimum - 1), ("above its maximum", one.maximum + 1)):
        yield kind, str(value)
        yield from ((f"{kind}, in another form", form) for form in integer_forms(value)[1:3])
    yield "a fraction", f"{min(one.maximum, EXACT // 4)}.5"


def _numbers(one: ir.NumberType) -> Iterator[Change]:
    for kind, limit, away in (("below its minimum", one.minimum, -1), ("above its maximum", one.maximum, 1)):
        if limit is not None:
            yield kind, repr(math.nextafter(limit, away * math.inf))
            yield f"far {kind}", repr(limit + away)


def _constants(one: ir.ConstType, text: str) -> Iterator[Change]:
    kind = "another constant"
    if isinstance(one.value, bool):
        yield kind, str(not one.value).lower()
    elif isinstance(one.value, int):
        yield from ((f"{kind}, {step}", str(one.value + step)) for step in (1, -1, 10, 2**32, 2**64))
        yield f"{kind}, a fraction", f"{one.value}.5"
    else:
        value = one.value
        for wrong in (f"{value} ", value.swapcase(), value[:-1], f"{value}\0", "", "another", value + value):
            yield f"{kind}, {wrong!r}", quoted(wrong)
    yield "true and 1", "1" if text == "true" else "0" if text == "false" else "true"


def _texts(text: str) -> Iterator[Change]:
    body = text[1:-1]
    yield from ((f"with {json.dumps(wrong)}", f'"{body}{wrong}"') for wrong in TEXTS)
    yield from ((f"of {json.dumps(wrong)}", f'"{wrong}"') for wrong in TEXTS)
    yield "single quotes", f"'{body}'"
    yield from (("no quotes", wrong) for wrong in (body, "x"))
    yield from (("one quote", wrong) for wrong in (f'"{body}', f'{body}"'))
    yield "a quote inside", f'"{body}"x"'
    yield "two texts", f'"{body}" "{body}"'
