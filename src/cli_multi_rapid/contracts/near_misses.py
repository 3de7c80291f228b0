"""Texts that a type nearly allows."""

from collections.abc import Iterator

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.pattern_walk import Ways
from cli_multi_rapid.contracts.patterns import automaton
from cli_multi_rapid.contracts.sample_texts import FORMATTED, LONG_ENOUGH, boundary_texts, filled

_FEW = 3
_MOST_EDGES = 30
_AROUND = ("{}\n", "x{}", "{}x", "\n{}", " {}", "{} ", "{}\nx", "x\n{}", "{}{}", "{}\0")
_OTHERS = ("\u0660", "\uff11", "é", "😀", "_", "\0")


def near_misses(one: ir.StringType, dice: Dice) -> Iterator[tuple[str, str]]:
    """Yield texts with what is wrong with them. Some may be valid all the same."""
    known = boundary_texts(one)
    if one.min_length:
        yield "too short", filled(one.min_length - 1, "x")
        yield "too short, beyond the BMP", filled(one.min_length - 1, "😀")
        yield "too short, a valid one cut", known[0][: one.min_length - 1]
    if one.max_length is not None and one.max_length < LONG_ENOUGH:
        yield "too long", filled(one.max_length + 1, "x")
        yield "too long, beyond the BMP", filled(one.max_length + 1, "😀")
        yield "too long, a valid one and more", known[-1] + "x" * (one.max_length + 1 - len(known[-1]))
    if one.enum:
        yield from _beside_enum(one.enum, dice)
    if one.format:
        yield from ((f"no {one.format}", text) for text in FORMATTED[one.format])
    if one.pattern:
        yield from _beside_pattern(one, dice)


def _beside_enum(values: tuple[str, ...], dice: Dice) -> Iterator[tuple[str, str]]:
    yield "no value of the enum", "no such value"
    yield "no value of the enum, empty", ""
    for text in dice.mixed(values)[:_FEW]:
        yield f"{text!r} in another case", text.swapcase()
        yield "a value of the enum, cut", text[:-1]
        yield from (("a value of the enum, and more", wrong) for wrong in (f"{text} ", text + text, f"{text}\0"))


def _beside_pattern(one: ir.StringType, dice: Dice) -> Iterator[tuple[str, str]]:
    known = boundary_texts(one)
    for text in (*known[:_FEW], dice.one_of(known)):
        yield from ((f"the pattern as {form!r}", form.format(text, text)) for form in _AROUND)
        yield "the pattern, cut", text[:-1]
        yield "the pattern, cut in front", text[1:]
        yield "the pattern in another case", text.swapcase()
        for index in {0, len(text) // 2, len(text) - 1} if text else ():
            for sign in (*_OTHERS, chr(ord(text[index]) ^ 0x20)):
                yield f"the pattern with {sign!r}", text[:index] + sign + text[index + 1 :]
    yield "the pattern, empty", ""
    for number, text in enumerate(Ways(automaton(one.pattern)).beside(_MOST_EDGES)):
        yield f"beside the pattern {number}", text
