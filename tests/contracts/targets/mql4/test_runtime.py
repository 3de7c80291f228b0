"""What generated MQL4 makes of documents: what the validator says of them, and the same document again."""

import json
import os
import random
import re
from dataclasses import replace
from functools import partial

import pytest
from contract_samples import DOCUMENTS, INT, WIDE, closed
from random_contracts import RandomSchema
from rich_contract import RICH, opened

from cli_multi_rapid.contracts.emitting import RuntimeFailed
from cli_multi_rapid.contracts.roundtrip import cases, proven
from cli_multi_rapid.contracts.targets.mql4 import runtime

NUL = "\\u0000"


def test_the_verdict_is_that_of_the_validator_and_nothing_changes(mql4, through):
    made = mql4(WIDE, "Wide@1.0")
    documents = [one for one in DOCUMENTS if NUL not in one]
    assert len(documents) > len(DOCUMENTS) - 10
    assert made.differences(documents, through(made, documents)) == []


def test_generated_documents_come_back_equal_and_changed_ones_are_refused(mql4, through):
    made, one = mql4(RICH), opened(RICH)
    judge = replace(one.judge, nul=False)
    given = cases(judge, seed=3, count=200, changed=400)
    proof = proven(judge, given, partial(through, made))
    assert proof.failure is None
    assert proof.equal >= 140
    assert proof.refused >= 300


@pytest.mark.parametrize("seed", range(1))
def test_contracts_that_nobody_wrote(mql4, through, seed):
    makes = RandomSchema(seed)
    schema = closed(**{f"c{number}": makes.contract(3) for number in range(8)})
    made, one = mql4(schema), opened(schema)
    given = cases(replace(one.judge, nul=False), seed=seed, count=60, changed=200)
    assert proven(replace(one.judge, nul=False), given, partial(through, made)).failure is None


def test_u_0000_is_refused_where_the_contract_allows_it(mql4, read):
    made = mql4(closed(s={"type": "string"}))
    for document in ('{"s":"a\\u0000b"}', '{"s":"\\u0000"}', '{"\\u0000":1}'):
        answer = read(made, document)
        assert (answer.error, answer.where.partition(" ")[0] in ("/s", "/")) == (
            "a text of MQL4 cannot hold U+0000", True
        )  # fmt: skip
    assert "U+0000" in read(made, '{"s":"\0"}').error
    assert [name for name, _ in runtime.LIMITS] == ["U+0000"]


