"""What globs match, by examples and against a matcher that tries everything."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli_multi_rapid.system.globs import matches

MATCHING = [
    ("*.py", "a.py"), ("*.py", ".py"), ("*", ".hidden"), ("**", "a"), ("**", "a/b/c"), ("**", "new\nline"),
    ("**/*.py", "a.py"), ("**/*.py", "a/b/c.py"), ("src/**", "src/a"), ("src/**", "src/a/b"), ("src/", "src/a/b"),
    ("a/**/b", "a/b"), ("a/**/b", "a/x/y/b"), ("**/a/**", "x/a/b"), ("**/a/**", "a/a/a"), ("**/**", "a"),
    ("a**", "abc"), ("?.py", "a.py"), ("[ab].py", "b.py"), ("[a-c]", "b"), ("[!a]", "b"), ("[^a]", "b"), ("[]]", "]"),
    ("[!]]", "a"), ("[a", "[a"), ("[", "["), ("\\*", "*"), ("\\[a]", "[a]"), ("a\\", "a\\"), ("./a", "a"), ("/a", "a"),
    ("[a-]", "-"), ("[.]", "."), ("a.b", "a.b"), ("*a*b*", "xaxbx"), ("ü?", "üé"), ("[\udc80]", "\udc80"),
    ("**/t_*/**/*.py", "t_x/a.py"), ("**/t_*/**/*.py", "a/t_/b/c/d.py"), ("**/a/**/a/**/b", "a/c/a/b"),
]  # fmt: skip
NOT_MATCHING = [
    ("*.py", "a/b.py"), ("*.py", "a.pyc"), ("src/**", "src"), ("src/**", "srcs/a"), ("src/**", "a/src/b"),
    ("src", "src/a"),
    ("src/*", "src/a/b"), ("?", "/"), ("a?b", "a/b"), ("a[/]b", "a/b"), ("a[!x]b", "a/b"), ("a[+-9]b", "a/b"),
    ("[z-a]", "m"),
    ("a.b", "axb"), ("A", "a"), ("", ""), ("", "a"), ("a/**/b", "ab"), ("a**b", "a/b"), ("\\*", "a"), ("[]", "a"),
    ("!a", "b"), ("{a,b}", "a"), ("**/a", "ba"), ("a|b", "a"), ("a+", "aa"), ("a", "a\n"), ("**/a/**/a/**/b", "a/b"),
]  # fmt: skip


@pytest.mark.parametrize(("glob", "path"), MATCHING)
def test_matches(glob, path):
    assert matches(path, [glob])


@pytest.mark.parametrize(("glob", "path"), NOT_MATCHING)
def test_does_not_match(glob, path):
    assert not matches(path, [glob])


def test_any_of_several():
    assert matches("docs/a.md", ["src/**", "docs/**"])
    assert not matches("docs/a.md", ["src/**", "*.md", ""])
    assert not matches("docs/a.md", [])


def test_alternatives_do_not_run_into_each_other():
    assert not matches("ab", ["a", "b"])
    assert matches("a", ["(", "a", ")"])


def test_nothing_hangs():
    assert not matches("a" * 3000, ["*a" * 300 + "b"])
    assert not matches("a/" * 1500 + "a", ["**/a/" * 100 + "b"])
    assert not matches("a/" * 1500 + "a", ["**/*a*/" * 100 + "b"])


def brute(glob: str, path: str) -> bool:
    """Try every way in which a glob of the small alphabet below can match."""
    if not glob:
        return False
    if glob.endswith("/"):
        glob += "**"
    return segments([part for part in glob.split("/") if part], path.split("/"))


def segments(globs: list[str], parts: list[str]) -> bool:
    if not globs:
        return not parts
    if globs == ["**"]:
        return bool(parts)
    if globs[0] == "**":
        return any(segments(globs[1:], parts[start:]) for start in range(len(parts) + 1))
    return bool(parts) and characters(globs[0], parts[0]) and segments(globs[1:], parts[1:])


def characters(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return any(characters(glob[1:], text[start:]) for start in range(len(text) + 1))
    if glob.startswith("[ab]"):
        return text[:1] in ("a", "b") and characters(glob[4:], text[1:])
    if glob.startswith("[!a]"):
        return text[:1] not in ("", "a") and characters(glob[4:], text[1:])
    return bool(text) and glob[0] in ("?", text[0]) and characters(glob[1:], text[1:])


TOKENS = st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]"])
SEGMENTS = st.one_of(st.just("**"), st.lists(TOKENS, min_size=1, max_size=5).map("".join))
PATHS = st.lists(st.text("ab.", min_size=1, max_size=5), min_size=1, max_size=5).map("/".join)


@given(st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join), st.sampled_from(["", "/"]), PATHS)
@example("**/*a/**/b", "", "a/aa/b/a/b")
@example("././**", "", "a")
def test_agrees_with_trying_everything(glob, ending, path):
    glob += ending
    assert matches(path, [glob]) == brute(glob.removeprefix("./"), path)
