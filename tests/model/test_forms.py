"""What events record is what their contracts say: kinds, forms, the classes that are recorded, generated types."""

import importlib
import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path

import pytest

from cli_multi_rapid.contracts.own import contract_name, own_contracts
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import Decision, Person, Wait
from cli_multi_rapid.model.events import SNAPSHOT, Event, Kind
from cli_multi_rapid.model.gate import Evidence, Finding, GateResult, WaiverUse
from cli_multi_rapid.model.run import Artifact, Ending, Status, StepResult, ended

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "contracts/events"


def schema_of(kind: Kind) -> dict:
    return json.loads((EVENTS / f"{contract_name(kind)}@1.0.json").read_bytes())


def shared(part: str, name: str) -> dict:
    return json.loads((EVENTS / f"parts/{part}.json").read_bytes())["$defs"][name]


def resolved(schema: dict, folder: Path, document: dict) -> tuple[dict, Path, dict]:
    """Follow references to the schema that they lead to."""
    while "$ref" in schema:
        path, _, pointer = schema["$ref"].partition("#")
        if path:
            document, folder = json.loads((folder / path).read_bytes()), (folder / path).parent
        schema = document
        for key in pointer.split("/")[1:]:
            schema = schema[key]
    return schema, folder, document


def test_every_kind_has_a_contract_and_every_contract_a_kind():
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    assert names == sorted(f"{contract_name(kind)}@1.0" for kind in Kind)
    assert {one.name for one in own_contracts().contracts} == {contract_name(kind) for kind in Kind}


def test_every_kind_has_a_form_with_the_type_of_its_contract():
    text = Path(forms.__file__).read_text("utf-8")
    said = dict(re.findall(r'^[A-Z_]+: "Form\[(\w+)\]" = Form\(Kind\.([A-Z_]+)\)$', text, flags=re.MULTILINE))
    assert said == {contract_name(kind): kind.name for kind in Kind}
    found = {name: value for name, value in vars(forms).items() if isinstance(value, forms.Form)}
    assert {name: form.kind.name for name, form in found.items()} == {kind.name: kind.name for kind in Kind}


def test_a_form_gives_back_what_it_was_given():
    event = forms.RUN_CANCEL.event({"by": "ann"}, attempt=3)
    assert (event.kind, event.step, event.attempt) == (Kind.RUN_CANCEL, "", 3)
    recorded = Event(
        run="r", seq=1, step="", attempt=3, kind=event.kind, payload=event.payload, at="", prev="", hash=""
    )
    assert forms.RUN_CANCEL.payload(event) == forms.RUN_CANCEL.payload(recorded) == {"by": "ann"}


def test_the_types_of_a_checker_are_not_loaded_with_the_forms():
    import subprocess
    import sys

    code = "import sys, cli_multi_rapid.model.forms; print([n for n in sys.modules if '.recorded' in n])"
    assert subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("kind", Kind)
def test_generated_types_have_the_keys_of_the_contract(kind):
    schema, *_ = resolved(schema_of(kind), EVENTS, schema_of(kind))
    stem = kind.value.replace(".", "_")
    made = getattr(importlib.import_module(f"cli_multi_rapid.model.recorded.{stem}_v1_0"), contract_name(kind))
    assert made.__required_keys__ == set(schema["required"])
    assert made.__required_keys__ | made.__optional_keys__ == set(schema["properties"])


def test_the_snapshot_is_what_the_contract_of_its_event_requires():
    assert set(schema_of(Kind.RUN_STARTED)["required"]) == SNAPSHOT


def test_ends_are_recorded_as_the_contracts_have_them():
    words = shared("common", "Ending")["enum"]
    assert words == list(typing.get_args(Ending)) == [status.value for status in Status if status.ended]
    assert [ended(status) for status in Status if status.ended] == words


# -- classes whose fields are recorded


def differences(cls: type, schema: dict, folder: Path, document: dict, *, where: str = "") -> list[str]:
    """Say where fields of a dataclass and properties of a closed schema are not the same."""
    schema, folder, document = resolved(schema, folder, document)
    hints, properties = typing.get_type_hints(cls), schema.get("properties", {})
    where = where or cls.__name__
    found = [] if schema.get("additionalProperties") is False else [f"{where} is open"]
    found += [f"{where}.{name} is no field" for name in properties if name not in hints]
    for field in fields(cls):
        here = f"{where}.{field.name}"
        if field.name not in properties:
            found.append(f"{here} is no property")
            continue
        absent = field.default is MISSING and field.default_factory is MISSING
        if absent and field.name not in schema["required"]:
            found.append(f"{here} is optional, but has no default that old logs could be read with")
        found += _unlike(hints[field.name], properties[field.name], folder, document, here)
    return found


