"""Contracts are named as they say, and refer to the project only."""

import pytest

from cli_multi_rapid.contracts.cycles import circle, shown
from cli_multi_rapid.contracts.loading import FOLDER, Target
from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.errors import SpecInvalid


def messages(found):
    return [f"{one.code} {one.message}" for one in found.problems]


REFUSED = {
    "http": "http://127.0.0.1:9/x.json", "file": "file:///etc/passwd", "absolute": "/etc/passwd",
    "above the project": "../../../x.json", "above, encoded": "%2e%2e/../../x.json", "another host": "//host/x.json",
    "upper case": "HTTP://127.0.0.1:9/x",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_reference_that_leads_outside(one, name):
    (said,) = messages(one({"properties": {"x": {"$ref": REFUSED[name]}}}))
    assert said.startswith("CONTRACT-REF")
    assert "nothing is fetched" in said


@pytest.mark.parametrize("reference", ["#/$defs/no", "urn:cmr:contract:No:1.0", "no.json", 7])
def test_a_reference_to_nothing(one, reference):
    assert len(messages(one({"properties": {"x": {"$ref": reference}}}))) == 1


def test_data_that_looks_like_a_reference_is_none(one):
    found = one({"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "http://x"}})
    assert not found.problems


@pytest.mark.parametrize("name", ["a@1.0.json", "A@1.json", "A@01.0.json", "A@1.0.0.json"])
def test_a_name_that_is_none(load, name):
    assert messages(load({name: {}}))[0].startswith("CONTRACT-NAME")


def test_an_id_that_differs_and_one_that_stands_twice(load):
    found = load({"A@1.0.json": {"$id": "urn:cmr:contract:B:1.0"}, "B@1.0.json": {"$id": "urn:cmr:contract:B:1.0"}})
    assert len(found.problems) == 2
    assert "is that of" in found.problems[1].message


def test_references_to_files_and_contracts_are_followed(load):
    found = load({
        "A@1.0.json": {
            "$id": "urn:cmr:contract:A:1.0", "type": "object",
            "properties": {"m": {"$ref": "parts/m.json#/$defs/M"}, "b": {"$ref": "urn:cmr:contract:B:1.0"}},
        },
        "B@1.0.json": {"$id": "urn:cmr:contract:B:1.0", "type": "string", "maxLength": 2},
        "parts/m.json": {"$defs": {"M": {"$ref": "n.json"}}},
        "parts/n.json": {"type": "string", "pattern": "^[0-9]+$"},
    })  # fmt: skip
    assert not found.problems
    validator = compiled(found, found.contracts[0])
    assert validator.is_valid({"m": "12", "b": "xy"})
    assert not validator.is_valid({"m": "x"})
    assert not validator.is_valid({"b": "xyz"})


def test_a_circle_without_an_end_is_told_from_a_recursive_type(one):
    start = Target(f"{FOLDER}/A@1.0.json", "")
    endless = one({"$ref": "#/$defs/x", "$defs": {"x": {"allOf": [{"$ref": "#/$defs/y"}]}, "y": {"$ref": "#/$defs/x"}}})
    loop = circle(endless, start, in_place=True)
    assert "#/$defs/x/allOf/0 -> " in shown(endless, loop)
    tree = one({"type": "object", "properties": {"next": {"$ref": "#"}}})
    assert not circle(tree, start, in_place=True)
    assert circle(tree, start, in_place=False)
    assert compiled(tree, tree.contracts[0]).is_valid({"next": {"next": {}}})


def test_a_chain_of_references_has_a_limit(one):
    links = {f"d{n}": {"properties": {"x": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(3000)}
    found = one({"$ref": "#/$defs/d0", "$defs": {**links, "d3000": {"type": "string"}}})
    with pytest.raises(SpecInvalid, match="levels deep"):
        circle(found, Target(f"{FOLDER}/A@1.0.json", ""), in_place=False)


def test_a_pointer_with_characters_that_no_uri_has(load):
    found = load({
        "A@1.0.json": {"$id": "urn:cmr:contract:A:1.0", "$ref": "a b.json#/$defs/%C3%A9"},
        "a b.json": {"$defs": {"é": {"type": "string"}}},
    })  # fmt: skip
    assert not compiled(found, found.contracts[0]).is_valid(1)


def test_a_circle_through_an_anchor(one):
    found = one({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "allOf": [{"$ref": "#a"}]}}})
    assert not found.problems
    assert circle(found, Target(f"{FOLDER}/A@1.0.json", ""), in_place=True)


def test_a_circle_through_a_keyword_of_an_older_draft(one):
    found = one({"dependencies": {"a": {"$ref": "#"}}})
    assert circle(found, Target(f"{FOLDER}/A@1.0.json", ""), in_place=True)


@pytest.mark.parametrize("reference", ["#/default", "#/properties", "#/required/0", "#/$defs/x/examples/0", "#/type"])
def test_a_reference_to_what_is_no_schema(one, reference):
    schema = {
        "$ref": reference, "type": "object", "properties": {}, "required": ["a"], "default": {"$ref": "#/$defs/x"},
        "$defs": {"x": {"examples": [{"$ref": "#"}]}},
    }  # fmt: skip
    (said,) = messages(one(schema))
    assert "there is no schema at" in said


@pytest.mark.parametrize("reference", ["#/$defs/a~1b", "#/%24defs/a%7E1b", "#b"])
def test_a_place_has_one_name(one, reference):
    found = one({"$ref": reference, "$defs": {"a/b": {"$anchor": "b", "type": "string"}}})
    assert found.references == {Target(f"{FOLDER}/A@1.0.json", ""): Target(f"{FOLDER}/A@1.0.json", "/$defs/a~1b")}


def test_a_static_and_a_dynamic_reference_in_one_schema(one):
    (said,) = messages(
        one({"$ref": "#/$defs/a", "$dynamicRef": "#b", "$defs": {"a": {}, "b": {"$dynamicAnchor": "b"}}})
    )
    assert "stand beside each other" in said


def test_an_anchor_that_stands_twice(one):
    (said,) = messages(one({"$defs": {"a": {"$anchor": "x"}, "b": {"$dynamicAnchor": "x"}}}))
    assert "stands twice" in said
