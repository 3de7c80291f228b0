"""Values of the language: their kinds, how one kind is read as another, and how two of them compare.

Values are plain Python ones: None, bool, int and float (all numbers are doubles), str, list or tuple, and mappings.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from cli_multi_rapid.engine.expressions.error import OperationError

NULL: Final = "Null"
BOOLEAN: Final = "Boolean"
NUMBER: Final = "Number"
STRING: Final = "String"
ARRAY: Final = "Array"
OBJECT: Final = "Object"

SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters that separate tokens and are ignored around a number in text."""

EXACT_LIMIT: Final = 2**53
"""Whole numbers below this are the same as int and as double."""


class FilteredArray(list[object]):
    """What `*` yields. Names and indexes after it apply to every item, and items that have none are left out."""

    __slots__ = ()


_KINDS: Final[dict[type, str]] = {
    type(None): NULL,
    bool: BOOLEAN,
    int: NUMBER,
    float: NUMBER,
    str: STRING,
    list: ARRAY,
    tuple: ARRAY,
    FilteredArray: ARRAY,
    dict: OBJECT,
}
_BASES: Final = ((bool, BOOLEAN), (int | float, NUMBER), (str, STRING), (list | tuple, ARRAY), (Mapping, OBJECT))
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL_OR_OCTAL: Final = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_INFINITE: Final = {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_WITHOUT_SIMPLE_CASE: Final = re.compile(
    "([\u00df\u0131\u0149\u017f\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1f50-\u1ffc\ufb00-\ufb17]+)"
)


def kind_of(value: object) -> str:
    """Return the kind of a value; one of no kind is an evaluation error."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, name in _BASES:
        if isinstance(value, base):
            return name
    raise OperationError(f"A value of type {type(value).__name__} cannot be used in an expression")


def is_primitive(value: object) -> bool:
    """Tell whether a value is neither an array nor an object."""
    return kind_of(value) not in {ARRAY, OBJECT}


def truthy(value: object) -> bool:
    """Tell whether a value counts as true: everything but null, false, 0, NaN and the empty string."""
    kind = kind_of(value)
    if kind in {ARRAY, OBJECT}:
        return True
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def normalised(number: float) -> int | float:
    """Return a whole number as int where that is exact. Minus zero, NaN and infinities stay floats."""
    if number.is_integer() and -EXACT_LIMIT < number < EXACT_LIMIT and (number or math.copysign(1.0, number) > 0):
        return int(number)
    return number


def to_number(value: object) -> float:
    """Read a value as a number: null is 0, text by the rules of a literal, arrays and objects are NaN."""
    kind = kind_of(value)
    if kind == STRING:
        return number_from_text(str(value))
    if kind in {NUMBER, BOOLEAN}:
        assert isinstance(value, int | float)
        return _to_double(value)
    return 0.0 if kind == NULL else math.nan


def number_from_text(text: str) -> float:
    """Read a decimal, hexadecimal (`0x`) or octal (`0o`) number or an infinity; NaN where it is none of these.

    Blank text is 0. Hexadecimal and octal numbers are unsigned and of any size.
    """
    text = text.strip(SPACE)
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _HEXADECIMAL_OR_OCTAL.fullmatch(text):
        return _to_double(int(text, 0))
    return _INFINITE.get(text, math.nan)


def to_string(value: object) -> str:
    """Read a value as text: null is empty, numbers have up to 15 significant digits, arrays and objects their kind."""
    kind = kind_of(value)
    if kind == STRING:
        return str(value)
    if kind == NULL:
        return ""
    if kind == BOOLEAN:
        return "true" if value else "false"
    if kind == NUMBER:
        return _number_text(to_number(value))
    return kind


def fold(text: str) -> str:
    """Return text in the form in which it is compared without regard to case.

    Every character becomes one, its simple upper-case form, and the dotless i and the long s stay
    (so that no other letter equals an ASCII one).
    """
    if text.isascii():
        return text.upper()
    parts = _WITHOUT_SIMPLE_CASE.split(text)
    parts[::2] = [part.upper() for part in parts[::2]]
    parts[1::2] = ["".join(map(_simple_upper, part)) for part in parts[1::2]]
    return "".join(parts)


def equals(left: object, right: object) -> bool:
    """Compare loosely: different kinds as numbers, text without case, arrays and objects by identity."""
    left, right, kind = _coerced(left, right)
    if kind == STRING:
        return left == right or (len(str(left)) == len(str(right)) and fold(str(left)) == fold(str(right)))
    if kind in {ARRAY, OBJECT}:
        return left is right
    return kind is not None and left == right


def less(left: object, right: object) -> bool:
    """Tell whether `left` sorts before `right`; false where the two cannot be compared."""
    left, right, kind = _coerced(left, right)
    if kind == STRING:
        return _sort_key(str(left)) < _sort_key(str(right))
    if kind in {NUMBER, BOOLEAN}:
        assert isinstance(left, int | float)
        assert isinstance(right, int | float)
        return left < right
    return False


def _to_double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _number_text(number: float) -> str:
    if math.isfinite(number):
        return format(number, ".15G") if number else "0"
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _simple_upper(character: str) -> str:
    if character in "\u0131\u017f":
        return character
    upper = character.upper()
    if len(upper) == 1:
        return upper
    title = character.title()
    return title if len(title) == 1 else character


def _sort_key(text: str) -> bytes:
    return fold(text).encode("utf-16-be", "surrogatepass")


def _coerced(left: object, right: object) -> tuple[object, object, str | None]:
    """Bring two values to one kind; the kind is None where that cannot be done."""
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind == right_kind:
        if left_kind == NUMBER:
            return to_number(left), to_number(right), NUMBER
        return left, right, left_kind
    if {left_kind, right_kind} & {ARRAY, OBJECT}:
        return left, right, None
    return to_number(left), to_number(right), NUMBER
