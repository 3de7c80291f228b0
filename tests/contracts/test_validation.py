"""The validator is strict, and schemas that it could not judge by are refused."""

import pytest

from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.errors import SpecInvalid

REFUSED = {
    "a type that is none": {"type": "strnig"},
    "a misspelt format": {"type": "string", "format": "datetime"},
    "a pattern that looks around": {"type": "string", "pattern": "(?=a)b"},
    "a pattern that refers back": {"type": "string", "pattern": "(a)\\1"},
    "a broken pattern": {"type": "string", "pattern": "("},
    "a negative length": {"type": "string", "maxLength": -1},
}


@pytest.mark.parametrize("name", REFUSED)
def test_schemas_that_are_refused(one, name):
    found = one({"properties": {"x": REFUSED[name]}})
    with pytest.raises(SpecInvalid) as caught:
        compiled(found, found.contracts[0])
    assert caught.value.problems[0].code == "CONTRACT-SCHEMA"


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"format": "date-time"}, "2026-11-22T09:00:00.123Z", "yesterday"),
        ({"maximum": 2**63 - 1}, 2**63 - 1, 2**63),
        ({"multipleOf": 0.01}, 0.07, 0.071),
        ({"pattern": "^(a+)+$"}, "a" * 50, "a" * 50 + "b"),
        ({"not": {"const": 1}}, 2, 1),
    ],
)
def test_documents(one, schema, good, bad):
    found = one(schema)
    validator = compiled(found, found.contracts[0])
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)
