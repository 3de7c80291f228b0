"""Operators, paths, and what is refused."""

import pytest

from cli_multi_rapid.engine.expressions import ExpressionError, evaluate

_CONTEXTS = {
    "foo": {
        "bar": {"Baz": 1, "b-az": 2, "_x1": 3},
        "true": "t",
        "null": "n",
        "NaN": "nan",
        "5": "five",
        "": "empty",
        "-0.5": "minus half",
        "*": "star",
    },
    "list": ["zero", "one", {"name": "two"}],
    "people": [{"name": "ann", "tags": ["a", "b"]}, {"age": 3}, "text", None, {"NAME": "bob", "tags": ["c"]}],
    "pairs": {"first": {"n": 1}, "second": {"n": 2}, "third": 3},
    "nothing": None,
    "text": "abc",
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("foo.bar.baz", 1),
        ("FOO.Bar.BAZ", 1),
        ("foo . bar\n. baz", 1),
        ("foo.bar.b-az", 2),
        ("foo.bar._x1", 3),
        ("foo['bar']['baz']", 1),
        ("foo [ 'bar' ] . baz", 1),
        ("(foo).bar['b-az']", 2),
        ("foo.true", "t"),
        ("foo.null", "n"),
        ("foo.NaN", "nan"),
        ("foo[5]", "five"),
        ("foo['5']", "five"),
        ("foo[4 == 4]", "t"),
        ("foo[null]", "empty"),
        ("foo['']", "empty"),
        ("foo[-.5]", "minus half"),
        ("foo['*']", "star"),
        ("foo[nothing]", "empty"),
        ("foo[list]", None),
        ("foo[foo]", None),
        ("foo.none", None),
        ("foo.none.at.all", None),
        ("nothing.x", None),
        ("text.x", None),
        ("text[0]", None),
        ("list[0]", "zero"),
        ("list[1.9]", "one"),
        ("list['1']", "one"),
        ("list[' 0x1 ']", "one"),
        ("list[true]", "one"),
        ("list[null]", "zero"),
        ("list['']", "zero"),
        ("list[-0]", "zero"),
        ("list[3]", None),
        ("list[-1]", None),
        ("list[-0.1]", None),
        ("list[NaN]", None),
        ("list[Infinity]", None),
        ("list[1e300]", None),
        ("list.one", None),
        ("list['one']", None),
        ("list[list]", None),
        ("list[2].name", "two"),
        ("list[list[5]]", "zero"),
        ("fromJSON('{\"a\":[1,2]}').a[1]", 2),
    ],
)
def test_paths(expression: str, value: object) -> None:
    assert evaluate(expression, _CONTEXTS) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("people.*.name", ["ann", "bob"]),
        ("people[*]['name']", ["ann", "bob"]),
        ("people . * . name", ["ann", "bob"]),
        ("people.*.tags", [["a", "b"], ["c"]]),
        ("people.*.tags.*", ["a", "b", "c"]),
        ("people.*.tags[0]", ["a", "c"]),
        ("people.*.tags[1]", ["b"]),
        ("people.*.tags['01']", ["b"]),
        ("people.*.tags[-1]", []),
        ("people.*.none", []),
        ("people.*.none.deeper", []),
        ("people.*[0]", []),
        ("(people.*).name", ["ann", "bob"]),
        ("(people.* || nothing).name", ["ann", "bob"]),
        ("case(true, people.*, 1).name", ["ann", "bob"]),
        ("pairs.*", [{"n": 1}, {"n": 2}, 3]),
        ("pairs.*.n", [1, 2]),
        ("pairs.*.*", [1, 2]),
        ("nothing.*", []),
        ("text.*", []),
        ("nothing.*.*.x", []),
        ("pairs.*[pairs]", []),
        ("pairs[*].n", [1, 2]),
    ],
)
def test_filters(expression: str, value: object) -> None:
    assert evaluate(expression, _CONTEXTS) == value


def test_an_item_of_a_plain_array_has_no_members() -> None:
    assert evaluate("people.name", _CONTEXTS) is None
    assert evaluate("people.*.tags", _CONTEXTS) is not None
    assert evaluate("fromJSON(toJSON(people.*)).name", _CONTEXTS) is None


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 || 2 && 0", 1),
        ("0 || 2 && 3", 3),
        ("0 && 1 || 2", 2),
        ("(1 || 2) && 0", 0),
        ("0 || '' || null", None),
        ("1 && 'a' && 2", 2),
        ("1 && '' && 2", ""),
        ("1 == 1 && 2 == 2", True),
        ("1 < 2 == true", True),
        ("true == 1 < 2", True),
        ("3 > 2 > 1", False),
        ("1 < 2 < 3 < 4 == 1", True),
        ("5 == 5 == 1", True),
        ("1 == 1 < 0", False),
        ("(1 == 1) > 0", True),
        ("!1 == false", True),
        ("!(1 == 2)", True),
        ("! ! ! 1", False),
        ("!foo.bar", False),
        ("!foo.none && 1", 1),
        ("((((1))))", 1),
        ("null && fromJSON('broken')", None),
        ("1 || fromJSON('broken')", 1),
        ("case(false, fromJSON('broken'), true, 2, fromJSON('broken'))", 2),
    ],
)
def test_operators(expression: str, value: object) -> None:
    result = evaluate(expression, _CONTEXTS)
    assert (type(result), result) == (type(value), value)


