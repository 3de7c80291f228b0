"""Typed loading: every fault of a file at once, in words, at its place; and the dataclasses that come of it."""

import json
import subprocess
import sys
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.gate_settings import GateFile
from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import Backoff, PhaseSpec, Retry, Shell, Step
from cli_multi_rapid.model.problems import PROBLEMS
from cli_multi_rapid.model.settings import ConfigFile
from cli_multi_rapid.system.document import Findings, Loaded, load_document, schema_text
from cli_multi_rapid.system.faults import choice, label, suggestion
from cli_multi_rapid.system.shapes import build, spelling

HEAD = "schema: cmr/phase@v1\nname: p\n"


def load(text: str) -> Loaded[PhaseSpec]:
    return load_document(text, "p.yaml", shape=PhaseSpec, schema="phase")


def said(text: str) -> list[tuple[int, int, str, str, str]]:
    found = load(text).problems
    assert all(problem.code in PROBLEMS and problem.path == "p.yaml" for problem in found)
    return [(problem.line, problem.column, problem.code, problem.message, problem.fix) for problem in found]


def test_a_valid_file_is_a_dataclass_with_defaults() -> None:
    loaded = load(
        HEAD + "steps:\n  - id: a\n    run: [x]\n    if: true\n    ok-codes: [0, 1.0]\n    retry: {attempts: 2}\n"
    )
    assert loaded.problems == ()
    assert loaded.value is loaded.draft
    assert loaded.value == PhaseSpec(
        schema="cmr/phase@v1",
        name="p",
        steps=(Step(id="a", run=("x",), if_=True, ok_codes=(0, 1), retry=Retry(attempts=2)),),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("needs: a", (3, 1, "SPEC-VALUE", "'needs': expected a list, got text", "write  [a]")),
        ('needs: "*"', (3, 1, "SPEC-VALUE", "'needs': expected a list, got text", 'write  ["*"]')),
        ("needs: [a, 3]", (3, 12, "SPEC-VALUE", "item 2 of 'needs': expected text, got a number", "put it in quotes")),
        ("env: {A: [1]}", (3, 7, "SPEC-VALUE", "'A': expected text or a number or true or false, got a list",
                           "write text or a number or true or false")),
        ("title:", (3, 1, "SPEC-VALUE", "'title': expected text, got nothing", "write a value, or remove the key")),
        ("title: yes\nsecrets: true", (4, 1, "SPEC-VALUE", "'secrets': expected a list, got true", "write a list")),
        ("nam: 3", (3, 1, "SPEC-KEY-UNKNOWN", "unknown key 'nam'", "did you mean 'name'?")),
        ("permissions: {write: [], ports: none}", (3, 26, "SPEC-KEY-UNKNOWN", "unknown key 'ports'",
         "the keys here are: write, network")),
        ("defaults: {timeout: 3 minutes}", (3, 12, "SPEC-VALUE", "'timeout' is '3 minutes', which is not a duration",
                                            "write a whole number and a unit: 250ms, 90s, 10m, 24h or 7d")),
        ("defaults: {shell: bsh}", (3, 12, "SPEC-VALUE", "'shell' is 'bsh'; it must be one of: bash, sh, pwsh, python",
                                    "did you mean 'bash'?")),
        ("defaults: {shell: tcl}", (3, 12, "SPEC-VALUE", "'shell' is 'tcl'; it must be one of: bash, sh, pwsh, python",
                                    "use one of: bash, pwsh, python, sh")),
        ("defaults: {shell: 3}", (3, 12, "SPEC-VALUE", "'shell': expected one of bash, sh, pwsh, python, got a number",
                                  "write one of bash, sh, pwsh, python")),
        ("inputs: {a: {description: b}}", (3, 13, "SPEC-KEY-MISSING", "the key 'type' is missing",
                                           "add 'type': Type of the value.")),
        ("gates: [3]", (3, 9, "SPEC-VALUE", "item 1 of 'gates': expected text or a mapping, got a number",
         "put it in quotes")),
        ("gates: [{use: a, frm: b}]", (3, 18, "SPEC-KEY-UNKNOWN", "unknown key 'frm'", "did you mean 'from'?")),
        ("gates: [{use: 1a}]", (3, 10, "SPEC-VALUE", "'use' is '1a', which is not a name",
                                "start with a letter; then letters, digits, '_' and '-', at most 63 in all")),
    ],
)  # fmt: skip
def test_faults_in_words(text: str, expected: tuple[int, int, str, str, str]) -> None:
    assert said(f"{HEAD}{text}\nsteps: []\n") == [expected]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("run: 3", (5, 5, "SPEC-VALUE", "'run': expected text or a list, got a number", "put it in quotes")),
        ("run: x\n    shell: bsh", (6, 5, "SPEC-VALUE", "'shell' is 'bsh'; it must be one of: bash, sh, pwsh, python",
                                    "did you mean 'bash'?")),
        ("run: x\n    timeout: 3", (6, 5, "SPEC-VALUE", "'timeout': expected text, got a number", "put it in quotes")),
        ("run: x\n    timeout: 3x", (6, 5, "SPEC-VALUE", "'timeout' is '3x', which is not a duration",
                                     "write a whole number and a unit: 250ms, 90s, 10m, 24h or 7d")),
        ("run: x\n    retry: {attempts: '3'}", (6, 13, "SPEC-VALUE", "'attempts': expected a whole number, got text",
                                                "write the number without quotes")),
        ("run: x\n    retry: {attempts: 1.5}", (6, 13, "SPEC-VALUE",
                                                "'attempts': expected a whole number, got the number 1.5",
                                                "write a whole number")),
        ("run: x\n    retry: [1]", (6, 5, "SPEC-VALUE", "'retry': expected a mapping, got a list", "write a mapping")),
        ("run: x\n    matrix: {a: {b: 1}}", (6, 14, "SPEC-VALUE", "'a': expected a list or text, got a mapping",
                                             "write a list or text")),
        ("run: x\n    continue-on-error: 'yes'", (6, 5, "SPEC-VALUE",
                                                  "'continue-on-error': expected true or false, got text",
                                                  "write true or false, without quotes")),
        ("run: x\n    ok_codes: [1]", (6, 5, "SPEC-KEY-UNKNOWN", "unknown key 'ok_codes'", "did you mean 'ok-codes'?")),
    ],
)  # fmt: skip
def test_faults_of_a_step(step: str, expected: tuple[int, int, str, str, str]) -> None:
    assert said(f"{HEAD}steps:\n  - id: a\n    {step}\n") == [expected]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: p\nsteps: []\n", "the line 'schema:' is missing"),
        ("schema: cmr/phase@v2\nname: p\nsteps: []\n", "'schema' is 'cmr/phase@v2'"),
        ("name: p\nsteps: []\nschema: 1\n", "'schema' is a number"),
    ],
)
def test_the_version_of_the_format(text: str, message: str) -> None:
    found = said(text)
    assert [one[3] for one in found] == [message]
    assert (found[0][2], found[0][4]) == ("SPEC-SCHEMA", "write  schema: cmr/phase@v1")


