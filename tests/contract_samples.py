"""A contract with everything in it, documents for it, and what must become of them: the validator's verdict."""

import json
from dataclasses import dataclass, field

from cli_multi_rapid.contracts.emitting import Answer
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.errors import SpecInvalid

REFUSED = object()
DOUBLES = ("ratio", "part")
INT = {"type": "integer", "minimum": 0, "maximum": 9}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def deep(levels):
    """Return definitions of arrays in arrays; `deep0` has so many levels, an even number."""
    made = {f"deep{levels}": INT}
    for n in range(0, levels, 2):
        inner = {"type": "array", "items": {"$ref": f"#/$defs/deep{n + 2}"}}
        made[f"deep{n}"] = {"type": "array", "items": inner}
    return made


@dataclass(frozen=True)
class Emitted:
    contract: object
    root: object
    validator: object
    files: dict
    name: str
    known: dict = field(default_factory=dict)

    @property
    def text(self):
        return self.files[self.name]

    def expected(self, document):
        """Return the value of a document, or REFUSED. What is a number and no integer has the precision of a double."""
        if document not in self.known:
            self.known[document] = self._judged(document)
        return self.known[document]

    def _judged(self, document):
        try:
            value = read_json(document.encode(), "document")
        except SpecInvalid:
            return REFUSED
        if not self.validator.is_valid(value):
            return REFUSED
        numbers = {key: float(one) for key, one in value.items() if key in DOUBLES} if isinstance(value, dict) else {}
        return {**value, **numbers}

    def differences(self, documents, answers):
        """Return what must not be: documents with another verdict, or another value."""
        assert len(documents) == len(answers)
        return [
            (document[:200], answer)
            for document, answer in zip(documents, answers, strict=True)
            if not same(self.expected(document), said(answer))
        ]


def said(answer: Answer):
    return read_json(answer.text.encode(), "answer") if answer.accepted else REFUSED


