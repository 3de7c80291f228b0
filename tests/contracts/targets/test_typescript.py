"""Generated TypeScript, executed by Node.js: it accepts and refuses as the validator does, and writes what it read."""

import json
import os
import random
import shutil
import subprocess

import pytest
from contract_samples import AWKWARD, DOCUMENTS, INT, WIDE, awkward_schema, closed, deep, with_member

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Refused, RuntimeFailed
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.targets.typescript import runtime
from cli_multi_rapid.contracts.targets.typescript.emitter import TypeScriptEmitter

EMITTER = TypeScriptEmitter()
TSC = shutil.which("tsc")


@pytest.fixture
def answers(tmp_path_factory):
    """Ask the module of an emitted contract, or the files that are given instead."""

    def ask(made, documents, files=None, timeout=60):
        folder = tmp_path_factory.mktemp("node")
        return runtime.answers(
            made.contract, files or made.files, documents, folder=folder, environment=os.environ, timeout=timeout
        )

    return ask


def test_the_same_verdict_and_the_same_value(emitted, answers):
    made = emitted(EMITTER, WIDE)
    given = answers(made, DOCUMENTS)
    assert made.differences(DOCUMENTS, given) == []
    accepted = [one for one in given if one.accepted]
    assert len(accepted) > 100
    assert len(given) - len(accepted) > 200
    assert all(one.where for one in given if not one.accepted)


def test_what_is_written_is_what_was_read(emitted, answers):
    made = emitted(EMITTER, WIDE)
    texts = [
        '{"must":1,"big":9223372036854775807}', '{"must":null,"tags":["a",null],"rows":[[],[1]]}',
        '{"must":null,"ratio":-0.0,"text":"\u2028\U0001f600\\u0000\\"\\\\"}', '{"must":null,"note":null}',
        '{"must":null,"ratio":5e-324,"part":9007199254740992.0}',
    ]  # fmt: skip
    assert [one.text for one in answers(made, texts)] == texts


def test_places(emitted, answers):
    made = emitted(EMITTER, WIDE)
    places = {
        with_member("points", '[{"x": 1},\n {"x": 10}]'): "#/points/1/x line 2 column 8",
        with_member("a/b~c", "1"): "#/a~1b~0c line 1 column 25",
        with_member("point", "{}"): "#/point line 1 column 25",
        '{"must": 1,\n "must": 2}': "#/must line 2 column 2",
        '{"must": 1': "# line 1 column 11",
        '{"must": 1, "text": "\U0001f600", "flag": 1}': "#/flag line 1 column 35",
        with_member("\n\u2028", "1").replace("\n", "\\n"): "#/?? line 1 column 23",
    }
    assert [one.where for one in answers(made, list(places))] == list(places.values())


def test_what_is_no_text_of_unicode_is_refused(emitted, answers):
    (given,) = answers(emitted(EMITTER, WIDE), ['{"must": null, "text": "\ud800"}'])
    assert (given.error, given.where) == ("this is not UTF-8", "#")


def test_a_hundred_levels_and_a_megabyte(emitted, answers):
    schema = closed(deep={"$ref": "#/$defs/deep0"}, text={"type": "string"}, many={"type": "array", "items": INT})
    made = emitted(EMITTER, {**schema, "$defs": deep(100)})
    large = '\U0001f600\\"\\u2028' * 20_000
    documents = [
        f'{{"deep": {"[" * 99}{"]" * 99}}}', f'{{"deep": {"[" * 100}{"]" * 100}}}', f'{{"deep": {"[" * 20_000}',
        f'{{"text": "{large}"}}', f'{{"text": "{"a" * 1_000_000}"}}', f'{{"text": {"1" * 1_000_000}}}',
        f'{{"many": [{", ".join("1" for _ in range(20_000))}]}}', '{"a": ' * 20_000,
    ]  # fmt: skip
    given = answers(made, documents)
    assert made.differences(documents, given) == []
    assert [one.accepted for one in given] == [True, False, False, True, True, False, True, False]


