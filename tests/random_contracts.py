"""Random schemas within the profile, the same for the same seed."""

import random

# Without the empty key: the validator leaves it out of the places that it tells.
KEYS = [
    "a", "b", "kind", "type", "double", "a-b", "a_b", "é", "x", "x_null", "Side", "side", "items", "error", "Bid", "1",
    "key", "r", "😀", "t", "value", "null", "reader_", "at", "Clear",
]  # fmt: skip
EDGES = [0, 1, -1, 5, 2**31 - 1, -(2**31), 2**31, 2**53, 2**53 + 1, -(2**63), 2**63 - 1]
DOUBLES = [0, 0.1, -1, 1e308, -1e308, 5e-324, 2**53, 2.5]
PATTERNS = ["^[a-c]+$", "^a|b$", "[0-9]{2,5}", "^(ab|c)*d?$", "^[^a]{1,3}$", r"^\w+-\d{3}$", "^$"]


class RandomSchema:
    """Makes schemas that are at most so deep."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def contract(self, depth):
        return self._union(depth) if self.chance.random() < 0.15 else self._object(depth)

    def _object(self, depth, fixed=None):
        keys = self.chance.sample(KEYS, self.chance.randrange(6))
        properties = {**{key: self._any(depth - 1) for key in keys}, **(fixed or {})}
        required = [key for key in properties if key in (fixed or {}) or self.chance.random() < 0.5]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _union(self, depth):
        key = self.chance.choice(KEYS)
        tags = dict.fromkeys(self.chance.choice(["A", "b", "double", "", "x y", "é", self._text()]) for _ in range(3))
        return {"oneOf": [self._object(depth, {key: {"const": tag}}) for tag in tags]}

    def _any(self, depth):
        made = self.chance.choice([self._scalar, self._scalar, self._array, self._object, self._union])
        schema = self._scalar() if depth <= 0 or made == self._scalar else made(depth - 1)
        if "type" in schema and self.chance.random() < 0.25:
            nulls = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
            return {**schema, "type": [schema["type"], "null"], **nulls}
        return schema

    def _array(self, depth):
        return {"type": "array", "items": self._any(depth), **self._limits("minItems", "maxItems", [0, 1, 2, 3, 4])}

    def _limits(self, low, high, values):
        """Return one limit, both or none."""
        pair = zip((low, high), sorted(self.chance.choices(values, k=2)), strict=True)
        return {name: value for name, value in pair if self.chance.random() < 0.5}

    def _scalar(self):
        texts = list(dict.fromkeys(self._text() for _ in range(4)))
        low, high = sorted(self.chance.choices([*EDGES, self.chance.randrange(-(10**6), 10**6)], k=2))
        return self.chance.choice([
            {"type": "boolean"}, {"type": "integer", "minimum": low, "maximum": high},
            {"type": "number", **self._limits("minimum", "maximum", DOUBLES)}, {"type": "string", "enum": texts},
            {"type": "string", **self._limits("minLength", "maxLength", [0, 1, 2, 4])},
            {"type": "string", "pattern": self.chance.choice(PATTERNS)},
            {"type": "string", "format": self.chance.choice(["date-time", "date", "time", "uuid"])},
            {"const": self.chance.choice([1, 0, True, False, "x", "", 2**53 + 1, -(2**63), texts[0]])},
        ])  # fmt: skip

    def _text(self):
        return "".join(self.chance.choices('ab AZ09-_é😀"\\\u2028/', k=self.chance.randrange(5)))
