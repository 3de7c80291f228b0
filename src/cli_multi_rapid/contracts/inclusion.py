"""Whether every document that is valid for one schema is valid for another: rules, which never say yes by mistake.

A schema is a number of keywords that must all hold. For each keyword of the wide schema a rule looks for what the
narrow one says about the same: a keyword that no rule knows, or that nothing implies, is a break. So the answer may be
too strict, never too lax.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cli_multi_rapid.contracts import inclusion_rules as rules
from cli_multi_rapid.contracts.constraints import NUMBERS, Places, View, at, kind_of
from cli_multi_rapid.contracts.loading import DRAFT, ContractSet, Target
from cli_multi_rapid.contracts.sameness import ANNOTATIONS, Sameness, canonical, followed, is_opaque
from cli_multi_rapid.contracts.schema_tree import Schema, schemas

MAX_DEPTH = 110
MAX_STEPS = 50_000
MAX_BREAKS = 20
_UNIONS = frozenset({"anyOf", "oneOf"})
_NO_RULE = frozenset({"then", "else", "minContains", "maxContains"})  # judged with `if` and `contains`


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Why documents of the narrow schema may be refused by the wide one: where in each, and the reason."""

    narrow: str
    wide: str
    reason: str


Found = tuple[Break, ...]


@dataclass(slots=True)
class _Effort:
    """How much was compared so far, and how deep it is inside."""

    steps: int = 0
    depth: int = 0

    def is_spent(self) -> bool:
        """Count a step, and tell whether there were too many."""
        self.steps += 1
        return self.steps > MAX_STEPS


