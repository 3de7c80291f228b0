"""Texts for the types of contracts: those that programs get wrong first, then any."""

from collections.abc import Callable
from functools import lru_cache

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.pattern_walk import Step, Ways, walk_of
from cli_multi_rapid.contracts.patterns import automaton

FORMATTED = {
    "date-time": (
        "2026-11-22T09:00:00Z", "2026-11-22t09:00:00z", "2026-11-22T09:00:00.123Z", "2026-11-22T09:00:00.120Z",
        "2026-11-22T09:00:00.123456789Z", "2026-11-22T09:00:00.123456789012345678901234567890Z",
        "2026-11-22T09:00:00+00:00", "2026-11-22T09:00:00-00:00", "2026-11-22T09:00:00.5+05:30",
        "2026-11-22T09:00:00-23:59", "2026-12-31T23:59:60Z", "2026-12-31T23:59:60.5Z", "2027-01-01T00:59:60+01:00",
        "2026-12-31T15:59:60-08:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999999Z", "2024-02-29T00:00:00Z", "2000-02-29T23:59:59Z", "2038-01-19T03:14:08Z",
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-31T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T23:60:00Z", "2026-11-22T09:00:61Z", "2026-12-31T22:59:60Z", "2026-12-31T23:59:60+01:00",
        "2026-11-22T09:00:00", "2026-11-22T09:00Z", "2026-11-22 09:00:00Z", "2026-11-22T09:00:00.Z",
        "2026-11-22T09:00:00,5Z", "2026-11-22T09:00:00+0100", "2026-11-22T09:00:00+24:00", "2026-11-22T09:00:00+01:60",
        "2026-11-22T09:00:00+1:00", "2026-11-22T09:00:00ZZ", "2026-11-22T09:00:00Z\n", " 2026-11-22T09:00:00Z",
        "+2026-11-22T09:00:00Z", "26-11-22T09:00:00Z", "2026-11-22", "20261122T090000Z", "1795338000",
        "2026:11:22T09:00:00Z", "2026-11-22T09-00-00Z", "2026-11-22T09:00:00+01-00", "2026-11-22T09:00:00.5.5Z",
        "\u0662\u0660\u0662\u0666-11-22T09:00:00Z", "2026-11-22T09:00:00\u2212 01:00", "2026-11-22T09:00:00\u2124", "",
    ),
    "date": (
        "2026-11-22", "2024-02-29", "2000-02-29", "0000-01-01", "0000-02-29", "9999-12-31", "2026-01-01", "2026-04-30",
        "2026-02-29", "1900-02-29", "2026-02-30", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32",
        "2026-1-1", "20261122", "2026-11-22Z", "2026-11-22T00:00:00Z", "2026/11/22", "22-11-2026", "2026-11-22\n",
        "2026-11:22", "12026-11-22", "\u0662\u0660\u0662\u0666-11-22", "",
    ),
    "time": (
        "09:00:00Z", "09:00:00z", "00:00:00Z", "23:59:59Z", "09:00:00.5+01:00", "09:00:00.123456789012345678Z",
        "09:00:00-23:59", "23:59:60Z", "00:59:60+01:00", "23:59:60.25Z", "22:59:60Z", "24:00:00Z", "09:60:00Z",
        "09:00:61Z", "09:00:00", "09:00Z", "9:00:00Z", "09:00:00.Z", "09:00:00+0100", "09:00:00+24:00",
        "2026-11-22T09:00:00Z", "09:00:00Z\n", "090000Z", "09-00-00Z", "09:00:00 Z", "",
    ),
    "uuid": (
        "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380",
        "00000000-0000-0000-0000-000000000000", "ffffffff-FFFF-ffff-FFFF-ffffffffffff",
        "2eb8aa08aa9811eab4aa73b441d16380", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}", "2eb8aa08-aa98-11ea-b4aa",
        "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380",
        "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", "2eb8aa08-aa98-11ea-b4aa-73b441d163800",
        "2eb8aa08_aa98-11ea-b4aa-73b441d16380", "2eb8aa080aa98-11ea-b4aa-73b441d1638",
        "2eb8aa08-aa98-11ea-b4aa-73b441d1638\n", "\uff12eb8aa08-aa98-11ea-b4aa-73b441d1638", "",
    ),
}  # fmt: skip
"""For each format texts that fit it and texts that nearly do: which are which, the validator says."""

