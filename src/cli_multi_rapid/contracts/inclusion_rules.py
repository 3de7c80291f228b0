"""The rules of inclusion, one for each keyword: what must hold so that it refuses nothing that was allowed.

Each rule is given the comparison, the narrow schemas, and the place and content of the wide schema that has the
keyword; it yields a break for everything that nothing implies.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts.constraints import (
    FRACTION,
    NUMBERS,
    Places,
    View,
    at,
    kinds_of,
    number,
    rest_of_array,
    rest_of_object,
)
from cli_multi_rapid.contracts.loading import Target
from cli_multi_rapid.contracts.pattern_inclusion import matches, within
from cli_multi_rapid.contracts.sameness import canonical
from cli_multi_rapid.contracts.schema_tree import Schema

if TYPE_CHECKING:
    from cli_multi_rapid.contracts.inclusion import Break, Inclusion

Rule = Callable[["Inclusion", View, Target, Schema], Iterable["Break"]]


def _type(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    more = view.kinds - kinds_of(schema)
    if FRACTION in more and more & NUMBERS == {FRACTION}:
        more = (more - {FRACTION}) | {"number that is not whole"}
    for kind in sorted(more):
        yield judge.broken(view.places, wide, f"{_article(kind)} is not allowed here", keyword="type")


def _values(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    keyword = "const" if "const" in schema else "enum"
    for name in ("const", "enum"):
        if name not in schema:
            continue
        given = schema[name]
        allowed = (
            {canonical(one) for one in given} if name == "enum" and isinstance(given, list) else {canonical(given)}
        )
        if view.values is None:
            yield judge.broken(view.places, wide, "only listed values are allowed here", keyword=keyword)
            continue
        for value in view.values:
            if canonical(value) not in allowed:
                yield judge.broken(view.places, wide, f"{canonical(value)[:80]} is not allowed here", keyword=name)


def _least(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    for keyword in ("minimum", "exclusiveMinimum"):
        if keyword in schema and not _within_bound(view, number(schema, keyword), keyword):
            yield judge.broken(view.places, wide, f"`{keyword}` is higher here", keyword=keyword)


def _most(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    for keyword in ("maximum", "exclusiveMaximum"):
        if keyword in schema and not _within_bound(view, number(schema, keyword), keyword):
            yield judge.broken(view.places, wide, f"`{keyword}` is lower here", keyword=keyword)


def _within_bound(view: View, bound: float, keyword: str) -> bool:
    lower, open_end = keyword in ("minimum", "exclusiveMinimum"), keyword.startswith("exclusive")
    if view.values is not None:
        ends = [(one, False) for one in view.values if isinstance(one, int | float) and not isinstance(one, bool)]
    else:
        ends = [view.least() if lower else view.most()]
    return all(
        (end > bound if lower else end < bound) or (end == bound and (excluded or not open_end))
        for end, excluded in ends
    )


def _multiple(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    step = number(schema, "multipleOf")
    mine = [number(one, "multipleOf") for _, one in view.having("multipleOf")]
    whole = isinstance(step, int)
    if step in mine or (whole and any(isinstance(one, int) and one % step == 0 for one in mine)):
        return
    if step == 1 and FRACTION not in view.kinds:
        return
    if whole and view.values is not None and all(isinstance(one, int) and one % step == 0 for one in view.values):
        return
    yield judge.broken(view.places, wide, f"only multiples of {step} are allowed here", keyword="multipleOf")


def _size(keyword: str, kind: type, more: Callable[[View], float]) -> Rule:
    """Make the rule of a keyword that limits a length or a number; `more` is what other keywords say of it."""

    def rule(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
        bound, lower = number(schema, keyword), keyword.startswith("min")
        if view.values is not None:
            sizes = [len(one) for one in view.values if isinstance(one, kind)]  # type: ignore[arg-type]
            kept = all(size >= bound if lower else size <= bound for size in sizes)
        elif lower:
            kept = max(view.low(keyword), more(view)) >= bound
        else:
            kept = min(view.high(keyword), more(view)) <= bound
        if not kept:
            word = "higher" if lower else "lower"
            yield judge.broken(view.places, wide, f"`{keyword}` is {word} here", keyword=keyword)

    return rule


def _keys_at_most(view: View) -> float:
    return len(view.named) if view.is_closed() else float("inf")


def _pattern(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    wanted = str(schema["pattern"])
    if view.values is not None:
        kept = all(matches(one, wanted) for one in view.values if isinstance(one, str))
    else:
        kept = any(within(str(one["pattern"]), wanted) for _, one in view.having("pattern"))
    if not kept:
        yield judge.broken(view.places, wide, "the pattern does not match all that was allowed", keyword="pattern")


def _format(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    if not view.has("format", schema["format"]):
        said = f"only text in the format {str(schema['format'])[:40]} is allowed here"
        yield judge.broken(view.places, wide, said, keyword="format")


def _unique(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    if schema["uniqueItems"] and not view.has("uniqueItems", True) and view.most_items() > 1:
        yield judge.broken(view.places, wide, "no item may stand here twice", keyword="uniqueItems")


# -- arrays


def _prefix(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["prefixItems"]
    assert isinstance(given, list)
    for index in range(int(min(len(given), view.most_items()))):
        yield from judge.included(view.at_index(index), at(wide, "prefixItems", str(index)))


def _items(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    keyword = rest_of_array(schema)
    given = schema.get("prefixItems")
    first = len(given) if isinstance(given, list) else 0
    end = view.most_items()
    for index in range(first, int(min(view.prefix(), end))):
        yield from judge.included(view.at_index(index), at(wide, keyword))
    if end > max(first, view.prefix()):
        yield from judge.included(view.at_index(None), at(wide, keyword))


def _contains(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    if judge.same(view, wide, ("contains", "minContains", "maxContains")):
        return
    least = number(schema, "minContains") if "minContains" in schema else 1
    if "maxContains" not in schema:
        if least == 0:
            return
        for place, one in view.having("contains"):
            enough = (number(one, "minContains") if "minContains" in one else 1) >= least
            if enough and not judge.included(Places(frozenset({at(place, "contains")})), at(wide, "contains")):
                return
    yield judge.broken(view.places, wide, "what the array contains is limited in another way", keyword="contains")


# -- objects


def _required(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["required"]
    for key in given if isinstance(given, list) else ():
        if key not in view.required:
            yield judge.broken(view.places, wide, f"the key {str(key)[:80]!r} is required here", keyword="required")


def _properties(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["properties"]
    assert isinstance(given, dict)
    for key in given:
        yield from _whole_or_parts(judge, view, view.at_key(key), at(wide, "properties", key))


def _whole_or_parts(judge: "Inclusion", view: View, inner: Places, wide: Target) -> Iterable["Break"]:
    """Compare what stands inside; where nothing was said of it, the break names the schema around it."""
    found = judge.included(inner, wide)
    if found and not inner.targets:
        return (judge.broken(view.places, wide, "what was not limited before is limited here"),)
    return found


def _other_keys(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    keyword = rest_of_object(schema)
    rest = at(wide, keyword)
    named, patterns = schema.get("properties"), schema.get("patternProperties")
    known = frozenset(patterns) if isinstance(patterns, dict) else frozenset[str]()
    for key in view.named:
        if (not isinstance(named, dict) or key not in named) and judge.included(view.at_key(key), rest):
            said = f"the key {key[:80]!r} is not known here, or its value is limited"
            yield judge.broken(view.places, wide, said, keyword=keyword)
    if not _one_holds(judge, view.other_keys(known), rest):
        yield judge.broken(
            view.places, wide, "other keys are not allowed here, or their values limited", keyword=keyword
        )


def _one_holds(judge: "Inclusion", ways: list[list[Places]], wide: Target) -> bool:
    return any(not any(judge.included(one, wide) for one in alternatives) for alternatives in ways)


def _pattern_keys(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["patternProperties"]
    assert isinstance(given, dict)
    for pattern in given:
        inner = at(wide, "patternProperties", pattern)
        same = [place for place, one in view.having("patternProperties") if _has(one["patternProperties"], pattern)]
        own = [Places(frozenset({at(place, "patternProperties", pattern)})) for place in same]
        if any(not judge.included(one, inner) for one in own):
            continue
        named = [view.at_key(key) for key in view.named]
        if any(judge.included(one, inner) for one in named) or not _one_holds(judge, view.other_keys(), inner):
            said = f"values of keys that match {pattern[:80]!r} are limited here"
            yield judge.broken(view.places, wide, said, keyword="patternProperties")


def _has(value: object, key: str) -> bool:
    return isinstance(value, dict) and key in value


def _names(judge: "Inclusion", view: View, wide: Target, _schema: Schema) -> Iterable["Break"]:
    targets = frozenset(at(place, "propertyNames") for place, _ in view.having("propertyNames"))
    found = judge.included(Places(targets, kinds=frozenset({"string"})), at(wide, "propertyNames"))
    if found and not targets:
        return (judge.broken(view.places, wide, "the names of keys are limited here", keyword="propertyNames"),)
    return found


def _dependent_required(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["dependentRequired"]
    assert isinstance(given, dict)
    for key, wanted in given.items():
        if _is_absent(judge, view, key):
            continue
        known = set(view.required)
        for _, one in view.having("dependentRequired"):
            if isinstance(mine := one["dependentRequired"], dict) and isinstance(mine.get(key), list):
                known |= set(mine[key])
        if not set(wanted) <= known | {key}:
            said = f"the key {key[:80]!r} needs others here"
            yield judge.broken(view.places, wide, said, keyword="dependentRequired")


def _dependent_schemas(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    given = schema["dependentSchemas"]
    assert isinstance(given, dict)
    for key in given:
        inner = at(wide, "dependentSchemas", key)
        mine = frozenset(
            at(place, "dependentSchemas", key) for place, one in view.having("dependentSchemas")
            if _has(one["dependentSchemas"], key)
        )  # fmt: skip
        if not _is_absent(judge, view, key):
            narrow = Places(view.places.targets | mine, kinds=view.places.kinds, split=view.places.split)
            yield from judge.included(narrow, inner)


def _is_absent(judge: "Inclusion", view: View, key: str) -> bool:
    return not judge.view(view.at_key(key)).possible


# -- the same value


def _reference(judge: "Inclusion", view: View, wide: Target, _schema: Schema) -> Iterable["Break"]:
    return judge.included(view.places, judge.wide.references[wide])


def _all_of(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterator["Break"]:
    for index in _indexes(schema, "allOf"):
        yield from judge.included(view.places, at(wide, "allOf", index))


def _any_of(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterable["Break"]:
    if judge.same(view, wide, ("anyOf",)):
        return ()
    tried = [judge.included(view.places, at(wide, "anyOf", index)) for index in _indexes(schema, "anyOf")]
    return () if not all(tried) else _nearest(judge, view, wide, "anyOf")


def _one_of(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterable["Break"]:
    if judge.same(view, wide, ("oneOf",)):
        return ()
    branches = [at(wide, "oneOf", index) for index in _indexes(schema, "oneOf")]
    near = [one for one in branches if not judge.apart(view.places, Places(frozenset({one})))]
    fitting = [one for one in near if not judge.included(view.places, one)]
    if not fitting:
        return _nearest(judge, view, wide, "oneOf")
    if near == fitting[:1]:
        return ()
    return (judge.broken(view.places, wide, "more than one branch may hold here", keyword="oneOf"),)


def _nearest(judge: "Inclusion", view: View, wide: Target, keyword: str) -> Iterable["Break"]:
    """Return why the only branch that comes into question refuses; else that none is sure to hold."""
    schema = judge.wide.resolved(wide)
    assert isinstance(schema, dict)
    branches = [at(wide, keyword, index) for index in _indexes(schema, keyword)]
    near = [one for one in branches if not judge.apart(view.places, Places(frozenset({one})))]
    if len(near) == 1 and (found := judge.included(view.places, near[0])):
        return found
    return (judge.broken(view.places, wide, "no branch is sure to hold for all that was allowed", keyword=keyword),)


def _not(judge: "Inclusion", view: View, wide: Target, _schema: Schema) -> Iterator["Break"]:
    inner = at(wide, "not")
    if judge.same(view, wide, ("not",)) or judge.apart(view.places, Places(frozenset({inner}))):
        return
    for place, _ in view.having("not"):
        if not judge.reverse().included(Places(frozenset({inner})), at(place, "not")):
            return
    yield judge.broken(view.places, wide, "more is excluded here", keyword="not")


def _if(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterable["Break"]:
    if judge.same(view, wide, ("if", "then", "else")):
        return ()
    wanted = [one for one in ("then", "else") if one in schema]
    if not any(judge.included(view.places, at(wide, one)) for one in wanted):
        return ()
    return (judge.broken(view.places, wide, "the condition is new or has changed", keyword="if"),)


def _unevaluated(plain: str, rest: Callable[[Schema], str], rule: Rule) -> Rule:
    """Make the rule of an `unevaluated...` keyword, which is like a plain one where nothing else evaluates."""
    keyword = "unevaluatedProperties" if plain == "additionalProperties" else "unevaluatedItems"

    def judged(judge: "Inclusion", view: View, wide: Target, schema: Schema) -> Iterable["Break"]:
        if schema[keyword] is True or schema[keyword] == {} or plain in schema:
            return ()
        if rest(schema) == keyword:
            return rule(judge, view, wide, schema)
        said = "what other keywords leave over is limited here, which is compared with the same schema only"
        return (judge.broken(view.places, wide, said, keyword=keyword),)

    return judged


def _indexes(schema: Schema, keyword: str) -> list[str]:
    given = schema[keyword]
    return [str(index) for index in range(len(given))] if isinstance(given, list) else []


def _article(kind: str) -> str:
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


_STRING, _ARRAY, _OBJECT = frozenset({"string"}), frozenset({"array"}), frozenset({"object"})
_NOTHING, _ENDLESS = (lambda _: 0.0), (lambda _: float("inf"))

KINDS_OF: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"), NUMBERS),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), _STRING),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "unevaluatedItems", "contains"),
                    _ARRAY),
    **dict.fromkeys(("required", "properties", "additionalProperties", "patternProperties", "propertyNames",
                     "minProperties", "maxProperties", "dependentRequired", "dependentSchemas",
                     "unevaluatedProperties"), _OBJECT),
}  # fmt: skip
"""The kinds of values that a keyword can refuse, where these are not all."""

RULES: Mapping[str, Rule] = {
    "type": _type, "const": _values, "enum": _values,
    "minimum": _least, "exclusiveMinimum": _least, "maximum": _most, "exclusiveMaximum": _most, "multipleOf": _multiple,
    "minLength": _size("minLength", str, _NOTHING), "maxLength": _size("maxLength", str, _ENDLESS),
    "pattern": _pattern, "format": _format,
    "minItems": _size("minItems", list, _NOTHING), "maxItems": _size("maxItems", list, View.most_items),
    "uniqueItems": _unique, "prefixItems": _prefix, "items": _items, "contains": _contains,
    "unevaluatedItems": _unevaluated("items", rest_of_array, _items),
    "minProperties": _size("minProperties", dict, lambda view: len(view.required)),
    "maxProperties": _size("maxProperties", dict, _keys_at_most),
    "required": _required, "properties": _properties, "additionalProperties": _other_keys,
    "unevaluatedProperties": _unevaluated("additionalProperties", rest_of_object, _other_keys),
    "patternProperties": _pattern_keys, "propertyNames": _names,
    "dependentRequired": _dependent_required, "dependentSchemas": _dependent_schemas,
    "$ref": _reference, "allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of, "not": _not, "if": _if,
}  # fmt: skip
