"""The contracts of the program's own events: their examples, and that the repository is up to date."""

import json
from pathlib import Path

import pytest

from cli_multi_rapid.contracts.own import newest, own_contracts, own_validators
from cli_multi_rapid.contracts.schema_tree import schemas
from cli_multi_rapid.model.events import Kind

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "contracts/events"


@pytest.fixture(scope="module")
def found():
    return own_contracts()


@pytest.fixture(scope="module")
def validators():
    return own_validators()


def test_they_come_with_the_program_and_are_those_of_the_repository(found):
    assert found.problems == []
    assert found.documents == {
        path.relative_to(ROOT).as_posix(): json.loads(path.read_bytes())
        for path in (*EVENTS.glob("*.json"), *EVENTS.glob("parts/*.json"))
    }


@pytest.mark.parametrize("kind", Kind)
def test_examples_are_what_they_must_be_for_one_reason_each(found, validators, kind):
    one = newest(found, kind)
    folder = EVENTS / f"examples/{one.name}@{one.version}"
    wrong = {
        (file.parent.name, file.stem): [
            error.message for error in validators[kind].iter_errors(json.loads(file.read_bytes()))
        ]
        for file in folder.glob("*/*.json")
    }
    assert {name: len(errors) for name, errors in wrong.items()} == {name: name[0] == "invalid" for name in wrong}
    assert {name[0] for name in wrong} == {"valid", "invalid"}


def test_every_key_is_described_here_or_where_it_refers_to(found):
    for path, document in found.documents.items():
        for pointer, schema in schemas(document):
            for key, inner in schema.get("properties", {}).items():
                assert inner.get("description", "").endswith(".") or "$ref" in inner, f"{path}#{pointer} {key}"
        assert document["title"]


def test_spans_of_time_have_their_unit_in_their_name(found):
    for document in found.documents.values():
        for _, schema in schemas(document):
            for key, inner in schema.get("properties", {}).items():
                assert key.endswith("_ms") == (
                    "milliseconds" in inner.get("description", "") or key == "duration_ms"
                ), key
