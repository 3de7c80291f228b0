"""Changed documents are of every kind, mostly invalid, and the same for the same seed."""

from collections import Counter

from rich_contract import INT64, RICH, closed, opened

from cli_multi_rapid.contracts.mutations import mutations
from cli_multi_rapid.contracts.roundtrip import cases

SMALL = {
    "one flag": closed(("x",), x={"type": "boolean"}),
    "nothing": closed(),
    "one number": closed(x={"type": "number"}),
    "one constant": closed(("x",), x={"const": "v"}),
    "an array": closed(x={"type": "array", "items": {"type": "string"}}),
}


def changed(schema, count=100_000, seed=1):
    return cases(opened(schema).judge, seed=seed, count=1, changed=count)[1:]


def test_fifty_of_the_smallest_contracts():
    for schema in SMALL.values():
        made = changed(schema, 50)
        assert len({one.text for one in made}) == 50
        assert sum(bool(one.refused) for one in made) >= 45


def test_most_are_invalid_and_some_are_valid():
    made = changed(RICH, 2000)
    valid = [one for one in made if not one.refused]
    assert len(made) == 2000
    assert 20 < len(valid) < len(made) // 10


def test_every_kind_comes_before_any_comes_again():
    found = Counter(one.what.partition(" at /")[0] for one in mutations(opened(RICH).judge.type, seed=3, count=500))
    assert len(found) > 300
    assert max(count for kind, count in found.items() if kind.startswith(("written ", "with "))) == 1


def test_the_same_seed_gives_the_same_texts():
    made = [list(mutations(opened(RICH).judge.type, seed=seed, count=60)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_what_must_be_tried():
    schema = closed(
        ("n", "at", "side", "tags", "kind"), n={**INT64, "minimum": -5, "maximum": 1000},
        at={"type": "string", "format": "date-time"}, side={"type": "string", "enum": ["buy", "sell"]},
        short={"type": "string", "minLength": 2, "maxLength": 4}, tag={"type": "string", "pattern": "^[A-Z]{2}$"},
        tags={"type": "array", "items": INT64, "minItems": 1, "maxItems": 2}, flag={"type": "boolean"},
        kind={"oneOf": [closed(("t",), t={"const": "a"}), closed(("t",), t={"const": "b"})]},
    )  # fmt: skip
    made = {one.text: one for one in changed(schema)}
    parts = (
        '"n":1001', '"n":-6', '"n":9223372036854775808', f'"n":{10**30}', '"n":"-5"', '"n":true', '"n":null', '"n":01',
        '"n":-,', '"n":+1', '"n":.5', '"n":1.,', '"n":NaN', '"n":1e1000', '"side":"BUY"', '"side":"no such value"',
        '"at":"2026-02-30T00:00:00Z"', '"at":"2026-11-22T09:00:00Z\\n"', '"short":"xxxxx"', '"short":"😀😀😀😀😀"',
        '"short":"x"', '"tags":[]', '"t":"no such tag"', '"unknown":0', '"flag":1', "'buy'", "/**/", '"\\ud800"',
        '"tags":[-9223372036854775808,', "\ufeff{", '"\\x',
    )  # fmt: skip
    for part in parts:
        assert any(part in text and one.refused for text, one in made.items()), part
    for text in ("", "null", "[]", "{", "{}"):
        assert made[text].refused
    whats = {one.what for one in made.values()}
    for what in ("the required key n is missing at /", "a key twice at /", "a key twice, written differently at /"):
        assert what in whats
    assert any("[" * 101 in text for text in made)


def test_a_contract_with_very_many_keys_takes_no_time():
    many = {f"k{n}": {"type": "string", "pattern": f"^[A-Z]{{{n % 7}}}$"} for n in range(100)}
    assert len(changed(closed(**many), 60)) == 60
