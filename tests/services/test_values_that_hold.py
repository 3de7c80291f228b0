"""Values that must come through Python and MQL4 unchanged, and those that both must refuse: named one by one."""

import json
import os

import pytest
from rich_contract import INT64, closed, opened

from cli_multi_rapid.contracts.roundtrip import judged
from cli_multi_rapid.services.languages import languages


def two_more(inner):
    return {"type": "array", "items": {"type": "array", "items": inner}}


DEEP = {f"d{n}": two_more({"$ref": f"#/$defs/d{n + 1}"}) for n in range(50)}  # a hundred levels of arrays
MADE = opened({
    **closed(
        n=INT64,
        r={"type": "number"},
        s={"type": "string"},
        a={"type": "array", "items": {"type": "string"}},
        maybe={"type": ["string", "null"]},
        side={"type": "string", "enum": ["buy", "sell"]},
        deep={"$ref": "#/$defs/d0"},
    ),
    "$defs": {**DEEP, "d50": {"type": "boolean"}},
})  # fmt: skip


def text(**values):
    return json.dumps(values, ensure_ascii=False)


HELD = {
    "the largest integer": text(n=2**63 - 1), "the smallest integer": text(n=-(2**63)), "2^53+1": text(n=2**53 + 1),
    "-(2^53+1)": text(n=-(2**53) - 1), "1.0": '{"n":1.0}', "1e2": '{"n":1e2}', "0.07": text(r=0.07),
    "1e308": text(r=1e308), "the largest double": text(r=1.7976931348623157e308), "5e-324": text(r=5e-324),
    "the largest subnormal": text(r=2.225073858507201e-308), "a surrogate pair": '{"s":"\\ud83d\\ude00"}',
    "a character beyond the BMP": text(s="😀\U0010ffff"), "U+2028": text(s="a\u2028b\u2029"),
    "quotes and backslashes": text(s='"\\"\\\\"/'), "all escapes": '{"s":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001"}',
    "an empty array": text(a=[]), "an empty text": text(s="", a=[""]), "missing": text(), "null": text(maybe=None),
    "a text for null": text(maybe="null"), "every value of an enum": text(side="sell"),
    "a million characters": text(s="é" * (1 << 20)), "a hundred levels": '{"deep":' + "[" * 99 + "]" * 99 + "}",
    "keys in another order": '{"s":"x","n":1}', "white space": ' {\t"n"\n:\r1 } ',
}  # fmt: skip
REFUSED = {
    "2^63": text(n=2**63), "-2^63-1": text(n=-(2**63) - 1), "10^30": text(n=10**30), "1e19": '{"n":1e19}',
    "1.5": text(n=1.5), "a number as text": text(n="1"), "true for 1": text(n=True), "1e309": '{"r":1e309}',
    "an unknown value of an enum": text(side="hold"), "an additional property": text(x=1), "null": text(s=None),
    "null as an item": text(a=[None]), "a key twice": '{"n":1,"n":1}', "half of a pair": '{"s":"\\ud83d"}',
    "a raw line break": '{"s":"a\nb"}', "a hundred and one levels": '{"deep":' + "[" * 100 + "]" * 100 + "}",
    "three thousand levels": "[" * 3000, "01": '{"n":01}', "NaN": '{"r":NaN}', "a comma too many": '{"n":1,}',
}  # fmt: skip


@pytest.fixture(scope="module", params=["python", "mql4"])
def asked(request, tmp_path_factory):
    language = next(one for one in languages() if one.target == request.param)
    if missing := language.runtime.unavailable(os.environ):
        pytest.skip(missing)
    files = language.files(MADE.found, MADE.contract, MADE.judge.type)
    folder, texts = tmp_path_factory.mktemp("asked"), [*HELD.values(), *REFUSED.values()]
    answers = language.runtime.answers(MADE.contract, files, texts, folder=folder, environment=os.environ, timeout=100)
    return dict(zip(texts, answers, strict=True))


@pytest.mark.parametrize("name", HELD)
def test_what_comes_back_equal(asked, name):
    case = MADE.judge.case(HELD[name], name)
    assert case.refused == ""
    proof = judged(MADE.judge, [case], [asked[case.text]])
    assert (proof.equal, proof.failure) == (1, None)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_its_place(asked, name):
    case = MADE.judge.case(REFUSED[name], name)
    assert case.refused
    proof = judged(MADE.judge, [case], [asked[case.text]])
    assert (proof.refused, proof.failure) == (1, None)
