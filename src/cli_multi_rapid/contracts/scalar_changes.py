"""Changes of single values: beyond their limits, of another type, or written as no value is."""

import json
import math
from collections.abc import Iterator

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.json_text import quoted
from cli_multi_rapid.contracts.misspellings import LITERALS, NUMBERS, TEXTS
from cli_multi_rapid.contracts.sample_texts import near_misses
from cli_multi_rapid.contracts.samples import EXACT, Scalar, integer_forms

_BEYOND = (
    2**63, -(2**63) - 1, 2**64, 2**64 + 1, -(2**64), 10**19, 10**30, -(10**30), 2**32, 2**31, -(2**31) - 1, 256, -1, 0
)  # fmt: skip
_LARGE = ("1e19", "1e30", "1e308", "9223372036854775808.0", "9.3e18", "-9.3e18", "92233720368547758080e-1")
_FRACTIONS = ("0.5", "1.5", "-0.25", "1e-1", "15e-1", "1.0000000001", "99.99")


def scalar_changes(one: Scalar | ir.StringType, text: str, dice: Dice) -> Iterator[tuple[str, str]]:
    """Yield kinds of changes with what stands in the place of a value that is written so."""
    match one:
        case ir.StringType():
            yield from _texts(one, text, dice)
        case ir.IntegerType():
            yield from _integers(one)
        case ir.NumberType():
            yield from _numbers(one)
        case ir.ConstType():
            yield from _constants(one, text)
    if not isinstance(one, ir.StringType):
        yield "a text", f'"{text}"' if text[0] != '"' else text[1:-1]
        yield from ((f"written {wrong}", wrong) for wrong in LITERALS)
    if isinstance(one, ir.IntegerType | ir.NumberType):
        yield from ((f"written {wrong[:10]}", wrong) for wrong in NUMBERS)


def _integers(one: ir.IntegerType) -> Iterator[tuple[str, str]]:
    for kind, value in (("below its minimum", one.minimum - 1), ("above its maximum", one.maximum + 1)):
        yield kind, str(value)
        yield from ((f"{kind}, in another form", form) for form in integer_forms(value)[1:3])
    yield from ((f"{value}", str(value)) for value in _BEYOND)
    yield from (("too large, in another form", form) for form in _LARGE)
    yield from (("a fraction", form) for form in _FRACTIONS)
    near = min(one.maximum, EXACT // 4)
    yield "a fraction at its maximum", f"{near}.5"


def _numbers(one: ir.NumberType) -> Iterator[tuple[str, str]]:
    if one.minimum is not None:
        yield "below its minimum", repr(math.nextafter(one.minimum, -math.inf))
        yield "below its minimum", repr(one.minimum - 1)
    if one.maximum is not None:
        yield "above its maximum", repr(math.nextafter(one.maximum, math.inf))
        yield "above its maximum", repr(one.maximum + 1)
    yield from (("too large", form) for form in ("1.7976931348623159e308", "1e309", "-1e309", "2e308", "1e99999999999"))


def _texts(one: ir.StringType, text: str, dice: Dice) -> Iterator[tuple[str, str]]:
    yield from ((kind, quoted(wrong)) for kind, wrong in near_misses(one, dice))
    body = text[1:-1]
    yield from ((f"with {json.dumps(wrong)}", f'"{body}{wrong}"') for wrong in TEXTS)
    yield from ((f"of {json.dumps(wrong)}", f'"{wrong}"') for wrong in TEXTS)
    yield "single quotes", f"'{body}'"
    yield "no quotes", body
    yield "no quotes", "x"
    yield "one quote", f'"{body}'
    yield "one quote", f'{body}"'
    yield "a quote inside", f'"{body}"x"'
    yield "two texts", f'"{body}" "{body}"'
    yield "null as text", '"null"'


def _constants(one: ir.ConstType, text: str) -> Iterator[tuple[str, str]]:
    if isinstance(one.value, str):
        for wrong in (
            one.value + " ",
            one.value.swapcase(),
            one.value[:-1],
            f"{one.value}\0",
            "",
            "another",
            one.value * 2,
        ):
            yield "another constant", quoted(wrong)
        yield "no quotes", one.value
    elif not isinstance(one.value, bool):
        yield from (("another constant", str(one.value + step)) for step in (1, -1, 10, 2**32, 2**64))
        yield "another constant", f"{one.value}.5"
        yield from ((f"written {wrong[:10]}", wrong) for wrong in NUMBERS)
    else:
        yield "another constant", str(not one.value).lower()
    yield "true or 1", "1" if text == "true" else "0" if text == "false" else "true"
    yield "a text and null", '"null"'
