"""The contracts of a project as an AsyncAPI 3.0 document: a channel for each name, a message for each version."""

import json
from hashlib import sha256

from cli_multi_rapid.contracts.loading import DRAFT, Contract, ContractSet
from cli_multi_rapid.contracts.validation import standing

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_DIGEST_CHARACTERS = 12


def asyncapi_document(found: ContractSet, title: str) -> dict[str, object]:
    """Return the document. Its version is a digest of all contracts, so that it changes when one of them does.

    Where messages are sent is not known: every address is null.
    """
    messages = {_key(one): _message(found, one) for one in found.contracts}
    channels: dict[str, dict[str, object]] = {}
    for one in found.contracts:
        channel = channels.setdefault(one.name, {"address": None, "messages": {}})
        listed = channel["messages"]
        assert isinstance(listed, dict)
        listed[_key(one)] = {"$ref": f"#/components/messages/{_key(one)}"}
    digest = sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": digest},
        "defaultContentType": "application/json",
        "channels": channels,
        "components": {"messages": messages},
    }


def bundled(found: ContractSet, contract: Contract) -> dict[str, object]:
    """Return a contract with every file that it refers to inside, so that it can stand alone."""
    (_, root), *others = standing(found, contract)
    made: dict[str, object] = {**root, "$schema": DRAFT}
    if others:
        inside = {path: document for path, (_, document) in zip(found.closure(contract)[1:], others, strict=True)}
        made["$defs"] = {**root.get("$defs", {}), **inside}
    return made


def _key(contract: Contract) -> str:
    return f"{contract.name}_{contract.suffix}"


def _message(found: ContractSet, contract: Contract) -> dict[str, object]:
    document = found.documents[contract.path]
    assert isinstance(document, dict)
    said = {name: document[name] for name in ("title", "description") if name in document}
    payload = {"schemaFormat": SCHEMA_FORMAT, "schema": bundled(found, contract)}
    return {
        "name": contract.key, **said, "contentType": "application/json",
        "payload": payload, "x-contract": contract.id,
    }  # fmt: skip
