"""Read a contract, whatever keywords it has, into shapes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cli_multi_rapid.contracts.ir import INT64_MAX, INT64_MIN
from cli_multi_rapid.contracts.loading import Contract, ContractSet, Target
from cli_multi_rapid.contracts.schema_tree import Schema, escaped
from cli_multi_rapid.contracts.targets.python.shapes import (
    Anything,
    Entry,
    Kind,
    Named,
    Plain,
    Record,
    Scalar,
    Sequence,
    Shape,
    Shapes,
    Table,
    Values,
    chosen,
    parts_of,
)  # fmt: skip

_DEEPEST = 24
_LARGEST = 2000
"""Parts of a shape that are not records. What is deeper or larger is any value: no type can be read that long."""

_SCALARS: dict[str, Kind] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null",
}  # fmt: skip
_BOUNDS = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("minItems", "maxItems"),
}
_MORE = "additionalProperties"
_TELLING = frozenset({
    "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "type", "enum", "const", "properties", "patternProperties",
    "items", "prefixItems", "required", "additionalProperties", "unevaluatedProperties", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
})  # fmt: skip
_OTHER_BRANCHES = frozenset({"oneOf", "anyOf", "if", "not", "dependentSchemas"})

Facet = tuple[Target, Schema]


def shapes_of(found: ContractSet, contract: Contract) -> Shapes:
    """Return the shapes of a contract, which must have been compiled before."""
    reading = _Reading(found)
    start = Target(contract.path, "")
    root = reading.shape(start)
    while reading.todo:
        place, facets = reading.todo.popitem()
        reading.records[place] = reading.record(facets)
    return Shapes(place=str(start), root=root, records=_met(root, reading.records), description=_said(found, start))


def _met(root: Shape, records: dict[str, Record]) -> dict[str, Record]:
    """Return the records in the order in which a reader of the schema meets them."""
    met: dict[str, Record] = {}
    todo: list[Shape] = [root]
    while todo:
        here = todo.pop()
        if isinstance(here, Named) and here.place not in met:
            met[here.place] = records[here.place]
            todo += [entry.shape for entry in reversed(records[here.place].entries)]
        todo += reversed(parts_of(here))
    return met


@dataclass(slots=True)
class _Reading:
    found: ContractSet
    records: dict[str, Record] = field(default_factory=dict)
    todo: dict[str, list[Facet]] = field(default_factory=dict)
    _known: dict[Target, Shape] = field(default_factory=dict)
    _busy: list[Target] = field(default_factory=list)

    def shape(self, place: Target) -> Shape:
        """Return the shape at a place. A shape inside of itself, with no record between, is any value there."""
        if place in self._known:
            return self._known[place]
        if place in self._busy or len(self._busy) >= _DEEPEST:
            return Anything()
        self._busy.append(place)
        made = self._read(place)
        self._busy.pop()
        if _size(made, _LARGEST) <= 0:
            made = Anything()
        self._known[place] = made
        return made

    def record(self, facets: list[Facet]) -> Record:
        """Return what schemas that hold together say of an object."""
        required = dict.fromkeys(key for _, schema in facets for key in _texts(schema.get("required")))
        shapes: dict[str, Shape] = {}
        descriptions: dict[str, str] = {}
        for place, schema in facets:
            for key, inner in _mapping(schema, "properties").items():
                if inner is False:
                    continue
                here = _below(place, "properties", key)
                if isinstance(shapes.get(key, Anything()), Anything):
                    shapes[key] = self.shape(here)
                descriptions[key] = descriptions.get(key) or _said(self.found, here)
        shapes |= {key: Anything() for key in required if key not in shapes}
        entries = (
            Entry(key=key, shape=shape, required=key in required, description=descriptions.get(key, ""))
            for key, shape in shapes.items()
        )
        said = next((one for place, _ in facets if (one := _said(self.found, place))), "")
        return Record(entries=tuple(entries), open=not _closed(facets), description=said)

    def _read(self, place: Target) -> Shape:
        schema = self.found.resolved(place)
        if not isinstance(schema, dict):
            return Anything()
        if only := self._same_as(place, schema):
            return self.shape(only)
        facets = list(self._facets(place, set()))
        return _of_values(facets) or self._of_parts(place, facets)

    def _same_as(self, place: Target, schema: Schema) -> Target | None:
        """Return the one place whose schema is all that this one says."""
        told = {key for key in schema if key in _TELLING}
        if told == {"$ref"}:
            return self.found.references.get(place)
        branches = schema.get("allOf")
        if told == {"allOf"} and isinstance(branches, list) and len(branches) == 1:
            return _below(place, "allOf", "0")
        return None

    def _facets(self, place: Target, seen: set[Target]) -> Iterator[Facet]:
        """Yield every schema that a value at a place must meet: its own, those of `$ref`, and those of `allOf`."""
        schema = self.found.resolved(place)
        if place in seen or not isinstance(schema, dict):
            return
        seen.add(place)
        yield place, schema
        if place in self.found.references:
            yield from self._facets(self.found.references[place], seen)
        branches = schema.get("allOf")
        for index in range(len(branches) if isinstance(branches, list) else 0):
            yield from self._facets(_below(place, "allOf", str(index)), seen)

    def _of_parts(self, place: Target, facets: list[Facet]) -> Shape:
        kinds = next((made for _, schema in facets if (made := _kinds(schema))), [])
        if any(_mapping(schema, "properties") for _, schema in facets) or _empty(facets, kinds):
            return self._around(place, facets, kinds or ["object"])
        branches = self._branches(facets)
        if not isinstance(branches, Anything):
            return branches
        return self._around(place, facets, kinds)

    def _branches(self, facets: list[Facet]) -> Shape:
        for place, schema in facets:
            for key in ("oneOf", "anyOf"):
                listed = schema.get(key)
                if isinstance(listed, list):
                    return chosen([self.shape(_below(place, key, str(index))) for index in range(len(listed))])
        return Anything()

    def _around(self, place: Target, facets: list[Facet], kinds: list[str]) -> Shape:
        """Return the choice of some kinds of values at a place."""
        return chosen([self._kind(place, facets, kind) for kind in kinds])

    def _kind(self, place: Target, facets: list[Facet], kind: str) -> Shape:
        if kind in _SCALARS:
            return Scalar(kind=_SCALARS[kind], bounds=_bounds(facets, kind))
        if kind == "array":
            holder = next((at for at, schema in facets if "items" in schema and "prefixItems" not in schema), None)
            item = self.shape(_below(holder, "items")) if holder else Anything()
            return Sequence(item=item, bounds=_bounds(facets, "array"))
        if kind != "object":
            return Anything()
        if any(_mapping(schema, "properties") for _, schema in facets) or _empty(facets, [kind]):
            if str(place) not in self.records:
                self.todo[str(place)] = facets
            return Named(place=str(place))
        return Table(value=self._values(facets))

    def _values(self, facets: list[Facet]) -> Shape:
        places = [_below(at, "additionalProperties") for at, one in facets if isinstance(one.get(_MORE), dict)]
        patterns = [
            _below(at, "patternProperties", key) for at, one in facets for key in _mapping(one, "patternProperties")
        ]
        open_too = not places and not any(one.get(_MORE) is False for _, one in facets)
        return Anything() if open_too else chosen([self.shape(at) for at in (*places, *patterns)])


def _of_values(facets: list[Facet]) -> Shape | None:
    """Return the values that `const` or `enum` allow; None without them, or where they are no plain ones."""
    for _, schema in facets:
        listed = [schema["const"]] if "const" in schema else schema.get("enum")
        if not isinstance(listed, list) or not listed:
            continue
        plain: list[Plain] = []
        for one in listed:
            whole = int(one) if isinstance(one, float) and one.is_integer() else one
            if whole is not None and not isinstance(whole, str | int):
                return None
            if isinstance(whole, int) and not INT64_MIN <= whole <= INT64_MAX:
                return None
            plain.append(whole)
        return chosen([Scalar(kind="null") if one is None else Values(values=(one,)) for one in plain])
    return None


def _closed(facets: list[Facet]) -> bool:
    schemas = [schema for _, schema in facets]
    if any(one.get(_MORE) is False and not _mapping(one, "patternProperties") for one in schemas):
        return True
    if not any(one.get("unevaluatedProperties") is False for one in schemas):
        return False
    more = {"patternProperties", _MORE, *_OTHER_BRANCHES}
    return not any(more & set(one) for one in schemas)


def _empty(facets: list[Facet], kinds: list[str]) -> bool:
    """Tell whether an object may have no keys at all."""
    return "object" in kinds and any(
        schema.get(_MORE) is False and not _mapping(schema, "patternProperties") for _, schema in facets
    )


def _kinds(schema: Schema) -> list[str]:
    given = schema.get("type")
    return [str(one) for one in given] if isinstance(given, list) else [given] if isinstance(given, str) else []


def _bounds(facets: list[Facet], kind: str) -> tuple[tuple[str, int | float], ...]:
    """Return the first bound of each keyword. What is beyond int64 is left to the schema."""
    made: dict[str, int | float] = {}
    for _, schema in facets:
        for keyword in _BOUNDS.get(kind, ()):
            value = schema.get(keyword)
            if isinstance(value, int | float) and not isinstance(value, bool) and INT64_MIN <= value <= INT64_MAX:
                made.setdefault(keyword, int(value) if value == int(value) else value)
    return tuple(made.items())


def _mapping(schema: Schema, key: str) -> dict[str, object]:
    value = schema.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _below(place: Target, *keys: str) -> Target:
    return Target(place.path, place.fragment + "".join(f"/{escaped(key)}" for key in keys))


def _said(found: ContractSet, place: Target) -> str:
    schema = found.resolved(place)
    if not isinstance(schema, dict):
        return ""
    return " ".join(str(schema.get("description") or schema.get("title") or "").split())


def _size(shape: Shape, left: int) -> int:
    """Return what is left of a number after one for each part of a shape; at most zero where it is too large."""
    left -= len(shape.values) if isinstance(shape, Values) else 1
    for part in parts_of(shape):
        if left <= 0:
            break
        left = _size(part, left)
    return left