def test_formats_as_the_validator_judges_them(emitted, answers):
    made = emitted(EMITTER, WIDE)
    dice = random.Random(5)
    good = {
        "at": ["2026-11-22T09:00:00Z", "2024-02-29t23:59:60.123456789z", "0000-12-31T00:59:60+01:00",
               "1999-06-30T22:29:60-01:30"],
        "day": ["2000-02-29", "1900-02-28", "2026-11-30", "9999-12-31"],
        "hour": ["23:59:60Z", "00:00:00+23:59", "08:15:59.5-00:00", "00:29:60+00:30", "23:58:60-00:01"],
        "id": ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
    }  # fmt: skip
    documents = []
    for key, values in good.items():
        for value in values:
            documents.append(with_member(key, json.dumps(value)))
            for _ in range(60):
                signs = list(value)
                for _ in range(dice.choice((1, 1, 2, 3))):
                    signs[dice.randrange(len(signs))] = dice.choice(
                        ["0", "1", "2", "3", "5", "6", "9", dice.choice("-:+Zt.\u0663\n ")]
                    )
                changed = "".join(signs) + dice.choice(["", "", "", "\n", "Z", "0"])
                documents.append(with_member(key, json.dumps(changed)))
    given = answers(made, documents)
    assert made.differences(documents, given) == []
    assert sum(one.accepted for one in given) > 100


def test_patterns_in_linear_time(emitted, answers):
    patterns = [
        "^(a+)+$",
        "a*a*a*a*b",
        "^[^x]{2}$",
        "b|^c$",
        "^$",
        "[\U0001f600-\U0001f64f]",
        "^(?:ab|a)(?:c|bcd)$",
        "\\d{3}",
    ]
    made = emitted(EMITTER, closed(**{f"p{n}": {"type": "string", "pattern": one} for n, one in enumerate(patterns)}))
    texts = ["", "a", "aa", "ab", "abcd", "abc", "c", "cc", "xb", "\U0001f600", "\U0001f600\U0001f64f", "ax", "a\n",
    "a12",
             "1234", "\u0661\u0662\u0663", "a" * 100_000, "a" * 100_000 + "!"]  # fmt: skip
    documents = [json.dumps({f"p{n}": text}) for n in range(len(patterns)) for text in texts]
    assert made.differences(documents, answers(made, documents, timeout=20)) == []


def test_awkward_names_and_texts(emitted, answers):
    made = emitted(EMITTER, awkward_schema())
    documents = [json.dumps({key: 5}) for key in AWKWARD]
    documents += [json.dumps({"texts": key}) for key in [*AWKWARD, "else"]]
    documents += [json.dumps({"union": {"*/": key, "__proto__": 1}}) for key in [*AWKWARD, "else"]]
    documents += [json.dumps(dict.fromkeys(AWKWARD, 3)), json.dumps(dict.fromkeys(AWKWARD, 10)), '{"odd": "*/`${}"}',
                  json.dumps({"word": awkward_schema()["description"]})]  # fmt: skip
    given = answers(made, documents)
    assert made.differences(documents, given) == []
    assert sum(one.accepted for one in given) == 3 * len(AWKWARD) + 3


@pytest.mark.parametrize("name", ["String@1.0", "Array@10.20"])
def test_names_that_the_language_has_already(emitted, answers, name):
    schema = closed(
        p={"$ref": "#/$defs/Promise"}, q={"$ref": "parts.json#/$defs/Promise"}, r={"type": "array", "items": INT}
    )
    schema["$defs"] = {"Promise": closed(x=INT)}
    made = emitted(EMITTER, schema, name, parts={"$defs": {"Promise": closed(y=INT)}})
    documents = ['{"p": {"x": 1}, "q": {"y": 2}, "r": [1]}', '{"q": {"x": 2}}']
    assert made.differences(documents, answers(made, documents)) == []


def test_names_of_files_and_types(emitted):
    made = emitted(EMITTER, {**closed(leg={"$ref": "#/$defs/leg"}), "$defs": {"leg": closed(x=INT)}})
    assert made.name == "order_intent_v1_2.ts"
    assert "export interface OrderIntent {\n  /** An object. */\n  readonly leg?: OrderIntentLeg;\n}" in made.text
    assert "export function parseOrderIntent(text: string): OrderIntent {" in made.text
    assert made.text.isascii()


def test_a_pattern_that_means_different_things_is_refused():
    contract = Contract(name="A", version="1.0", path="contracts/events/A@1.0.json", id="")
    word = ir.Member(key="x", type=ir.ArrayType(item=ir.StringType(pattern=r"\bx")), required=True)
    with pytest.raises(Refused, match="different things"):
        EMITTER.text(contract, ir.ObjectType(place="A", members=(word,)))


