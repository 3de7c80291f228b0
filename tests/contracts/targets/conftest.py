"""Contracts as code, in memory."""

import pytest
from contract_samples import Emitted

from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.validation import compiled


@pytest.fixture
def emitted(load):
    """Emit a schema as the contract `name`."""

    def make(emitter, schema, name="OrderIntent@1.2", **others):
        title, version = name.split("@")
        found = load(
            {
                f"{name}.json": {"$id": f"urn:cmr:contract:{title}:{version}", **schema},
                **{f"{key}.json": value for key, value in others.items()},
            }
        )
        assert not found.problems
        contract = found.contracts[0]
        validator = compiled(found, contract)
        made = lowered(found, contract)
        assert not made.violations
        file_name = emitter.file_name(contract)
        text = emitter.text(contract, made.type)
        assert text == emitter.text(contract, made.type)
        return Emitted(contract, made.type, validator, {file_name: text, **emitter.support()}, file_name)

    return make
