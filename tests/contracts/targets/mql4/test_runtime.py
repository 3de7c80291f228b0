"""What generated MQL4 makes of documents: what the validator says of them, and the same document again."""

import json
import os

import pytest

from cli_multi_rapid.contracts.emitting import RuntimeFailed
from cli_multi_rapid.contracts.targets.mql4 import runtime

INT64 = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


SCHEMA = closed(
    ("a",),
    a=INT64,
    small={"type": "integer", "minimum": -5, "maximum": 5},
    x={"type": "number"},
    ratio={"type": "number", "minimum": 0.5, "maximum": 1},
    s={"type": "string"},
    name={"type": "string", "minLength": 1, "maxLength": 3},
    code={"type": "string", "pattern": "^[A-Z😀-😂]{2}$"},
    flag={"type": "boolean"},
    note={"type": ["string", "null"]},
    side={"type": "string", "enum": ["BUY", "SELL", "", "né\"\\\n"]},
    list={"type": "array", "items": INT64, "minItems": 1, "maxItems": 3},
    nulls={"type": "array", "items": {"type": ["string", "null"]}},
    rows={"type": "array", "items": {"type": "array", "items": {"type": ["boolean", "null"]}, "maxItems": 2}},
    inner=closed(("p",), p={"type": "boolean"}, q={"type": ["integer", "null"], "minimum": 0, "maximum": 9}),
    one={"const": 1},
    yes={"const": True},
    word={"const": "w"},
    at={"type": "string", "format": "date-time"},
    how={"oneOf": [
        closed(("k",), k={"const": "A"}, n=INT64),
        closed(("k", "deep"), k={"const": "b-c"}, deep=closed(("z",), z={"type": "boolean"})),
    ]},
)  # fmt: skip


@pytest.fixture(scope="module")
def all_of_it(spoken):
    return spoken(SCHEMA)


def with_(**members):
    return json.dumps({"a": 1, **members}, ensure_ascii=False)