WRITING = """
import { writeSync } from "node:fs";
import * as made from "./MODULE";
const point = { x: 1 };
const holes = [1]; holes.length = 2;
const cases: unknown[] = [
  { must: 1 }, { must: null, note: undefined, point }, { must: 1, ["__proto__"]: 1 }, { must: undefined },
  { must: 1, more: 1 },
  { must: 1, big: 1 }, { must: 1, big: 2n ** 63n }, { must: 1, big: -(2n ** 63n) }, { must: 1, small: 1n },
  { must: 1.5 },
  { must: "1" }, { must: 1, ratio: NaN }, { must: 1, ratio: Infinity }, { must: 1, ratio: 1n }, { must: 1, ratio: -0 },
  { must: 1, text: "\\ud83d" }, { must: 1, text: 5 }, { must: 1, text: new String("a") },
  { must: 1, short: "\\u{1f600}" },
  { must: 1, code: "abc" }, { must: 1, side: "BUY" }, { must: 1, day: "2026-02-30" }, { must: 1, flag: 1 },
  { must: 1, rows: [[1], "x"] }, { must: 1, rows: [holes] }, { must: 1, rows: { length: 0 } }, { must: 1, tags: [] },
  { must: 1, how: { kind: "limit", limit: 1 } }, { must: 1, how: { kind: "stop" } }, { must: 1, point: [] },
  { must: 1, points: [{ x: 1 }, { x: 10 }] }, { must: 1, one: 1, yes: true, huge: 9007199254740993n },
  { must: 1, huge: 1n },
  { must: 1, must2: undefined }, null, [], Object.create({ must: 1 }), { must: 1, part: 0.05 }, { must: -0 },
];
for (const one of cases) {
  let said: string;
  try { said = made.stringifyOrderIntent(one as made.OrderIntent); }
  catch (error) {
    if (!(error instanceof made.ContractError)) throw error;
    said = `${error.name} ${error.pointer} ${error.position} ${error.reason}`;
  }
  writeSync(1, `${said}\\n`);
}
writeSync(1, `${Object.keys(made.parseOrderIntent('{"must": 1, "point": {"x": 1}}'))}\\n`);
"""


