"""Documents that may be valid for a schema, guessed from what it says: also from keywords that no generator knows."""

from cli_multi_rapid.contracts.loading import Target
from cli_multi_rapid.contracts.patterns import PatternRefused, automaton
from cli_multi_rapid.contracts.schema_tree import schemas

FORMATS = {
    "date-time": ["2026-11-22T09:00:00Z", "2026-11-22T09:00:00.123+01:00"], "date": ["2026-11-22"],
    "time": ["09:00:00Z"], "uuid": ["a3bb189e-8bf9-3888-9912-ace4e6543002"], "email": ["a@b.example"],
    "uri": ["urn:x"], "ipv4": ["127.0.0.1"],
}  # fmt: skip
KEYS = ["a", "b", "ab", "x", "x1", "zz", "zzzz"]
PLAIN = [None, True, False, 0, 1, -1, 2, 3, 0.5, 1.0, "", "a", "b", "ab", "abc", "7", "42", [], [1], ["a"], [1, 1], {}]


class Guesses:
    """Guesses values for places of one set, with constants of other sets mixed in."""

    def __init__(self, rng, found, *others):
        self.rng, self.found = rng, found
        self.pool, self.keys, self.lengths = [*PLAIN], [*KEYS], [0, 1, 2]
        for one in (found, *others):
            for document in one.documents.values():
                for _, schema in schemas(document):
                    self.learn(schema)

    def learn(self, schema):
        for keyword, value in schema.items():
            if keyword in ("enum", "const", "examples"):
                self.pool += value if isinstance(value, list) and keyword != "const" else [value]
            elif isinstance(value, int | float) and not isinstance(value, bool):
                self.pool += [value, value + 1, value - 1, value + 0.5, value * 2, value * 3]
                if keyword.endswith(("Length", "Items", "Properties", "Contains")):
                    self.lengths += [max(0, int(value) + step) for step in (-1, 0, 1)]
            elif keyword in ("properties", "dependentRequired", "dependentSchemas") and isinstance(value, dict):
                self.keys += value
            elif keyword == "format":
                self.pool += FORMATS.get(value, [])
            elif keyword == "pattern":
                self.pool.append(self.matching(value))

    def matching(self, pattern):
        try:
            judge = automaton(pattern)
        except PatternRefused:
            return "a"
        state, text = 0, ""
        while (state not in judge.accepting or self.rng.random() < 0.5) and len(text) < 40 and judge.edges[state]:
            low, high, state = self.rng.choice(judge.edges[state])
            text += chr(self.rng.choice([low, high, min(high, max(low, 97))]))
        return text

    def value(self, place=None, depth=0):
        """Guess a value for a place; without a place any one."""
        rng = self.rng
        schema = self.found.resolved(place) if place else True
        if depth > 6 or not isinstance(schema, dict) or rng.random() < 0.06:
            return self.any(depth)
        made = self.first(place, schema, depth)
        for keyword in ("allOf", "then", "else"):
            for below in self.inner(place, schema, keyword):
                if rng.random() < 0.7:
                    made = merged(made, self.value(below, depth + 1))
        for keyword in ("anyOf", "oneOf"):
            if branches := self.inner(place, schema, keyword):
                made = merged(made, self.value(rng.choice(branches), depth + 1))
        if "$ref" in schema:
            made = merged(made, self.value(self.found.references[place], depth + 1))
        return made

    def inner(self, place, schema, keyword):
        if keyword not in schema:
            return []
        value = schema[keyword]
        count = [""] if not isinstance(value, list) else [f"/{index}" for index in range(len(value))]
        return [Target(place.path, f"{place.fragment}/{keyword}{one}") for one in count]

    def any(self, depth):
        if depth < 3 and self.rng.random() < 0.3:
            if self.rng.random() < 0.5:
                return [self.any(depth + 1) for _ in range(self.rng.choice(self.lengths[:9]))]
            return {self.rng.choice(self.keys): self.any(depth + 1) for _ in range(self.rng.randrange(4))}
        return self.rng.choice(self.pool)

    def first(self, place, schema, depth):
        """Guess from the keywords of the schema itself, not from those that hold for the same value."""
        rng = self.rng
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        kinds = (
            schema.get("type")
            or [kind for kind, words in WORDS.items() if schema.keys() & words]
            or (["object"] if schema.keys() & {"allOf", "anyOf", "oneOf", "$ref"} else ["any"])
        )
        kind = rng.choice(kinds if isinstance(kinds, list) else [kinds])
        if kind == "object":
            return self.object(place, schema, depth)
        if kind == "array":
            return self.array(place, schema, depth)
        if kind == "string":
            return self.string(schema)
        fitting = {"integer": (int,), "number": (int, float), "boolean": (bool,), "null": (type(None),)}.get(kind)
        chosen = [one for one in self.pool if fitting and type(one) in fitting]
        return rng.choice(chosen) if chosen else self.any(depth)

    def string(self, schema):
        if "format" in schema and schema["format"] in FORMATS:
            return self.rng.choice(FORMATS[schema["format"]])
        if "pattern" in schema:
            return self.matching(schema["pattern"])
        if self.rng.random() < 0.4:
            return self.rng.choice([one for one in self.pool if isinstance(one, str)])
        low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", 40))
        sizes = [one for one in (*self.lengths, low, high) if low <= one <= high] or [low]
        return "".join(self.rng.choice("ab7 é😀") for _ in range(min(self.rng.choice(sizes), 200)))

    def array(self, place, schema, depth):
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", 6))
        sizes = [one for one in (*self.lengths, low, high) if low <= one <= min(high, 12)] or [low]
        made = []
        for index in range(min(self.rng.choice(sizes), 20)):
            prefix = schema.get("prefixItems", [])
            below = f"/prefixItems/{index}" if index < len(prefix) else "/items"
            made.append(self.value(Target(place.path, place.fragment + below), depth + 1))
        if "contains" in schema:
            made += [self.value(Target(place.path, f"{place.fragment}/contains"), depth + 1)]
        return made

    def object(self, place, schema, depth):
        rng, made = self.rng, {}
        required = set(schema.get("required", ()))
        for key in {**schema.get("properties", {}), **dict.fromkeys(required)}:
            if rng.random() < (0.97 if key in required else 0.5):
                below = Target(place.path, f"{place.fragment}/properties/{key.replace('~', '~0').replace('/', '~1')}")
                made[key] = self.value(below if key in schema.get("properties", {}) else None, depth + 1)
        if schema.get("additionalProperties") is not False or rng.random() < 0.1:
            for _ in range(rng.choice([0, 0, 0, 1, 2, 4])):
                rest = Target(place.path, f"{place.fragment}/additionalProperties")
                made.setdefault(rng.choice(self.keys), self.value(rest, depth + 1))
        for pattern in schema.get("patternProperties", {}):
            key = pattern.replace("~", "~0").replace("/", "~1")
            below = Target(place.path, f"{place.fragment}/patternProperties/{key}")
            if rng.random() < 0.5:
                made[self.matching(pattern)] = self.value(below, depth + 1)
        return made


WORDS = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames",
               "maxProperties", "dependentRequired", "dependentSchemas"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}  # fmt: skip


def merged(one, other):
    return {**one, **other} if isinstance(one, dict) and isinstance(other, dict) else other
