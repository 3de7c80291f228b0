"""Schemas that nobody here wrote, where a folder of them is at hand.

`NAME/schema.json` is a schema of draft 2020-12 or 07, files beside it are what it refers to; `NAME/documents/*.json`
are documents or lists of them. Our contracts refer to the file, as a project would.
"""

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import jsonschema_rs
import pytest

from cli_multi_rapid.contracts.compatibility import Edition, clashes, equal
from cli_multi_rapid.contracts.cycles import require_end
from cli_multi_rapid.contracts.loading import FOLDER, Target, load_contracts
from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter
from cli_multi_rapid.contracts.validation import compiled
from cli_multi_rapid.model.contract import Mode

_FOLDER = Path(os.environ.get("CMR_TEST_SCHEMAS", "/nonexistent"))
NAMES = sorted(file.parent.name for file in _FOLDER.glob("*/schema.json"))

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not NAMES, reason="CMR_TEST_SCHEMAS names no folder with schemas"),
    pytest.mark.timeout(600),
]


def loaded(name):
    texts = {f"{FOLDER}/other/{file.name}": file.read_bytes() for file in (_FOLDER / name).glob("*.json")}
    wrapper = {"$id": "urn:cmr:contract:Outside:1.0", "$ref": "other/schema.json"}
    texts[f"{FOLDER}/Outside@1.0.json"] = json.dumps(wrapper).encode()
    found = load_contracts(["Outside@1.0.json"], texts.__getitem__)
    assert not found.problems
    require_end(found, Target(found.contracts[0].path, ""))
    return found


def direct(name):
    """Return the validator that knows nothing of us, with the same strictness."""
    folder = _FOLDER / name
    schema = json.loads((folder / "schema.json").read_bytes())
    schema["$id"] = "outside:/schema.json"
    return jsonschema_rs.validator_cls_for(schema)(
        schema, retriever=lambda uri: json.loads((folder / uri.rpartition("/")[2]).read_bytes()), validate_formats=True,
        ignore_unknown_formats=False, pattern_options=jsonschema_rs.RegexOptions(),
    )  # fmt: skip


def documents(name):
    for file in sorted((_FOLDER / name / "documents").glob("*.json")):
        value = json.loads(file.read_bytes())
        yield from value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", NAMES)
def test_every_document_is_judged_as_by_the_validator_alone(name):
    found, other = loaded(name), direct(name)
    ours = compiled(found, found.contracts[0])
    verdicts = [(ours.is_valid(value), other.is_valid(value)) for value in documents(name)]
    assert verdicts
    assert [one for one in verdicts if one[0] != one[1]] == []
    assert any(one for one, _ in verdicts)


@pytest.mark.parametrize("name", NAMES)
def test_the_generated_models_are_imported_and_read_a_document(name, tmp_path):
    found = loaded(name)
    file = tmp_path / "outside_generated.py"
    file.write_text(PythonEmitter().text(found, found.contracts[0]), "utf-8")
    spec = spec_from_file_location(file.stem, file)
    module = module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
        judge = compiled(found, found.contracts[0])
        value = next(value for value in documents(name) if judge.is_valid(value))
        assert json.loads(module.parse(json.dumps(value)).to_json()) == value
    finally:
        del sys.modules[file.stem]


@pytest.mark.parametrize("name", NAMES)
def test_they_are_compatible_with_themselves(name):
    one, other = (Edition(found=found, contract=found.contracts[0]) for found in (loaded(name), loaded(name)))
    assert equal(one, other)
    assert not clashes(one, other, Mode.FULL)
