"""Whether documents of one schema are valid for another: never yes by mistake."""

import json
import random
from functools import cache

import pytest
from contract_pairs import PAIRS, STRICT, closed, of, opened, tagged
from document_guesses import Guesses
from schema_edits import changed, document

from cli_multi_rapid.contracts import inclusion_rules
from cli_multi_rapid.contracts.cycles import circle
from cli_multi_rapid.contracts.inclusion import MAX_STEPS, Inclusion
from cli_multi_rapid.contracts.loading import FOLDER, Target, load_contracts
from cli_multi_rapid.contracts.sameness import Sameness
from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.errors import SpecInvalid

START = Target(f"{FOLDER}/A@1.0.json", "")
WAYS = [(name, way) for name in PAIRS for way in ("backward", "forward")]


@cache
def loaded(name, index):
    """Return a labelled schema as a contract; it is read once, whatever the number of tests."""
    text = json.dumps({"$id": "urn:cmr:contract:A:1.0", **PAIRS[name][index]}).encode()
    found = load_contracts(["A@1.0.json"], lambda _: text)
    assert not found.problems
    return found


def sides(name, way):
    """Return the narrow set, the wide one, and what is true of a labelled pair."""
    before, now, (backward, forward) = loaded(name, 0), loaded(name, 1), PAIRS[name][2]
    return (before, now, backward) if way == "backward" else (now, before, forward)


def counter_example(narrow, wide, *, seed, count):
    """Return a document that only the narrow schema accepts, and how many it accepted before that one."""
    accepts, judge = (compiled(one, one.contracts[0]).is_valid for one in (narrow, wide))
    guesses, valid = Guesses(random.Random(seed), narrow, wide), 0
    for _ in range(count):
        value = guesses.value(START)
        if accepts(value):
            valid += 1
            if not judge(value):
                return value, valid
    return None, valid


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_labelled_pairs(name, way):
    narrow, wide, true = sides(name, way)
    found = Inclusion(narrow, wide).breaks(START, START)
    assert bool(found) == (not true or (name, way) in STRICT)
    if true:
        assert counter_example(narrow, wide, seed=1, count=60)[0] is None


@pytest.mark.parametrize("name", [name for name, (_, _, true) in PAIRS.items() if not all(true)])
def test_labels_are_true(name):
    way = "backward" if not PAIRS[name][2][0] else "forward"
    if "keyword" in name or "encoding" in name:
        return  # a person may mean something by it that no validator judges
    narrow, wide, _ = sides(name, way)
    assert any(counter_example(narrow, wide, seed=seed, count=400)[0] is not None for seed in range(8))


@pytest.mark.parametrize("keyword", sorted(inclusion_rules.RULES))
def test_no_rule_could_be_left_out(keyword, monkeypatch):
    rules = {**inclusion_rules.RULES, keyword: lambda *_: ()}
    monkeypatch.setattr(inclusion_rules, "RULES", rules)
    for name, way in WAYS:
        narrow, wide, true = sides(name, way)
        if not true and not Inclusion(narrow, wide).breaks(START, START):
            return
    pytest.fail("no pair needs this rule")


@pytest.mark.parametrize("seed", range(120))
def test_random_changes_that_are_compatible(one, seed):
    rng = random.Random(seed)
    before = document(rng)
    before, now = one(before), one(changed(rng, before))
    try:
        if before.problems or now.problems or any(circle(each, START, in_place=True) for each in (before, now)):
            return
        for each in (before, now):
            compiled(each, each.contracts[0])
    except SpecInvalid:
        return
    for narrow, wide in ((before, now), (now, before)):
        if not Inclusion(narrow, wide).breaks(START, START):
            found, _ = counter_example(narrow, wide, seed=seed, count=60)
            assert found is None


@pytest.mark.parametrize("seed", range(40))
def test_what_says_nothing_changes_nothing(one, seed):
    rng = random.Random(seed)
    schema = document(rng)
    before = one(schema)
    now = one(annotated(rng, schema))
    if before.problems:
        return
    assert not Inclusion(before, now).breaks(START, START)
    assert not Inclusion(now, before).breaks(START, START)
    assert Sameness(before, now).holds(START, START)


