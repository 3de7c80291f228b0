"""The contracts of the sample project: what they have, and that every example is wrong for one reason only."""

import json
import posixpath
from pathlib import Path

import pytest

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.loading import ContractSet, load_contracts
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.schema_tree import schemas
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.validation import compiled

SAMPLE = Path(__file__).resolve().parents[2] / "src/cli_multi_rapid/starter/sample"
EVENTS = SAMPLE / "contracts/events"
NAMES = ("ExecutionReport", "OrderIntent", "PriceTick", "ReentryDecision", "Signal")


@pytest.fixture(scope="module")
def found() -> ContractSet:
    names = [one.name for one in EVENTS.iterdir() if one.suffix == ".json"]
    return load_contracts(names, lambda path: (SAMPLE / path).read_bytes())


def test_five_contracts_are_within_the_profile(found):
    assert found.problems == []
    assert tuple(one.name for one in found.contracts) == NAMES
    assert [lowered(found, one).violations for one in found.contracts] == [()] * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_what_they_must_be_for_one_reason_each(found, name):
    (contract,) = (one for one in found.contracts if one.name == name)
    validator = compiled(found, contract)
    wrong = {
        (kind, file.stem): list(validator.iter_errors(read_json(file.read_bytes(), file.name)))
        for kind in ("valid", "invalid")
        for file in (EVENTS / f"examples/{name}@1.0/{kind}").iterdir()
    }
    counts = {kind: sum(one == kind for one, _ in wrong) for kind in ("valid", "invalid")}
    assert counts["valid"] >= 2
    assert counts["invalid"] >= 3
    assert {key: len(errors) for key, errors in wrong.items()} == {key: int(key[0] == "invalid") for key in wrong}


def test_every_member_is_described(found):
    for contract in found.contracts:
        root = lowered(found, contract).type
        for one in ir.objects(root):
            assert one.description, one.place
            for member in one.members if isinstance(one, ir.ObjectType) else ():
                assert member.description, (one.place, member.key)


def test_they_use_all_of_the_profile(found):
    keys = {key for document in found.documents.values() for _, schema in schemas(document) for key in schema}
    assert {"$ref", "oneOf", "const", "enum", "format", "pattern", "minItems", "maxItems", "minLength"} <= keys
    kinds = {type(member.type) for contract in found.contracts for one in ir.objects(lowered(found, contract).type)
             for member in getattr(one, "members", ())}  # fmt: skip
    assert kinds == {*ir.Type.__args__}
    shared = {target.path for place, target in found.references.items() if place.path != target.path}
    assert {posixpath.basename(path) for path in shared} == {"money.json", "trading.json"}


def test_every_file_is_written_alike():
    for file in EVENTS.rglob("*.json"):
        text = file.read_text("utf-8")
        assert text.endswith("}\n"), file
        assert max(map(len, text.splitlines())) <= 120, file
        assert json.loads(text), file