@pytest.mark.parametrize(("text", "what"), [("- a", "a list"), ("a", "text"), ("3", "a number"), ("true", "true")])
def test_a_file_that_is_no_mapping(text: str, what: str) -> None:
    loaded = load(text)
    assert loaded.draft is None
    assert said(text) == [(1, 1, "SPEC-VALUE", f"the file: expected a mapping, got {what}", "write a mapping")]


def test_a_file_that_cannot_be_read() -> None:
    loaded = load("a: [")
    assert (loaded.draft, loaded.value, [problem.code for problem in loaded.problems]) == (None, None, ["YAML-SYNTAX"])


def test_everything_at_once_in_order_of_position() -> None:
    text = (
        "schema: x\nnam: 3\nneeds: a\nsteps:\n  - id: 1st\n    run: 3\n    iff: 3\n  - 3\n  -\n"
        "  - run: [a, 3]\n    run: b\n    timeout: 3x\n    retry: !r {x: 1, attempts: true}\n"
    )
    assert [one[:3] for one in said(text)] == [
        (1, 1, "SPEC-KEY-MISSING"), (1, 1, "SPEC-SCHEMA"), (2, 1, "SPEC-KEY-UNKNOWN"), (3, 1, "SPEC-VALUE"),
        (5, 5, "SPEC-VALUE"), (6, 5, "SPEC-VALUE"), (7, 5, "SPEC-KEY-UNKNOWN"), (8, 5, "SPEC-VALUE"), (9, 4,
         "SPEC-VALUE"),
        (10, 5, "SPEC-KEY-MISSING"), (10, 14, "SPEC-VALUE"), (11, 5, "YAML-DUPLICATE"), (12, 5, "SPEC-VALUE"),
        (13, 12, "YAML-TAG"), (13, 16, "SPEC-KEY-UNKNOWN"), (13, 22, "SPEC-VALUE"),
    ]  # fmt: skip


