"""Compiled expressions, templates and conditions."""

import pytest

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    ExpressionError,
    compile_expression,
    condition_text,
    interpolate,
    split_template,
)


@pytest.mark.parametrize(
    ("expression", "references"),
    [
        ("1", ()),
        ("steps.test.outputs.percent", [("steps", "test", "outputs", "percent")]),
        ("Steps['a b'].Outputs", [("Steps", "a b", "Outputs")]),
        ("steps.*.outputs", [("steps",)]),
        ("steps.a[*].b", [("steps", "a")]),
        ("steps[0].a", [("steps",)]),
        ("steps[inputs.x].a", [("steps",), ("inputs", "x")]),
        ("steps['a' || 'b'].c", [("steps",)]),
        ("steps[('a')].c", [("steps",)]),
        ("(steps.a).b", [("steps", "a")]),
        ("min(a.b, c) < a.b && !d.e == x['y']", [("a", "b"), ("c",), ("a", "b"), ("d", "e"), ("x", "y")]),
        ("fromJSON(artifacts.coverage).totals", [("artifacts", "coverage")]),
    ],
)
def test_references(expression: str, references: object) -> None:
    assert compile_expression(expression).references == tuple(references)


def test_references_have_columns() -> None:
    assert compile_expression("a.b == c[ d ]").reference_columns == (1, 8, 11)


def test_functions_are_lower_case_names() -> None:
    compiled = compile_expression("toJSON(x) && (Always() || tojson(y))")
    assert compiled.functions == {"tojson", "always"}
    assert compiled.functions & STATUS_FUNCTIONS == {"always"}


def test_an_expression_is_compiled_once_and_evaluated_often() -> None:
    compiled = compile_expression("inputs.n > 1", contexts=["Inputs"])
    assert compiled.text == "inputs.n > 1"
    assert [compiled.evaluate({"inputs": {"n": n}}) for n in (1, 2, "3")] == [False, True, True]
    assert compiled == compile_expression("inputs.n > 1")


def test_contexts_are_checked_where_they_are_known() -> None:
    assert compile_expression("INPUTS.x", contexts={"inputs"}).evaluate({"Inputs": {"X": 1}}) == 1
    with pytest.raises(ExpressionError, match="Unrecognized named-value: 'input'") as caught:
        compile_expression("input.x", contexts=["inputs", "steps"])
    assert (caught.value.kind, caught.value.hint) == ("parsing", "did you mean 'inputs'?")


def test_a_context_that_is_missing_later_is_an_evaluation_error() -> None:
    with pytest.raises(ExpressionError, match="Unrecognized named-value: 'x'") as caught:
        compile_expression("1 && x").evaluate({})
    assert (caught.value.kind, caught.value.column) == ("evaluation", 6)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain $ {{ }} text", [("text", "plain $ {{ }} text", 0)]),
        ("${{ a }}", [("expression", "a", 4)]),
        ("${{a}}", [("expression", "a", 3)]),
        (
            "x ${{ a.b }}-${{\n c }} y",
            [
                ("text", "x ", 0),
                ("expression", "a.b", 6),
                ("text", "-", 12),
                ("expression", "c", 18),
                ("text", " y", 22),
            ],
        ),
        ("${{ '}}' }}", [("expression", "'}}'", 4)]),
        ("${{ 'it''s }}' }}!", [("expression", "'it''s }}'", 4), ("text", "!", 17)]),
        ("${{ a }}}", [("expression", "a", 4), ("text", "}", 8)]),
        ("${{ x['}'] }}", [("expression", "x['}']", 4)]),
        ("${{ '${{' }}", [("expression", "'${{'", 4)]),
        ("${{ a } b }}", [("expression", "a } b", 4)]),
    ],
)
def test_splitting(text: str, parts: list[tuple[str, str, int]]) -> None:
    found = split_template(text)
    assert found == parts
    assert all(text[part.offset :].startswith(part.text) for part in found)


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("ab ${{ x", 4, "add `}}`"),
        ("${{ a }} ${{ x }", 10, "add `}}`"),
        ("${{ 'a }}", 1, "an odd number of quotes hides the braces"),
        ("x ${{ }}", 3, ""),
        ("${{}}", 1, ""),
    ],
)
def test_broken_templates(text: str, column: int, hint: str) -> None:
    for read in (split_template, condition_text):
        with pytest.raises(ExpressionError) as caught:
            read(text)
        assert (caught.value.kind, caught.value.column, caught.value.hint) == ("parsing", column, hint)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${{ n }}", 5),
        ("${{ list }}", [1]),
        ("${{ null }}", None),
        ("${{ n > 1 }}", True),
        (" ${{ n }}", " 5"),
        ("${{ n }}${{ n }}", "55"),
        ("n=${{ n }}, b=${{ true }}, l=${{ list }}, z=${{ null }}.", "n=5, b=true, l=Array, z=."),
        ("${{ '${{ n }}' }}!", "${{ n }}!"),
    ],
)
def test_interpolation(text: str, value: object) -> None:
    result = interpolate(text, {"n": 5, "list": [1]})
    assert (type(result), result) == (type(value), value)


def test_values_are_not_interpolated_again() -> None:
    assert interpolate("a ${{ x }}", {"x": "${{ secret }}", "secret": "s"}) == "a ${{ secret }}"


def test_interpolation_passes_on_what_functions_need() -> None:
    text = "${{ hashFiles('a') }}-${{ success() }}"
    assert interpolate(text, {}, hash_files=lambda *patterns: patterns[0] * 2, status={"success": True}) == "aa-true"


@pytest.mark.parametrize(
    ("text", "kind", "column"),
    [
        ("ab ${{ nope }}", "parsing", 8),
        ("${{ 1 }}\n${{ 1 + }}", "lexing", 16),
        ("x${{ fromJSON('') }}", "evaluation", 6),
    ],
)
def test_interpolation_errors_have_the_column_in_the_whole_text(text: str, kind: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        interpolate(text, {})
    assert (caught.value.kind, caught.value.column) == (kind, column)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("inputs.fix", "inputs.fix"),
        ("  a == 'b' ", "a == 'b'"),
        ("${{ a == 'b' }}", "a == 'b'"),
        (" ${{ a }}\n", "a"),
        ("${{ contains(x, '}}') }}", "contains(x, '}}')"),
    ],
)
def test_conditions(text: str, expression: str) -> None:
    assert condition_text(text) == expression


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("${{ x }} == 'y'", 9),
        ("!${{ x }}", 1),
        ("${{ a }} ${{ b }}", 14),
        ("${{ a }}${{ b }}", 13),
        ("a && ${{ b }}", 1),
    ],
)
def test_text_around_a_condition_is_refused(text: str, column: int) -> None:
    with pytest.raises(ExpressionError, match="Text outside") as caught:
        condition_text(text)
    assert (caught.value.kind, caught.value.column) == ("parsing", column)
    assert "inside one" in caught.value.hint


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_condition_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="The condition is empty"):
        condition_text(text)