@pytest.mark.parametrize(
    ("document", "where", "error"),
    [
        ('{"must": 11}', "/must (character 10)", "this is no whole number from 0 to 9"),
        ('{"must": 1, "points": [{"x": 1}, {"x": 10}]}', "/points/1/x (character 40)", "no whole number from 0 to 9"),
        ('{"must": 1, "rows": [[1], [2, "3"]]}', "/rows/1/1 (character 31)", "this is no number"),
        ('{"must": 1, "a/b~c": 2}', "/ (character 13)", 'the contract has no key "a/b~c"'),
        ('{"must": 1, "must": 2}', "/ (character 13)", 'the key "must" stands here for the second time'),
        ('{"flag": true}', "/ (character 14)", 'the key "must" is missing'),
        ('{"must": 1, "text": "a\\ud83d"}', "/text (character 23)", "half of a surrogate pair is no character"),
        ('{"must": 1, "text": "😀\t"}', "/text (character 24)", "a control character stands in a text"),
        ('{"must": 01}', "/ (character 11)", "a comma or the end is missing"),
        ('{"must": 1} x', "/ (character 13)", "the document has ended, and something follows"),
        ('{"must": 1, "how": {"kind": "stop"}}', "/how/kind (character 29)", 'this is none of "limit", "market"'),
        ('{"must": 1, "tags": []}', "/tags (character 21)", "there are fewer than 1 item"),
        ('{"must": 1, "side": "hold"}', "/side (character 21)", 'this is none of "buy", "sell", '),
        ('{"must": 1, "big": 9223372036854775808}', "/big (character 20)", "no whole number from -9223372036854775808"),
        ('{"must": 1, "ratio": 1e309}', "/ratio (character 22)", "too large for a number of double precision"),
        ('{"must": 1,\n "no\nkey": 1}', "/ (character 17)", "a control character stands in a text"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_why(mql4, read, document, where, error):
    answer = read(mql4(WIDE, "Wide@1.0"), document)
    assert answer.where == where
    assert error in answer.error


def test_100_levels_are_read_and_101_are_not(mql4, through):
    made = mql4(WIDE, "Wide@1.0")
    deep = [f'{{"must":1,"how":{{"slip":{"[" * count}{"]" * count},"kind":"market"}}}}' for count in (98, 99)]
    said = [(one.error, one.where) for one in through(made, deep)]
    assert said == [
        ("this is no number", "/how/slip (character 25)"),
        ("this is nested more than 100 levels deep", f"/how/slip{'/0' * 98} (character 123)"),
    ]


def test_long_texts_and_arrays_come_back(mql4, through):
    made = mql4(WIDE, "Wide@1.0")
    texts = [
        "x" * (1 << 20),
        "😀" * (1 << 15),
        '"\\\n' * (1 << 15),
        "".join(random.Random(5).choices('aé😀\u2028"\\\x01', k=1 << 15)),
    ]
    documents = [
        json.dumps({"must": 1, "text": one}, ensure_ascii=escaped) for one in texts for escaped in (True, False)
    ]
    documents.append(json.dumps({"must": 1, "rows": [[1, 2]] * 20_000}))
    answers = through(made, documents)
    assert [json.loads(one.text) for one in answers] == [json.loads(one) for one in documents]


def test_formats_are_what_the_validator_takes_them_to_be(mql4, through):
    made = mql4(closed(**{one: {"type": "string", "format": one} for one in ("date-time", "date", "time", "uuid")}))
    documents = [json.dumps({kind: text}) for kind in SEEDS for text in changed(kind)]
    assert made.differences(documents, through(made, documents)) == []
    accepted = sum(made.validator.is_valid(json.loads(one)) for one in documents)
    assert len(documents) / 10 < accepted < len(documents) * 0.9


SEEDS = {
    "date": ["2024-02-29", "2023-02-28", "1900-02-29", "2000-02-29", "0000-12-31", "9999-04-30"],
    "time": ["23:59:60Z", "00:29:60+00:30", "12:00:00.5z", "23:59:59-23:59", "15:59:60-08:00", "01:29:60+01:30"],
    "date-time": ["2024-02-29T23:59:60Z", "1999-12-31t00:00:00.123456789+14:00", "2026-11-22T09:00:00z"],
    "uuid": ["2eb8aa08-AA98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000"],
}  # fmt: skip


def changed(kind):
    """Return texts that are one or two changes away from good ones."""
    chance = random.Random(kind)
    for seed in SEEDS[kind]:
        yield seed
        for _ in range(150):
            made = list(seed)
            for _ in range(chance.choice((1, 1, 2))):
                at = chance.randrange(len(made))
                made[at : at + chance.choice((0, 1, 1, 1))] = chance.choice("0123456789999:-+.TtZz fFgé")
            yield "".join(made)


PATTERNS = [
    "a", "^a", "a$", "^$", "", "^-?[0-9]{1,15}([.][0-9]{1,8})?$", "b|^a|c$", "^(ab|a)*b$", r"^[^\d_]{2,}$",
    "^[\U0001f600-\U0001f64f]+$", "^[^\U0001f600]$", "^[a-\uffff]{2}$", "^(?:a{0}|b)$", r"^\t\n$", "a^b",
]  # fmt: skip


def test_patterns_are_what_the_validator_takes_them_to_be(mql4, through):
    made = mql4(closed(**{f"p{n}": {"type": "string", "pattern": one} for n, one in enumerate(PATTERNS)}))
    chance = random.Random(2)
    texts = [
        "",
        "a",
        "b",
        "ab",
        "aab",
        "-12.5",
        "\t\n",
        *("".join(chance.choices("aab-.059_é😀😁\uffff", k=k)) for k in [1, 2, 3] * 12),
    ]
    documents = [json.dumps({f"p{n}": one}) for n in range(len(PATTERNS)) for one in texts]
    assert made.differences(documents, through(made, documents)) == []
    accepted = sum(made.validator.is_valid(json.loads(one)) for one in documents)
    assert len(documents) / 10 < accepted < len(documents) * 0.8


def test_a_union_may_be_all_of_a_contract(mql4, through):
    schema = {"oneOf": [closed(("t",), t={"const": one}, x=INT) for one in ("A", "error", "", "FromJson", "double")]}
    made = mql4(schema)
    documents = [f'{{"t":"{one}"}}' for one in ("A", "", "FromJson", "double", "B")]
    documents += ['{"x":2,"t":"error"}', '{"t":"A","x":1}x', '{"t":"A","t":"A"}', "{}", "[]"]
    assert made.differences(documents, through(made, documents)) == []


def test_a_program_is_compiled_once(mql4, through, tmp_path):
    made = mql4(closed(a={"type": "boolean"}))
    kept = tmp_path / "kept"
    assert through(made, ['{"a":true}'], cache=kept)[0].text == '{"a":true}'
    (program,) = kept.iterdir()
    program.write_bytes(b"#!/bin/sh\nexit 7\n")
    with pytest.raises(RuntimeFailed, match="ended with 7"):
        through(made, ["{}"], cache=kept)
    made.files["CmrJson.mqh"] += "// other\n"
    assert through(made, ["{}"], cache=kept)[0].text == "{}"
    assert len(list(kept.iterdir())) == 2
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeFailed, match=r"cannot be kept in .*/file/folder"):
        through(made, ["{}"], cache=tmp_path / "file/folder")
    assert through(made, ["{}"], cache=None)[0].text == "{}"


def test_a_compiler_that_takes_too_long_or_cannot_be_started(mql4, through, tmp_path):
    made = mql4(closed(a={"type": "boolean"}))
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "g++"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    environment = {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with pytest.raises(RuntimeFailed, match=r"g\+\+ did not end within 0.2 s"):
        through(made, ["{}"], cache=None, environment=environment, timeout=0.2)
    slow.write_text("#!/nowhere/sh\n")
    with pytest.raises(RuntimeFailed, match="could not be started"):
        through(made, ["{}"], cache=None, environment=environment)
    assert runtime.executed(environment) == "host-compiled MQL4 subset, g++"


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("auto z=1;", r"this is not MQL4: line \d+: auto is not known"),
        ("int z=\"a\";", "it does not compile: .*error"),
        ("while(true) {}", "it did not end within 1 s"),
        ("if(Next(closing)) at++;", "it ended with -11"),
    ],
)  # fmt: skip
def test_a_program_that_fails_has_no_verdict(mql4, through, added, said):
    made = mql4(closed(a={"type": "boolean"}))
    before = "   if(sign==closing)"
    assert before in made.files["CmrJson.mqh"]
    made.files["CmrJson.mqh"] = made.files["CmrJson.mqh"].replace(before, f"   {added}\n{before}", 1)
    with pytest.raises(RuntimeFailed, match=said):
        through(made, [])  # compiles it
        through(made, ['{"a":true}'], timeout=1 if "while" in added else 60)


def test_an_index_outside_of_an_array_ends_the_program(mql4, through):
    made = mql4(closed(a={"type": "array", "items": INT}))
    made.files[made.name] = made.text.replace("ArrayResize(items,count+1,count)", "ArrayResize(items,count,count)")
    with pytest.raises(RuntimeFailed, match="ended with 70: array out of range"):
        through(made, ['{"a":[1]}'])


def test_what_is_said_of_it():
    assert runtime.unavailable({"PATH": ""}) == "no C++ compiler (g++, clang++, c++) is on PATH"
    assert re.fullmatch(r"host-compiled MQL4 subset, [\w+]+ [0-9.]+", runtime.executed(os.environ))
    assert [name for name, _ in runtime.NOT_RUN] == ["MetaEditor"]


def test_without_a_compiler_there_is_no_verdict(mql4, through):
    with pytest.raises(RuntimeFailed, match="no C\\+\\+ compiler"):
        through(mql4(closed(a=INT)), ["{}"], environment={"PATH": ""})