def test_a_draft_stands_for_a_faulty_file() -> None:
    loaded = load(
        "schema: x\nneeds: [a, 3]\nsteps:\n  - run: 3\n    needs: [b]\n  - 7\nenv: {A: [1]}\n"
        "defaults: {shell: x, timeout: 4}\n"
    )
    assert loaded.value is None
    draft = loaded.draft
    assert draft is not None
    assert (draft.name, draft.needs, draft.env, draft.defaults.shell) == ("", ("a", ""), {"A": ""}, Shell.BASH)
    assert [(step.id, step.run, step.needs) for step in draft.steps] == [("", (), ("b",)), ("", (), None)]


def test_findings_repeat_nothing_that_the_schema_said() -> None:
    findings = Findings(load(f"{HEAD}steps:\n  - id: 3\n    run: x\n"))
    findings.add("SPEC-VALUE", ("steps", 0, "id"), "again")
    findings.add("SPEC-VALUE", ("steps", 0, "id", "deeper"), "again")
    findings.add("SPEC-VALUE", ("steps", 0, "run"), "new", fix="f", key=True)
    assert [problem.message for problem in findings.problems] == ["'id': expected text, got a number", "new"]
    findings.replace(("steps", 0, "id"), code="STEP-KIND", message="better", fix="f")
    findings.add("SPEC-VALUE", ("steps", 0, "id"), "again")
    assert [(p.message, p.line, p.column) for p in findings.problems] == [("better", 4, 5), ("new", 5, 5)]
    findings.replace(("steps", 0, "id"))
    with pytest.raises(SpecInvalid) as caught:
        findings.check()
    assert [problem.message for problem in caught.value.problems] == ["new"]
    Findings(load(f"{HEAD}steps: []\n")).check()


def test_a_flood_of_faults_is_cut_off() -> None:
    assert len(load(f"{HEAD}steps: [{'3,' * 20_000}]\n").problems) == 200


def test_a_form_without_words_of_its_own_is_shown_as_it_is() -> None:
    text = "schema: cmr/gates@v1\ngates: {g: {check: denylist, patterns: [{id: 1a, pattern: x}]}}\n"
    problem = load_document(text, "g.yaml", shape=GateFile, schema="gates").problems[0]
    form = "^[A-Za-z][A-Za-z0-9_.-]{0,126}$"
    assert (problem.message, problem.fix) == (f"'id' is '1a', which is not of the form {form}", "write it in that form")


def test_suggestions() -> None:
    assert suggestion("Phse1", ["phase1", "x"]) == "did you mean 'phase1'?"
    assert suggestion("zzz", ["phase1"]) == ""
    assert choice("zzz", ["b", "a"]) == "use one of: a, b"
    assert choice("zzz", []) == ""
    assert [label(()), label(("a",)), label(("a", 0)), label(("a", 1, 2))] == [
        "the file", "'a'", "item 1 of 'a'", "item 3 of item 2 of 'a'",
    ]  # fmt: skip


