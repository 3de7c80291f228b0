"""Contracts as an AsyncAPI document: what the format requires, and that schemas in it stand alone."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from cli_multi_rapid.contracts.asyncapi import asyncapi_document, bundled
from cli_multi_rapid.contracts.loading import load_contracts
from cli_multi_rapid.contracts.own import own_contracts
from cli_multi_rapid.contracts.validation import compiled

SAMPLE = Path(__file__).resolve().parents[2] / "src/cli_multi_rapid/starter/sample"
EVENTS = SAMPLE / "contracts/events"


@pytest.fixture(scope="module")
def sample():
    names = [one.name for one in EVENTS.iterdir() if one.suffix == ".json"]
    return load_contracts(names, lambda path: (SAMPLE / path).read_bytes())


def resolved(document, reference):
    assert reference.startswith("#/")
    for key in reference.split("/")[1:]:
        document = document[key]
    return document


@pytest.mark.parametrize("which", ["sample", "own"])
def test_it_has_what_asyncapi_3_requires(which, sample):
    found = sample if which == "sample" else own_contracts()
    document = json.loads(json.dumps(asyncapi_document(found, "desk")))
    assert (document["asyncapi"], document["info"]["title"]) == ("3.0.0", "desk")
    assert re.fullmatch("[0-9a-f]{12}", document["info"]["version"])
    assert set(document) == {"asyncapi", "info", "defaultContentType", "channels", "components"}
    told = []
    for name, channel in document["channels"].items():
        assert set(channel) == {"address", "messages"}
        assert channel["address"] is None
        for key, reference in channel["messages"].items():
            message = resolved(document, reference["$ref"])
            assert re.fullmatch(r"[A-Za-z0-9._-]+", key)
            assert message["name"].partition("@")[0] == name
            assert set(message["payload"]) == {"schemaFormat", "schema"}
            told.append(message["x-contract"])
    assert sorted(told) == sorted(one.id for one in found.contracts)
    assert len(document["components"]["messages"]) == len(told)


def test_versions_of_a_contract_are_messages_of_one_channel(load):
    def contract(version):
        return {"$id": f"urn:cmr:contract:A:{version}", "type": "object"}

    found = load({"A@1.0.json": contract("1.0"), "A@2.0.json": contract("2.0")})
    document = asyncapi_document(found, "t")
    assert list(document["channels"]) == ["A"]
    assert list(document["channels"]["A"]["messages"]) == ["A_v1_0", "A_v2_0"]


def test_the_version_changes_with_a_contract_and_with_nothing_else(load):
    first, same, other = (
        asyncapi_document(load({"A@1.0.json": {"$id": "urn:cmr:contract:A:1.0", "type": kind}}), title)["info"][
            "version"
        ]
        for kind, title in (("object", "t"), ("object", "u"), ("array", "t"))
    )
    assert (first == same, first == other) == (True, False)


def deny(uri):
    raise ValueError(uri)


def test_schemas_need_nothing_beside_them_and_judge_the_same(sample):
    judged = 0
    for contract in sample.contracts:
        alone = jsonschema_rs.Draft202012Validator(
            json.loads(json.dumps(bundled(sample, contract))), retriever=deny, validate_formats=True
        )
        for file in (EVENTS / f"examples/{contract.name}@{contract.version}").glob("*/*.json"):
            value = json.loads(file.read_bytes())
            assert alone.is_valid(value) is compiled(sample, contract).is_valid(value) is (file.parent.name == "valid")
            judged += 1
    assert judged > 40


def test_the_command(trading):
    done = trading.cmr("export", "asyncapi")
    assert done.code == 0
    assert list(done.data()["channels"]) == [
        "ExecutionReport", "OrderIntent", "PriceTick", "ReentryDecision", "Signal",
    ]  # fmt: skip


def test_without_contracts_there_is_nothing_to_write(sandbox):
    done = sandbox.cmr("export", "asyncapi")
    assert (done.code, "CONTRACTS-MISSING" in done.err) == (3, True)
