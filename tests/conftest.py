"""What every test gets: a home of its own, no configuration of the machine, and ways to run the program for real."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli_multi_rapid.cli.app import entry

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "src/cli_multi_rapid/starter"
BEGUN = time.time()
GITLESS = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CMR_"))}


MEASURED = frozenset((
    "test_actions.py", "test_commands.py", "test_process_trees.py", "test_project.py", "test_supervisor.py",
    "test_tried_by_an_attacker.py", "test_worktrees.py",
))  # fmt: skip
"""Folders and files whose children run with coverage. Elsewhere measuring would take half of their time for nothing."""


@pytest.fixture(autouse=True)
def _children_unmeasured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not {request.path.parent.name, request.path.name} & MEASURED:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests share: compiling the rules of the secret scanner takes seconds."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "cache"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "CMR_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in ("VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CMR_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("CMR_CACHE_DIR", str(shared_cache))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")


@pytest.fixture(autouse=True)
def _events_are_valid(_own_home: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test lets the program record keeps to the contracts; `forged_events` says that it records itself."""
    state = Path(os.environ["CMR_STATE_DIR"])
    yield
    if request.node.get_closest_marker("forged_events") is None:
        wrong = [found for log in state.glob("*/events.db") for found in invalid_events(log)]
        assert not wrong, "\n".join(wrong)


@cache
def _validators() -> dict[str, "Draft202012Validator"]:
    from cli_multi_rapid.contracts.own import own_validators

    return {kind.value: validator for kind, validator in own_validators().items()}


def invalid_events(log: Path) -> list[str]:
    """Say what in an event log its contracts do not allow."""
    with closing(sqlite3.connect(f"{log.as_uri()}?mode=rw", uri=True)) as connection:
        rows = connection.execute("SELECT kind, seq, payload FROM event").fetchall()
    return [
        f"event {seq} {kind}: {wrong.instance_path} {wrong.message}"
        for kind, seq, payload in rows
        for wrong in _validators()[kind].iter_errors(json.loads(payload))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    def data(self) -> object:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A project in a folder of its own, and the program at work on it."""

    root: Path

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def phase(self, name: str, body: str) -> Path:
        return self.write(f"workflows/phase_definitions/{name}.yaml", f"schema: cmr/phase@v1\nname: {name}\n{body}")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ("git", *arguments), cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def cmr(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, trust: bool = True
    ) -> Done:
        """Call the program in this process, which is much faster than starting it and comes to the same."""
        out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
            here.chdir(cwd or self.root)
            here.setattr(sys, "stdin", TextIOWrapper(BytesIO()))
            for name, value in _given(env, trust=trust).items():
                here.setenv(name, value)
            code = entry("cli-multi-rapid", arguments=arguments)
        said, complained = (stream.buffer.getvalue().decode("utf-8", errors="replace") for stream in (out, err))
        return Done(code=code, out=said, err=complained)

    def started(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, trust: bool = True
    ) -> Done:
        """Run the program as users do, as a process of its own."""
        process = subprocess.run(
            (sys.executable, "-m", "cli_multi_rapid", *arguments),
            cwd=cwd or self.root, env={**os.environ, **_given(env, trust=trust)},
            capture_output=True, stdin=subprocess.DEVNULL, timeout=100,
        )  # fmt: skip
        said, complained = (text.decode("utf-8", errors="replace") for text in (process.stdout, process.stderr))
        return Done(code=process.returncode, out=said, err=complained)

    def begun(
        self, flag: Path, *arguments: str, env: Mapping[str, str] | None = None, output: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[str]":
        """Start the program and wait until one of its steps has made a file."""
        process = subprocess.Popen(
            (sys.executable, "-m", "cli_multi_rapid", *arguments), cwd=self.root,
            env={**os.environ, "CMR_TRUST": "1", **(env or {})},
            stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        while not flag.exists():
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            time.sleep(0.02)
        return process


def _given(env: Mapping[str, str] | None, *, trust: bool) -> dict[str, str]:
    return {**({"CMR_TRUST": "1"} if trust else {}), **(env or {})}


@pytest.fixture
def sandbox(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A minimal project, a git repository with one commit: a copy of one that is made once."""
    pattern = tmp_path_factory.getbasetemp() / "pattern"
    if not pattern.exists():
        made = empty_sandbox(pattern)
        made.git("init", "-q", "-b", "main")
        made.git("add", "-A")
        made.git("commit", "-q", "-m", "start")
    shutil.copytree(pattern, tmp_path / "project")
    return Sandbox(root=tmp_path / "project")


@pytest.fixture
def trading(sandbox: Sandbox) -> Sandbox:
    """A project with the five contracts of the sample project."""
    shutil.copytree(STARTER / "sample/contracts/events", sandbox.root / "contracts/events")
    return sandbox


@pytest.fixture
def make_sandbox(tmp_path: Path) -> Callable[[str], Sandbox]:
    """Make further minimal projects, not git repositories."""
    return lambda name: empty_sandbox(tmp_path / name)


def empty_sandbox(root: Path) -> Sandbox:
    made = Sandbox(root=root)
    made.write("config/workflow-config.yaml", "schema: cmr/config@v1\nproject: test\njobs: {default: [p]}\n")
    made.phase("p", "steps:\n  - {id: hello, run: [echo, hello]}\n")
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped and why, also with -q, and where the pictures of this run are."""
    skipped = terminalreporter.stats.get("skipped", [])
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"not run: {report.nodeid}: {reason}")
    for picture in sorted((ROOT / "test-output").rglob("*.png")):
        if picture.stat().st_mtime >= BEGUN:
            terminalreporter.write_line(f"picture: {picture.relative_to(ROOT)}")