def test_reading_loads_no_validator_before_it_is_needed() -> None:
    program = (
        "import sys, cli_multi_rapid.system.document, cli_multi_rapid.engine.loader\n"
        "print('jsonschema_rs' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.split() == ["False", "False"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: float = key("n")
    kind: Backoff = key("k")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    note: ClassVar[str] = "no field"
    inner: Inner = key("i", alias="in-ner")
    inners: dict[str, Inner] = key("i", factory=dict)
    either: tuple[int, ...] | Inner | str | None = key("e", default=None)
    scalar: str | int | float | bool | None = key("s", default="x")
    whole: int | None = key("w", default=None)


def test_build_converts_what_fits() -> None:
    inner = {"number": 1, "kind": "fixed"}
    made = build(Outer, {"in-ner": inner, "inners": {"a": inner}, "either": [1, 2.0], "scalar": True, "whole": 3.0})
    assert made == Outer(
        inner=Inner(number=1.0, kind=Backoff.FIXED), inners={"a": Inner(number=1.0, kind=Backoff.FIXED)},
        either=(1, 2), scalar=True, whole=3,
    )  # fmt: skip
    assert type(made.inner.number) is float
    assert type(made.whole) is int
    assert [build(Outer, {"scalar": value}).scalar for value in (1, 1.0, True, "1", None)] == [1, 1.0, True, "1", None]
    assert type(build(Outer, {"scalar": 1}).scalar) is int
    assert build(Outer, {"either": inner}).either == Inner(number=1.0, kind=Backoff.FIXED)


def test_build_fills_in_for_what_does_not_fit() -> None:
    made = build(Outer, {"in-ner": 3, "inners": {"a": 1}, "either": 1.5, "scalar": [], "whole": "x", "more": 1})
    empty = Inner(number=0.0, kind=Backoff.FIXED)
    assert made == Outer(inner=empty, inners={"a": empty}, either=None, scalar="x", whole=None)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for plain values of a type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2)
    if origin is dict:
        return st.dictionaries(st.sampled_from(["a", "B-1"]), values_of(arguments[1]), max_size=2)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from([member.value for member in hint])
    if is_dataclass(hint):
        assert isinstance(hint, type)
        hints = get_type_hints(hint)
        every = {spelling(field): field_values(field, hints[field.name]) for field in fields(hint)}
        needed = {
            spelling(field): every.pop(spelling(field))
            for field in fields(hint)
            if field.default is field.default_factory
        }
        return st.fixed_dictionaries(needed, optional=every)
    simple = {str: st.sampled_from(["", "a", "ü"]), int: st.integers(-9, 9), float: st.floats(-9,
    9).map(lambda x: x + 0.5),
              bool: st.booleans(), NoneType: st.none()}  # fmt: skip
    return simple[hint]


def field_values(field: Any, hint: Any) -> st.SearchStrategy[Any]:
    pattern = field.metadata.get("pattern")
    if not pattern:
        return values_of(hint)
    texts = st.from_regex(pattern.removesuffix("$") + r"\Z", fullmatch=True)
    return texts | st.none() if NoneType in get_args(hint) else texts


def plain(value: Any) -> Any:
    """Return a built value as the plain values it was built from, every default written out."""
    if is_dataclass(value):
        return {spelling(field): plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def covers(whole: Any, part: Any) -> bool:
    """Tell whether all that was given is there, with its type."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and covers(whole[name], item) for name, item in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(covers, whole, part))
    return bool(whole == part) and isinstance(whole, bool) == isinstance(part, bool)


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("shape", "schema"), [(PhaseSpec, "phase"), (GateFile, "gates"), (ConfigFile, "config")])
def test_what_fits_the_schema_is_built_without_loss(shape: type, schema: str, data: st.DataObject) -> None:
    values = data.draw(values_of(shape))
    loaded: Loaded[Any] = load_document(json.dumps(values), "f", shape=shape, schema=schema)
    assert loaded.problems == ()
    assert covers(plain(loaded.value), values)
    assert build(shape, plain(loaded.value)) == loaded.value


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_plain_value_whatever_breaks_the_loading(data: st.DataObject) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text("ab:${}", max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "run", "x", "use"]), inner,
        max_size=3),
    )  # fmt: skip
    keys = [spelling(field) for field in fields(PhaseSpec)]
    values = data.draw(st.dictionaries(st.sampled_from(keys), anything, min_size=1))
    loaded = load(json.dumps(values))
    assert loaded.draft is not None
    for problem in loaded.problems:
        assert problem.code in PROBLEMS
        assert problem.fix


@pytest.mark.parametrize("name", ["phase", "gates", "waivers", "config"])
def test_the_published_schema_is_the_one_that_executes(name: str) -> None:
    schema = json.loads(schema_text(name))
    assert schema["$id"] == f"urn:cmr:{name}:v1"
