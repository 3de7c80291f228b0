"""Builders of contracts in memory."""

import json

import pytest

from cli_multi_rapid.contracts.loading import FOLDER, load_contracts
from cli_multi_rapid.system.files import PathRefused


@pytest.fixture
def load():
    """Load contracts of these texts or values, by path below contracts/events."""

    def loaded(files):
        texts = {
            f"{FOLDER}/{name}": (value if isinstance(value, str) else json.dumps(value)).encode()
            for name, value in files.items()
        }

        def read(path):
            if path not in texts:
                raise PathRefused(path, "does not exist", missing=True)
            return texts[path]

        return load_contracts([name for name in files if "@" in name], read)

    return loaded


@pytest.fixture
def one(load):
    """Load one contract A@1.0 with these keywords."""

    def loaded(schema, **others):
        files = {"A@1.0.json": {"$id": "urn:cmr:contract:A:1.0", **schema}}
        return load({**files, **{f"{name}.json": value for name, value in others.items()}})

    return loaded
