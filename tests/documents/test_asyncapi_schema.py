"""Contracts as an AsyncAPI document, judged by the official schema of AsyncAPI 3.0.0, which comes from npm."""

import json

import jsonschema_rs
import pytest

from cli_multi_rapid.contracts.asyncapi import asyncapi_document
from cli_multi_rapid.contracts.own import own_contracts

DIGEST = "d4571a420e6ffb7fcc7066c95a6db1202f299a3c51daa103d0706bf30f95e626"


@pytest.mark.outside
def test_the_official_schema_accepts_it_and_is_not_blind(fetched):
    text = fetched("@asyncapi/specs@6.11.1", "package/schemas/3.0.0.json", digest=DIGEST)
    official = jsonschema_rs.Draft7Validator(json.loads(text))
    document = json.loads(json.dumps(asyncapi_document(own_contracts(), "desk")))
    assert [str(error) for error in official.iter_errors(document)] == []
    document["channels"]["RunTaken"]["adress"] = "nowhere"
    assert not official.is_valid(document)
