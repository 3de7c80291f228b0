"""What a program makes of documents is judged: equal, rightly refused, or wrong, and then made as small as possible."""

import json
import re

import pytest
from rich_contract import INT64, RICH, closed, opened, reader

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.equality import difference
from cli_multi_rapid.contracts.roundtrip import cases, judged, proven
from cli_multi_rapid.contracts.strict_json import read_json

MADE = opened(RICH)
GIVEN = cases(MADE.judge, seed=1, count=90, changed=240)


TEXTS = [case.text for case in GIVEN]


def proof(through):
    return proven(MADE.judge, GIVEN, through)


def changed(*path, to):
    """Return a writer that changes what stands at a path."""

    def write(value):
        here = value
        for key in path[:-1]:
            here = here.get(key, {}) if isinstance(here, dict) else here
        if path[-1] in here:
            here[path[-1]] = to(here[path[-1]])
        return json.dumps(value)

    return write


def loosely(text):
    """Read as `json.loads` does: keys twice, NaN, halves of pairs and any depth."""
    return json.loads(text)


def clamped(text):
    value = read_json(text.encode(), "")
    if isinstance(value, dict) and type(value.get("x")) is int:
        value["x"] = max(-(2**63), min(2**63 - 1, value["x"]))
    return value


WRITERS = {
    "a lost field": changed("note", to=lambda _: None), "a lost item": changed("legs", to=lambda one: one[:3]),
    "a double for a whole number": changed("n", to=float),
    "too few digits": changed("ratio", to=lambda one: float(f"{one:.15g}")),
    "a date rewritten": changed("at", to=lambda one: one.replace("t", "T")),
    "a fraction of a second cut": changed("at", to=lambda one: re.sub(r"(\.\d{6})\d+", r"\1", one)),
    "a text cut": changed("note", to=lambda one: one and one[:1000]),
    "a text cut at U+0000": changed("class", to=lambda one: one.partition("\0")[0]),
    "another normal form": changed("class", to=lambda one: one.replace("e\u0301", "é")),
    "true for 1": changed("one", to=lambda _: True), "1 for true": changed("yes", to=lambda _: 1),
    "null for empty": changed("note", to=lambda one: one or None),
    "the wrong case of a union": changed("kind", to=lambda one: {"type": "market"}),
    "null kept as missing": lambda value: json.dumps({key: one for key, one in value.items() if one is not None}),
    "a lossy encoding": lambda value: json.dumps(value, ensure_ascii=False).encode("cp850", "replace").decode("cp850"),
    "a raw line break": lambda value: json.dumps(value).replace("\\n", "\n"),
    "no quotes around keys": lambda value: json.dumps(value).replace('"n":', "n:"),
}  # fmt: skip


def test_a_right_program_passes():
    found = proof(reader(MADE.judge))
    assert found.failure is None
    assert found.equal + found.refused == len(GIVEN)
    assert found.equal >= 90
    assert found.refused > 200
    assert len(found.returned) == found.equal


@pytest.mark.parametrize("name", WRITERS)
def test_a_wrong_writer_is_found(name):
    assert judged(MADE.judge, GIVEN, reader(MADE.judge, write=WRITERS[name])(TEXTS)).failure is not None


def test_a_loose_reader_is_found():
    found = proof(reader(MADE.judge, read=loosely)).failure
    assert "must be refused" in found.problem
    assert "second time" in found.case.refused


def test_a_reader_that_clamps_is_found():
    made = opened(closed(("x",), x=INT64))
    given = cases(made.judge, seed=1, count=20, changed=300)
    found = proven(made.judge, given, reader(made.judge, read=clamped)).failure
    assert "must be refused" in found.problem
    assert abs(json.loads(found.case.text)["x"]) >= 2**63


def test_a_refusal_without_a_place_is_found():
    exchange = reader(MADE.judge)
    placeless = proof(lambda texts: [Answer(text=one.text, error=one.error) for one in exchange(texts)])
    assert "without a place" in placeless.failure.problem