PLAIN = (
    "x", '"', "\\", '\\"', 'say "a\\b/c"', "/", "</script>", "'", "`", "\b\f\n\r\t", "line\r\nline", "tab\there",
    "".join(map(chr, range(1, 32))), "\x7f", "\x80\x9f", "\xa0", "\xad", "é", "e\u0301", "ß", "İı", "\u2028", "\u2029",
    "a\u2028b\u2029c", "\ufeffx", "\ufffd", "\uffff", "\ufffe", "\ud7ff\ue000", "😀", "a😀b", "😀😁", "\U00010000",
    "\U0010ffff", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u202eabc", "\u0627\u0644",
    "日本語", "한", "\\u0041", "\\ud83d", "\\n", "%s%d%n%", "{0}", "${x}", "$(x)", "$x", "#{x}", "*/", "/*", "//", "--",
    "null", "true", "0", "-1", "1e5", "1.0", "NaN", "{}", "[]", '{"a": 1}', "a,b", "a:b", " ", "  x  ", "\t",
    "__proto__", "constructor", "2026-11-22T09:00:00.120Z", "0.070", "9223372036854775808", "a" * 64, "b" * 255,
    "c" * 256, "😀" * 128, "\u0000", "a\u0000b",
)  # fmt: skip
LONG = 'long "text" \\ é 😀\n' * 58255
"""A little more than a million characters."""
LONGEST = 2 << 20
"""Nothing is longer than this, whatever a type asks for."""

LONG_ENOUGH = 1 << 16
"""Longer limits of length are not tried."""

_ALPHABET = tuple("abcxyzABC0189 _-.,:/\\\"'{}[]<>&%$\n\t\x01\x1f\x7fé\u0301ß\u2028\u2029\ufeff\uffff日😀😁\U0010ffff")
_SIGNS = "😀aé"
_MORE = 24
_FAR = 40


class NoText(ValueError):
    """No text was found that a type allows."""


@lru_cache(maxsize=256)
def boundary_texts(one: ir.StringType) -> tuple[str, ...]:
    """Return texts of a type at its limits and with what is rare; all are valid.

    Raises:
        NoText: none was found, or each is longer than any document.
    """
    if one.min_length > LONGEST:
        raise NoText
    if one.enum:
        tried = list(one.enum)
    elif one.format:
        tried = [*FORMATTED[one.format], *_of_pattern(one)]
    else:
        limits = [] if one.pattern else [filled(size, signs) for signs in (_SIGNS, "😀", "x") for size in _sizes(one)]
        tried = [*limits, *_of_pattern(one), *(_sized(text, one) for text in PLAIN)]
    found = tuple(filter(_judge(one), dict.fromkeys(tried)))
    if not found:
        raise NoText
    return found


def random_text(one: ir.StringType, dice: Dice) -> str:
    """Return some text of a type."""
    if one.enum or one.format:
        return dice.one_of(boundary_texts(one))
    if one.pattern:
        walk = walk_of(one.pattern)
        sizes = walk.sizes(one.min_length, one.max_length)
        made = walk.text(dice.one_of(sizes), dice, taken=set()) if sizes else ""
        return made if sizes and _judge(one)(made) else dice.one_of(boundary_texts(one))
    size = one.min_length + dice.below(_last(one, one.min_length + _MORE) - one.min_length + 1)
    return "".join(dice.one_of(_ALPHABET) for _ in range(size))


def filled(size: int, signs: str) -> str:
    """Return a text of so many characters, made of these signs in turn."""
    return (signs * (size // len(signs) + 1))[:size]


def _of_pattern(one: ir.StringType) -> list[str]:
    if not one.pattern:
        return []
    made = automaton(one.pattern)
    walk, dice = walk_of(one.pattern), Dice("pattern", one.pattern)
    taken: set[tuple[int, Step]] = set()
    sizes = walk.sizes(one.min_length, one.max_length)
    some = [dice.one_of(sizes) for _ in range(_MORE)] if sizes else []
    return [
        *(walk.text(size, dice, taken=taken) for size in sizes[:2] + sizes[-2:] + some),
        *Ways(made).at_limits(_MORE),
    ]


@lru_cache(maxsize=256)
def _judge(one: ir.StringType) -> Callable[[str], bool]:
    from jsonschema_rs import Draft202012Validator, RegexOptions

    schema: dict[str, object] = {"type": "string", "minLength": one.min_length}
    schema |= {"maxLength": one.max_length} if one.max_length is not None else {}
    schema |= {"pattern": one.pattern} if one.pattern else {}
    schema |= {"format": one.format} if one.format else {}
    return Draft202012Validator(
        schema, validate_formats=True, ignore_unknown_formats=False, pattern_options=RegexOptions()
    ).is_valid


def _last(one: ir.StringType, wish: int) -> int:
    return wish if one.max_length is None else max(one.min_length, min(one.max_length, wish))


def _sizes(one: ir.StringType) -> list[int]:
    limited = one.max_length is not None and one.max_length <= LONG_ENOUGH
    most = _last(one, LONG_ENOUGH) if limited else _last(one, one.min_length + _FAR)
    return list(dict.fromkeys([one.min_length, most, _last(one, one.min_length + 1), max(most - 1, one.min_length)]))


def _sized(text: str, one: ir.StringType) -> str:
    if len(text) < one.min_length:
        text = filled(one.min_length, text or "x")
    return text if one.max_length is None else text[: one.max_length]
