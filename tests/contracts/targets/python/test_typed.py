"""TypedDict modules: the standard library only, laid out and typed as the program's own code is."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory
from typing import get_type_hints

import pytest

from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter
from cli_multi_rapid.model.contract import PythonStyle

ROOT = Path(__file__).resolve().parents[4]
HOSTILE = 'x\'"\n\\"""\u2028\u202e{}'
OPEN = {"type": "object", "properties": {"z": {"type": "boolean"}, "next": {"$ref": "#/$defs/Open"}}}
WIDE = {
    "type": "object", "description": "An order. " * 30 + '"', "additionalProperties": False, "required": ["id", "side"],
    "properties": {
        "id": {"type": "integer", "description": f"Its number. {HOSTILE}"},
        "side": {"enum": ["BUY", HOSTILE, ""]},
        "many": {"enum": [f"word{n}" for n in range(30)]},
        "some": {"enum": [f"word{n}" for n in range(11)]},
        "nullable": {"enum": [*(f"word{n}" for n in range(30)), None]},
        "map": {"type": "object", "additionalProperties": {"$ref": "parts/leg.json#/$defs/Leg"}},
        "either": {"anyOf": [{"$ref": "parts/leg.json#/$defs/Leg"}, OPEN, {"type": "null"}]},
        "anything": {}, "one": {"const": 1}, "true": {"const": True},
        "legs": {"type": "array", "items": {"$ref": "#/$defs/Open"}},
        "self": {"$ref": "#"}, "tree": {"$ref": "#/$defs/Tree"}, "payload": {"type": "object"},
        "odd": {
            "type": "object", "required": ["class"], "additionalProperties": False,
            "properties": {
                "class": {"type": "string"}, "Open": OPEN, HOSTILE: {"type": "number"}, "__x": {}, "int": {}, "": {},
            },
        },
        "both": {"allOf": [{"$ref": "#/$defs/Open"}, {"properties": {"more": {"type": "string"}}}]},
        "open": {"type": "object", "properties": {}, "patternProperties": {"^a": {"type": "string"}}},
        "empty": {"type": "object", "additionalProperties": False},
    },
    "$defs": {"Open": OPEN, "Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
}  # fmt: skip
LEG = {"$defs": {"Leg": {"type": "object", "additionalProperties": False, "required": ["q"],
                         "properties": {"q": {"type": "number"}}}}}  # fmt: skip


def made(found):
    assert not found.problems
    emitter = PythonEmitter(style=PythonStyle.TYPED_DICT)
    return {emitter.file_name(one): emitter.text(found, one) for one in found.contracts}


@pytest.fixture
def text(load):
    contract = {"$id": "urn:cmr:contract:OrderIntent:1.2", **WIDE}
    (name, text), = made(load({"OrderIntent@1.2.json": contract, "parts/leg.json": LEG})).items()  # fmt: skip
    assert name == "order_intent_v1_2.py"
    return text


def module(text):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "made.py"
        file.write_text(text, "utf-8")
        return run_path(str(file), run_name="made")


def test_types_are_those_of_the_schema(text):
    space = module(text)
    order, leg, other = (space[name] for name in ("OrderIntent", "Leg", "Open"))
    assert order.__required_keys__ == {"id", "side"}
    hints = get_type_hints(order, space)
    assert hints["side"].__args__ == ("BUY", HOSTILE, "")
    assert hints["map"] == dict[str, leg]
    assert hints["self"] is order
    assert hints["legs"] == list[other]
    assert hints["either"] == leg | space["EitherAnyOf1"] | None
    assert hints["true"].__args__ == (True,)
    assert (hints["payload"], hints["open"], hints["anything"]) == (dict[str, object], dict[str, object], object)
    assert set(space["Both"].__annotations__) == {"z", "next", "more"}
    assert set(space["Odd"].__annotations__) == {"class", "Open", HOSTILE, "__x", "int", ""}
    assert space["Odd"].__required_keys__ == {"class"}
    assert space["Empty"].__annotations__ == {}


def test_it_is_the_same_twice_and_pure_standard_library(text, load, tmp_path):
    contract = {"$id": "urn:cmr:contract:OrderIntent:1.2", **WIDE}
    again = made(load({"OrderIntent@1.2.json": contract, "parts/leg.json": LEG}))
    assert list(again.values()) == [text]
    (tmp_path / "order.py").write_text(text, encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import order; print(*sys.modules)"
    done = subprocess.run((sys.executable, "-I", "-W", "error", "-c", code), capture_output=True, text=True, check=True)
    assert not {"pydantic", "jsonschema_rs"} & set(done.stdout.split())
    subprocess.run((sys.executable, "-W", "error", "-m", "py_compile", tmp_path / "order.py"), check=True)


def test_the_tools_of_this_repository_have_nothing_to_say(text, tmp_path):
    file = tmp_path / "order.py"
    file.write_text(text, encoding="utf-8")
    config = str(ROOT / "pyproject.toml")
    for arguments in (("format", "--diff"), ("check",)):
        done = subprocess.run(
            (sys.executable, "-m", "ruff", *arguments, "--no-cache", "--config", config, str(file)),
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "alias"),
    [
        ({"oneOf": [{"type": "string"}, {"$ref": "#/$defs/A"}], "$defs": {"A": OPEN | {"properties": {}}}}, "str"),
        ({"type": "array", "items": {"type": "integer"}}, "list[int]"),
        ({"type": "object", "additionalProperties": {"type": ["number", "null"]}}, "dict[str, float | None]"),
        ({"not": {}}, "object"),
    ],
)
def test_a_contract_that_is_no_object_of_known_keys(one, schema, alias):
    (text,) = made(one(schema)).values()
    assert f"A: TypeAlias = {alias}" in text
    module(text)


@pytest.mark.parametrize("name", ["None", "True", "Literal", "TypedDict", "A"])
def test_a_contract_named_as_a_word_of_python(load, name):
    found = load({f"{name}@1.0.json": {"$id": f"urn:cmr:contract:{name}:1.0", "type": "object",
                                       "properties": {name: {"const": 1}}}})  # fmt: skip
    (text,) = made(found).values()
    space = module(text)
    assert (name if name == "A" else f"{name}2") in space


def test_doubling_shapes_end(one):
    links = {
        f"d{n}": {"type": "array", "items": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {
            "type": "array", "items": {"$ref": f"#/$defs/d{n + 1}"}
        }]}} for n in range(60)
    }  # fmt: skip
    defs = {**links, "d60": {"type": "string"}}
    found = one({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": defs})
    (text,) = made(found).values()
    module(text)
    assert len(text) < 100_000
