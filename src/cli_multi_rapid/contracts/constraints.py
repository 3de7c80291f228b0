"""What one or several schemas together let a value be: the kinds, the values, the bounds, what stands inside of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, floor

from cli_multi_rapid.contracts.loading import DRAFT, ContractSet, Target
from cli_multi_rapid.contracts.sameness import canonical
from cli_multi_rapid.contracts.schema_tree import Schema, escaped

INTEGER, FRACTION = "integer", "fraction"
NUMBERS = frozenset({INTEGER, FRACTION})
KINDS = frozenset({"null", "boolean", "object", "array", "string"}) | NUMBERS
"""The kinds of values; `fraction` is a number that is not whole."""

_FEW = {"null": (None,), "boolean": (False, True)}
_IN_PLACE = frozenset({
    "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas", "dependencies",
    "contains",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Places:
    """Schemas that hold for the same value, and what is known of it beside them.

    `split` are unions (`anyOf`, `oneOf`) of which one branch is among the schemas already.
    """

    targets: frozenset[Target] = frozenset()
    kinds: frozenset[str] = KINDS
    split: frozenset[Target] = frozenset()

    def __or__(self, more: Target) -> "Places":
        return replace(self, targets=self.targets | {more})


def at(place: Target, *keys: str) -> Target:
    """Return the place that keys lead to from a place."""
    return Target(place.path, place.fragment + "".join(f"/{escaped(key)}" for key in keys))


def kinds_of(schema: Schema) -> frozenset[str]:
    """Return the kinds that the `type` of a schema allows."""
    given = schema.get("type")
    if given is None:
        return KINDS
    names = {str(one) for one in (given if isinstance(given, list) else [given])}
    return KINDS & (names | NUMBERS if "number" in names else names)


def kind_of(value: object) -> str:
    """Return the kind of a value; 1.0 is an integer."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return INTEGER if isinstance(value, int) or value.is_integer() else FRACTION
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