def same(one, other):
    """Whether two values are equal: 1 and 1.0 are, true and 1 are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


WIDE = {
    **closed(
        ("must",),
        must={"type": ["integer", "null"], "minimum": 0, "maximum": 9},
        big={"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
        beyond={"type": "integer", "minimum": 0, "maximum": 2**53},
        small={"type": "integer", "minimum": -5, "maximum": 2**53 - 1},
        ratio={"type": "number"},
        part={"type": "number", "minimum": 0.1, "maximum": 9007199254740992},
        text={"type": "string"},
        short={"type": "string", "minLength": 2, "maxLength": 3},
        code={"type": "string", "pattern": "^[^a-z]+(x|yz)?$"},
        at={"type": "string", "format": "date-time"},
        day={"type": "string", "format": "date"},
        hour={"type": "string", "format": "time"},
        id={"type": "string", "format": "uuid"},
        side={"type": "string", "enum": ["buy", "sell", 'a "quoted" \\ \u2028 \U0001f600 one', "${x}`$(x)'#>*/"]},
        note={"type": ["string", "null"], "maxLength": 5},
        tags={"type": "array", "items": {"type": ["string", "null"], "enum": ["a", "b", None]}, "minItems": 1,
              "maxItems": 3},
        rows={"type": "array", "items": {"type": "array", "items": INT}},
        flag={"type": "boolean"},
        one={"const": 1}, huge={"const": 2**53 + 1}, yes={"const": True}, word={"const": "it's \"x\""},
        point={"$ref": "#/$defs/point"},
        points={"type": "array", "items": {"$ref": "#/$defs/point"}},
        how={"oneOf": [
            closed(("kind", "limit"), kind={"const": "limit"}, limit=INT),
            closed(("kind",), kind={"const": "market"}, slip={"type": ["number", "null"]}),
        ]},
    ),
    "$defs": {"point": closed(("x",), x=INT, y=INT)},
}  # fmt: skip


def with_member(key, lexeme):
    return f'{{"must": null, "{key}": {lexeme}}}'


def _numbers():
    lexemes = [
        "0", "-0", "-0.0", "1.0", "1e2", "1E+2", "10e-1", "1.5", "01", "-", "-01", "1.", ".5", "+1", "1e", "1e+",
        "0x1", "NaN",
        "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740993.0",
        "9007199254740994", "9223372036854775807.0", "-9223372036854775808.0", "9.223372036854775e18",
        "1000000000000000000000000000000", "0.07", "0.1", "0.30000000000000004", "0.09999999999999999", "1e308",
        "1.7976931348623157e308", "1e309", "-1e309", "5e-324", "2.2250738585072014e-308", "1e-400", "4.9e-324", "1e23",
        "123456789012345678", "null", "true", '"1"', "[]", "{}", "-5", "-6", "1e-7", "100e-2", "1" + "0" * 30 + "e-30",
    ]  # fmt: skip
    return [
        with_member(key, one) for key in ("big", "beyond", "small", "ratio", "part", "one", "huge") for one in lexemes
    ]


def _texts():
    values = [
        '""', '"a"', '"ab"', '"abc"', '"abcd"', '"\U0001f600\U0001f600"', '"\U0001f600"',
        '"\U0001f600\U0001f600\U0001f600"',
        '"\U0001f600\U0001f600\U0001f600\U0001f600"', '"e\u0301"', '"\u2028\u2029"', r'"\u0000\u001f"',
        r'"\ud83d\ude00x"',
        r'"\ud83d"', r'"\ude00"', r'"\ude00\ud83d"', r'"\ud83dx"', r'"\u12"', r'"\x41"', r'"\u00e9"', r'"\uD83D\uDE00"',
        '"\t"', '"\x7f"', '"\n"', r'"\"\\\/\b\f\n\r\t"', '"', '"a', "'a'", "null", "1", "true", '["a"]', r'"\U0041"',
        r'"\u00_1"', r'"A\u0058"', '"1x"', '"1yz"', '"1y"', '"\U0001f600yz"', '"x"', '"A\n"', '"Ax\n"',
        '"\ufeff"', r'"\u+041"', r'"\u 041"',
    ]  # fmt: skip
    return [with_member(key, one) for key in ("text", "short", "code", "note") for one in values]


def _others():
    both = [json.dumps(one) for one in WIDE["properties"]["side"]["enum"]]
    members = {
        "side": [*both, '"BUY"', '"buy "', '"buy\u200d"', '"hold"', "null", "0"],
        "tags": ["[]", '["a"]', '["a", null, "b"]', '["a", "a", "a", "a"]', '["c"]', '"a"', "{}", '["a",]', "[,]"],
        "rows": ["[]", "[[]]", "[[1], [], [2, 3]]", "[1]", "[[10]]", "[null]"],
        "flag": ["true", "false", "null", "1", '"true"', "True", "truex", "tru"],
        "yes": ["true", "false", "1"], "word": [json.dumps("it's \"x\""), '"its"'],
        "point": ["{}", '{"x": 1}', '{"x": 1, "y": null}', '{"x": 1, "z": 1}', '{"y": 1}', "[]", '{"x": 1, "x": 1}'],
        "points": ['[{"x": 1}, {"x": 2, "y": 3}]', '[{"x": 1}, {}]', "[{}]"],
        "how": ['{"kind": "limit", "limit": 3}', '{"limit": 3, "kind": "limit"}', '{"kind": "limit"}',
        '{"kind": "market"}',
                '{"kind": "market", "slip": null}', '{"kind": "market", "limit": 3}', '{"kind": "stop"}', "{}",
                '{"kind": null}',
                '{"kind": "Market"}', '"market"', "[]", '{"kind": ["market"]}', '{"kind": "__proto__"}'],
        "note": ["null", '"12345"', '"123456"'],
    }  # fmt: skip
    keys = [
        "__proto__",
        "constructor",
        "toString",
        "valueOf",
        "hasOwnProperty",
        "",
        "MUST",
        "Must",
        "must ",
        "m\u0075st",
    ]
    return [
        *[with_member(key, one) for key, values in members.items() for one in values],
        *[f'{{"must": 1, {json.dumps(key)}: 1}}' for key in keys],
        '{"must": 1}', "{}", '{"must": 10}', '{"must": 1, "must": 1}', r'{"must": 1, "m\u0075st": 1}', '{"must": 1} x',
        '{"must": 1}{}', "", " ", "null", "[]", '"x"', "1", "{", '{"must"', '{"must":', '{"must": 1', '{"must": 1,}',
        "{must: 1}",
        '{"must" 1}', "{'must': 1}", '\ufeff{"must": 1}', ' \t\n\r{"must": 1}\r\n', '\u00a0{"must": 1}',
        '\x0b{"must": 1}',
        '{"must": 1 /* x */}', '{"must": 1} // x', '{"must": 1, "note": undefined}', '{,"must": 1}',
        '{"must": 1,, "big": 1}',
        '{"must": 1 "big": 1}', "[1}", '{"must": 1]', "{null: 1}", '{"must": nul}',
    ]  # fmt: skip


DOCUMENTS = [*_numbers(), *_texts(), *_others()]


AWKWARD = [
    "a-b", "a_b", "aB", "a b", "", " ", "__proto__", "constructor", "prototype", "toString", "valueOf",
    "hasOwnProperty", "then",
    "class", "enum", "const", "let", "interface", "type", "readonly", "public", "static", "get", "set", "new",
    "delete", "await",
    "yield", "async", "null", "undefined", "true", "NaN", "cmr", "import", "string", "number", "bigint", "any",
    "unknown", "this",
    'a"b', "a'b", "a`b", "${a}", "$a", "$(a)", "a\\b", "a\nb", "a\r\nb", "*/", "/*", "//", "#>", "<#", "\u2028",
    "\u2029",
    "\u202e", "\U0001f600", "\u00e9", "e\u0301", "1a", "0", "-1", "[0]", "a.b", "a/b", "a~b", "a\tb", "\x7f",
    "\ufeff", "</script>",
    "Function", "param", "if", "foreach", "begin", "process", "end", "filter", "workflow", "using", "module",
    "psobject", "pstypenames",
    "GetType", "Equals", "Count", "Length", "input", "args", "error", "PID", "_", "hidden", "void", "ABC", "abc",
]  # fmt: skip


def awkward_schema():
    spoilt = "*/ export const bad = 1; /* #> <# ${x} $(throw) `r @ts-nocheck @ts-ignore \u2028 \n // \\"
    return {
        "description": spoilt,
        **closed(**{key: {**INT, "description": f"{key} {spoilt}"} for key in AWKWARD}),
        "properties": {
            **{key: {**INT, "description": f"{key} {spoilt}"} for key in AWKWARD},
            "texts": {"type": "string", "enum": AWKWARD, "description": "."},
            "word": {"const": spoilt}, "odd": {"type": "string", "pattern": "^[*/`${}\"'\u2028\\n\\\\]+$"},
            "union": {"oneOf": [
                {"title": spoilt, **closed(("*/",), **{"*/": {"const": one}, "__proto__": INT})} for one in AWKWARD
            ]},
        },
    }  # fmt: skip
