"""The page about the format has a line for every key and every action."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cli_multi_rapid.model import phase
from cli_multi_rapid.model.actions import ACTIONS
from cli_multi_rapid.system.shapes import spelling

PAGE = (Path(__file__).parent.parent / "docs" / "phases.md").read_text("utf-8")
INNER = (phase.Approval, phase.Budget, phase.Cache, phase.Concurrency, phase.Permissions, phase.Retry, phase.Rollback,
         phase.Undo, phase.InputSpec)  # fmt: skip


def rows(heading):
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {
        key
        for row in re.findall(r"^\| (`[^|]*`) \|", table, flags=re.MULTILINE)
        for key in re.findall("`([^`]+)`", row)
    }


@pytest.mark.parametrize(("heading", "shape"), [("Keys of a phase", phase.PhaseSpec), ("Keys of a step", phase.Step)])
def test_every_key_has_a_line(heading, shape):
    assert {spelling(field) for field in fields(shape)} - {"shell"} == rows(heading)


@pytest.mark.parametrize("shape", INNER, ids=lambda shape: shape.__name__)
def test_every_key_within_is_named(shape):
    for field in fields(shape):
        assert f"`{spelling(field)}`" in PAGE or f"{spelling(field)}:" in PAGE, spelling(field)


def test_every_action_has_a_line():
    assert set(ACTIONS) == rows("Actions") & set(ACTIONS)
    for kind in ACTIONS.values():
        assert all(f"`{name}`" in PAGE for name in kind.keys)


def test_every_key_is_described_in_the_schema():
    for shape in (phase.PhaseSpec, phase.Step, *INNER):
        assert all(field.metadata["description"] for field in fields(shape))
