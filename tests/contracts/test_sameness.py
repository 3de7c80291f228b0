"""What is an annotation, and what is not."""

import pytest
from contract_pairs import closed, of

from cli_multi_rapid.contracts.loading import FOLDER, Target
from cli_multi_rapid.contracts.sameness import Sameness, canonical

START = Target(f"{FOLDER}/A@1.0.json", "")


@pytest.mark.parametrize(
    ("before", "now", "pointer"),
    [
        (of({"type": "string"}), of({"type": "string", "maxLength": 3}), "/properties/x/maxLength"),
        (of({"type": "string", "maxLength": 3}), of({"type": "string"}), "/properties/x/maxLength"),
        (of({"enum": [1]}), of({"enum": [True]}), "/properties/x/enum"),
        (closed(a=True), closed(a=True, b=True), "/properties/b"),
        (closed(a=True, b=True), closed(a=True), "/properties/b"),
        (closed(a=True), closed(a=False), "/properties/a"),
        (of({"oneOf": [{}, True]}), of({"oneOf": [True, {}]}), "/properties/x/oneOf/0"),
        (of({"x-unit": 1}), of({"x-unit": 2}), "/properties/x/x-unit"),
        (of({"dependencies": {"a": {"$ref": "#"}}}), of({"dependencies": {"a": {"$ref": "#"}}}),
         "/properties/x/dependencies"),
    ],
)  # fmt: skip
def test_what_differs(one, before, now, pointer):
    found = Sameness(one(before), one(now)).difference(START, START)
    assert found == Target(START.path, pointer)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (of({"type": "string"}), of({"type": ["string"]})),
        (of({"enum": [1, 2]}), of({"enum": [2.0, 1]})),
        (closed(("a", "b"), a=True, b=True), closed(("b", "a"), b=True, a=True)),
        (of({"maximum": 1}), of({"maximum": 1.0, "title": "t"})),
        (of({"$ref": "#/$defs/a"}) | {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}}},
         of({"type": "string"})),
        ({"properties": {"title": {"type": "string"}}}, {"properties": {"title": {"type": "string"}}, "default": 1}),
    ],
)  # fmt: skip
def test_what_is_the_same(one, before, now):
    assert Sameness(one(before), one(now)).holds(START, START)


def test_keys_called_like_annotations_count(one):
    before, now = closed(title={"type": "string"}), closed(title={"type": "integer"})
    assert not Sameness(one(before), one(now)).holds(START, START)


def test_what_is_shared_is_followed_into_its_file(one):
    schema = of({"$ref": "parts.json#/$defs/m"})
    before, now = (one(schema, parts={"$defs": {"m": {"maxLength": size}}}) for size in (1, 2))
    assert str(Sameness(before, now).difference(START, START)).endswith("parts.json#/$defs/m/maxLength")


def test_canonical():
    assert canonical({"b": 1.0, "a": [True, 1e300]}) == canonical({"a": [True, int(1e300)], "b": 1})
    assert canonical(1) != canonical(True)