def test_a_failing_document_is_made_small():
    found = proof(reader(MADE.judge, write=changed("n", to=float))).failure
    value = json.loads(found.case.text)
    assert set(value) == set(RICH["required"])
    assert value["legs"] == []
    assert value["kind"] == {"type": "market"}
    assert "/n: " in found.problem
    assert not found.case.refused


def test_a_mistake_in_how_a_text_is_written_stays_in_the_small_document():
    def blind(text):
        if "\\ud83d\\ude00" in text:
            raise ValueError("an escape that this program does not know")
        return json.loads(text) if read_json(text.encode(), "") else None

    found = proof(reader(MADE.judge, read=blind)).failure
    assert "\\ud83d\\ude00" in found.case.text
    assert "it is valid, but was refused" in found.problem
    assert len(found.case.text) < 300


def test_a_program_that_answers_too_little_gives_no_verdict():
    with pytest.raises(RuntimeFailed, match="answers"):
        proof(lambda texts: reader(MADE.judge)(texts)[1:])


def test_a_program_that_fails_on_smaller_documents_leaves_the_first():
    def once(texts):
        if len(texts) != len(GIVEN):
            raise RuntimeFailed("gone")
        return reader(MADE.judge, write=changed("n", to=float))(texts)

    assert proof(once).failure.case in GIVEN


def test_a_language_without_u_0000():
    made = opened(closed(("x",), x={"type": "string"}))
    judge = type(made.judge)(type=made.judge.type, validator=made.judge.validator, nul=False)
    given = cases(made.judge, seed=1, count=120, changed=0)
    assert any("\0" in case.value["x"] for case in given)

    def cut(text):
        return {"x": read_json(text.encode(), "")["x"].partition("\0")[0]}

    def refusing(text):
        if "\0" in read_json(text.encode(), "")["x"]:
            raise ValueError("U+0000 cannot be kept")
        return json.loads(text)

    def problem(judge, read):
        failure = judged(judge, given, reader(made.judge, read=read)([case.text for case in given])).failure
        return failure and failure.problem

    assert problem(judge, refusing) is None
    assert "no U+0000" in problem(judge, cut)
    assert "was refused" in problem(made.judge, refusing)


@pytest.mark.parametrize(
    ("schema", "sent", "received", "told"),
    [
        (INT64, 1, 1.0, ""),
        (INT64, 2**53 + 1, 2.0**53, "/x: 9007199254740993 became 9007199254740992.0"),
        (INT64, 2**63 - 1, 2**63 - 2, "became"),
        ({"type": "number"}, 2**53 + 1, 2.0**53, ""),
        ({"type": "number"}, 0.07, 0.07000000000000002, "became"),
        ({"type": "number"}, -0.0, 0, ""),
        ({"type": "string"}, "0.070", "0.07", "became"),
        ({"type": "string"}, "e\u0301", "é", "became"),
        ({"type": "string"}, "a" * 90 + "b", "a" * 90 + "c", '"aaaaaab" became "aaaaaac", from character 85 on'),
        ({"type": ["string", "null"]}, None, "", 'null became ""'),
        ({"const": True}, True, 1, "true became 1"),
        ({"const": 1}, 1, True, "1 became true"),
        ({"const": 1}, 1, 1.0, ""),
        ({"type": "array", "items": INT64}, [1, 2], [2, 1], "/x/0: 1 became 2"),
        ({"type": "array", "items": INT64}, [1], [1, 1], "1 items became 2"),
        (closed(a=INT64, b=INT64), {"a": 1, "b": 2}, {"b": 2, "a": 1}, ""),
        (closed(a=INT64), {"a": 1}, {}, "/x/a was lost"),
        (closed(a={"type": ["integer", "null"], "minimum": 0, "maximum": 1}), {}, {"a": None}, "/x/a was added"),
    ],
)
def test_equality(schema, sent, received, told):
    kind = opened(closed(x=schema)).judge.type
    found = difference(kind, {"x": sent}, {"x": received})
    assert told in found
    assert bool(told) == bool(found)


def test_equality_of_unions():
    kind = opened(RICH).judge.type
    other = difference(kind, {"kind": {"type": "market"}}, {"kind": {"type": "limit", "price": "1"}})
    assert other == '/kind/type: "market" became "limit"'
