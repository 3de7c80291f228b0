import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.lines import LineSearch, problem_of


def found(expression: str, text: str) -> list[tuple[int, int, str]]:
    return [(match.line, match.column, match.value) for match in LineSearch([expression]).first(text, lambda _: True)]


@pytest.mark.parametrize(
    ("expression", "hits"),
    [
        ("^b", [(2, 1, "b")]),
        ("c$", [(1, 3, "c"), (2, 2, "c")]),
        (r"\Abc\z", [(2, 1, "bc")]),
        (r"(?-m:^b)", [(2, 1, "b")]),
        (r"(?i)^B", [(2, 1, "b")]),
        (r"\Qbc", [(1, 2, "bc"), (2, 1, "bc")]),
        (r"a(b)", [(1, 2, "b")]),
        (r"[^a]c\sb", []),
        (r"c\nb", []),
        (r"$^", [(3, 1, "")]),
    ],
)
def test_expressions_see_one_line_at_a_time(expression, hits) -> None:
    assert found(expression, "abc\nbc\n") == hits


def test_columns_count_characters() -> None:
    assert found("x", "äöx") == [(1, 3, "x")]


def test_every_yields_all_matches_of_a_line() -> None:
    assert [match.column for match in LineSearch(["a"]).every("aba\na")] == [1, 3, 1]


def test_only_wanted_expressions_are_searched() -> None:
    matches = LineSearch(["a", "b"]).first("ab", lambda number: number == 1)
    assert [match.expression for match in matches] == [1]


def test_a_filter_that_ran_out_of_memory_does_not_hide_matches() -> None:
    class SilentSet:
        def Match(self, _text: bytes) -> None:  # noqa: N802  the name that re2 uses
            return None

    search = LineSearch(["a", "b"])
    search._set = SilentSet()
    assert [match.value for match in search.first("ab", lambda _: True)] == ["a", "b"]


def test_expressions_too_large_for_one_filter_are_still_searched(monkeypatch) -> None:
    monkeypatch.setattr("cli_multi_rapid.gates.lines._MEMORY_BYTES", 300_000)
    search = LineSearch([rf"a[bc]{{1,200}}d{number}" for number in range(60)])
    assert search._set is None
    assert [match.expression for match in search.first("abcbcd7", lambda _: True)] == [7]


@pytest.mark.parametrize("expression", ["(?=a)", "(?<!a)b", r"(a)\1", "(", "a{1001}", "[", r"\Z"])
def test_what_re2_does_not_know_is_named(expression) -> None:
    assert problem_of(expression)
    with pytest.raises(ValueError, match=r"."):
        LineSearch([expression])


def test_valid_syntax_has_no_problem() -> None:
    assert problem_of(r"(?i)\bfoo\b.*[[:alpha:]]") == ""


def test_time_is_linear() -> None:
    assert found("(a+)+$", "a" * 50_000 + "b") == []


PIECES = st.sampled_from(["a", "b", ".", "^", "$", r"\b", r"\s", "[^a]", "(a|b)", "a*", r"\A", r"\z", "b?"])


@given(st.lists(PIECES, min_size=1, max_size=5), st.lists(st.text("ab -", max_size=6), max_size=5))
def test_the_filter_never_hides_what_a_line_matches(pieces, lines) -> None:
    expression = "".join(pieces)
    direct = [number for number, line in enumerate(lines, 1) if re2.search(expression, line)]
    assert [line for line, _, _ in found(expression, "\n".join(lines))] == (direct if lines else _empty(expression))


def _empty(expression: str) -> list[int]:
    return [1] if re.search(expression.replace(r"\z", r"\Z"), "") else []