DOCUMENTS = [
    "{}", '{"a":1}', ' {\t"a" : 1\n}\r', '{"a":1,}', '{"a":1}x', '{"a":1}}', '{"a" 1}', '{,"a":1}', "[]", "", " ", "null",
    '{"a":1,"a":1}', '{"a":1,"b":1}', "{a:1}", "{'a':1}", '\ufeff{"a":1}', '{"a":1}\x00', '{"a":\u00a01}', '{"a"',
    *(f'{{"a":{lexeme}}}' for lexeme in (
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" + "0" * 30,
        "9007199254740993", "9007199254740993.0", "1.0", "1e2", "1E+2", "10e-1", "1.5", "15e-1", "-0", "-0.0", "0e99999", "1e-400",
        "9.223372036854775807e18", "9.2233720368547748e18", "-9.223372036854775808e18", "01", "-", "-01", "1.", ".5",
        "+1", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", "-Infinity", "true", '"1"', "null", "1e400", "00", "1 2",
        "1.0000000000000000000000001", "٣",
    )),
    *(f'{{"a":1,"x":{lexeme}}}' for lexeme in (
        "0.07", "1e308", "1.7976931348623157e308", "1.7976931348623159e308", "1e309", "5e-324", "2.5e-324", "1e-5000",
        "-0.0", "0.1", "123456789012345678", "1.15", "4.35", "19.99", "2.2250738585072011e-308", "1e22", "1e23",
        "9007199254740993", "-1e-7", "1" * 40, "0." + "0" * 400 + "1", "1" + "0" * 308, "1" + "0" * 309, "01.5", "null",
        "0.000001e310", "12345678901234567890e290", "0" , "-1", "1E5", "1.e5",
    )),
    *(f'{{"a":1,"ratio":{lexeme}}}' for lexeme in ("0.5", "0.49999999999999994", "1", "1.0000000000000002", "5e-1", "10e-1")),
    *(f'{{"a":1,"small":{lexeme}}}' for lexeme in ("-5", "-6", "5", "6", "5.0", "0.5e1", "4294967296", "4294967297")),
    *(f'{{"a":1,"s":"{text}"}}' for text in (
        "", "é", "😀", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\ud83dx", "\\u2028\u2028", "\\\"\\\\\\/\\b\\f\\n\\r\\t",
        "\\x41", "\\u12", "\\u12g4", "\\U0041", "\n", "\t", "\x7f", "\x1f", "\ufffd\uffff", "\U0010ffff", "\\u00e9", "\\uD83D\\uDE00",
        "a\\", "//", "*/", "\\u0041\\u006a", "\\u001f", "\\ud83d\\ude00\\ud83d",
    )),
    '{"a":1,"s":"', '{"a":1,"s":"\\', '{"a":1,"s":"\\u', '{"a":1,"s":"\\ud83d\\', '{"a":1,"s":1}', '{"a":1,"s":null}',
    *(with_(name=one) for one in ("", "a", "abc", "abcd", "😀😀😀", "😀😀😀😀", "é́")),
    *(with_(code=one) for one in ("AB", "A", "ABC", "ab", "😀😂", "😀😃", "A😁", "AB\n")),
    *(f'{{"a":1,"flag":{one}}}' for one in ("true", "false", "True", "0", "tru", "truefalse", '"true"', "null")),
    *(f'{{"a":1,"note":{one}}}' for one in ("null", '""', '"null"', "nul", "nulll", "0")),
    *(with_(side=one) for one in ("BUY", "SELL", "", "né\"\\\n", "buy", "BUY ", None, 0)),
    *(with_(list=one) for one in ([], [1], [1, 2, 3], [1, 2, 3, 4], [None], ["1"], [1.5], None, {}, 1)),
    *(f'{{"a":1,"list":{one}}}' for one in ("[1,]", "[,1]", "[1 2]", "[1", "[", "[1}", "[1],")),
    *(with_(nulls=one) for one in ([], [None], ["a", None, "b", None], [1])),
    *(with_(rows=one) for one in ([], [[]], [[True, None], [None], []], [[True, True, True]], [None], [1])),
    *(with_(inner=one) for one in ({"p": True}, {"p": True, "q": None}, {"p": False, "q": 9}, {"q": 1}, {}, [], {"p": 1},
                                   {"p": True, "r": 1}, None)),
    *(f'{{"a":1,"one":{one}}}' for one in ("1", "1.0", "1e0", "2", "true", '"1"')),
    *(f'{{"a":1,"yes":{one}}}' for one in ("true", "false", "1")),
    *(with_(word=one) for one in ("w", "W", "", "ww")),
    *(with_(how=one) for one in ({"k": "A"}, {"k": "A", "n": 5}, {"n": 5, "k": "A"}, {"k": "b-c", "deep": {"z": True}},
                                 {"deep": {"z": True}, "k": "b-c"}, {"k": "b-c"}, {"k": "c"}, {"n": 1}, {}, [], None, {"k": 1},
                                 {"k": "A", "deep": {"z": True}}, {"k": "A", "m": 1})),
    '{"a":1,"how":{"n":{"x":[1,{"y":"}"}]},"k":"A"}}', '{"a":1,"how":{"n":1,"n":1,"k":"A"}}',
    '{"a":1,"how":{"k":"A","k":"A"}}', '{"a":1,"how":{"n":tru,"k":"A"}}', '{"a":1,"how":{"n":1.,"k":"A"}}',
    '{"a":1,"how":{"n":"\\q","k":"A"}}', '{"a":1,"how":{"n":[1,],"k":"A"}}', '{"a":1,"how":{"k":"A"}',
]  # fmt: skip


def test_the_verdict_is_that_of_the_validator_and_nothing_changes(all_of_it):
    documents = [one for one in DOCUMENTS if "\\u0000" not in one]
    wrong = []
    for text, answer in zip(documents, all_of_it.answers(*documents), strict=True):
        if answer.accepted != all_of_it.valid(text) or not (answer.accepted or answer.where):
            wrong.append((text, answer))
        elif answer.accepted and not same(json.loads(answer.text), json.loads(text)):
            wrong.append((text, answer))
    assert wrong == []


def same(one, other):
    """Compare with the signs of zeros."""
    return one == other and repr(one).count("-0.0") >= repr(other).count("-0.0") - int("a" in other)


def test_a_program_is_compiled_once(spoken, tmp_path):
    cache = tmp_path / "cache"
    made = spoken(closed(a={"type": "boolean"}))
    made.cache = cache
    assert made.back('{"a":true}') == {"a": True}
    (program,) = cache.iterdir()
    program.write_bytes(b"#!/bin/sh\nexit 7\n")
    with pytest.raises(RuntimeFailed, match="ended with 7"):
        made.back("{}")
    made.files["CmrJson.mqh"] += "// other\n"
    assert made.back("{}") == {}
    assert len(list(cache.iterdir())) == 2


def test_what_is_said_of_it():
    assert runtime.unavailable({"PATH": ""}) == "no C++ compiler (g++, clang++, c++) is on PATH"
    assert runtime.executed(os.environ).startswith("host-compiled MQL4 subset, ")
    assert [name for name, _ in runtime.NOT_RUN] == ["MetaEditor"]
    assert [name for name, _ in runtime.LIMITS] == ["U+0000"]
