"""The profile: the part of JSON Schema that means the same in every target language, read into the types of `ir`.

What is outside of it is refused with its place and the reason, never approximated.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.cycles import circle, shown
from cli_multi_rapid.contracts.loading import DRAFT, Contract, ContractSet, Target
from cli_multi_rapid.contracts.patterns import PatternRefused, automaton
from cli_multi_rapid.contracts.schema_tree import Schema, escaped
from cli_multi_rapid.model.contract import Violation

FORMATS = frozenset({"date-time", "date", "time", "uuid"})
MONEY = frozenset({
    "amount", "balance", "commission", "cost", "equity", "fee", "margin", "money", "notional", "pnl", "price", "profit",
})  # fmt: skip
"""A number whose name has one of these words is money. A double cannot hold it, so it is text or a whole number."""

_ANNOTATIONS = frozenset({
    "title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly", "$defs",
    "$id", "$schema",
})  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": frozenset({"type", "properties", "required", "additionalProperties"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    "string": frozenset({"type", "minLength", "maxLength", "pattern", "format", "enum"}),
    "integer": frozenset({"type", "minimum", "maximum"}),
    "number": frozenset({"type", "minimum", "maximum"}),
    "boolean": frozenset({"type"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """The type of a contract, or why it has none."""

    type: ir.Type | None
    violations: tuple[Violation, ...]


def lowered(found: ContractSet, contract: Contract) -> Lowered:
    """Return the type of a contract if it is within the profile, else every violation.

    The contract must have been compiled before: keywords are taken to have the form that the draft gives them.
    """
    start = Target(contract.path, "")
    if loop := circle(found, start, in_place=False):
        reason = f"recursion is not part of the profile: {shown(found, loop)}"
        return Lowered(type=None, violations=(Violation(place=str(loop[0]), reason=reason),))
    reading = _Reading(found)
    made, nullable = reading.type_at(start)
    if not reading.violations and (nullable or not isinstance(made, ir.ObjectType | ir.UnionType)):
        reading.refuse(start, "a contract is an object, or a union of objects")
    return Lowered(type=None if reading.violations else made, violations=tuple(reading.violations))


@dataclass(slots=True)
class _Reading:
    found: ContractSet
    violations: list[Violation] = field(default_factory=list)
    _known: dict[Target, tuple[ir.Type | None, bool]] = field(default_factory=dict)

    def refuse(self, place: Target, reason: str) -> None:
        one = Violation(place=str(place), reason=reason)
        if one not in self.violations:
            self.violations.append(one)

    def type_at(self, place: Target) -> tuple[ir.Type | None, bool]:
        """Return the type at a place, and whether null is allowed beside it. What is shared is read once."""
        if place not in self._known:
            self._known[place] = self._read(place)
        return self._known[place]

    def _read(self, place: Target) -> tuple[ir.Type | None, bool]:
        schema = self.found.resolved(place)
        if self.found.draft(place.path) != DRAFT:
            self.refuse(place, "only draft 2020-12 is part of the profile")
            return None, False
        if not isinstance(schema, dict):
            self.refuse(place, "a schema that is only true or false is not part of the profile")
            return None, False
        if "$ref" in schema:
            self._only(place, schema, frozenset({"$ref"}))
            return self.type_at(self.found.references[place])
        if "oneOf" in schema:
            self._only(place, schema, frozenset({"oneOf", "type"}))
            return self._union(place, schema), False
        if "const" in schema:
            self._only(place, schema, frozenset({"const", "type"}))
            return self._const(place, schema["const"]), False
        return self._plain(place, schema)

    def _plain(self, place: Target, schema: Schema) -> tuple[ir.Type | None, bool]:
        given = schema.get("type")
        kinds = list(given) if isinstance(given, list) else [given]
        nullable = "null" in kinds and len(kinds) == 2
        if nullable:
            kinds.remove("null")
        kind = kinds[0]
        if len(kinds) != 1 or not isinstance(kind, str) or kind not in _KEYWORDS:
            self._only(place, schema, frozenset().union(*_KEYWORDS.values()))
            self.refuse(place, "`type` is one type, or one and null")
            return None, nullable
        self._only(place, schema, _KEYWORDS[kind])
        makers: dict[str, Callable[[Target, Schema], ir.Type | None]] = {
            "object": self._object, "array": self._array, "string": self._string, "integer": self._integer,
            "number": self._number, "boolean": lambda _place, _schema: ir.BooleanType(),
        }  # fmt: skip
        return makers[kind](place, schema), nullable

    def _only(self, place: Target, schema: Schema, allowed: frozenset[str]) -> None:
        for key in schema:
            if key not in allowed and key not in _ANNOTATIONS:
                self.refuse(_below(place, key), f"`{key}` is not part of the profile here")

    def _object(self, place: Target, schema: Schema) -> ir.Type | None:
        if schema.get("additionalProperties") is not False:
            self.refuse(place, "objects are closed: `additionalProperties` is false")
        properties, required = schema.get("properties", {}), schema.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        needed = frozenset(required)
        for key in required:
            if key not in properties:
                self.refuse(place, f"the required key {key!r} is not among the properties")
        members = []
        for key in properties:
            here = _below(_below(place, "properties"), key)
            if "\0" in key:
                self.refuse(here, "U+0000 ends texts in some languages")
            made, nullable = self.type_at(here)
            if isinstance(made, ir.NumberType) and MONEY & {word.lower() for word in _WORD.findall(key)}:
                self.refuse(here, "money is text with a pattern such as ^-?[0-9]{1,15}([.][0-9]{1,8})?$, not a number")
            if made is not None:
                said = _said(properties[key])
                members.append(
                    ir.Member(key=key, type=made, required=key in needed, nullable=nullable, description=said)
                )
        return ir.ObjectType(place=str(place), members=tuple(members), description=_said(schema))

    def _array(self, place: Target, schema: Schema) -> ir.Type | None:
        if "items" not in schema:
            self.refuse(place, "an array says what its `items` are")
            return None
        item, nullable = self.type_at(_below(place, "items"))
        if item is None:
            return None
        low, high = _whole(schema.get("minItems")), _whole(schema.get("maxItems"))
        return ir.ArrayType(item=item, min_items=low or 0, max_items=high, item_nullable=nullable)

    def _string(self, place: Target, schema: Schema) -> ir.Type | None:
        form = schema.get("format", "")
        if form and form not in FORMATS:
            self.refuse(_below(place, "format"), f"the format is one of {', '.join(sorted(FORMATS))}")
        try:
            automaton(str(schema.get("pattern", "")))
        except PatternRefused as refused:
            self.refuse(_below(place, "pattern"), str(refused))
        values = schema.get("enum")
        kinds = schema.get("type")
        allowed = [one for one in values if one is not None] if isinstance(values, list) else []
        if isinstance(values, list):
            if not allowed or not all(isinstance(one, str) and "\0" not in one for one in allowed):
                self.refuse(_below(place, "enum"), "the values of an `enum` are texts without U+0000")
            if (None in values) != isinstance(kinds, list):
                self.refuse(_below(place, "enum"), "`type` and `enum` disagree about null")
        return ir.StringType(
            min_length=_whole(schema.get("minLength")) or 0, max_length=_whole(schema.get("maxLength")),
            pattern=str(schema.get("pattern", "")), format=str(form), enum=tuple(map(str, allowed)),
        )  # fmt: skip

    def _integer(self, place: Target, schema: Schema) -> ir.Type | None:
        low, high = _whole(schema.get("minimum")), _whole(schema.get("maximum"))
        if low is None or high is None:
            self.refuse(place, "an integer has `minimum` and `maximum`, both whole")
            return None
        if low < ir.INT64_MIN or high > ir.INT64_MAX:
            self.refuse(place, "the bounds of an integer lie within int64")
        return ir.IntegerType(minimum=low, maximum=high)

    def _number(self, place: Target, schema: Schema) -> ir.Type | None:
        low, high = (self._bound(place, schema, key) for key in ("minimum", "maximum"))
        return ir.NumberType(minimum=low, maximum=high)

    def _bound(self, place: Target, schema: Schema, key: str) -> float | None:
        value = schema.get(key)
        if not isinstance(value, int | float):
            return None
        if float(value) != value:  # the validator compares exactly, programs compare doubles
            self.refuse(_below(place, key), f"{value} is no bound of a `number`: a double is {int(float(value))} there")
        return float(value)

    def _const(self, place: Target, value: object) -> ir.Type | None:
        fits = isinstance(value, bool) or (isinstance(value, int) and ir.INT64_MIN <= value <= ir.INT64_MAX)
        if isinstance(value, str | int) and (fits or (isinstance(value, str) and "\0" not in value)):
            return ir.ConstType(value=value)
        self.refuse(_below(place, "const"), "`const` is a text, a whole number within int64, or true or false")
        return None

    def _union(self, place: Target, schema: Schema) -> ir.Type | None:
        if schema.get("type", "object") != "object":
            self.refuse(_below(place, "type"), "a union is one of objects")
        branches = schema["oneOf"]
        assert isinstance(branches, list)
        cases = []
        for index in range(len(branches)):
            here = _below(_below(place, "oneOf"), str(index))
            made, nullable = self.type_at(here)
            if not isinstance(made, ir.ObjectType) or nullable:
                self.refuse(here, "each branch of `oneOf` is an object")
                return None
            cases.append(made)
        tags = [tag for tag in _tags(cases[0]) if len({_tags(one).get(tag) for one in cases} - {None}) == len(cases)]
        if not tags:
            self.refuse(_below(place, "oneOf"), "the branches have no required key with a different const text in each")
            return None
        named = tuple((_tags(one)[tags[0]], one) for one in cases)
        return ir.UnionType(place=str(place), tag=tags[0], cases=named, description=_said(schema))


def _said(schema: object) -> str:
    """Return the description, else the title, of a schema on one line."""
    if not isinstance(schema, dict):
        return ""
    return " ".join(str(schema.get("description") or schema.get("title") or "").split())


def _tags(branch: ir.ObjectType) -> dict[str, str]:
    return {
        one.key: one.type.value
        for one in branch.members
        if one.required and isinstance(one.type, ir.ConstType) and isinstance(one.type.value, str)
    }


def _below(place: Target, key: str) -> Target:
    return Target(place.path, f"{place.fragment}/{escaped(key)}")


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)
