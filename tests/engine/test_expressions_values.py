"""Kinds, coercions and comparison."""

import math

import pytest

from cli_multi_rapid.engine.expressions import ExpressionError, evaluate, to_string, truthy
from cli_multi_rapid.engine.expressions.values import fold, number_from_text


def _same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.copysign(1, left) == math.copysign(1, right) and (left == right or math.isnan(left + right))
    return type(left) is type(right) and left == right


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("null", None),
        ("true", True),
        ("false", False),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("1.", 1),
        ("1.50", 1.5),
        (".25", 0.25),
        ("+.25", 0.25),
        ("3e3", 3000),
        ("3E-3", 0.003),
        ("-3.5e+1", -35),
        ("0x1A", 26),
        ("0xffffffff", 4294967295),
        ("0o17", 15),
        ("007", 7),
        ("-0", -0.0),
        ("0", 0),
        ("-0.0", -0.0),
        ("NaN", math.nan),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1e999", math.inf),
        ("9007199254740991", 9007199254740991),
        ("9007199254740993", 9007199254740992.0),
        ("''", ""),
        ("'it''s'", "it's"),
        ("''''''", "''"),
        ("'a\nb'", "a\nb"),
        ("'${{ x }}'", "${{ x }}"),
        (" \t\r\n1\u00a0", 1),
        ("", None),
        ("  ", None),
    ],
)
def test_literals(expression: str, value: object) -> None:
    assert _same(evaluate(expression, {}), value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" \t\n\u2003 ", 0),
        ("\u3000 12 \u2028", 12),
        ("+1.5E+2", 150),
        ("5.", 5),
        ("0x10", 16),
        ("0o10", 8),
        ("0x" + "f" * 300, math.inf),
        ("+Infinity", math.inf),
        ("-Infinity", -math.inf),
    ],
)
def test_text_that_is_a_number(text: str, number: float) -> None:
    assert number_from_text(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "1a", "1 2", "1,000", "1_000", ".", "e5", "1e", "--1", "0x", "0xG", "-0x1", "0o8", "0b1", "0X1"),
        *("infinity", "INFINITY", "Inf", "NaN", "true", "null", "\u0661", "\x1c1"),
    ],
)
def test_text_that_is_no_number(text: str) -> None:
    assert math.isnan(number_from_text(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "0"),
        (12, "12"),
        (-1.50, "-1.5"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (123456789.125, "123456789.125"),
        (999999999999999, "999999999999999"),
        (1000000000000000, "1E+15"),
        (1234567890123456789, "1.23456789012346E+18"),
        (1e100, "1E+100"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (-1.5e-7, "-1.5E-07"),
        (10**400, "Infinity"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ("abc", "abc"),
        ([], "Array"),
        ((1, 2), "Array"),
        ({"a": 1}, "Object"),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert to_string(value) == text
    assert evaluate("format('{0}', x)", {"x": value}) == text


@pytest.mark.parametrize("value", [None, False, 0, -0.0, math.nan, ""])
def test_what_counts_as_false(value: object) -> None:
    assert not truthy(value)
    assert evaluate("!x", {"x": value}) is True
    assert evaluate("!!x", {"x": value}) is False


@pytest.mark.parametrize("value", [True, 1, -1, 0.5, math.inf, "0", "false", " ", [], {}, ()])
def test_what_counts_as_true(value: object) -> None:
    assert truthy(value)
    assert evaluate("!x", {"x": value}) is False
    assert evaluate("!!x", {"x": value}) is True


@pytest.mark.parametrize(
    "expression",
    [
        *("null == null", "null == 0", "null == ''", "null == ' '", "null == false", "null != 'null'"),
        *("true == 1", "true == '1.0'", "true == ' 0x1 '", "true != 'true'", "true != 2", "false == ''"),
        *("1 == '1'", "'1' == 1", "'1' != '1.0'", "16 == '0x10'", "-0 == 0", "'' == 0", "'x' != 0"),
        *("NaN != NaN", "x != NaN", "'NaN' != NaN", "NaN != 'a'", "Infinity == 'Infinity'"),
        *(
            "'ABC' == 'abc'",
            "'abc' != 'abcd'",
            "'é' == 'É'",
            "'ß' != 'SS'",
            "'ß' == 'ß'",
            "'\u0131' != 'I'",
            "'\u017f' != 'S'",
        ),
        *("list == list", "object == object", "list != same_list", "object != same_object", "list != object"),
        *("list != 'Array'", "list != 0", "list != null", "object != ''", "object != true", "list[0] == object.a"),
        *("fromJSON('[]') != fromJSON('[]')", "list.* != list.*"),
    ],
)
def test_equality(expression: str) -> None:
    contexts = {"x": math.nan, "list": [1], "same_list": [1], "object": {"a": 1}, "same_object": {"a": 1}}
    assert evaluate(expression, contexts) is True
    swapped = expression.replace("==", "\0").replace("!=", "==").replace("\0", "!=")
    assert evaluate(swapped, contexts) is False


@pytest.mark.parametrize(
    "expression",
    [
        *("1 < 2", "1 <= 1", "2 > 1", "2 >= 2", "-1 < 0", "1 < Infinity", "-Infinity < 1", "'10' > 9", "9 < '10'"),
        *("'10' < '9'", "'a' < 'B'", "'A' < 'b'", "'a' <= 'A'", "'a' >= 'A'", "'Z' < '['", "'z' < '['", "'' < 'a'"),
        *("false < true", "true > false", "true >= true", "null < 1", "null <= 0", "null >= null", "true < 2"),
        *("'\uffff' > '\U0001f600'", "list <= list", "list >= list", "object <= object"),
    ],
)
def test_order_that_holds(expression: str) -> None:
    assert evaluate(expression, {"list": [], "object": {}}) is True


@pytest.mark.parametrize(
    "expression",
    [
        *("NaN < 1", "NaN > 1", "NaN <= NaN", "NaN >= NaN", "1 < 'a'", "1 > 'a'", "'a' < 1", "null < null"),
        *("null > null", "true < true", "list < list", "list > list", "list < 1", "1 > list", "list <= other"),
        *("object >= list", "'' < null", "'a' < null", "object < 'z'", "'a' < 'A'", "'a' > 'A'"),
    ],
)
def test_order_that_does_not_hold(expression: str) -> None:
    assert evaluate(expression, {"list": [], "other": [], "object": {}}) is False


def test_folding_keeps_the_length_and_keeps_ascii_apart_from_the_rest() -> None:
    for code in range(0x3000):
        folded = fold(chr(code))
        assert len(folded) == 1
        assert code < 128 or ord(folded) >= 128
    assert fold("aß\u0131\u1fb3z") == "Aß\u0131\u1fbcZ"


def test_values_of_no_kind_are_refused() -> None:
    for expression in ("x", "!x", "x == 1", "toJSON(x)", "toJSON(y)", "y[0] || 1"):
        with pytest.raises(ExpressionError, match="type complex cannot be used") as caught:
            evaluate(expression, {"x": 1j, "y": [1j]})
        assert caught.value.kind == "evaluation"


def test_results_are_plain_types() -> None:
    from types import MappingProxyType

    contexts = {"tuple": (1, 2), "proxy": MappingProxyType({"a": 1}), "whole": 5.0, "list": [1]}
    assert type(evaluate("list.*", contexts)) is list
    assert type(evaluate("tuple", contexts)) is list
    assert type(evaluate("proxy", contexts)) is dict
    assert type(evaluate("whole", contexts)) is int
    assert evaluate("proxy.A", contexts) == 1
    assert evaluate("tuple[1]", contexts) == 2