def test_what_is_written_is_within_the_contract(emitted, tmp_path):
    made = emitted(EMITTER, WIDE)
    for name, text in {
        **made.files,
        "try.ts": WRITING.replace("MODULE", made.name),
        "package.json": '{"type": "module"}',
    }.items():
        (tmp_path / name).write_text(text)
    node = runtime._chosen(os.environ).program
    done = subprocess.run([node, "--no-warnings", "try.ts"], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = [line.removeprefix("ContractError ") for line in done.stdout.splitlines()]
    assert lines == [
        '{"must":1}', '{"must":null,"point":{"x":1}}', "/__proto__ undefined the contract has no such key",
        ' undefined the key "must" is missing', "/more undefined the contract has no such key",
        "/big undefined this is no bigint",
        "/big undefined this is no whole number from -9223372036854775808 to 9223372036854775807",
        '{"must":1,"big":-9223372036854775808}', "/small undefined this is no whole number from -5 to 9007199254740991",
        "/must undefined this is no whole number from 0 to 9", "/must undefined this is no whole number from 0 to 9",
        "/ratio undefined this is no finite number", "/ratio undefined this is no finite number",
        "/ratio undefined this is no finite number", '{"must":1,"ratio":-0.0}',
        "/text undefined half of a surrogate pair is no character", "/text undefined this is no text",
        "/text undefined this is no text", "/short undefined this is shorter than 2 characters",
        "/code undefined this does not match ^[^a-z]+(x|yz)?$",
        "/side undefined this is none of the values that the contract lists", "/day undefined this is no date",
        "/flag undefined this is not true or false", "/rows/1 undefined this is no array",
        "/rows/0/1 undefined this is no whole number from 0 to 9", "/rows undefined this is no array",
        "/tags undefined there are less than 1 items", '{"must":1,"how":{"kind":"limit","limit":1}}',
        '/how undefined "kind" tells none of the cases of the contract', "/point undefined this is no object",
        "/points/1/x undefined this is no whole number from 0 to 9",
        '{"must":1,"one":1,"huge":9007199254740993,"yes":true}',
        "/huge undefined this is not 9007199254740993", '{"must":1}', " undefined this is no object",
        " undefined this is no object", ' undefined the key "must" is missing',
        "/part undefined this is no finite number of at least 0.1 and of at most 9007199254740992", '{"must":0}',
        "must,point",
    ]  # fmt: skip


_KEPT = {}
JSON, SHAPES, GENERATED = "cmr_json.ts", "cmr_shapes.ts", "order_intent_v1_2.ts"
BUGS = {
    "integers pass through a double": (JSON, "return BigInt(lexeme);", "return BigInt(Number(lexeme));"),
    "integers are clamped": (
        SHAPES, "value > maximum) throw reading.error(wrong, found);\n      return value;",
        "false) throw reading.error(wrong, found);\n      return value > maximum ? maximum : value;",
    ),
    "the maximum is left out": (SHAPES, "|| value > maximum) throw reading", ") throw reading"),
    "1.0 is no integer": (JSON, "return Number.isInteger(value) ? BigInt(value) : undefined;", "return undefined;"),
    "zeros may lead": (JSON, 'if (!this.#skip("0")) this.#digits(pointer);', "this.#digits(pointer);"),
    "keys may stand twice": (JSON, "if (made.has(key)) throw", "if (false) throw"),
    "half a pair is text": (JSON, "if (LONE_SURROGATE.test(made)) throw", "if (false) throw"),
    "a wrong escape": (JSON, '["b", "\\b"]', '["b", "b"]'),
    "no limit of depth": (JSON, "depth >= MAX_DEPTH", "depth > MAX_DEPTH"),
    "lost when written": (SHAPES, "return JSON.stringify(value);", "return JSON.stringify(value.slice(0, 80));"),
    "units instead of characters": (SHAPES, "const length = characters(value);", "const length = value.length;"),
    "unknown keys are dropped": (SHAPES, "if (!known.has(key)) throw reading", "if (false) throw reading"),
    "nothing is required": (SHAPES, "if (required) {\n          throw reading",
    "if (false) {\n          throw reading"),
    "null is missing": (SHAPES, "if (one !== undefined) {", "if (one !== undefined && one.value !== null) {"),
    "assigned, not defined": (
        SHAPES, "Object.defineProperty(made, key, { value, enumerable: true, writable: true, configurable: true });",
        "(made as Record<string, unknown>)[key] = value;",
    ),
    "enums are not enforced": (SHAPES, "if (values && !values.has(value))", "if (false)"),
    "patterns are not enforced": (SHAPES, "return accepting.includes(state);", "return true;"),
    "every day is one": (SHAPES, "day <= (days[month - 1] ?? 0)", "day <= 31"),
    "items may not be null": (GENERATED, 'cmr.nullable(cmr.text({ values: ["a", "b"] }))',
    'cmr.text({ values: ["a", "b"] })'),
    "the wrong case": (GENERATED, '["market", orderIntentHow1Shape]', '["market", orderIntentHow0Shape]'),
    "a limit too low": (GENERATED, "9223372036854775807n)", "9223372036854775806n)"),
}  # fmt: skip


def planted(made, answers, documents, files):
    """Whether a bug shows: other verdicts or values than must be, or what was read cannot be written."""
    try:
        return made.differences(documents, answers(made, documents, files))
    except RuntimeFailed as failed:
        return "ContractError" in str(failed) and "SyntaxError" not in str(failed)


@pytest.mark.parametrize("bug", BUGS)
def test_bugs_that_are_planted_are_found(emitted, answers, bug):
    properties = {**WIDE["properties"], "deep": {"$ref": "#/$defs/deep0"}, "__proto__": INT}
    schema = {**WIDE, "properties": properties, "$defs": {**WIDE["$defs"], **deep(100)}}
    made = _KEPT.get("made") or emitted(EMITTER, schema)
    _KEPT["made"] = made
    name, old, new = BUGS[bug]
    assert made.files[name].count(old) >= 1
    documents = [*DOCUMENTS, '{"must": 1, "__proto__": 1}', with_member("deep", "[" * 100 + "]" * 100),
    with_member("text", f'"{"x" * 99}"'),
                 with_member("hour", '"12:00:60Z"'), with_member("day", '"2026-02-30"')]  # fmt: skip
    assert planted(made, answers, documents, {**made.files, name: made.files[name].replace(old, new)})


@pytest.mark.outside
@pytest.mark.skipif(TSC is None, reason="tsc is not on PATH")
@pytest.mark.parametrize("schema", [WIDE, awkward_schema(), closed()], ids=["wide", "awkward", "empty"])
def test_the_compiler_accepts_it(emitted, tmp_path, schema):
    made = emitted(EMITTER, schema)
    for name, text in {**made.files, "package.json": '{"type": "module"}'}.items():
        (tmp_path / name).write_text(text)
    strict = ["--strict", "--noEmit", "--erasableSyntaxOnly", "--allowImportingTsExtensions",
    "--exactOptionalPropertyTypes",
              "--noUncheckedIndexedAccess", "--verbatimModuleSyntax", "--isolatedModules",
              "--noUnusedLocals"]  # fmt: skip
    done = subprocess.run(
        [TSC, *strict, "--module", "nodenext", "--target", "es2022", "--types", "", made.name],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
