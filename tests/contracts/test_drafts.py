"""What a contract refers to may be of draft-07, and is judged as that draft has it."""

import pytest
from contract_pairs import of

from cli_multi_rapid.contracts.inclusion import Inclusion
from cli_multi_rapid.contracts.loading import DRAFT_07, FOLDER, Target
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.sameness import Sameness
from cli_multi_rapid.contracts.validation import compiled

START = Target(f"{FOLDER}/A@1.0.json", "")
OLD = {
    "$schema": f"{DRAFT_07}#", "$id": "http://example.org/old.json", "type": "object", "required": ["pair"],
    "definitions": {"short": {"type": "string", "maxLength": 2}},
    "properties": {
        "pair": {"type": "array", "items": [{"$ref": "#/definitions/short", "maxLength": 1}, {"$ref": "more.json"}],
                 "additionalItems": False},
    },
    "dependencies": {"a": ["b"]},
}  # fmt: skip
MORE = {"$schema": DRAFT_07, "type": "integer"}


@pytest.fixture
def refer(one):
    return lambda old=OLD, more=MORE: one(of({"$ref": "old.json"}), old=old, more=more)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({"pair": ["ab", 1]}, True),  # in draft-07 nothing counts beside `$ref`
        ({"pair": ["abc", 1]}, False), ({"pair": ["ab", "no"]}, False), ({"pair": ["a", 1, 2]}, False), ({}, False),
        ({"pair": [], "a": 1}, False), ({"pair": [], "a": 1, "b": 1}, True),
    ],
)  # fmt: skip
def test_documents(refer, value, valid):
    found = refer()
    assert not found.problems
    assert compiled(found, found.contracts[0]).is_valid({"x": value}) == valid


def test_a_contract_itself_is_of_the_present_draft(one):
    (problem,) = one({"$schema": DRAFT_07}).problems
    assert "refer to its file" in problem.fix


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-04/schema#", "https://example.org/meta", 7])
def test_other_drafts_are_refused(refer, draft):
    (problem,) = refer(more={"$schema": draft}).problems
    assert "draft 2020-12" in problem.message


def test_it_is_not_part_of_the_profile(refer):
    found = refer()
    (violation,) = lowered(found, found.contracts[0]).violations
    assert violation.place.endswith("old.json#")


def test_it_is_compatible_where_it_is_the_same(refer):
    other = refer({**dict(reversed(OLD.items())), "title": "t"})
    assert not Inclusion(refer(), other).breaks(START, START)
    assert not Inclusion(other, refer()).breaks(START, START)


@pytest.mark.parametrize(
    "changed",
    [
        {"required": []}, {"maxProperties": 9},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {}},
        {"definitions": {"short": {"type": "string"}}}, {"dependencies": {"a": []}}, {"x-new": 1},
    ],
)  # fmt: skip
def test_any_change_breaks(refer, changed):
    before, now = refer(), refer({**OLD, **changed})
    assert not now.problems
    assert not Sameness(before, now).holds(START, START)
    assert Inclusion(before, now).breaks(START, START)
    assert Inclusion(now, before).breaks(START, START)
