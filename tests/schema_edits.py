"""Random schemas of every keyword that the rules know, and random changes of them."""

import copy

from cli_multi_rapid.contracts.schema_tree import at_pointer, children, schemas

KEYS = ["a", "b", "ab", "x1", "no"]
PATTERNS = ["^[ab]+$", "^[ab]{1,3}$", "a", "^a", "b$", "^(a|b)c?$", "^[0-9]{2}$", "^x"]


def scalar(rng):
    return rng.choice(["a", "b", "ab", "abc", 0, 1, 2, 3, 7, 1.0, 0.5, True, False, None, [1], {"a": 1}])


def number(rng):
    return rng.choice([-1, 0, 1, 2, 3, 5, 7, 10, 0.5, 2.5, 1.0, 2**53, 2**53 + 1, 2**63 - 1, 0.1])


def schema(rng, depth=0):
    """Make a schema; deeper ones are plainer."""
    if rng.random() < 0.06:
        return rng.choice([True, True, {}, False])
    makers = [plain_number, plain_number, text, text, listed, kinds]
    if depth < 3:
        makers += [array, obj, obj, obj, union, union, combined]
    return rng.choice(makers)(rng, depth)


def plain_number(rng, depth):
    made = {"type": rng.choice(["integer", "number"])}
    for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if rng.random() < 0.35:
            made[keyword] = number(rng)
    if rng.random() < 0.15:
        made["multipleOf"] = rng.choice([1, 2, 3, 4, 6, 0.5, 0.1, 2.0])
    return made


def text(rng, depth):
    made = {"type": "string"}
    if rng.random() < 0.4:
        made["minLength"] = rng.randrange(4)
    if rng.random() < 0.4:
        made["maxLength"] = rng.randrange(5)
    if rng.random() < 0.3:
        made["pattern"] = rng.choice(PATTERNS)
    if rng.random() < 0.15:
        made["format"] = rng.choice(["date", "date-time", "uuid"])
    return made


def listed(rng, depth):
    return (
        {"const": scalar(rng)}
        if rng.random() < 0.4
        else {"enum": unlike(scalar(rng) for _ in range(rng.randrange(1, 5)))}
    )


def unlike(values):
    made = []
    for value in values:
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in made):
            made.append(value)
    return made


def kinds(rng, depth):
    names = ["null", "boolean", "string", "integer", "number", "object", "array"]
    return {"type": sorted(rng.sample(names, rng.randrange(1, 4)))}


def array(rng, depth):
    made = {"type": "array"} if rng.random() < 0.8 else {}
    if rng.random() < 0.8:
        made["items"] = schema(rng, depth + 1)
    if rng.random() < 0.2:
        made["prefixItems"] = [schema(rng, depth + 1) for _ in range(rng.randrange(1, 3))]
    for keyword in ("minItems", "maxItems"):
        if rng.random() < 0.3:
            made[keyword] = rng.randrange(4)
    if rng.random() < 0.15:
        made["uniqueItems"] = rng.choice([True, False])
    if rng.random() < 0.15:
        made["contains"] = schema(rng, depth + 1)
        for keyword in ("minContains", "maxContains"):
            if rng.random() < 0.3:
                made[keyword] = rng.randrange(3)
    if rng.random() < 0.05:
        made["unevaluatedItems"] = False
    return made


def obj(rng, depth):  # noqa: C901  one condition for each keyword
    made = {"type": "object"} if rng.random() < 0.85 else {}
    keys = rng.sample(KEYS, rng.randrange(0, 4))
    if keys:
        made["properties"] = {key: schema(rng, depth + 1) for key in keys}
    if rng.random() < 0.5:
        made["required"] = rng.sample(keys or KEYS, rng.randrange(0, len(keys or KEYS)))
    if rng.random() < 0.55:
        made["additionalProperties"] = rng.choice([False, False, True, schema(rng, depth + 1)])
    if rng.random() < 0.1:
        made["patternProperties"] = {rng.choice(PATTERNS): schema(rng, depth + 1)}
    if rng.random() < 0.08:
        made["propertyNames"] = rng.choice([{"maxLength": 1}, {"pattern": "^[ab]+$"}, {"enum": ["a", "b"]}])
    for keyword in ("minProperties", "maxProperties"):
        if rng.random() < 0.1:
            made[keyword] = rng.randrange(4)
    if rng.random() < 0.1:
        made["dependentRequired"] = {rng.choice(KEYS): rng.sample(KEYS, 1)}
    if rng.random() < 0.08:
        made["dependentSchemas"] = {rng.choice(KEYS): schema(rng, depth + 1)}
    if rng.random() < 0.06:
        made["unevaluatedProperties"] = rng.choice([False, schema(rng, depth + 1)])
    return made


