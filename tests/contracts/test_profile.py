"""What is within the profile becomes types; what is not is refused with its place."""

import pytest

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.validation import compiled

INT = {"type": "integer", "minimum": 0, "maximum": 9}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def judged(found):
    compiled(found, found.contracts[0])
    return lowered(found, found.contracts[0])


REFUSED = {
    "open object": ({"type": "object"}, "", "closed"),
    "not": (closed(x={"type": "string", "not": {}}), "/properties/x/not", "not part"),
    "if": ({**closed(), "if": {}}, "/if", "not part"),
    "contains": (closed(x={"type": "array", "items": INT, "contains": {}}), "/properties/x/contains", "not part"),
    "patternProperties": ({**closed(), "patternProperties": {}}, "/patternProperties", "not part"),
    "anyOf": (closed(x={"anyOf": [INT]}), "/properties/x/anyOf", "not part"),
    "an unknown keyword": (closed(x={**INT, "multipelOf": 2}), "/properties/x/multipelOf", "not part"),
    "no bounds": (closed(x={"type": "integer", "minimum": 0}), "/properties/x", "maximum"),
    "beyond int64": (closed(x={**INT, "maximum": 2**63}), "/properties/x", "int64"),
    "below int64": (closed(x={**INT, "minimum": -(2**63) - 1}), "/properties/x", "int64"),
    "money as a number": (closed(stopPrice={"type": "number"}), "/properties/stopPrice", "money"),
    "no type": (closed(x={}), "/properties/x", "type"),
    "two types": (closed(x={"type": ["string", "integer"]}), "/properties/x", "type"),
    "true": (closed(x=True), "/properties/x", "true or false"),
    "keywords beside a reference": (
        {**closed(x={"$ref": "#/$defs/i", "maximum": 5}), "$defs": {"i": INT}}, "/properties/x/maximum", "not part",
    ),
    "a required key that is none": (closed(("y",), x=INT), "", "required"),
    "recursion": (closed(x={"$ref": "#"}), "", "recursion"),
    "branches without a tag": (closed(x={"oneOf": [closed(a=INT), closed(b=INT)]}), "/properties/x/oneOf", "const"),
    "branches with the same tag": (
        closed(x={"oneOf": [closed(("t",), t={"const": "a"})] * 2}), "/properties/x/oneOf", "const",
    ),
    "a tag that may be missing": (
        closed(x={"oneOf": [closed(t={"const": "a"}), closed(t={"const": "b"})]}), "/properties/x/oneOf", "const",
    ),
    "U+0000": (closed(x={"type": "string", "enum": ["a\0"]}), "/properties/x/enum", "U+0000"),
    "a bound that no double has": (
        closed(x={"type": "number", "minimum": 2**53 + 1}), "/properties/x/minimum", "a double is 9007199254740992",
    ),
    "an enum of numbers": (closed(x={"type": "string", "enum": [1]}), "/properties/x/enum", "texts"),
    "null beside the type": (closed(x={"type": "string", "enum": ["a", None]}), "/properties/x/enum", "null"),
    "a format that few know": (closed(x={"type": "string", "format": "idn-email"}), "/properties/x/format", "format"),
    "a pattern that differs between languages": (
        closed(x={"type": "string", "pattern": "^a.b$"}), "/properties/x/pattern", "leaves out",
    ),
    "an object as const": (closed(x={"const": {}}), "/properties/x/const", "const"),
    "a tuple": (closed(x={"type": "array", "prefixItems": [INT]}), "/properties/x/prefixItems", "not part"),
    "no object": ({"type": "string"}, "", "object"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(one, name):
    schema, pointer, reason = REFUSED[name]
    found = judged(one(schema))
    assert found.type is None
    assert [said for said in found.violations if said.place.partition("#")[2] == pointer and reason in said.reason]


def test_what_is_read_in_the_order_of_the_schema(one):
    found = judged(one({
        **closed(
            ("z", "price"),
            z={**INT, "minimum": ir.INT64_MIN, "maximum": ir.INT64_MAX},
            price={"type": "string", "pattern": "^[0-9]+$", "maxLength": 20},
            note={"type": ["string", "null"], "enum": ["a", None]},
            list={"type": "array", "items": {"$ref": "#/$defs/p"}, "maxItems": 3},
            ratio={"type": "number", "minimum": 0},
            flag={"type": "boolean"},
            at={"type": "string", "format": "date-time"},
            how={"oneOf": [closed(("k",), k={"const": "a"}), closed(("k",), k={"const": "b"}, n=INT)]},
        ),
        "$defs": {"p": closed(x=INT)},
    }))  # fmt: skip
    assert not found.violations
    made = found.type
    assert isinstance(made, ir.ObjectType)
    members = {member.key: member for member in made.members}
    assert list(members) == ["z", "price", "note", "list", "ratio", "flag", "at", "how"]
    assert members["z"] == ir.Member(
        key="z", type=ir.IntegerType(minimum=ir.INT64_MIN, maximum=ir.INT64_MAX), required=True
    )
    assert members["price"].type == ir.StringType(pattern="^[0-9]+$", max_length=20)
    assert members["note"] == ir.Member(key="note", type=ir.StringType(enum=("a",)), required=False, nullable=True)
    point = members["list"].type.item
    assert (point.place, point.members[0].key) == ("contracts/events/A@1.0.json#/$defs/p", "x")
    assert members["list"].type.max_items == 3
    assert members["ratio"].type == ir.NumberType(minimum=0.0)
    assert members["flag"].type == ir.BooleanType()
    assert members["at"].type == ir.StringType(format="date-time")
    assert members["how"].type.tag == "k"
    assert [value for value, _ in members["how"].type.cases] == ["a", "b"]


def test_what_is_shared_is_read_once(one):
    shared = {f"d{n}": closed(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"}) for n in range(40)}
    found = judged(one({**closed(x={"$ref": "#/$defs/d0"}), "$defs": {**shared, "d40": closed()}}))
    assert not found.violations
    first = found.type.members[0].type
    assert first.members[0].type is first.members[1].type
