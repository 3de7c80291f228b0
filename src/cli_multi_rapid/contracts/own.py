"""The contracts of the events that this program records itself. They come with it, whatever project it works in."""

import json
import pkgutil
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts.loading import FOLDER, Contract, ContractSet, load_contracts
from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.model.events import Kind

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


def own_contracts() -> ContractSet:
    """Return the contracts of all kinds of event."""
    data = pkgutil.get_data("cli_multi_rapid.model", "schemas/events.json")
    assert data is not None
    documents: dict[str, object] = json.loads(data)
    names = [path.rpartition("/")[2] for path in documents if path.rpartition("/")[0] == FOLDER]
    return load_contracts(names, lambda path: json.dumps(documents[path]).encode())


def contract_name(kind: Kind) -> str:
    """Return the name of the contract of a kind of event: RunStarted for run.started."""
    return "".join(word.capitalize() for word in kind.value.split("."))


def newest(found: ContractSet, kind: Kind) -> Contract:
    """Return the contract that events of a kind are written by: the newest of its name."""
    named = [one for one in found.contracts if one.name == contract_name(kind)]
    return max(named, key=lambda one: tuple(map(int, one.version.split("."))))


def own_validators() -> "dict[Kind, Draft202012Validator]":
    """Return the validator of what each kind of event records."""
    found = own_contracts()
    return {kind: compiled(found, newest(found, kind)) for kind in Kind}
