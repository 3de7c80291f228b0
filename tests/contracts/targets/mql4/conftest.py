"""Generated MQL4, compiled once for all tests of one contract."""

import json
import os
from pathlib import Path

import pytest

from cli_multi_rapid.contracts.loading import load_contracts
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.targets.mql4 import runtime
from cli_multi_rapid.contracts.targets.mql4.emitter import Mql4Emitter
from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.errors import SpecInvalid

TIMEOUT_S = 60


class Spoken:
    """One contract in MQL4: its files, the program made of them, and the verdict of the validator beside it."""

    def __init__(self, schema, folder, cache, version="1.0"):
        path = f"contracts/events/A@{version}.json"
        document = {"$id": f"urn:cmr:contract:A:{version}", **schema}
        found = load_contracts([f"A@{version}.json"], {path: json.dumps(document).encode()}.__getitem__)
        assert found.problems == []
        (self.contract,) = found.contracts
        self.validator = compiled(found, self.contract)
        read = lowered(found, self.contract)
        assert read.violations == ()
        self.type = read.type
        emitter = Mql4Emitter()
        self.text = emitter.text(self.contract, self.type)
        self.files = {emitter.file_name(self.contract): self.text, **emitter.support()}
        self.folder, self.cache = folder, cache

    def answers(self, *documents):
        return runtime.answers(
            self.contract, self.files, documents, folder=self.folder, environment=os.environ, timeout=TIMEOUT_S,
            cache=self.cache,
        )  # fmt: skip

    def back(self, text):
        """Return what a document is when it comes back; the reason where it is refused."""
        (answer,) = self.answers(text)
        return json.loads(answer.text) if answer.accepted else answer.error

    def valid(self, text):
        """Return whether strict reading and the validator accept a document."""
        try:
            return self.validator.is_valid(read_json(text.encode(), ""))
        except (SpecInvalid, UnicodeEncodeError):
            return False


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Return a folder for compiled programs that all processes of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    return Path(folder.parent if folder.name.startswith("popen-") else folder, "compiled-mql4")


@pytest.fixture(scope="session")
def spoken(cache, tmp_path_factory):
    """Make MQL4 of schemas."""
    if reason := runtime.unavailable(os.environ):
        pytest.skip(reason)
    return lambda schema: Spoken(schema, tmp_path_factory.mktemp("mql4"), cache)