def _unlike(hint: object, schema: dict, folder: Path, document: dict, where: str) -> list[str]:
    schema, folder, document = resolved(schema, folder, document)
    args, origin = typing.get_args(hint), typing.get_origin(hint)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if origin in (types.UnionType, typing.Union):
        inner = next(one for one in args if one is not type(None))
        if "anyOf" in schema:
            first, second = schema["anyOf"]
            return ([] if second == {"type": "null"} else [f"{where} may not be null"]) + _unlike(
                inner, first, folder, document, where
            )
        if "null" not in kinds:
            return [f"{where} may not be null"]
        values = {"enum": [one for one in schema["enum"] if one is not None]} if "enum" in schema else {}
        return _unlike(
            inner, {**schema, **values, "type": [one for one in kinds if one != "null"]}, folder, document, where
        )
    if "null" in kinds:
        return [f"{where} is never null"]
    if origin is tuple:
        return (
            [f"{where} is no array"]
            if kinds != ["array"]
            else _unlike(args[0], schema["items"], folder, document, where)
        )
    if origin in (dict, Mapping):
        values = schema.get("additionalProperties")
        if args == (str, object):
            return [] if values is True or "properties" in schema else [f"{where} has values of one type"]
        return (
            [f"{where} is no map"]
            if not isinstance(values, dict)
            else _unlike(args[1], values, folder, document, where)
        )
    if is_dataclass(hint):
        return differences(hint, schema, folder, document, where=where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        allowed = [one.value for one in hint if getattr(one, "ended", True)]
        return [] if schema.get("enum") == allowed else [f"{where} has other values: {schema.get('enum')}"]
    expected = {str: "string", int: "integer", float: "number", bool: "boolean"}[hint]
    return [] if kinds == [expected] else [f"{where} is {kinds}, not {expected}"]


@pytest.mark.parametrize(
    ("cls", "part"),
    [
        (StepResult, "step"), (Artifact, "step"), (GateResult, "gate"), (Finding, "gate"), (WaiverUse, "gate"),
        (Evidence, "gate"), (Person, "common"),
    ],
)  # fmt: skip
def test_recorded_classes_have_the_fields_of_the_contract(cls, part):
    document = json.loads((EVENTS / f"parts/{part}.json").read_bytes())
    assert differences(cls, document["$defs"][cls.__name__], EVENTS / "parts", document) == []


def test_the_end_of_a_step_has_the_same_keys_in_all_its_events():
    result = shared("step", "StepResult")
    for kind in (Kind.STEP_INTERIM, Kind.STEP_REFUTED, Kind.UNDO_FINISHED):
        assert schema_of(kind)["$ref"] == "parts/step.json#/$defs/StepResult"
    finished = schema_of(Kind.STEP_FINISHED)
    references = {
        name: {"$ref": f"parts/step.json#/$defs/StepResult/properties/{name}"} for name in result["properties"]
    }
    assert {**references, "adopted": finished["properties"]["adopted"]} == finished["properties"]
    assert finished["required"] == result["required"]


def test_waits_and_decisions_are_recorded_whole():
    names = {field.name for field in fields(Wait)} - {"number"}  # that is the attempt
    assert names <= set(schema_of(Kind.STEP_WAITING)["required"])
    said = {"decision" if field.name == "choice" else field.name for field in fields(Decision)} - {"at"}
    assert said == set(schema_of(Kind.STEP_APPROVED)["required"])


def _changed(key: str, value: dict) -> Callable[[dict], object]:
    return lambda made: made["properties"].update({key: value})


class TestTheComparisonItself:
    """It must see what it is for."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda made: made["properties"].pop("reason"), "reason is no property"),
            (_changed("more", {"type": "string"}), "more is no field"),
            (_changed("reason", {"type": "integer"}), "reason is ['integer'], not string"),
            (_changed("code", {"type": "integer"}), "code may not be null"),
            (_changed("reason", {"type": ["string", "null"]}), "reason is never null"),
            (_changed("warnings", {"type": "string"}), "warnings is no array"),
            (_changed("status", {"type": "string", "enum": ["success"]}), "status has other values: ['success']"),
            (
                lambda made: made["required"].remove("status"),
                "status is optional, but has no default that old logs could be read with",
            ),
        ],
    )
    def test_what_differs_is_named(self, change, said):
        document = json.loads((EVENTS / "parts/step.json").read_bytes())
        change(document["$defs"]["StepResult"])
        found = differences(StepResult, document["$defs"]["StepResult"], EVENTS / "parts", document)
        assert found == [f"StepResult.{said}"]

    def test_an_open_schema_is_named(self):
        document = json.loads((EVENTS / "parts/common.json").read_bytes())
        schema = {**document["$defs"]["Person"], "additionalProperties": True}
        assert differences(Person, schema, EVENTS / "parts", document) == ["Person is open"]
