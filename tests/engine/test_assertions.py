"""Reading and evaluating the expressions of gates."""

import pytest

from cli_multi_rapid.engine.assertions import Assertions

READER = Assertions()


def test_what_an_expression_reads_and_where() -> None:
    for text in (
        "${{ gates.a-b.findings == 0 && level == 'strict' }}",
        "    gates.a-b.findings == 0 && level == 'strict'",
    ):
        found = READER.read(text)
        assert found.paths == (("gates", "a-b", "findings"), ("level",))
        assert [text[place:].split(" ")[0] for place in found.places] == ["gates.a-b.findings", "level"]
        assert found.wrong == ""


def test_a_name_in_brackets_is_as_fixed_as_any() -> None:
    assert READER.read("gates['a b']['findings'] == 0").paths == (("gates", "a b", "findings"),)
    assert READER.read("gates[ 'it''s[*]' ].status == '*[0]'").paths == (("gates", "it's[*]", "status"),)


@pytest.mark.parametrize(
    ("text", "wrong", "place"),
    [
        ("${{ gates.a.findings == }}", "unexpected end of expression", None),
        ("${{ 1 == 1", "`${{` is not closed", 0),
        ("${{ true }} and more", "text outside `${{ }}` makes a condition that is always true", 11),
        ("", "the condition is empty", 0),
        ("gates.a.findings = 0", None, 17),
        ("gates[level].findings == 0", "there are no lists here", 5),
        ("gates.a.findings[0] == 0", "there are no lists here", 16),
        ("len(gates.*.findings) == 0", "there are no lists here", 10),
        ("${{ success() }}", "success() cannot be asked about gates", 4),
        ("hashFiles('**') == ''", "hashfiles() cannot be asked about gates", 0),
        ("nofunction(1)", None, 0),
    ],
)
def test_what_cannot_be_read(text, wrong, place) -> None:
    found = READER.read(text)
    assert (found.paths, found.places) == ((), ())
    assert found.wrong
    assert found.fix
    if wrong is not None:
        assert found.wrong.startswith(wrong)
    if place is not None:
        assert found.place == place


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ gates.a.findings == 0 }}", False),
        ("gates.a.findings > 1 && level == 'STRICT'", True),
        ("gates.a.findings", 2),
        ("max(gates.a.findings, 7) == 7", True),
    ],
)
def test_values(text, value) -> None:
    assert READER.evaluate(text, {"gates": {"a": {"findings": 2}}, "level": "strict"}) == value


def test_what_has_no_value_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Unrecognized named-value"):
        READER.evaluate("nothing.x == 1", {})