def union(rng, depth):
    keyword = rng.choice(["anyOf", "oneOf"])
    if rng.random() < 0.5:
        names = rng.sample(KEYS, rng.randrange(1, 4))
        branches = [
            {"type": "object", "required": ["t"], "properties": {"t": {"const": name}, name: schema(rng, depth + 1)},
             "additionalProperties": rng.choice([True, False])}
            for name in names
        ]  # fmt: skip
    else:
        branches = [schema(rng, depth + 1) for _ in range(rng.randrange(1, 4))]
    return {keyword: branches}


def combined(rng, depth):
    made = schema(rng, depth + 1)
    made = dict(made) if isinstance(made, dict) else {}
    way = rng.randrange(5)
    if way == 0:
        made["allOf"] = [schema(rng, depth + 1) for _ in range(rng.randrange(1, 3))]
    elif way == 1:
        made["not"] = schema(rng, depth + 1)
    elif way == 2:
        made |= {"if": schema(rng, depth + 1), "then": schema(rng, depth + 1)}
        if rng.random() < 0.5:
            made["else"] = schema(rng, depth + 1)
    elif way == 3:
        made |= union(rng, depth)
    else:
        made["$ref"] = rng.choice(["#/$defs/p", "#/$defs/q"])
    return made


def document(rng):
    """Make the schema of a contract, with definitions; one of them is recursive."""
    made = rng.choice([obj, obj, obj, array, union, combined])(rng, 0)
    if rng.random() < 0.5 and isinstance(made.get("properties"), dict):
        made["properties"][rng.choice(KEYS)] = {"$ref": rng.choice(["#/$defs/p", "#/$defs/q"])}
    tree = {"type": "object", "properties": {"n": {"$ref": "#/$defs/q"}, "v": schema(rng, 2)},
            "additionalProperties": rng.choice([True, False])}  # fmt: skip
    return {**made, "$defs": {"p": inner(rng), "q": tree}}


def inner(rng):
    return rng.choice([plain_number, text, listed, kinds])(rng, 3)


def changed(rng, before):
    """Return a schema with one to three changes."""
    made = copy.deepcopy(before)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = str(made)
        places = [
            pointer for pointer, _ in schemas(made)
            if not pointer.startswith("/$defs/") or f"#{pointer[:8]}" in text
        ]  # fmt: skip
        change(rng, at_pointer(made, rng.choice(places)))
    return made


def change(rng, one):
    way = rng.random()
    keywords = [key for key in one if key != "$defs"]
    if way < 0.2 and keywords:
        one.pop(rng.choice(keywords))
    elif way < 0.5 and keywords:
        vary(rng, one, rng.choice(keywords))
    elif way < 0.75:
        extra = rng.choice([plain_number, text, array, obj, listed, union, combined, kinds])(rng, 2)
        if extra:
            keyword = rng.choice(sorted(extra))
            one[keyword] = extra[keyword]
    elif way < 0.9:
        inner_places = [
            below for below, value, _ in children(one) if isinstance(value, dict) and "/$defs/" not in below
        ]
        if inner_places:
            place = at_pointer(one, rng.choice(inner_places))
            fresh = schema(rng, 2)
            place.clear()
            place.update(fresh if isinstance(fresh, dict) else {})
    else:
        kept = {key: one.pop(key) for key in keywords}
        one[rng.choice(["allOf", "anyOf", "oneOf"])] = [kept]


def vary(rng, one, keyword):  # noqa: C901  one branch for each kind of value
    value = one[keyword]
    if isinstance(value, bool):
        one[keyword] = not value
    elif isinstance(value, int | float):
        one[keyword] = max(0.5 if keyword == "multipleOf" else value - 1, value + rng.choice([-1, 1, 1]))
        if keyword[:3] in ("min", "max") and keyword not in ("minimum", "maximum"):
            one[keyword] = max(0, int(value) + rng.choice([-1, 1]))
    elif keyword == "pattern":
        one[keyword] = rng.choice(PATTERNS)
    elif keyword == "type":
        one[keyword] = rng.choice(
            ["number", "string", "object", ["null", *(value if isinstance(value, list) else [value])]]
        )
        if isinstance(one[keyword], list):
            one[keyword] = sorted(set(one[keyword]))
    elif keyword == "enum":
        one[keyword] = unlike([*value[rng.randrange(2) :], scalar(rng)])
    elif keyword == "required":
        one[keyword] = sorted({*value[rng.randrange(2) :], *rng.sample(KEYS, rng.randrange(2))})
    elif isinstance(value, list) and keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if rng.random() < 0.5:
            value.insert(rng.randrange(len(value) + 1), schema(rng, 2))
        elif len(value) > 1:
            value.pop(rng.randrange(len(value)))
        else:
            value.reverse()
    elif keyword == "properties":
        value[rng.choice(KEYS)] = schema(rng, 2)
