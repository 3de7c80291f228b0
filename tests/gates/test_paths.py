import os
from pathlib import Path

import pytest

from cli_multi_rapid.gates.paths import find, has_magic


def test_has_magic() -> None:
    assert has_magic("a*") and has_magic("a?") and has_magic("[a]") and has_magic("a/")
    assert not has_magic("a/b.json")


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("**/*.json", (".hidden/d.json", "a.json", "sub/b.json", "sub/deep/c.json")),
        ("sub/*.json", ("sub/b.json",)),
        ("./sub/**/*.json", ("sub/b.json", "sub/deep/c.json")),
        ("sub/deep/", ("sub/deep/c.json",)),
        ("*.xml", ()),
        ("nowhere/*.xml", ()),
        ("not/there.json", ("not/there.json",)),
    ],
)
def test_find(tmp_path: Path, glob, paths) -> None:
    for name in ("a.json", "sub/b.json", "sub/deep/c.json", ".hidden/d.json", ".git/e.json", "sub/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find(tmp_path, glob) == paths


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_find_does_not_enter_linked_folders(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert find(tmp_path, "**/*.json") == ("real/a.json",)
