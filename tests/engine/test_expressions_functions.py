"""Every function."""

import json
import math

import pytest

from cli_multi_rapid.engine.expressions import ExpressionError, evaluate

_NESTED = {"a": [1, {"b": []}, [[]]], "c": {}, 'q"\\': "é\n\t\x01\u2028/", "n": None, "t": True, "f": 1.50}


def _message(expression: str, **contexts: object) -> str:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, contexts)
    assert caught.value.kind == "evaluation"
    return caught.value.message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("contains('Hello', 'ELL')", True),
        ("contains('Hello', 'elo')", False),
        ("contains('', '')", True),
        ("contains(1234, 23)", True),
        ("contains(null, null)", True),
        ("contains('ΑΣ', 'ς')", True),
        ("contains('straße', 'STRASSE')", False),
        ("contains('abc', list)", False),
        ("contains(object, 'a')", False),
        ("contains(list, 'ONE')", True),
        ("contains(list, '2')", True),
        ("contains(list, 'on')", False),
        ("contains(list, null)", False),
        ("contains(list, true)", False),
        ("contains(list, list[2])", True),
        ("contains(list.*, 2)", True),
        ("contains(list, fromJSON('{}'))", False),
        ("contains(fromJSON('[]'), null)", False),
        ("startsWith('Hello', 'hE')", True),
        ("startsWith('Hello', 'ello')", False),
        ("startsWith('a', 'abc')", False),
        ("startsWith(123, '12')", True),
        ("startsWith(list, '')", False),
        ("startsWith('Array', list)", False),
        ("startsWith(null, '')", True),
        ("STARTSWITH('a', null)", True),
        ("endsWith('Hello', 'LO')", True),
        ("endsWith('Hello', 'hell')", False),
        ("endsWith('o', 'Hello')", False),
        ("endsWith('Hello', '')", True),
        ("endsWith(1.5, .5)", False),
        ("endsWith(true, 'UE')", True),
        ("endsWith(object, 'Object')", False),
    ],
)
def test_searching(expression: str, value: object) -> None:
    assert evaluate(expression, {"list": ["One", 2, {}], "object": {"a": "a"}}) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("format('{0} {1} {0}', 'a', 2)", "a 2 a"),
        ("format('{00}', 'a')", "a"),
        ("format('{{{0}}}', 'a')", "{a}"),
        ("format('{{}}')", "{}"),
        ("format('{{{{')", "{{"),
        ("format('a{{0}}b', 1)", "a{0}b"),
        ("format('{0}', '{1}')", "{1}"),
        ("format('{0}', format('{{{0}}}', 1))", "{1}"),
        ("format('{10}', 0,1,2,3,4,5,6,7,8,9,'ten')", "ten"),
        ("format(12)", "12"),
        ("format('none', fromJSON('broken'))", "none"),
        ("join(list)", "a,,1.5,true,Array,Object"),
        ("join(list, '')", "a1.5trueArrayObject"),
        ("join(list.*, null)", "a1.5trueArrayObject"),
        ("join(list, list)", "a,,1.5,true,Array,Object"),
        ("join(fromJSON('[]'), '-')", ""),
        ("join(fromJSON('[1]'), fromJSON('broken'))", "1"),
        ("join('x', '-')", "x"),
        ("join(null)", ""),
        ("join(1.0)", "1"),
        ("join(fromJSON('{\"a\":1}'))", ""),
    ],
)
def test_making_text(expression: str, value: str) -> None:
    assert evaluate(expression, {"list": ["a", None, 1.5, True, [1], {}]}) == value


@pytest.mark.parametrize(
    "template", ["{", "}", "{}", "{a}", "{-1}", "{ 0}", "{0 }", "{0", "0}", "{{0}", "{0}}", "{256}", "{0x}", "{\u0661}"]
)
def test_broken_format_strings(template: str) -> None:
    assert _message(f"format('{template}', 1)") == f"The following format string is invalid: {template}"


def test_format_needs_its_arguments_and_knows_no_specifiers() -> None:
    expected = "The following format string references more arguments than were supplied: {0}{1}"
    assert _message("format('{0}{1}', 1)") == expected
    assert _message("format('{0:yyyy}', 1)") == "Format specifiers are not supported: yyyy"
    assert evaluate("format('{0:}', 1)", {}) == "1"


def test_to_json_is_indented_json() -> None:
    expected = json.dumps(_NESTED, indent=2, ensure_ascii=False)
    assert evaluate("toJSON(x)", {"x": _NESTED}) == expected
    assert evaluate("tojson(fromJSON(toJSON(x)))", {"x": _NESTED}) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ("a'b", '"a\'b"'),
        (-0.0, "0"),
        (math.nan, "NaN"),
        (1e16, "1E+16"),
        (0.1 + 0.2, "0.3"),
        ((), "[]"),
        ([[]], "[\n  []\n]"),
        ({"k": {}}, '{\n  "k": {}\n}'),
        ({1: 2}, '{\n  "1": 2\n}'),
    ],
)
def test_to_json_of(value: object, text: str) -> None:
    assert evaluate("toJSON(x)", {"x": value}) == text