class Inclusion:
    """Compares places of a narrow set of contracts with places of a wide one. Both must have been compiled before."""

    def __init__(self, narrow: ContractSet, wide: ContractSet, *, effort: "_Effort | None" = None) -> None:
        self.narrow = narrow
        self.wide = wide
        self._effort = effort or _Effort()
        self.sameness = Sameness(narrow, wide)
        self._known: dict[tuple[Places, Target], Found] = {}
        self._assumed = 0
        self._open: set[tuple[Places, Target]] = set()
        self._same_keywords: dict[tuple[Target, Target, str], bool] = {}
        self._views: dict[Places, View] = {}
        self._wide_views: dict[Places, View] = {}

    def breaks(self, narrow: Target, wide: Target) -> Found:
        """Return why not every document that is valid at a narrow place is valid at a wide one; nothing where it is."""
        if self.sameness.holds(narrow, wide):
            return ()
        found = [*self.included(Places(frozenset({narrow})), wide), *self._unknown(narrow, wide)]
        return _few(found)

    def included(self, narrow: Places, wide: Target) -> Found:
        """Return why a value that is valid for all the narrow schemas may be refused at a wide place."""
        wide = followed(self.wide, wide)
        key = (narrow, wide)
        if key in self._known:
            return self._known[key]
        if key in self._open:  # documents have an end, so what holds for what is inside holds for the whole
            self._assumed += 1
            return ()
        if self._effort.is_spent() or self._effort.depth > MAX_DEPTH:
            return (self.broken(narrow, wide, "this is too deep or too large to be compared"),)
        before = self._assumed
        self._open.add(key)
        self._effort.depth += 1
        found = self._judged(self.view(narrow), wide)
        self._effort.depth -= 1
        self._open.remove(key)
        if found or before == self._assumed:  # a yes that leans on an assumption is not remembered
            self._known[key] = found
        return found

    def view(self, narrow: Places) -> View:
        """Return the narrow schemas, read together."""
        if narrow not in self._views:
            self._views[narrow] = View(self.narrow, narrow)
        return self._views[narrow]

    def broken(self, narrow: Places, wide: Target, reason: str, *, keyword: str = "") -> Break:
        """Return a break, at a keyword or at the schema as a whole."""
        view = self.view(narrow)
        holder = next((place for place, _ in view.having(keyword)), None)
        places = sorted(narrow.targets, key=str)
        here = at(holder, keyword) if holder else places[0] if places else None
        return Break(narrow=str(here or ""), wide=str(at(wide, keyword) if keyword else wide), reason=reason)

    def same(self, view: View, wide: Target, keywords: Iterable[str]) -> bool:
        """Tell whether one of the narrow schemas says the same in some keywords as the wide one, which has them."""
        schema = self.wide.resolved(wide)
        assert isinstance(schema, dict)
        for place, one in view.schemas:
            if all(self._same_keyword(place, one, wide, schema, keyword) for keyword in keywords):
                return True
        return False

    def apart(self, narrow: Places, wide: Places) -> bool:
        """Tell whether it is certain that no value is valid for both."""
        if wide not in self._wide_views:
            self._wide_views[wide] = View(self.wide, wide)
        return self._apart(self.view(narrow), self._wide_views[wide], depth=2)

    def reverse(self) -> "Inclusion":
        """Return the comparison the other way round."""
        return Inclusion(self.wide, self.narrow, effort=self._effort)

    # -- inside

    def _judged(self, view: View, wide: Target) -> Found:
        if not view.possible or any(self.sameness.holds(one, wide) for one in view.targets):
            return ()
        schema = self.wide.resolved(wide)
        if self.wide.draft(wide.path) != DRAFT:
            return (self.broken(view.places, wide, "this has changed, and is of a draft that is not compared"),)
        if not isinstance(schema, dict):
            return (self.broken(view.places, wide, "nothing is allowed here"),) if schema is False else ()
        unions = [one for one in schema.keys() & _UNIONS if not self.same(view, wide, (one,))]
        if unions and (parts := view.union() or view.parts()):
            return self._all(parts, wide)
        found = _few(one for keyword in schema for one in self._keyword(view, wide, schema, keyword))
        if found and (parts := view.union()):
            return self._all(parts, wide)
        return found

    def _all(self, parts: list[Places], wide: Target) -> Found:
        found: list[Break] = []
        for part in parts:
            found += self.included(part, wide)
            if len(found) > MAX_BREAKS:
                break
        return _few(found)

    def _keyword(self, view: View, wide: Target, schema: Schema, keyword: str) -> Iterable[Break]:
        if keyword in ANNOTATIONS or keyword in _NO_RULE:
            return ()
        if keyword in rules.KINDS_OF and not view.kinds & rules.KINDS_OF[keyword]:
            return ()
        rule = rules.RULES.get(keyword)
        if rule is not None:
            return rule(self, view, wide, schema)
        if not is_opaque(keyword, schema[keyword]) and view.has(keyword, schema[keyword]):
            return ()
        said = f"`{keyword[:80]}` is new or has changed, and what that means is not known here"
        return (self.broken(view.places, wide, said, keyword=keyword),)

    def _same_keyword(self, place: Target, one: Schema, wide: Target, schema: Schema, keyword: str) -> bool:
        if (keyword in one) != (keyword in schema):
            return False
        key = (place, wide, keyword)
        if key not in self._same_keywords:
            self._same_keywords[key] = self._compared(place, one, wide, schema, keyword)
        return self._same_keywords[key]

    def _compared(self, place: Target, one: Schema, wide: Target, schema: Schema, keyword: str) -> bool:
        mine, other = one.get(keyword), schema.get(keyword)
        if isinstance(mine, list) and isinstance(other, list):
            return len(mine) == len(other) and all(
                self.sameness.holds(at(place, keyword, str(index)), at(wide, keyword, str(index)))
                for index in range(len(mine))
            )
        if isinstance(mine, bool | dict):
            return self.sameness.holds(at(place, keyword), at(wide, keyword))
        return canonical(mine) == canonical(other)

    def _unknown(self, narrow: Target, wide: Target) -> list[Break]:
        """Return the keywords that no rule knows and that are gone."""
        kept = {(keyword, text) for _, keyword, text in _unknown_keywords(self.wide, wide)}
        return [
            Break(narrow=str(place), wide=str(wide), reason="this keyword is gone, and what that means is not known")
            for place, keyword, text in _unknown_keywords(self.narrow, narrow)
            if (keyword, text) not in kept
        ]

    def _apart(self, one: View, other: View, *, depth: int) -> bool:
        if not one.possible or not other.possible:
            return True
        if self._effort.is_spent():
            return False
        kinds = one.kinds & other.kinds
        if not kinds or _no_value(one, other) or _no_value(other, one):
            return True
        if kinds <= NUMBERS:
            return one.least()[0] > other.most()[0] or other.least()[0] > one.most()[0]
        return kinds == {"object"} and depth > 0 and self._objects_apart(one, other, depth=depth)

    def _objects_apart(self, one: View, other: View, *, depth: int) -> bool:
        for mine, theirs in ((one, other), (other, one)):
            if theirs.is_closed() and mine.required - set(theirs.named):
                return True
        return any(
            self._apart(View(one.found, one.at_key(key)), View(other.found, other.at_key(key)), depth=depth - 1)
            for key in sorted(one.required | other.required)
        )


def _unknown_keywords(found: ContractSet, start: Target) -> list[tuple[Target, str, str]]:
    """Return the keywords that no rule knows in all documents that a place leads to, with their values as text."""
    paths, todo, made = set(), [start.path], []
    links: dict[str, set[str]] = {}
    for source, target in found.references.items():
        links.setdefault(source.path, set()).add(target.path)
    while todo:
        path = todo.pop()
        if path in paths:
            continue
        paths.add(path)
        todo += links.get(path, ())
        for pointer, schema in schemas(found.documents[path]):
            made += [
                (Target(path, f"{pointer}/{keyword}"), keyword, canonical(schema[keyword]))
                for keyword in sorted(schema.keys() - _KNOWN)
            ]
    return made


def _few(found: Iterable[Break]) -> Found:
    return tuple(dict.fromkeys(found))[:MAX_BREAKS]


def _no_value(one: View, other: View) -> bool:
    if one.values is None:
        return False
    known = None if other.values is None else {canonical(value) for value in other.values}
    return not any(kind_of(v) in other.kinds and (known is None or canonical(v) in known) for v in one.values)


_KNOWN = ANNOTATIONS | _NO_RULE | rules.RULES.keys()
