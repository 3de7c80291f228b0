"""Documents are valid, reach the limits, and are the same everywhere."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from rich_contract import INT64, RICH, closed, opened

from cli_multi_rapid.contracts.roundtrip import SampleInvalid, cases
from cli_multi_rapid.contracts.sample_texts import FORMATTED, LONG
from cli_multi_rapid.contracts.samples import NoDocument, documents

DIGEST = """
import sys; sys.path.insert(0, "tests")
from hashlib import sha256
from rich_contract import RICH, opened
from cli_multi_rapid.contracts.samples import documents
print(sha256("\\n".join(documents(opened(RICH).judge.type, seed=7, count=40)).encode()).hexdigest())
"""
TEXT = {"type": "string"}
PATTERNS = [
    "^[A-Z]{3,6}$", "^-?[0-9]{1,15}([.][0-9]{1,8})?$", "x", "^(ab|cd)+$", "a$|^b", "^[^a-z]{2}$", "^😀?é{3}$", "",
    "^[a-f0-9]{8}-[a-f0-9]{4}$", "^.{0}$".replace(".", "a"), "^\\u2028[^\\u0000-\\uffff]$", "^(a|b|){40}$",
]  # fmt: skip


def values(schema, count=150, seed=1):
    made = opened(schema)
    return [one.value for one in cases(made.judge, seed=seed, count=count, changed=0)]


def seen(schema, count=150):
    return [one["x"] for one in values(closed(("x",), x=schema), count)]


def test_every_document_is_valid_and_they_differ():
    for seed in range(2):
        made = cases(opened(RICH).judge, seed=seed, count=220, changed=0)
        assert len({one.text for one in made}) == 220


def test_the_same_seed_gives_the_same_texts_in_another_process():
    made = "\n".join(documents(opened(RICH).judge.type, seed=7, count=40))
    done = subprocess.run((sys.executable, "-c", DIGEST), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sha256(made.encode()).hexdigest()
    # The same text on every machine and in every version: what is pinned here changes only with the generator.
    assert made != "\n".join(documents(opened(RICH).judge.type, seed=8, count=40))


def test_whole_numbers_at_their_limits():
    found = seen(INT64)
    assert {-(2**63), 2**63 - 1, 2**53 + 1, -(2**53) - 1, 2**31, 0, -1} <= set(found)
    assert all(isinstance(one, int) or abs(one) <= 2**53 for one in found)
    assert {1, 1000} <= set(seen({"type": "integer", "minimum": 1, "maximum": 1000})) <= set(range(1, 1001))


def test_ways_to_write_a_whole_number():
    texts = " ".join(documents(opened(closed(("x",), x=INT64)).judge.type, seed=1, count=150))
    for form in ("1.0", "1e2", "-0", "0e99", "1.0e1"):
        assert form in texts, form


def test_numbers_at_their_limits():
    found = seen({"type": "number"})
    assert {5e-324, 1e308, 1.7976931348623157e308, 0.07, 2.225073858507201e-308, 2**53 + 1} <= set(found)
    assert any(str(one) == "-0.0" for one in found)
    assert {0.25, 0.75} <= set(seen({"type": "number", "minimum": 0.25, "maximum": 0.75}))


def test_texts_that_programs_get_wrong():
    found = seen(TEXT)
    for text in ("", "😀", "e\u0301", "\u2028", '"', "\\", "\x7f", "\u0000", "\U0010ffff", "2026-11-22T09:00:00.120Z"):
        assert text in found
    assert LONG in found
    assert len(LONG) > 1 << 20
    raw = " ".join(documents(opened(closed(("x",), x=TEXT)).judge.type, seed=1, count=150))
    for form in ('"😀', "\\ud83d\\ude00", "\\/", "\\b\\f\\n", "\\u0001", '"\\u0078"', "\\u001F"):
        assert form in raw, form


def test_lengths_count_characters():
    found = {len(one) for one in seen({**TEXT, "minLength": 2, "maxLength": 8})}
    assert {2, 3, 7, 8} <= found <= set(range(2, 9))
    assert "😀" * 8 in seen({**TEXT, "minLength": 2, "maxLength": 8})
    assert max(map(len, seen({**TEXT, "minLength": 500}, 20))) >= 500


@pytest.mark.parametrize("form", sorted(FORMATTED))
def test_texts_of_a_format(form):
    found = set(seen({**TEXT, "format": form}))
    assert len(found) >= 4
    assert not any(one.endswith("\n") for one in found)
    assert form != "date-time" or {"2026-11-22t09:00:00z", "2026-12-31T23:59:60Z", "2026-11-22T09:00:00-00:00"} <= found


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texts_of_a_pattern(pattern):
    assert seen({**TEXT, "pattern": pattern}, 60)
    assert seen({**TEXT, "pattern": pattern, "maxLength": 50}, 60)


def test_enums_constants_unions_and_null():
    found = values(RICH)
    assert {one.get("side") for one in found} == {None, "buy", "sell", "Buy", "short sell", 'o"dd'}
    assert {one["kind"]["type"] for one in found} == {"limit", "market"}
    assert {one.get("rare", "missing") for one in found} == {"a", None, "missing"}
    assert any(set(one) == set(RICH["required"]) for one in found)
    assert any(set(one) == set(RICH["properties"]) for one in found)
    assert {len(one["legs"]) for one in found} >= {0, 1, 2, 4}
    assert any(None in one.get("tags", ()) for one in found)


def test_keys_in_any_order_and_white_space():
    texts = list(documents(opened(RICH).judge.type, seed=1, count=60))
    orders = {tuple(json.loads(one))[:2] for one in texts}
    assert len(orders) > 5
    assert any("\r\n" in one for one in texts)
    assert any(" " not in one for one in texts)


@pytest.mark.parametrize(
    "schema",
    [
        {**TEXT, "minLength": 3, "maxLength": 2},
        {**TEXT, "pattern": "^a$", "minLength": 2},
        {**TEXT, "enum": ["a"], "minLength": 2},
        {**TEXT, "format": "uuid", "maxLength": 4},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "number", "minimum": 2, "maximum": 1},
        {"type": "array", "items": {**TEXT, "pattern": "^a$", "minLength": 2}, "minItems": 1},
        {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 1},
    ],
)
def test_what_no_value_can_be_is_left_out_or_has_no_document(schema):
    assert {tuple(one) for one in values(closed(("y",), x=schema, y={"const": 1}), 20)} == {("y",)}
    nullable = {**schema, "type": [schema["type"], "null"]} if "enum" not in schema else {**TEXT, "const": "z"}
    assert values(closed(("x",), x=nullable), 20)
    with pytest.raises(NoDocument):
        values(closed(("x",), x=schema))


def test_what_is_shared_does_not_grow_without_end():
    shared = {f"d{n}": closed(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"}) for n in range(40)}
    few = {**closed(x={"$ref": "#/$defs/d0"}), "$defs": {**shared, "d40": closed()}}
    assert values(few, 10)
    shared = {name: {**one, "required": ["a", "b"]} for name, one in shared.items()}
    with pytest.raises(NoDocument, match="too large"):
        values({**closed(("x",), x={"$ref": "#/$defs/d0"}), "$defs": {**shared, "d40": closed()}}, 1)


def test_a_document_that_is_not_valid_is_noticed():
    wide, narrow = opened(closed(("x",), x=INT64)), opened(closed(("x",), x={**INT64, "maximum": 5}))
    judge = type(wide.judge)(type=wide.judge.type, validator=narrow.judge.validator)
    with pytest.raises(SampleInvalid, match="/x"):
        cases(judge, seed=1, count=50, changed=0)
