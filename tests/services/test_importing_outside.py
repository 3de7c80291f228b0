"""Workflows of real projects, where a folder of them is at hand: nothing crashes, and what is made can be loaded."""

import os
from pathlib import Path

import pytest

from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.services.importing.github import import_workflows

_FOLDER = Path(os.environ.get("CMR_TEST_WORKFLOWS", "/nonexistent"))
FILES = sorted(_FOLDER.rglob("*.yml")) + sorted(_FOLDER.rglob("*.yaml"))

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not FILES, reason="CMR_TEST_WORKFLOWS names no folder with workflows"),
]


@pytest.mark.parametrize("conditions", [True, False])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(_FOLDER).as_posix())
def test_a_real_workflow(file, conditions):
    text = file.read_bytes()
    try:
        found = import_workflows({"w.yml": text}, conditions=conditions)
    except SpecInvalid as invalid:
        assert all(problem.line for problem in invalid.problems)
        return
    made = load_phases({f"{name}.yaml": text for name, text in found.phases.items()}, gates=None)
    assert set(made) == set(found.phases)
    for item in found.left_out:
        path, line, column = item.where.split(":")
        assert path == "w.yml"
        assert 1 <= int(line) <= text.count(b"\n") + 1
        assert int(column) >= 1
        assert item.what
        assert item.why


def test_all_of_them_at_once():
    """Names of phases stay different, whatever the number of files."""
    texts = {}
    for file in FILES:
        try:
            import_workflows({"w.yml": file.read_bytes()})
        except SpecInvalid:
            continue
        texts[file.relative_to(_FOLDER).as_posix()] = file.read_bytes()
    found = import_workflows(texts, conditions=False)
    load_phases({f"{name}.yaml": text for name, text in found.phases.items()}, gates=None)
