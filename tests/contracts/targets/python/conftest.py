"""Generated modules, imported as their users import them."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter


@pytest.fixture
def imported(tmp_path, load):
    """Generate the Pydantic module of the contract A@1.0 with these keywords, write and import it."""
    names = []

    def made(schema, name="A", **files):
        contract = {"$id": f"urn:cmr:contract:{name}:1.0", **schema}
        found = load({f"{name}@1.0.json": contract, **{f"{path}.json": value for path, value in files.items()}})
        assert not found.problems
        emitter = PythonEmitter()
        text = emitter.text(found, found.contracts[0])
        assert text == emitter.text(found, found.contracts[0]), "the same twice"
        file = tmp_path / emitter.file_name(found.contracts[0])
        file.write_text(text, encoding="utf-8")
        names.append(f"generated_{len(names)}")
        spec = spec_from_file_location(names[-1], file)
        module = module_from_spec(spec)
        sys.modules[names[-1]] = module
        spec.loader.exec_module(module)
        module.text = text
        return module

    yield made
    for name in names:
        del sys.modules[name]
