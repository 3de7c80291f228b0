"""Text that cannot drive a terminal, and values as people read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.documents.text import (
    ASCII,
    GLYPHS,
    UNICODE,
    Symbols,
    cells,
    crop,
    duration,
    number,
    pad,
    plural,
    printable,
    tone,
)
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hcleared", "cleared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0;0\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1b(0line", "line"),
        ("lone \x1b", "lone \\x1b"),
        ("reset \x1bc", "reset \\x1bc"),
        ("unfinished \x1b]0;title", "unfinished \\x1b]0;title"),
        ("bell\x07 back\x08 nul\x00", "bell\\x07 back\\x08 nul\\x00"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("zero\u200bwidth \ufeffmark", "zero\\u200bwidth \\ufeffmark"),
        ("hidden\U000e0041tag", "hidden\\U000e0041tag"),
        ("not utf-8 \udcff", "not utf-8 \\udcff"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("tab\there", "tab here"),
        ("naïve 日本 👩\u200d💻", "naïve 日本 👩\u200d💻"),
    ],
)
def test_hostile_text_becomes_harmless(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_line_breaks_are_kept_where_several_lines_are_wanted() -> None:
    assert printable("one\r\ntwo\rthree\n\tfour\x00", lines=True) == "one\ntwo\nthree\n    four\\x00"


@given(st.text())
def test_nothing_that_controls_a_terminal_survives(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert printable(shown) == shown


@given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
def test_cropped_text_fits(text: str, width: int) -> None:
    shown = crop(printable(text), width)
    assert cells(shown) <= width


def test_wide_characters_take_two_columns() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert crop("日本語", 5) == "日本…"
    assert pad("日本", 6) == "日本  "
    assert crop("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (-5, "0.0s"),
        (0, "0.0s"),
        (400, "0.4s"),
        (9949, "9.9s"),
        (9950, "10s"),
        (12_000, "12s"),
        (59_499, "59s"),
        (59_500, "1m00s"),
        (134_000, "2m14s"),
        (3_599_600, "1h00m"),
        (3_780_000, "1h03m"),
        (47 * 3_600_000, "47h00m"),
        (52 * 3_600_000, "2d04h"),
    ],
)
def test_durations(ms: int, shown: str) -> None:
    assert duration(ms) == shown


def test_measured_values_are_never_rounded_up_to_their_threshold() -> None:
    assert number(84.99999999) == "84.99999999"
    assert number(85.0) == "85"
    assert number(83.9) == "83.9"


def test_plurals() -> None:
    assert [plural(count, "gate") for count in (0, 1, 1200)] == ["0 gates", "1 gate", "1,200 gates"]


@pytest.mark.parametrize("status", [*Status, *GateStatus])
def test_every_status_has_a_tone_and_a_sign_in_both_alphabets(status: Status | GateStatus) -> None:
    assert tone(status) in ("good", "bad", "warn", "busy", "quiet")
    assert UNICODE.sign(status) in GLYPHS + "!"
    assert ASCII.sign(status).isascii()


def test_ascii_signs_are_words() -> None:
    assert ASCII.sign(Status.SUCCESS) == "[ok]"
    assert ASCII.sign(Status.FAILURE) == "[FAIL]"
    assert ASCII.sign(Status.RUNNING) == "[..]"
    assert (UNICODE.width, ASCII.width) == (1, 6)


def test_colour_only_where_the_stream_has_it() -> None:
    assert UNICODE.mark(Status.SUCCESS) == "✓"
    assert Symbols(colour=True).mark(Status.SUCCESS) == "\x1b[32m✓\x1b[0m"
