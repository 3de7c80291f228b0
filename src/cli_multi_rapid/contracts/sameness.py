"""Whether two schemas say the same, apart from annotations, the order of keys and the names of definitions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli_multi_rapid.contracts.loading import ContractSet, Target
from cli_multi_rapid.contracts.schema_tree import HOLDERS, Schema, children, escaped

ANNOTATIONS = frozenset({
    "title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly", "$defs",
    "definitions", "$id", "$schema", "$anchor", "$dynamicAnchor",
})  # fmt: skip
"""Keywords that no document is judged by."""

_UNORDERED = frozenset({"required", "enum", "type"})


@dataclass(slots=True)
class Sameness:
    """Compares places of an old set of contracts with places of a new one, and remembers what it has found."""

    old: ContractSet
    new: ContractSet
    _same: set[tuple[Target, Target]] = field(default_factory=set)
    _differ: set[tuple[Target, Target]] = field(default_factory=set)

    def holds(self, old: Target, new: Target) -> bool:
        """Tell whether the schemas at two places say the same."""
        return self.difference(old, new) is None

    def difference(self, old: Target, new: Target) -> Target | None:
        """Return the first place of the new schema that says something else than the old one; None where none does.

        A keyword that is gone is named at the place where it stood.
        """
        if (old, new) in self._differ:
            return new
        seen: set[tuple[Target, Target]] = set()
        todo = [(old, new)]
        while todo:
            pair = todo.pop()
            if pair in seen or pair in self._same:
                continue
            seen.add(pair)
            after = self._step(*pair)
            if isinstance(after, Target):
                self._differ |= {pair, (old, new)}
                return after
            todo += reversed(after)
        self._same |= seen  # each of them differs only if another one of them does
        return None

    def _step(self, old: Target, new: Target) -> list[tuple[Target, Target]] | Target:
        """Return the pairs of places that must say the same for these two to do so; the place where they do not."""
        old, new = followed(self.old, old), followed(self.new, new)
        if (old, new) in self._differ:
            return new
        before, now = self.old.resolved(old), self.new.resolved(new)
        if self.old.draft(old.path) != self.new.draft(new.path):
            return new
        if not isinstance(before, dict) or not isinstance(now, dict):
            return [] if before is now else new
        if keyword := _data_difference(before, now):
            return _below(new, f"/{escaped(keyword)}")
        inner, others = dict(_inner(before)), dict(_inner(now))
        if odd := next((one for one in {**others, **inner} if one not in inner or one not in others), None):
            return _below(new, odd)
        after = [(_below(old, one), _below(new, one)) for one in inner]
        if "$ref" in now:
            after.append((self.old.references[old], self.new.references[new]))
        return after


def fingerprint(found: ContractSet, start: Target) -> dict[str, str]:
    """Return the text of every document that a place is made of, by path, so that the same texts are the same."""
    texts: dict[str, str] = {}
    todo = [start.path]
    while todo:
        path = todo.pop()
        if path in texts:
            continue
        texts[path] = json.dumps(found.documents[path], sort_keys=True)
        todo += [target.path for source, target in found.references.items() if source.path == path]
    return texts


def canonical(value: object) -> str:
    """Return a text that is the same for equal values of JSON: 1.0 is 1, true is not, the order of keys is ignored."""
    return json.dumps(_plain(value), sort_keys=True)


def _below(place: Target, pointer: str) -> Target:
    return Target(place.path, place.fragment + pointer)


def followed(found: ContractSet, place: Target) -> Target:
    """Return what references that stand alone, apart from annotations, lead to in the end."""
    seen = set()
    while place not in seen:
        seen.add(place)
        schema = found.resolved(place)
        if not isinstance(schema, dict) or "$ref" not in schema or schema.keys() - ANNOTATIONS - {"$ref"}:
            break
        place = found.references[place]
    return place


def is_opaque(keyword: str, value: object) -> bool:
    """Tell whether a keyword may refer to something that is not known here."""
    return keyword == "$dynamicRef" or (keyword == "dependencies" and '"$ref"' in json.dumps(value))


def _data_difference(old: Schema, new: Schema) -> str:
    """Return the first keyword that only one has, or whose data differ; inner schemas are not compared."""
    for keyword in {**new, **old}:
        if keyword in ANNOTATIONS:
            continue
        if keyword not in old or keyword not in new or is_opaque(keyword, new[keyword]):
            return keyword
        before, now = old[keyword], new[keyword]
        if isinstance(now, str) and before == now:
            continue
        if keyword == "$ref" or (keyword in HOLDERS and keyword != "dependencies"):
            continue
        if _normal(keyword, before) != _normal(keyword, now):
            return keyword
    return ""


def _inner(schema: Schema) -> Iterator[tuple[str, object]]:
    for below, inner, _ in children(schema):
        if not below.startswith(("/$defs/", "/definitions/", "/dependencies/")):
            yield below, inner


def _normal(keyword: str, value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if keyword in _UNORDERED:
        return sorted(canonical(one) for one in (value if isinstance(value, list) else [value]))
    if keyword == "dependentRequired" and isinstance(value, dict):
        return {key: sorted(map(str, needed)) for key, needed in value.items()}
    return canonical(value)


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