def annotated(rng, value, *, schema=True):
    """Return a schema that says the same: other order, other annotations, definitions with other names."""
    if isinstance(value, list):
        return [annotated(rng, one, schema=schema) for one in value]
    if not isinstance(value, dict):
        return (
            {"#/$defs/p": "#/$defs/P", "#/$defs/q": "#/$defs/Q"}.get(value, value) if isinstance(value, str) else value
        )
    made = {}
    for key in sorted(value, key=lambda _: rng.random()):
        data = key in ("const", "enum", "examples", "required", "type", "dependentRequired")
        holder = key in ("properties", "patternProperties", "$defs", "dependentSchemas") and schema
        name = {"p": "P", "q": "Q"}.get(key, key) if not schema else key
        made[name] = value[key] if data and schema else annotated(rng, value[key], schema=not holder)
    if schema and rng.random() < 0.5:
        made |= {"description": rng.choice("ab"), "examples": [1], "default": rng.random(), "deprecated": True}
    return made


@pytest.mark.parametrize(
    ("before", "now", "pointer"),
    [
        (of({"type": "integer", "minimum": 0}), of({"type": "integer", "minimum": 1}), "/properties/x/minimum"),
        (closed(a=True), closed(("a",), a=True), "/required"),
        (closed(a=True, b=True), closed(a=True), "/additionalProperties"),
        (opened(), {**opened(), "x-new": 1}, "/x-new"),
        (tagged("a", "b"), {"oneOf": [tagged("a")["oneOf"][0], closed(("t",), t={"const": "b"})]},
         "/oneOf/1/additionalProperties"),
        (of({"$ref": "parts.json#/$defs/a"}), of({"$ref": "parts.json#/$defs/b"}), "parts.json#/$defs/b/maxLength"),
    ],
)  # fmt: skip
def test_a_break_names_its_place(one, before, now, pointer):
    parts = {"$defs": {"a": {"type": "string"}, "b": {"type": "string", "maxLength": 1}}}
    (found,) = Inclusion(one(before, parts=parts), one(now, parts=parts)).breaks(START, START)
    assert found.wide.endswith(pointer if "#" in pointer else f"A@1.0.json#{pointer}")


def test_an_unknown_keyword_that_is_gone(one):
    (found,) = Inclusion(one(of({"x-unit": "s"})), one(of({}))).breaks(START, START)
    assert found.narrow.endswith("#/properties/x/x-unit")


def test_a_dynamic_reference_is_not_compared(one):
    tree = {**opened(next={"$dynamicRef": "#node"}), "$dynamicAnchor": "node", "title": "a"}
    assert Inclusion(one(tree), one({**tree, "title": "b"})).breaks(START, START)


def test_what_has_not_changed_takes_no_steps(one):
    fields = {f"k{n}": {"type": "string", "maxLength": n} for n in range(200)}
    before, now = one(closed(("k1",), **fields)), one(closed(("k1",), **fields, new={"type": "integer"}))
    judge = Inclusion(before, now)
    assert not judge.breaks(START, START)
    assert judge._effort.steps <= 10 * len(fields)


def test_what_is_too_much_to_compare_is_a_break(one):
    links = {f"d{n}": {"anyOf": [{"properties": {k: {"$ref": f"#/$defs/d{n + 1}"}}} for k in "abc"]} for n in range(60)}
    before, now = (
        one({"$ref": "#/$defs/d0", "$defs": {**links, "d60": {"maxLength": size}}}) for size in (5, 6)
    )  # fmt: skip
    judge = Inclusion(before, now)
    assert judge.breaks(START, START)
    assert judge._effort.steps <= MAX_STEPS + 5000


def test_definitions_that_fan_out(one):
    links = {f"d{n}": closed(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"}) for n in range(60)}
    before, now = (one({"$ref": "#/$defs/d0", "$defs": {**links, "d60": {"maxLength": n}}}) for n in (5, 6))
    assert not Inclusion(before, now).breaks(START, START)
    assert Inclusion(now, before).breaks(START, START)