def test_to_json_of_a_filtered_array() -> None:
    assert evaluate("toJSON(x.*.a)", {"x": [{"a": 1}, {"b": 2}]}) == "[\n  1\n]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 1.0 ", 1),
        ("1e3", 1000),
        ("-0", 0),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("1" * 5000, math.inf),
        ('"a\\u00e9\\ud83d\\ude00"', "a\u00e9\U0001f600"),
        ('{"A": 1, "a": 2, "b": 3}', {"A": 1, "b": 3}),
        ('{"a": 1, "a": 2}', {"a": 1}),
        ('{"ß": 1, "SS": 2}', {"ß": 1, "SS": 2}),
        ("[" * 100 + "]" * 100, None),
    ],
)
def test_from_json(text: str, value: object) -> None:
    result = evaluate("fromJSON(x)", {"x": text})
    assert value is None or result == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "x", "'a'", "{", "[1,]", '{"a":1,}', "1 2", "[] x", "// c", "NaN", "Infinity", "-Infinity", "01"),
        *('"\\ud83d"', '"\n"', "[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101, "[" * 100_000),
    ],
)
def test_what_is_no_json(text: str) -> None:
    assert _message("fromJSON(x)", x=text).startswith("Error parsing JSON when evaluating fromJson")


def test_from_json_reads_its_argument_as_text() -> None:
    assert evaluate("fromJSON(12)", {}) == 12
    assert evaluate("fromJSON(true)", {}) is True
    assert _message("fromJSON(null)").endswith("empty input")
    assert "Expecting value" in _message("fromJSON(fromJSON('[]'))")


def test_case_takes_booleans_only() -> None:
    assert evaluate("case(x > 1, 'many', x == 1, 'one', 'none')", {"x": 1}) == "one"
    assert evaluate("case(false, 1, x)", {"x": None}) is None
    for predicate in ("1", "'true'", "null", "x"):
        message = _message(f"case({predicate}, 1, 2)", x={})
        assert message == "case predicate must evaluate to a boolean value"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3),
        ("sum(3, 1, 2)", 6),
        ("min(5)", 5),
        ("min(list)", -2.5),
        ("max(list)", 7),
        ("sum(list)", 7.5),
        ("min(list, -3)", -3),
        ("max(1, list, '0x10')", 16),
        ("sum(list.*)", 7.5),
        ("min(null, 1)", 0),
        ("sum(true, true)", 2),
        ("max(-Infinity, 1e3)", 1000),
        ("sum(.1, .2) == .3", False),
        ("sum(9007199254740992, 1)", 9007199254740992.0),
        ("len('héé')", 3),
        ("len('')", 0),
        ("len(list)", 3),
        ("len(list.*.x)", 0),
        ("len(fromJSON('{\"a\":1}'))", 1),
        ("len(null)", 0),
    ],
)
def test_own_functions(expression: str, value: object) -> None:
    result = evaluate(expression, {"list": ["3", 7, -2.5]})
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("min(1, 'x')", "min() needs numbers, not 'x'"),
        ("max(NaN)", "max() needs numbers, not NaN"),
        ("sum(object)", "sum() needs numbers, not Object"),
        ("sum(fromJSON('[[1]]'))", "sum() needs numbers, not Array"),
        ("min(fromJSON('[]'))", "min() needs at least one number; the list is empty"),
        ("sum(object.none.*)", "sum() needs at least one number; the list is empty"),
        ("sum(Infinity, -Infinity)", "sum() has no result: infinities of both signs"),
        ("len(12)", "len() needs text, a list or an object, not 12"),
        ("len(true)", "len() needs text, a list or an object, not true"),
    ],
)
def test_own_functions_refuse(expression: str, message: str) -> None:
    assert _message(expression, object={"a": 1}) == message


def test_an_evaluation_error_points_at_the_function() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("1 == 2 || contains(format('{1}', 1), 'a')", {})
    assert caught.value.column == 20


def test_hash_files_asks_the_caller() -> None:
    asked: list[tuple[str, ...]] = []

    def hash_files(*patterns: str) -> str:
        asked.append(patterns)
        return "abc"

    assert evaluate("hashFiles('**/*.lock', 1)", {}, hash_files=hash_files) == "abc"
    assert asked == [("**/*.lock", "1")]
    assert "hashFiles() cannot be used here" in _message("hashfiles('a')")


def test_status_functions_ask_the_caller() -> None:
    status = {"success": True, "failure": lambda: False}
    assert evaluate("success()", {}, status=status) is True
    assert evaluate("Failure() || !SUCCESS()", {}, status=status) is False
    with pytest.raises(ExpressionError, match=r"cancelled\(\) can only be used in the condition of a step") as caught:
        evaluate("1 && cancelled()", {}, status=status)
    assert (caught.value.kind, caught.value.column) == ("evaluation", 6)
    assert "always()" in _message("always()")


def test_many_shallow_arrays_are_not_deep() -> None:
    assert len(evaluate("fromJSON(x)", {"x": "[" + "[]," * 500 + "[]]"})) == 501
    assert evaluate("fromJSON(x)", {"x": '"' + "[" * 500 + '"'}) == "[" * 500


def test_contexts_are_found_in_any_case() -> None:
    assert evaluate("b.X", {"A": 1, "B": {"x": 2}}) == 2
