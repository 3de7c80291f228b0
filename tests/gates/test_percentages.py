from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.percentages import least_percent, line_ranges, percent_text


@given(st.sets(st.integers(1, 40)))
def test_line_ranges_name_every_line(lines) -> None:
    named = set()
    for part in filter(None, line_ranges(sorted(lines), limit=99).split(", ")):
        start, _, end = part.partition("-")
        named |= set(range(int(start), int(end or start) + 1))
    assert named == lines


def test_line_ranges_are_limited() -> None:
    assert line_ranges([1, 3, 5, 6, 9], limit=2) == "1, 3 and 3 more lines"


@given(st.fractions(0, 100), st.lists(st.fractions(0, 100), max_size=2))
def test_a_percentage_is_less_equal_or_more_as_it_really_is(percent, others) -> None:
    shown = Fraction(percent_text(percent, *others))
    assert [(shown >= other, shown > other) for other in others] == [
        (percent >= other, percent > other) for other in others
    ]


def test_no_more_digits_than_it_takes() -> None:
    assert percent_text(Fraction(200, 3)) == "66.7"
    assert percent_text(Fraction(8499, 100), Fraction(85)) == "84.99"
    assert percent_text(Fraction(849_999_999, 10_000_000), Fraction(85)) == "84.9999999"
    assert percent_text(Fraction(85) - Fraction(1, 10**30), Fraction(85)).endswith(f"/1{30 * '0'}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 100.1])
def test_what_is_no_percentage_is_refused(value) -> None:
    with pytest.raises(EvidenceError, match="`changed-min` is"):
        least_percent(value, "changed-min")


def test_a_percentage_is_the_decimal_that_was_written() -> None:
    assert least_percent(84.999999, "min") == Fraction("84.999999")
    assert least_percent(85, "min") == 85
