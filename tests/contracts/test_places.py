"""Where a program says that a document is wrong must be a place, and the right one."""

import pytest

from cli_multi_rapid.contracts.places import misplaced

TEXT = '{"a": [1,\n 2]}'


@pytest.mark.parametrize(
    ("where", "at"),
    [
        ("#", ()), ("#", ("",)), ("/ (character 1)", ("",)), ("/ (character 15)", ()), ("#/a/0", ("/a/0",)),
        ("#/a/0 line 2 column 2", ("/a",)),
        ("/a/1 (character 12)", ("/b", "/a/1")), ("#/a b line 1 column 1", ("/a b",)),
        ("/x", ()), ("/a~1b", ("/a~1b",)), ("/ (character 3)", ("/",)),
        ("# line 2 byte 4", ()), ("#/a?b", ("/a\nb",)), ("/a b/0 (character 3)", ("/a\tb",)),
        ("#/a\u200b", ("/a\u200b",)),
    ],
)  # fmt: skip
def test_a_right_place(where, at):
    assert misplaced(where, TEXT, at) == ""


@pytest.mark.parametrize(
    ("where", "at", "said"),
    [
        ("", (), "without a place"), ("somewhere", (), "without a place"), ("/ (character 0)", (), "not there"),
        ("/ (character 17)", (), "not there"),
        ("# line 3 column 1", (), "not there"), ("# line 1 column 0", (), "not there"),
        ("# line 1 byte 0", (), "not there"), ("# line 1 byte 17", (), "not there"),
        ("#/a?c", ("/a\nb",), "what is wrong"),
        ("#/b", ("/a",), "what is wrong is at /a"), ("#/a1", ("/a",), "what is wrong"), ("#", ("/a",), "what is wrong"),
        ("/ (character 3)", ("/a", "/b"), "/a or /b"),
    ],
)  # fmt: skip
def test_a_wrong_place(where, at, said):
    assert said in misplaced(where, TEXT, at)


def test_characters_are_units_of_utf_16():
    assert misplaced("/ (character 5)", '"😀"', ()) == ""
    assert misplaced("/ (character 6)", '"😀"', ()) != ""
