import os
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.paths import find, has_magic, matches


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.py", ["a.py", ".py"], ["src/a.py", "a.pyc"]),
        ("**/*.py", ["a.py", "src/a.py", "src/b/a.py"], ["a.txt"]),
        ("src/**", ["src/a", "src/b/c"], ["src", "a/src/b", "srcs/a"]),
        ("src/", ["src/a", "src/b/c"], ["src", "a/src/b"]),
        ("**", ["a", "a/b"], []),
        ("src/*/x.py", ["src/a/x.py"], ["src/x.py", "src/a/b/x.py"]),
        ("src/**/x.py", ["src/x.py", "src/a/x.py", "src/a/b/x.py"], ["src/ax.py"]),
        ("**/tests/**", ["tests/a", "b/tests/c/d"], ["tests", "mytests/a"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c/c"], ["a/c", "a/b", "b/c"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[ab]x", ["ax", "bx"], ["cx", "[ab]x"]),
        ("[!a]x", ["bx", "!x"], ["ax", "/x"]),
        ("[.-0]x", [".x", "0x"], ["/x"]),
        ("[a-c]*[0-9]", ["a1", "bxx9"], ["d1", "ab"]),
        ("a*b*c", ["abc", "a-b-b-c"], ["a/b/c", "acb"]),
        ("./src/*.py", ["src/a.py"], []),
        ("/src/*.py", ["src/a.py"], []),
        ("a+b(1).txt", ["a+b(1).txt"], ["aab1.txt"]),
        ("[", ["["], ["a"]),
        ("[]", ["[]"], ["a"]),
        ("x[]y]", ["x]", "xy"], ["x[]y]"]),
        ("**/*.PY", ["a.PY"], ["a.py"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not matches(path, (glob,))] == []
    assert [path for path in no if matches(path, (glob,))] == []


def test_no_glob_matches_nothing_and_any_of_several_is_enough() -> None:
    assert not matches("a", ())
    assert matches("a.md", ("*.py", "*.md"))


@given(st.text("ab*?.", min_size=1, max_size=8), st.text("ab.", min_size=1, max_size=10))
def test_one_level_is_matched_as_the_standard_library_does(glob: str, name: str) -> None:
    if glob.startswith("./") or glob == "**":
        return
    assert matches(name, (glob,)) == fnmatchcase(name, glob)


def _reference(path: list[str], glob: list[str]) -> bool:
    if not glob:
        return not path
    if glob[0] == "**":
        if len(glob) == 1:
            return bool(path)
        return any(_reference(path[skip:], glob[1:]) for skip in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], glob[0]) and _reference(path[1:], glob[1:])


@given(
    st.lists(st.sampled_from(["**", "a", "b", "*", "a*"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=7),
)
def test_levels_are_matched_as_a_plain_recursion_does(glob: list[str], path: list[str]) -> None:
    tidy = [level for number, level in enumerate(glob) if level != "**" or glob[number - 1 : number] != ["**"]]
    assert matches("/".join(path), ("/".join(glob),)) == _reference(path, tidy)


def test_hostile_globs_end() -> None:
    assert not matches("a" * 5_000, ("*a" * 30 + "b",))
    assert not matches("a/" * 2_000 + "a", ("**/a/" * 20 + "b",))


def test_has_magic() -> None:
    assert has_magic("a*") and has_magic("a?") and has_magic("[a]")
    assert not has_magic("a/b.json")


def test_find(tmp_path: Path) -> None:
    for name in ("a.json", "sub/b.json", "sub/deep/c.json", ".hidden/d.json", ".git/e.json", "sub/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find(tmp_path, "**/*.json") == (".hidden/d.json", "a.json", "sub/b.json", "sub/deep/c.json")
    assert find(tmp_path, "sub/*.json") == ("sub/b.json",)
    assert find(tmp_path, "*.xml") == ()
    assert find(tmp_path, "nowhere/*.xml") == ()
    assert find(tmp_path, "not/there.json") == ("not/there.json",)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_find_does_not_enter_linked_folders(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert find(tmp_path, "**/*.json") == ("real/a.json",)
