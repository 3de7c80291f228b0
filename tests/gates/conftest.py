"""A small project on disk, and what a gate is given of it."""

import json
import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli_multi_rapid.gates import coverage
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit


@dataclass(frozen=True, slots=True)
class Project:
    """Files in a temporary folder; `given` lists them as they are at that moment."""

    root: Path
    aside: Path
    cache: Path

    def write(self, path: str, content: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def write_aged(self, path: str, content: str | bytes) -> Path:
        """Write a file an hour ago, so that reports written now are newer."""
        file = self.write(path, content)
        hour_ago = file.stat().st_mtime - 3600
        os.utime(file, (hour_ago, hour_ago))
        return file

    def given(
        self, *, level: Level = Level.STANDARD, evidence: tuple[str, ...] | None = None, **others: Any
    ) -> GateInput:
        files = (path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if not path.is_dir())
        return GateInput(
            root=str(self.root),
            level=level,
            files=tuple(sorted(files)),
            tree="tree-id",
            evidence=evidence,
            env=dict(os.environ),
            work=str(self.aside),
            cache=str(self.cache),
            execute=execute,
            **others,
        )

    def judge_coverage(
        self, report: str | bytes, *, name: str = "coverage.json", spec: GateSpec | None = None, **given: Any
    ) -> GateResult:
        """Write a report and judge it as coverage; sources have to be there. Keywords replace fields of the input."""
        self.write(name, report)
        spec = replace(spec or GateSpec(check=Check.COVERAGE), reports=(name,))
        return coverage.evaluate("coverage", spec, self.given(**given))

    def listing(self, *files: str) -> GateInput:
        """Return the input of a gate that sees exactly these files."""
        return replace(self.given(), files=files)


def execute(command: Command) -> Exit:
    """Run a command as a plain child process."""
    with Path(command.log).open("ab") as log, Path(command.stdout or os.devnull).open("ab") as output:
        try:
            ended = subprocess.run(
                command.argv,
                cwd=command.cwd,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=output if command.stdout else log,
                stderr=log,
                timeout=command.timeout_s,
                check=False,
            )
        except FileNotFoundError as problem:
            return Exit(error=str(problem), missing=True)
        except OSError as problem:
            return Exit(error=str(problem))
        except subprocess.TimeoutExpired:
            return Exit(signal=9, timed_out=True)
    if ended.returncode < 0:
        return Exit(signal=-ended.returncode)
    return Exit(code=ended.returncode)


@pytest.fixture
def project(tmp_path: Path, shared_cache: Path) -> Project:
    root, aside = tmp_path / "project", tmp_path / "aside"
    root.mkdir()
    aside.mkdir()
    return Project(root, aside, shared_cache)


class Supply:
    """A project without environment, and an advisory database beside it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.database = project.aside / "osv"
        self.database.mkdir()
        self.env = {"PATH": "", "CMR_ADVISORY_DB": str(self.database)}

    def advise(self, id_: str, name: str, *events: dict[str, str], ecosystem: str = "PyPI", **more: object) -> str:
        """Write an advisory of today and return its text."""
        ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
        affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
        affected["versions"] = more.pop("versions", [])
        modified = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        record = {"id": id_, "modified": modified, "summary": "a flaw", "affected": [affected], **more}
        text = json.dumps(record)
        (self.database / f"{id_}.json").write_text(text)
        return text

    def install(self, name: str, version: str, *headers: str, prefix: str = ".venv", files: str = "") -> Path:
        """Put the metadata of a package into the environment of the project, and return its folder."""
        base = self.project.root / prefix
        folder = base / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (base / "pyvenv.cfg").write_text("home = /nowhere\n")
        lines = [
            "Metadata-Version: 2.4",
            f"Name: {name}",
            f"Version: {version}",
            *headers,
            "",
            "prose",
            "License: none",
        ]
        (folder / "METADATA").write_text("\n".join(lines))
        if files:
            (folder / "direct_url.json").write_text(files)
        self.env["VIRTUAL_ENV"] = str(base)
        return folder

    def given(self, *, level: Level = Level.STANDARD) -> GateInput:
        given = self.project.given(level=level)
        listed = tuple(path for path in given.files if not path.startswith((".venv/", "node_modules/")))
        return replace(given, env=self.env, files=listed, cache=str(self.project.aside / "cache"))


@pytest.fixture
def supply(project: Project) -> Supply:
    return Supply(project)
