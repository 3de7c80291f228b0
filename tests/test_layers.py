"""The layers hold, and the check that says so can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = Path(sys.executable).with_name("lint-imports")

VIOLATIONS = {
    "a lower layer imports a higher one": ("system/lock.py", "import cli_multi_rapid.engine.fold"),
    "siblings import each other": ("gates/registry.py", "import cli_multi_rapid.engine.fold"),
    "the model does input and output": ("model/run.py", "import pathlib"),
    "rich below the command line": ("services/runs.py", "import rich"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run((LINT, "--no-cache"), cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_layers_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_planted_violation_is_found(name, tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path, line = VIOLATIONS[name]
    with (tmp_path / "src/cli_multi_rapid" / path).open("a") as file:
        file.write(f"\n{line}\n")
    script = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as c; c()"
    done = subprocess.run(
        (sys.executable, "-c", script, "--no-cache"),
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert Path(path).stem in done.stdout
