"""Real repositories for the tests of this layer."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cli_multi_rapid.system.git import Repository, open_repository

GIT = shutil.which("git") or "git"


@pytest.fixture
def plain_git(monkeypatch) -> str:
    """Keep the settings of whoever runs the tests out, and return the path of git."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    return GIT


@pytest.fixture
def checkout(tmp_path, plain_git) -> Path:
    """Return a new, empty repository on the branch `main`."""
    folder = tmp_path / "project"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def index(tmp_path) -> Path:
    """Return where our index is kept: in a folder that does not exist yet."""
    return tmp_path / "state" / "index"


@pytest.fixture
def git(plain_git):
    """Return a function that runs git in a folder and returns its standard output."""
    return _git


@pytest.fixture
def write():
    """Return a function that writes a file, with the folders it needs."""
    return _write


@pytest.fixture
def commit(plain_git):
    """Return a function that writes files, commits everything, and returns the commit's id.

    In the names two underscores stand for a dot.
    """
    return _commit


@pytest.fixture
def content(plain_git):
    """Return a function that returns mode and bytes of every file in a tree."""
    return _content


@pytest.fixture
def opened(plain_git):
    """Return a function that opens a repository that exists."""
    return _opened


@pytest.fixture
def add_submodule(tmp_path, plain_git):
    """Return a function that adds a submodule `vendor` to a repository."""

    def add(root: Path) -> None:
        library = tmp_path / "library"
        library.mkdir()
        _git(library, "init", "-q")
        _commit(library, inner="1")
        _git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor")
        _commit(root)

    return add


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run([GIT, *arguments], cwd=folder, input=given, capture_output=True, check=True).stdout


def _commit(folder: Path, **files: str) -> str:
    for name, text in files.items():
        _write(folder, name.replace("__", "."), text)
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "change")
    return _git(folder, "rev-parse", "HEAD").decode().strip()


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _opened(folder: Path) -> Repository:
    repository = open_repository(folder)
    assert repository is not None
    return repository


def _content(folder: Path, tree: str) -> dict[str, tuple[str, bytes]]:
    """Return mode and bytes of every file in a tree."""
    found = {}
    for line in _git(folder, "ls-tree", "-r", "-z", tree).split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, oid = facts.decode().split(" ")
            found[os.fsdecode(path)] = (mode, _git(folder, "cat-file", "blob", oid))
    return found