class View:
    """Schemas that hold for the same value, with what they refer to (`$ref`, `allOf`) among them."""

    def __init__(self, found: ContractSet, places: Places) -> None:
        self.found = found
        self.places = places
        self.schemas: list[tuple[Target, Schema]] = []
        self.targets: dict[Target, None] = {}
        self._refused = False
        todo = sorted(places.targets, key=str, reverse=True)
        while todo:
            here = todo.pop()
            if here in self.targets:
                continue
            self.targets[here] = None
            schema = found.resolved(here)
            self._refused = self._refused or schema is False
            if isinstance(schema, dict) and found.draft(here.path) == DRAFT:
                self.schemas.append((here, schema))
                todo += [at(here, "allOf", str(index)) for index in range(len(_list(schema, "allOf")))]
                if "$ref" in schema:
                    todo.append(found.references[here])

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of values there may be."""
        left = self.places.kinds
        for _, schema in self.schemas:
            left &= kinds_of(schema)
        if self._listed is not None:
            left &= {kind_of(one) for one in self._listed}
        return left

    @cached_property
    def values(self) -> list[object] | None:
        """All values there may be, where they are few; else None."""
        if self._listed is not None:
            return [one for one in self._listed if kind_of(one) in self.kinds]
        if self.kinds <= _FEW.keys():
            return [one for kind in sorted(self.kinds) for one in _FEW[kind]]
        return None

    @cached_property
    def possible(self) -> bool:
        """Whether there may be a value at all."""
        return not self._refused and bool(self.kinds) and self.values != []

    @cached_property
    def _listed(self) -> list[object] | None:
        lists = [_values(schema) for _, schema in self.schemas if "enum" in schema or "const" in schema]
        if not lists:
            return None
        return [value for key, value in lists[0].items() if all(key in other for other in lists[1:])]

    def having(self, keyword: str) -> Iterator[tuple[Target, Schema]]:
        """Yield the schemas that have a keyword."""
        return ((place, schema) for place, schema in self.schemas if keyword in schema)

    def has(self, keyword: str, value: object) -> bool:
        """Tell whether one of the schemas has a keyword with this value."""
        wanted = canonical(value)
        return any(canonical(schema[keyword]) == wanted for _, schema in self.having(keyword))

    def union(self) -> list[Places]:
        """Return, for a union that was not split yet, the schemas with each of its branches; else nothing."""
        for place, schema in self.schemas:
            for keyword in ("oneOf", "anyOf"):
                whole = at(place, keyword)
                if keyword in schema and whole not in self.places.split:
                    rest = replace(self.places, split=self.places.split | {whole})
                    return [rest | at(whole, str(index)) for index in range(len(_list(schema, keyword)))]
        return []

    def parts(self) -> list[Places]:
        """Return the schemas for each kind of value alone; nothing where there is one kind only."""
        kinds = sorted(self.kinds)
        return [replace(self.places, kinds=frozenset({kind})) for kind in kinds] if len(kinds) > 1 else []

    # -- bounds

    def least(self) -> tuple[float, bool]:
        """Return the lowest number and whether it is excluded."""
        return max(self._bounds("minimum", "exclusiveMinimum", ceil), default=(float("-inf"), False))

    def most(self) -> tuple[float, bool]:
        """Return the highest number and whether it is excluded."""
        bounds = ((-value, out) for value, out in self._bounds("maximum", "exclusiveMaximum", floor))
        value, excluded = max(bounds, default=(float("-inf"), False))
        return -value, excluded

    def _bounds(self, keyword: str, exclusive: str, rounded: object) -> Iterator[tuple[float, bool]]:
        whole = not self.kinds & {FRACTION}
        step = 1 if rounded is ceil else -1
        for name in (keyword, exclusive):
            for _, schema in self.having(name):
                value, out = number(schema, name), name == exclusive
                if not whole:
                    yield value, out
                elif out:
                    yield (floor(value) + 1 if step > 0 else ceil(value) - 1), False
                else:
                    yield (ceil(value) if step > 0 else floor(value)), False

    def low(self, keyword: str) -> float:
        """Return the largest value of `minLength`, `minItems`, `minProperties`; 0 without it."""
        return max((number(schema, keyword) for _, schema in self.having(keyword)), default=0)

    def high(self, keyword: str) -> float:
        """Return the smallest value of `maxLength`, `maxItems`, `maxProperties`; infinite without it."""
        return min((number(schema, keyword) for _, schema in self.having(keyword)), default=float("inf"))

    # -- inside

    @cached_property
    def required(self) -> frozenset[str]:
        """The keys that an object must have."""
        return frozenset(str(key) for _, schema in self.schemas for key in _list(schema, "required"))

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The keys that have a schema of their own."""
        return tuple(dict.fromkeys(key for _, schema in self.schemas for key in _map(schema, "properties")))

    def is_closed(self) -> bool:
        """Tell whether an object has no keys but those that are named."""
        return any(
            not _map(schema, "patternProperties") and self.found.resolved(at(place, rest)) is False
            for place, schema in self.schemas
            if (rest := rest_of_object(schema))
        )

    def at_key(self, key: str) -> Places:
        """Return what holds for the value of a key."""
        targets = set()
        for place, schema in self.schemas:
            if key in _map(schema, "properties"):
                targets.add(at(place, "properties", key))
            elif not _map(schema, "patternProperties") and (rest := rest_of_object(schema)):
                targets.add(at(place, rest))
        return Places(frozenset(targets))

    def other_keys(self, known: frozenset[str] = frozenset()) -> list[list[Places]]:
        """Return for each schema what may hold for values of keys that are not named: one of several alternatives.

        A key that matches one of the `known` patterns is left out.
        """
        simple, made = set(), []
        for place, schema in self.schemas:
            rest, patterns = rest_of_object(schema), _map(schema, "patternProperties")
            if rest and not patterns:
                simple.add(at(place, rest))
            elif rest:
                others = [at(place, "patternProperties", one) for one in patterns if one not in known]
                made.append([Places(frozenset({one})) for one in (*others, at(place, rest))])
        return [[Places(frozenset(simple))], *made]

    def at_index(self, index: int | None) -> Places:
        """Return what holds for an item; without an index, for those behind all that have a schema of their own."""
        targets = set()
        for place, schema in self.schemas:
            before = len(_list(schema, "prefixItems"))
            if index is not None and index < before:
                targets.add(at(place, "prefixItems", str(index)))
            elif rest := rest_of_array(schema):
                targets.add(at(place, rest))
        return Places(frozenset(targets))

    def prefix(self) -> int:
        """Return how many items have a schema of their own."""
        return max((len(_list(schema, "prefixItems")) for _, schema in self.schemas), default=0)

    def most_items(self) -> float:
        """Return how many items there may be."""
        ends = (
            len(_list(schema, "prefixItems")) for place, schema in self.schemas
            if (rest := rest_of_array(schema)) and self.found.resolved(at(place, rest)) is False
        )  # fmt: skip
        return min(self.high("maxItems"), *ends, float("inf"))


def rest_of_object(schema: Schema) -> str:
    """Return the keyword that says what the keys are that no other keyword names; nothing where none does."""
    return _rest(schema, "additionalProperties", "unevaluatedProperties")


def rest_of_array(schema: Schema) -> str:
    """Return the keyword that says what the items behind `prefixItems` are; nothing where none does."""
    return _rest(schema, "items", "unevaluatedItems")


def _rest(schema: Schema, plain: str, unevaluated: str) -> str:
    if plain in schema:
        return plain
    return unevaluated if unevaluated in schema and not schema.keys() & _IN_PLACE else ""


def number(schema: Schema, keyword: str) -> float:
    """Return a number of a schema, exactly: a whole one as an integer."""
    value = schema[keyword]
    return value if isinstance(value, int | float) else 0


def _values(schema: Schema) -> dict[str, object]:
    lists = [_list(schema, "enum")] if "enum" in schema else []
    lists += [[schema["const"]]] if "const" in schema else []
    keyed = [{canonical(one): one for one in values} for values in lists]
    return {key: one for key, one in keyed[0].items() if all(key in other for other in keyed)}


def _list(schema: Schema, keyword: str) -> list[object]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _map(schema: Schema, keyword: str) -> dict[str, object]:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}
