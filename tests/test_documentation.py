"""The documentation says what is true: commands, exit codes, examples, and a consumer for every key."""

import ast
import re
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import pytest

from cli_multi_rapid.cli.table import COMMANDS
from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.errors import error_classes
from cli_multi_rapid.model import gate_settings, phase, policy, settings
from cli_multi_rapid.services.runs import INTERRUPTED

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FORMATS = [
    phase.PhaseSpec, phase.Step, phase.Defaults, phase.Retry, phase.Approval, phase.Permissions, phase.InputSpec,
    phase.GateUse, phase.Undo, phase.Rollback, phase.Cache, phase.Concurrency,
    gate_settings.GateFile, gate_settings.GateSpec, gate_settings.Pattern, settings.ConfigFile, settings.EngineConfig,
    settings.ContractsConfig, settings.PythonModels,
    policy.Waiver, policy.WaiverFile,
]  # fmt: skip
CHECKERS = {
    "action_values.py", "checks.py", "document.py", "faults.py", "keys.py", "kinds.py", "loader.py", "outline.py",
    "relations.py", "shapes.py", "texts.py", "values.py", "yaml.py", "gate_settings.py", "phase.py", "config.py",
}  # fmt: skip
CHECKED_ONLY = {("WaiverFile", "schema"), ("PhaseSpec", "schema"), ("GateFile", "schema"), ("ConfigFile", "schema")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    assert f"| `{name}` | {COMMANDS[name][1]} |" in README


def test_every_command_in_the_readme_exists():
    for name in re.findall(r"^\$ (?:cmr|cli-multi-rapid) ([a-z-]+)", README, flags=re.MULTILINE):
        assert name in COMMANDS


def test_every_exit_code_is_in_the_readme():
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    listed = {
        int(code) for row in re.findall(r"^\| ([0-9, ]+) \|", table, flags=re.MULTILINE) for code in row.split(",")
    }
    assert listed >= {found.exit_code for found in error_classes().values()} | set(INTERRUPTED.values()) | {0}


def test_the_example_of_a_phase_is_one():
    (example,) = re.findall(r"```yaml\n(schema: cmr/phase@v1\n.*?)```", README, flags=re.DOTALL)
    other = "schema: cmr/phase@v1\nname: phase0\nsteps:\n  - {id: a, run: [echo]}\n"
    gates = frozenset({"lint", "tests", "secrets", "denylist"})
    load_phases({"p/nightly.yaml": example, "p/phase0.yaml": other}, gates=gates)


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("owner", FORMATS, ids=lambda owner: owner.__name__)
def test_every_key_has_a_consumer(owner):
    """A key that is only checked for its form would be a promise that nobody keeps."""
    read = attributes_read()
    unread = [
        one.name for one in fields(owner) if one.name not in read and (owner.__name__, one.name) not in CHECKED_ONLY
    ]
    assert not unread


@lru_cache(maxsize=1)
def attributes_read() -> set[str]:
    names: set[str] = set()
    for file in (ROOT / "src/cli_multi_rapid").rglob("*.py"):
        if file.name not in CHECKERS:
            tree = ast.parse(file.read_text("utf-8"))
            names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names