_LEXING = [
    ("1 + 2", "+", 3),
    ("1-2", "1-2", 1),
    ("- 1", "-", 1),
    ("-foo", "-foo", 1),
    ("1.2.3", "1.2.3", 1),
    ("0xZ", "0xZ", 1),
    ("9a", "9a", 1),
    ("1 = 2", "=", 3),
    ("1 === 2", "=", 5),
    ("1 =< 2", "=", 3),
    ("1 & 2", "&", 3),
    ("1 &&& 2", "&", 5),
    ("foo |x", "|x", 5),
    ("foo.b$r", "b$r", 5),
    ("foo*bar", "foo*bar", 1),
    ("foo..bar", ".bar", 5),
    ("'a'.b", ".b", 4),
    ("true.x", ".x", 5),
    ("1 .x", ".x", 3),
    (".", ".", 1),
    ('foo == "bar"', '"bar"', 8),
    ("'open", "'open", 1),
    ("foo == 'it''s", "'it''s", 8),
    ("'a''", "'a''", 1),
    ("\u00e9", "\u00e9", 1),
    ("a \U0001f600", "\U0001f600", 3),
    ("foo(1 2 = 3", "=", 9),
    ("f\x00o", "f\x00o", 1),
]


@pytest.mark.parametrize(("expression", "symbol", "column"), _LEXING)
def test_what_is_no_token(expression: str, symbol: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, {"foo": {}})
    error = caught.value
    assert (error.kind, error.column) == ("lexing", column)
    assert str(error) == error.message
    assert error.message == (
        f"Unexpected symbol: '{symbol}'. Located at position {column} within expression: {expression}"
    )


@pytest.mark.parametrize(
    ("expression", "problem", "symbol", "column"),
    [
        ("1 2", "Unexpected symbol", "2", 3),
        ("'a''b' 'c'", "Unexpected symbol", "c", 8),
        ("1 <> 2", "Unexpected symbol", ">", 4),
        ("== 1", "Unexpected symbol", "==", 1),
        ("()", "Unexpected symbol", ")", 2),
        ("1)", "Unexpected symbol", ")", 2),
        ("(1]", "Unexpected symbol", "]", 3),
        ("[1]", "Unexpected symbol", "[", 1),
        ("'abc'[0]", "Unexpected symbol", "[", 6),
        ("1[0]", "Unexpected symbol", "[", 2),
        ("*", "Unexpected symbol", "*", 1),
        ("foo.", "Unexpected symbol", "EOF", 4),
        ("foo[", "Unexpected end of expression", "[", 4),
        ("foo[]", "Unexpected symbol", "]", 5),
        ("foo[1", "Unexpected symbol", "EOF", 5),
        ("foo[*.x]", "Unexpected symbol", ".", 6),
        ("foo.*bar", "Unexpected symbol", "bar", 6),
        ("foo.5", "Unexpected symbol", "5", 5),
        ("foo.'bar'", "Unexpected symbol", "bar", 5),
        ("foo.[0]", "Unexpected symbol", "[", 5),
        ("foo.bar(1)", "Unexpected symbol", "(", 8),
        ("(foo)(1)", "Unexpected symbol", "(", 6),
        ("1 !", "Unexpected symbol", "!", 3),
        ("1 ! 2", "Unexpected symbol", "!", 3),
        ("foo == ", "Unexpected end of expression", "==", 5),
        ("1 && ", "Unexpected end of expression", "&&", 3),
        ("!", "Unexpected end of expression", "!", 1),
        ("(", "Unexpected end of expression", "(", 1),
        ("(1 && 2", "Unexpected end of expression", "2", 7),
        ("join(", "Unexpected end of expression", "(", 5),
        ("join(1", "Unexpected symbol", "EOF", 6),
        ("join(1,", "Unexpected end of expression", ",", 7),
        ("join(1,)", "Unexpected symbol", ")", 8),
        ("join(,1)", "Unexpected symbol", ",", 6),
        ("join(1 2)", "Unexpected symbol", "2", 8),
        ("join()", "Too few parameters supplied", "join", 1),
        ("1 || join(1, 2, 3)", "Too many parameters supplied", "join", 6),
        ("startsWith('a')", "Too few parameters supplied", "startsWith", 1),
        ("case(true, 1)", "Too few parameters supplied", "case", 1),
        (
            "case(true, 1, false, 2)",
            "Even number of parameters supplied, requires an odd number of parameters",
            "case",
            1,
        ),
        ("success(1)", "Too many parameters supplied", "success", 1),
        ("format(1" + ", 1" * 255 + ")", "Too many parameters supplied", "format", 1),
        ("nope(1)", "Unrecognized function", "nope", 1),
        ("1 && nope", "Unrecognized named-value", "nope", 6),
        ("nope(nope)", "Unrecognized named-value", "nope", 6),
        ("TRUE", "Unrecognized named-value", "TRUE", 1),
        ("nan", "Unrecognized named-value", "nan", 1),
    ],
)
def test_what_is_no_expression(expression: str, problem: str, symbol: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, {"foo": {}})
    error = caught.value
    assert (error.kind, error.column) == ("parsing", column)
    assert error.message == f"{problem}: '{symbol}'. Located at position {column} within expression: {expression}"


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("imputs.x", "did you mean 'Inputs'?"),
        ("stepss", "did you mean 'steps'?"),
        ("qqq", "contexts here: Inputs, steps"),
        ("startwith('a', 'b')", "did you mean 'startsWith'?"),
        ('steps == "x"', "text is written in single quotes"),
        ("steps = 1", "`==` compares"),
        ("1 - 2", "there is no arithmetic"),
        ("'it's'", "the text is not closed; a quote inside text is doubled"),
    ],
)
def test_errors_say_how_to_mend_them(expression: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, {"Inputs": {}, "steps": {}})
    assert caught.value.hint == hint


def test_without_contexts_the_hint_says_so() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("x", {})
    assert caught.value.hint == "there are no contexts here"
