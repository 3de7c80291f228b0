from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import Measured, combined
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
