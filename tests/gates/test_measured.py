import tracemalloc
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import Measured, add, combined
from cli_multi_rapid.gates.percentages import percent_text


def test_branches_of_two_kinds_of_report_are_not_mixed() -> None:
    one = Measured("coverage.py", {1: True}, {(1, "2"): True})
    with pytest.raises(EvidenceError, match="two kinds"):
        combined([{"a.py": one}, {"a.py": Measured("cobertura", {1: True})}])


FILES = st.dictionaries(st.integers(1, 60), st.booleans(), max_size=40)


@given(st.lists(FILES, min_size=1, max_size=4), st.integers(0, 10_000))
@settings(max_examples=150)
def test_the_recount_equals_counting_by_hand(reports, least) -> None:
    joined = combined([{"a.py": Measured("coverage.py", dict(lines))} for lines in reports])["a.py"]
    every = {line for lines in reports for line in lines}
    hit = {line for lines in reports for line, seen in lines.items() if seen}
    assert (joined.size, joined.covered, joined.missing) == (len(every), len(hit), sorted(every - hit))
    if every:
        percent, threshold = Fraction(100 * len(hit), len(every)), Fraction(least, 100)
        shown = percent_text(percent, threshold)
        assert (Fraction(shown) >= threshold) == (percent >= threshold)


COUNTED = st.dictionaries(
    st.integers(1, 12), st.integers(0, 9).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
)


@given(COUNTED, COUNTED)
@settings(max_examples=100)
def test_counted_branches_are_joined_as_if_the_first_ones_were_those_taken(one, other) -> None:
    def measured(lines):
        made = Measured("jacoco")
        for line, (taken, total) in lines.items():
            made.add_exits(line, taken=taken, total=total, where="here")
        return made

    def listed(lines, count):
        return {(line, exit_) for line, counts in lines.items() for exit_ in range(counts[count])}

    joined = combined([{"a": measured(one)}, {"a": measured(other)}])["a"]
    assert joined.covered_branches == len(listed(one, 0) | listed(other, 0))
    assert joined.branch_count == len(listed(one, 1) | listed(other, 1))


def test_memory_follows_the_size_of_a_report_and_not_the_branches_it_claims() -> None:
    tracemalloc.start()
    try:
        made = Measured("jacoco")
        for line in range(1, 1_001):
            made.add_exits(line, taken=0, total=10_000, where="here")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (made.branch_count, made.covered_branches) == (10_000_000, 0)
    assert peak_bytes < 4 << 20


@pytest.mark.parametrize(("taken", "total"), [(2, 1), (-1, 1), (0, 10_001), (0, -1)])
def test_branches_that_cannot_be_are_refused(taken, total) -> None:
    with pytest.raises(EvidenceError, match="cannot be"):
        Measured("jacoco").add_exits(1, taken=taken, total=total, where="here")


def test_counted_branches_of_two_kinds_of_report_are_not_mixed() -> None:
    counted = Measured("jacoco")
    counted.add_exits(1, taken=1, total=2, where="here")
    with pytest.raises(EvidenceError, match="two kinds"):
        combined([{"a": counted}, {"a": Measured("lcov", {1: True})}])


def test_a_record_is_added_without_copying_what_is_known() -> None:
    """A file may have as many records as a report has lines; a copy for each would take their square."""
    files: dict[str, Measured] = {}
    first = Measured("lcov", {1: True, 2: False})
    add(files, "a", first)
    lines = first.lines
    add(files, "a", Measured("lcov", {1: False, 2: True, 3: False}, {(1, "0"): True}))
    assert files["a"] is first
    assert first.lines is lines
    assert (lines, first.branches) == ({1: True, 2: True, 3: False}, {(1, "0"): True})
