"""Pairs of schemas with what is true of them: `backward` where all documents of the first are valid for the second,
`forward` where all of the second are valid for the first."""

INT = {"type": "integer", "minimum": 0, "maximum": 9}
TEXT = {"type": "string"}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def opened(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def of(schema):
    """A closed object with one key."""
    return closed(x=schema)


def tagged(*names):
    return {"oneOf": [closed(("t",), t={"const": name}, **{name: INT}) for name in names]}


def shared(name, schema, **more):
    return {**closed(x={"$ref": f"#/$defs/{name}"}, y={"$ref": f"#/$defs/{name}"}), "$defs": {name: schema, **more}}


BOTH, BACKWARD, FORWARD, NEITHER = (True, True), (True, False), (False, True), (False, False)

PAIRS = {
    # what naive tables get wrong
    "closed, optional key added": (closed(a=INT), closed(a=INT, b=TEXT), BACKWARD),
    "closed, required key added": (closed(a=INT), closed(("b",), a=INT, b=TEXT), NEITHER),
    "open, typed optional key added": (opened(a=INT), opened(a=INT, b=TEXT), FORWARD),
    "open, free optional key added": (opened(a=INT), opened(a=INT, b=True), BOTH),
    "open, required key added": (opened(a=INT), opened(("b",), a=INT, b=TEXT), FORWARD),
    "required becomes optional": (closed(("a",), a=INT), closed(a=INT), BACKWARD),
    "integer becomes number": (of({"type": "integer"}), of({"type": "number"}), BACKWARD),
    "integer becomes number within bounds": (of(INT), of({**INT, "type": "number"}), BACKWARD),
    "enum widened": (of({"enum": ["a", "b"]}), of({"enum": ["b", "a", "c"]}), BACKWARD),
    "enum with another value": (of({"enum": ["a", "b"]}), of({"enum": ["a", "c"]}), NEITHER),
    "minimum lowered": (of(INT), of({**INT, "minimum": -5}), BACKWARD),
    "maximum lowered": (of(INT), of({**INT, "maximum": 8}), FORWARD),
    "bounds moved": (of(INT), of({**INT, "minimum": 1, "maximum": 10}), NEITHER),
    "null allowed": (of(TEXT), of({"type": ["string", "null"]}), BACKWARD),
    "definition renamed": (shared("A", INT), shared("B", INT), BOTH),
    "definition renamed and changed": (shared("A", INT), shared("B", {**INT, "maximum": 8}), FORWARD),
    "definition written out": (shared("A", INT), closed(x=INT, y=INT), BOTH),
    "description": (of(TEXT), {**of({**TEXT, "description": "d", "examples": ["a"]}), "title": "t"}, BOTH),
    "order of keys": (closed(("b", "a"), a=INT, b=TEXT), closed(("a", "b"), b=TEXT, a=INT), BOTH),
    "items tightened": (of({"type": "array", "items": TEXT}),
                        of({"type": "array", "items": {**TEXT, "maxLength": 3}}), FORWARD),
    "items must differ": (of({"type": "array", "items": INT}),
                          of({"type": "array", "items": INT, "uniqueItems": True}), FORWARD),
    "items must differ, but there is one at most": (
        of({"type": "array", "items": INT, "maxItems": 1}),
        of({"type": "array", "items": INT, "maxItems": 1, "uniqueItems": True}), BOTH),
    "multiples of 4 instead of 2": (of({"type": "integer", "multipleOf": 2}),
                                    of({"type": "integer", "multipleOf": 4}), FORWARD),
    "multiples of 3 instead of 2": (of({"type": "integer", "multipleOf": 2}),
                                    of({"type": "integer", "multipleOf": 3}), NEITHER),
    "multiples of a tenth instead of a hundredth": (of({"type": "number", "multipleOf": 0.01}),
                                                    of({"type": "number", "multipleOf": 0.1}), FORWARD),
    "object closed": (opened(a=INT), closed(a=INT), FORWARD),
    "maxLength lowered": (of({**TEXT, "maxLength": 9}), of({**TEXT, "maxLength": 8}), FORWARD),
    "maxLength added": (of(TEXT), of({**TEXT, "maxLength": 8}), FORWARD),
    "format added": (of(TEXT), of({**TEXT, "format": "date-time"}), FORWARD),
    "format changed": (of({**TEXT, "format": "date"}), of({**TEXT, "format": "date-time"}), NEITHER),
    "pattern changed": (of({**TEXT, "pattern": "^[a-m]+$"}), of({**TEXT, "pattern": "^[g-z]+$"}), NEITHER),
    "pattern loosened": (of({**TEXT, "pattern": "^[A-Z]{3}$"}), of({**TEXT, "pattern": "^[A-Z]{3,6}$"}), BACKWARD),
    "pattern without its end": (of({**TEXT, "pattern": "^[A-Z]{3}$"}), of({**TEXT, "pattern": "^[A-Z]{3}"}), BACKWARD),
    "pattern written in another way": (of({**TEXT, "pattern": "^(a|b)$"}), of({**TEXT, "pattern": "^[ab]$"}), BOTH),
    # bounds and kinds
    "exclusive bound of a whole number": (
        of({"type": "integer", "minimum": 1, "maximum": 9}),
        of({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}), BOTH),
    "exclusive bound of a number": (of({"type": "number", "minimum": 0}), of({"type": "number", "exclusiveMinimum": 0}),
                                    FORWARD),
    "bounds beyond double precision": (of({"type": "integer", "minimum": 0, "maximum": 2**63 - 1}),
                                       of({"type": "integer", "minimum": 0, "maximum": 2**63 - 2}), FORWARD),
    "a bound for numbers only": (of({"type": "string"}), of({"type": "string", "minimum": 5}), BOTH),
    "number becomes text": (of({"type": "number"}), of(TEXT), NEITHER),
    "a kind taken away": (of({"type": ["string", "integer"]}), of(TEXT), FORWARD),
    "a type given": (of({}), of(TEXT), FORWARD),
    "true and {}": (of(True), of({}), BOTH),
    "a key that is no longer allowed": (closed(a=INT, b=INT), closed(a=INT, b=False), FORWARD),
    "truth value and its two values": (of({"type": "boolean"}), of({"enum": [True, False]}), BOTH),
    "const becomes enum": (of({"const": "a"}), of({"enum": ["a", "b"]}), BACKWARD),
    "const 1 and true": (of({"const": 1}), of({"const": True}), NEITHER),
    "1 and 1.0": (of({"const": 1}), of({"const": 1.0}), BOTH),
    "values within a new length": (of({"enum": ["a", "bb"]}), of({**TEXT, "maxLength": 2}), BACKWARD),
    "values beyond a new length": (of({"enum": ["a", "bb"]}), of({**TEXT, "maxLength": 1, "enum": ["a", "bb"]}),
                                   FORWARD),
    "values that match a new pattern": (of({"enum": ["a", "bb"]}), of({**TEXT, "pattern": "^[ab]+$"}), BACKWARD),
    # arrays
    "minItems raised": (of({"type": "array", "items": INT, "minItems": 1}),
                        of({"type": "array", "items": INT, "minItems": 2}), FORWARD),
    "a tuple with one more": (of({"type": "array", "prefixItems": [INT], "items": False}),
                              of({"type": "array", "prefixItems": [INT, TEXT], "items": False}), BACKWARD),
    "a tuple whose second changes": (of({"type": "array", "prefixItems": [INT, TEXT]}),
                                     of({"type": "array", "prefixItems": [INT, INT]}), NEITHER),
    "contains added": (of({"type": "array", "items": INT}),
                       of({"type": "array", "items": INT, "contains": {"const": 1}}), FORWARD),
    "contains twice": (of({"type": "array", "contains": {"const": 1}}),
                       of({"type": "array", "contains": {"const": 1}, "minContains": 2}), FORWARD),
    "contains limited": (of({"type": "array", "contains": {"const": 1}}),
                         of({"type": "array", "contains": {"const": 1}, "maxContains": 2}), FORWARD),
    # objects
    "minProperties that required keys fill": (closed(("a",), a=INT), {**closed(("a",), a=INT), "minProperties": 1},
                                              BOTH),
    "minProperties added": (closed(a=INT), {**closed(a=INT), "minProperties": 1}, FORWARD),
    "minLength raised": (of({**TEXT, "minLength": 1}), of({**TEXT, "minLength": 2}), FORWARD),
    "maxItems lowered": (of({"type": "array", "items": INT, "maxItems": 3}),
                         of({"type": "array", "items": INT, "maxItems": 2}), FORWARD),
    "exclusive maximum": (of({"type": "number", "maximum": 9}), of({"type": "number", "exclusiveMaximum": 9}), FORWARD),
    "items that are left over": (of({"type": "array", "prefixItems": [INT]}),
                                 of({"type": "array", "prefixItems": [INT], "unevaluatedItems": False}), FORWARD),
    "maxProperties lowered": ({**opened(), "maxProperties": 3}, {**opened(), "maxProperties": 2}, FORWARD),
    "other keys limited": (opened(a=INT), {**opened(a=INT), "additionalProperties": TEXT}, FORWARD),
    "other keys opened": ({**opened(a=INT), "additionalProperties": TEXT}, opened(a=INT), BACKWARD),
    "a key that was one of the others": ({**opened(), "additionalProperties": TEXT},
                                         {**opened(a=TEXT), "additionalProperties": TEXT}, BOTH),
    "keys by pattern added": (opened(a=INT), {**opened(a=INT), "patternProperties": {"^x": TEXT}}, FORWARD),
    "keys by pattern tightened": ({**closed(), "patternProperties": {"^x": TEXT}},
                                  {**closed(), "patternProperties": {"^x": {**TEXT, "maxLength": 2}}}, FORWARD),
    "names of keys limited": (opened(), {**opened(), "propertyNames": {"maxLength": 3}}, FORWARD),
    "a key needs another": (closed(a=INT, b=INT), {**closed(a=INT, b=INT), "dependentRequired": {"a": ["b"]}}, FORWARD),
    "a key needs one that is required": (closed(("b",), a=INT, b=INT),
                                         {**closed(("b",), a=INT, b=INT), "dependentRequired": {"a": ["b"]}}, BOTH),
    "a key brings a schema": (opened(a=INT), {**opened(a=INT), "dependentSchemas": {"a": {"required": ["b"]}}},
                              FORWARD),
    "what is left over is refused": (opened(a=INT), {**opened(a=INT), "unevaluatedProperties": False}, FORWARD),
    "left over becomes additional": ({**opened(a=INT), "unevaluatedProperties": False}, closed(a=INT), BOTH),
    # unions and conditions
    "branch added": (tagged("a", "b"), tagged("a", "b", "c"), BACKWARD),
    "branches in another order": (tagged("a", "b"), tagged("b", "a"), BOTH),
    "branch changed inside": (tagged("a", "b"),
                              {"oneOf": [tagged("a")["oneOf"][0], closed(("t", "b"), t={"const": "b"}, b=INT)]},
                              FORWARD),
    "one branch alone": (tagged("a")["oneOf"][0], tagged("a", "b"), BACKWARD),
    "branches that overlap": (of({"anyOf": [INT, TEXT]}), of({"oneOf": [INT, TEXT, {"type": "integer"}]}), NEITHER),
    "kinds and a union of kinds": (of({"type": ["string", "null"]}), of({"anyOf": [TEXT, {"type": "null"}]}), BOTH),
    "anyOf with one more": (of({"anyOf": [TEXT, INT]}), of({"anyOf": [INT, {"type": "null"}, TEXT]}), BACKWARD),
    "allOf written out": (of({"allOf": [INT, {"maximum": 5}]}), of({**INT, "maximum": 5}), BOTH),
    "one more in allOf": (of({"allOf": [INT]}), of({"allOf": [INT, {"maximum": 5}]}), FORWARD),
    "beside a reference": (shared("A", INT),
                           {**closed(x={"$ref": "#/$defs/A", "maximum": 5}, y=INT), "$defs": {"A": INT}}, FORWARD),
    "limited beside a reference, and changed in it": (
        {**closed(x={"$ref": "#/$defs/A", "maximum": 5}), "$defs": {"A": INT}},
        {**closed(x={"$ref": "#/$defs/A", "maximum": 5}), "$defs": {"A": {**INT, "minimum": 1}}}, FORWARD),
    "not added": (of(INT), of({**INT, "not": {"const": 3}}), FORWARD),
    "not of another kind": (of(INT), of({**INT, "not": TEXT}), BOTH),
    "less excluded": (of({**INT, "not": {"enum": [3, 4]}}), of({**INT, "not": {"const": 3}}), BACKWARD),
    "condition added": (closed(a=INT, b=INT),
                        {**closed(a=INT, b=INT), "if": {"required": ["a"]}, "then": {"required": ["b"]}}, FORWARD),
    "condition on what is always so": (closed(("b",), a=INT, b=INT),
                                       {**closed(("b",), a=INT, b=INT), "if": {"required": ["a"]},
                                        "then": {"required": ["b"]}}, BOTH),
    # recursion
    "recursive, unchanged": ({**opened(next={"$ref": "#"}), "title": "a"}, {**opened(next={"$ref": "#"}), "title": "b"},
                             BOTH),
    "recursive, key added": (closed(next={"$ref": "#"}), closed(next={"$ref": "#"}, v=INT), BACKWARD),
    "recursive, tightened": (closed(next={"$ref": "#"}, v=INT),
                             closed(next={"$ref": "#"}, v={**INT, "maximum": 5}), FORWARD),
    # the meaning of what is not judged
    "unknown keyword added": (of(TEXT), of({**TEXT, "x-unit": "s"}), NEITHER),
    "unknown keyword changed": (of({**TEXT, "x-unit": "s"}), of({**TEXT, "x-unit": "ms"}), NEITHER),
    "encoding added": (of(TEXT), of({**TEXT, "contentEncoding": "base64"}), NEITHER),
    "keyword of an older draft": (opened(), {**opened(), "dependencies": {"a": ["b"]}}, FORWARD),
    # true, but more than the rules see: a strict verdict is allowed
    "closed by names of keys": (closed(a=INT), {**closed(a=INT), "propertyNames": {"maxLength": 1}}, BOTH),
    "values over branches": (of({"enum": ["a", "b"]}), of({"anyOf": [{"const": "a"}, {"const": "b"}]}), BOTH),
    "bounds in two branches": (of({"type": "integer", "minimum": 0, "maximum": 9}),
                               of({"type": "integer", "anyOf": [{"minimum": 0, "maximum": 4},
                                                                {"minimum": 5, "maximum": 9}]}), BOTH),
    "branches by a bound": (of({"type": "number"}),
                            of({"type": "number", "oneOf": [{"minimum": 0}, {"exclusiveMaximum": 0}]}), BOTH),
    "a pattern as a length": (of({**TEXT, "pattern": "^[a-z]{1,3}$"}), of({**TEXT, "maxLength": 3}), BACKWARD),
    "a format as a length": (of({**TEXT, "format": "date"}), of({**TEXT, "maxLength": 10}), BACKWARD),
    "one value as a number": (of({"type": "integer", "minimum": 3, "maximum": 3}), of({"const": 3}), BOTH),
}  # fmt: skip

STRICT = {
    ("a pattern as a length", "backward"), ("a format as a length", "backward"), ("bounds in two branches", "backward"),
    ("branches by a bound", "backward"), ("one value as a number", "backward"), ("values over branches", "backward"),
    ("closed by names of keys", "backward"), ("multiples of a tenth instead of a hundredth", "forward"),
    ("keyword of an older draft", "forward"),
}  # fmt: skip
"""Verdicts that are stricter than the truth: the rules do not see why these are compatible."""
