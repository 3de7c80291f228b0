"""The language is total and bounded: any text is a value or an error, soon, and in little memory."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.engine.expressions import (
    ExpressionError,
    compile_expression,
    condition_text,
    evaluate,
    interpolate,
    split_template,
)
from cli_multi_rapid.engine.expressions.values import equals, fold, less, number_from_text, to_string

_CONTEXTS = {"a": {"b": [1, "x", {"c": None}], "B2": True}, "text": "q", "list": [[1], [2, "3"]]}
_FRAGMENTS = [
    *("a", "text", "list", ".b", ".*", "[0]", "[*]", "['c']", "1", "-0.5", "0xf", "'s'", "''", "true", "null", "NaN"),
    *("==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "(", ")", "[", "]", ",", ".", "*", " ", "\n", "'", "$", "{0}"),
    *("format(", "join(", "toJSON(", "fromJSON(", "contains(", "case(", "min(", "len(", "success()", "nope("),
]
_FLOATS = st.floats(-1e300, 1e300) | st.sampled_from([float("nan"), float("inf"), float("-inf")])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
_SETTINGS = settings(database=None, deadline=None, max_examples=150)
_MEMORY = "The maximum allowed memory size was exceeded while evaluating the following expression"


@_SETTINGS
@given(st.text(max_size=60) | st.lists(st.sampled_from(_FRAGMENTS), max_size=25).map("".join))
def test_any_text_is_a_value_or_an_expression_error(text: str) -> None:
    for read in (compile_expression, split_template, condition_text):
        try:
            read(text)
        except ExpressionError as error:
            assert 1 <= error.column <= len(text) + 1
    try:
        evaluate(text, _CONTEXTS)
    except ExpressionError as error:
        assert error.kind in {"lexing", "parsing", "evaluation"}
        assert 1 <= error.column <= len(text) + 1


@_SETTINGS
@given(st.text())
def test_text_survives_quoting(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert evaluate(quoted, {}) == text
    assert interpolate("${{ " + quoted + " }}", {}) == text
    assert interpolate("<${{ " + quoted + " }}>", {}) == f"<{text}>"


@_SETTINGS
@given(_VALUES)
def test_json_of_a_value_is_read_back_as_the_same_json(value: object) -> None:
    try:
        once = evaluate("toJSON(x)", {"x": value})
        again = evaluate("toJSON(fromJSON(x))", {"x": once})
    except ExpressionError as error:
        assert "is not JSON" in error.message  # NaN and infinities have none
    else:
        assert again == once or '"' in str(once)  # keys that differ only in case are one key


@_SETTINGS
@given(_VALUES, _VALUES)
def test_comparison_is_consistent(left: object, right: object) -> None:
    contexts = {"l": left, "r": right}
    assert equals(left, right) is equals(right, left)
    assert evaluate("l == r", contexts) is not evaluate("l != r", contexts)
    assert evaluate("l < r", contexts) is evaluate("r > l", contexts)
    assert not (less(left, right) and (less(right, left) or equals(left, right)))
    assert evaluate("l <= r", contexts) is (less(left, right) or equals(left, right))


@_SETTINGS
@given(st.floats(-1e300, 1e300))
def test_a_number_survives_as_text_to_15_digits(number: float) -> None:
    assert number_from_text(to_string(number)) == pytest.approx(number, rel=1e-14)


@_SETTINGS
@given(st.text())
def test_folding_is_stable_and_keeps_the_length(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert evaluate("contains(x, y) && startsWith(x, y) && endsWith(x, y)", {"x": text, "y": fold(text)}) is True


@pytest.mark.parametrize(
    ("opening", "core", "closing"),
    [
        ("(", "1", ")"),
        ("!", "1", ""),
        ("toJSON(", "1", ")"),
        ("a[", "0", "]"),
        ("1 && (", "1", ")"),
        ("1 == (", "1", ")"),
        ("format('{0}', ", "1", ")"),
    ],
)
def test_depth_is_limited(opening: str, core: str, closing: str) -> None:
    for depth in (10_000, 2000, 60):
        expression = opening * depth + core + closing * depth
        with pytest.raises(ExpressionError) as caught:
            evaluate(expression, _CONTEXTS)
        assert caught.value.message.startswith(("Exceeded max expression depth 50", "Exceeded max expression length"))
    assert evaluate(opening * 12 + core + closing * 12, _CONTEXTS) is not NotImplemented


def test_depth_50_is_allowed_and_51_is_not() -> None:
    assert evaluate("!" * 49 + "1", {}) is False
    assert evaluate("(" * 49 + "1" + ")" * 49, {}) == 1
    assert evaluate("a" + ".b" * 49, {"a": 1}) is None
    assert evaluate("a" + "[*]" * 49, {"a": 1}) == []
    for expression in ("!" * 50 + "1", "(" * 50 + "1" + ")" * 50, "a" + ".b" * 50, "a" + "[*]" * 50, "a" + ".*" * 50):
        with pytest.raises(ExpressionError, match="Exceeded max expression depth 50: '") as caught:
            evaluate(expression, {"a": 1})
        assert caught.value.kind == "parsing"


@pytest.mark.parametrize("operator", ["&&", "||", "==", "!=", "<", ">="])
def test_chains_may_be_long(operator: str) -> None:
    assert evaluate(operator.join(["1"] * 5000), {}) in {True, False}


def test_length_is_limited() -> None:
    assert evaluate("1" + " " * 20_999, {}) == 1
    with pytest.raises(ExpressionError, match="Exceeded max expression length 21000") as caught:
        evaluate("1" + " " * 21_000, {})
    assert caught.value.kind == "lexing"


def _nested(call: str, depth: int) -> str:
    expression = "'0123456789'"
    for _ in range(depth):
        expression = call.replace("@", expression)
    return expression


@pytest.mark.parametrize(
    "expression",
    [
        _nested("format('{0}{0}{0}{0}', @)", 20),
        _nested("join(fromJSON(format('[{0},{0},{0}]', toJSON(@))), @)", 7),
        "format('" + "{0}" * 6000 + "', big)",
        "join(many, big)",
        "toJSON(bomb)",
        "bomb" + ".*" * 30,
        "bomb.*" + "[0].*" * 20,
        "toJSON(many.*) != '' && toJSON(loop)",
        "startsWith(format('{0}{0}{0}', big), format('{0}{0}{0}', big))",
    ],
)
def test_what_grows_meets_the_limit(expression: str) -> None:
    bomb: list[object] = ["x"] * 10
    for _ in range(30):
        bomb = [bomb] * 10
    loop: list[object] = []
    loop.append(loop)
    contexts = {"big": "x" * 100_000, "many": ["a"] * 1000, "bomb": bomb, "loop": loop}
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError) as caught:
            evaluate(expression, contexts)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.message.startswith((_MEMORY, "The value is nested deeper"))
    assert caught.value.kind == "evaluation"


def test_memory_of_discarded_values_is_free_again() -> None:
    large = "format('{0}{0}{0}{0}', big)"
    contexts = {"big": "x" * 100_000}
    assert evaluate(f"len({large})", contexts) == 400_000
    assert evaluate(" && ".join([f"{large} != ''"] * 10), contexts) is True
    assert evaluate(" && ".join([f"!contains({large}, 'y')"] * 10), contexts) is True
    assert evaluate(f"{large} && {large} && {large} && 1", contexts) == 1
    with pytest.raises(ExpressionError, match=_MEMORY):
        evaluate(f"{large} == {large}", contexts)


def test_work_is_limited_even_where_memory_is_not() -> None:
    with pytest.raises(ExpressionError, match=_MEMORY):
        evaluate(" || ".join(["contains(big, 'y')"] * 900), {"big": "x" * 100_000})
    with pytest.raises(ExpressionError, match=_MEMORY):
        evaluate(" && ".join(["len(toJSON(big)) > 0"] * 700), {"big": "x" * 100_000})


def test_large_values_of_contexts_are_not_counted() -> None:
    big = "[" + "1," * 1_000_000 + "1]"
    assert evaluate("fromJSON(x)[1000]", {"x": big}) == 1
    assert evaluate("x == x && len(x) > 1", {"x": big}) is True
