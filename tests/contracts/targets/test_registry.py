"""Every language that is named has an emitter, and is loaded only when it is asked for."""

import subprocess
import sys
from importlib import import_module

import pytest

from cli_multi_rapid.contracts.targets.registry import EMITTERS, Settings, generator_of, options_of
from cli_multi_rapid.model.contract import ModelTarget, PythonStyle


@pytest.mark.parametrize("target", EMITTERS)
def test_emitters_are_for_the_language_they_are_listed_by(target):
    module, _, name = EMITTERS[target].partition(":")
    assert getattr(import_module(module), name)().target == target


def test_every_language_has_an_emitter():
    assert {ModelTarget.PYTHON, *EMITTERS} == set(ModelTarget)


def test_no_language_is_loaded_before_it_is_asked_for():
    code = "import cli_multi_rapid.services.models, sys; print(*sys.modules)"
    loaded = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout.split()
    assert "cli_multi_rapid.contracts.targets.registry" in loaded
    assert not {"datamodel_code_generator", "pydantic", "cli_multi_rapid.contracts.targets.python.emitter"} & set(
        loaded
    )
    assert not [name for name in loaded if name.startswith("cli_multi_rapid") and name.endswith(".emitter")]


def test_what_code_depends_on_is_told_apart():
    plain, moved = (Settings(folder=folder) for folder in ("contracts/models/python", "src/models"))
    typed = Settings(folder=plain.folder, style=PythonStyle.TYPED_DICT)
    assert len({options_of(ModelTarget.PYTHON, one) for one in (plain, moved, typed)}) == 3
    assert "datamodel-code-generator" in generator_of(ModelTarget.PYTHON, plain)
    assert "datamodel-code-generator" not in generator_of(ModelTarget.PYTHON, typed)
