"""The published JSON Schemas are those of the model, and every key says what it is for."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_schemas.py"


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_schemas", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _module()


@pytest.mark.parametrize("name", sorted(GENERATOR.FORMATS))
def test_the_published_schema_is_that_of_the_model(name: str) -> None:
    written = (GENERATOR.FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    assert written == GENERATOR.schema(name), "run  python scripts/generate_schemas.py"


def test_the_contracts_that_are_shipped_are_those_of_the_repository() -> None:
    written = (GENERATOR.FOLDER / "events.json").read_text(encoding="utf-8")
    assert written == GENERATOR.events(), "run  python scripts/generate_schemas.py"


def test_nothing_else_is_published() -> None:
    assert sorted(path.name for path in GENERATOR.FOLDER.iterdir()) == [
        "config.schema.json", "events.json",
        "gates.schema.json", "phase.schema.json", "report.schema.json", "waivers.schema.json",
    ]  # fmt: skip


def objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "the file", schema
    yield from schema["$defs"].items()


@pytest.mark.parametrize("name", sorted(GENERATOR.FORMATS))
def test_every_key_is_described_and_no_other_is_allowed(name: str) -> None:
    schema = json.loads(GENERATOR.schema(name))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    for where, node in objects(schema):
        if "properties" in node:
            assert node["additionalProperties"] is False, where
        for key, part in node.get("properties", {}).items():
            assert part.get("description", "").endswith("."), f"{where}: {key}"
            assert "title" not in part


def test_keys_are_spelled_as_in_files() -> None:
    step = json.loads(GENERATOR.schema("phase"))["$defs"]["Step"]
    assert {"if", "ok-codes", "continue-on-error"} <= set(step["properties"])
    assert step["required"] == ["id"]


def test_the_check_fails_where_a_file_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GENERATOR, "FOLDER", tmp_path / "schemas")
    monkeypatch.setattr(sys, "argv", ["generate_schemas.py", "--check"])
    assert GENERATOR.main() == 1
    assert not (tmp_path / "schemas").exists()
    monkeypatch.setattr(sys, "argv", ["generate_schemas.py"])
    assert GENERATOR.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate_schemas.py", "--check"])
    assert GENERATOR.main() == 0
    (tmp_path / "schemas" / "gates.schema.json").write_text("{}")
    assert GENERATOR.main() == 1


def test_the_script_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
