"""Names in generated code: unique, short enough, no reserved word, the same for the same contract."""

import keyword

from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.naming import LIMIT, camel, pascal, snake, type_names, unique
from cli_multi_rapid.contracts.profile import lowered

OBJECT = {"type": "object", "additionalProperties": False}
AWKWARD = [
    "a-b",
    "a_b",
    "a b",
    "aB",
    "class",
    "Class",
    "",
    "1",
    "über",
    "日本",
    "__init__",
    "a" * 100,
    "a" * 99,
    "$",
    "'\"\\\n*/",
]


def named(found):
    made = lowered(found, found.contracts[0])
    assert made.violations == ()
    return type_names("A", made.type)


def test_types_are_named_for_their_definitions_and_places(one):
    leg = {**OBJECT, "properties": {"fee": OBJECT}}
    found = one({
        **OBJECT, "$defs": {"leg": leg, "A": OBJECT},
        "properties": {"first": {"$ref": "#/$defs/leg"}, "second": {"$ref": "#/$defs/leg"},
                       "same": {"$ref": "#/$defs/A"},
                       "notes": {"type": "array", "items": OBJECT}, "side": {"$ref": "side.json"}},
    }, side=OBJECT)  # fmt: skip
    assert named(found) == {
        "contracts/events/A@1.0.json#": "A", "contracts/events/A@1.0.json#/$defs/leg": "Leg",
        "contracts/events/A@1.0.json#/$defs/leg/properties/fee": "LegFee",
        "contracts/events/A@1.0.json#/$defs/A": "A_2",
        "contracts/events/A@1.0.json#/properties/notes/items": "NotesItems", "contracts/events/side.json#": "Side",
    }  # fmt: skip


def test_types_are_listed_once_and_inner_ones_first(one):
    found = one(
        {**OBJECT, "$defs": {"x": OBJECT}, "properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#/$defs/x"}}}
    )
    made = lowered(found, found.contracts[0]).type
    assert [each.place.partition("#")[2] for each in ir.objects(made)] == ["/$defs/x", ""]


def test_a_key_that_is_its_own_name_keeps_it():
    assert unique(["a-b", "aB"], camel, ()) == {"a-b": "aB_2", "aB": "aB"}
    assert unique(["class", "A", "a"], camel, keyword.kwlist, same=str.lower) == {
        "class": "class_",
        "A": "a_2",
        "a": "a",
    }


@given(st.lists(st.sampled_from(AWKWARD) | st.text(max_size=70), max_size=12), st.sampled_from([pascal, camel, snake]))
def test_any_keys_have_names_that_differ_and_fit(keys, style):
    made = unique(keys, style, keyword.kwlist, same=str.lower)
    assert set(made) == set(keys)
    assert len({name.lower() for name in made.values()}) == len(made)
    assert all(name.isidentifier() and name.isascii() and len(name) <= LIMIT for name in made.values())
    assert not set(made.values()) & set(keyword.kwlist)
    assert unique(keys, style, keyword.kwlist, same=str.lower) == made
