"""What a program puts together is put together, and told as the line it would be in one piece."""

import pytest
import re2

from cli_multi_rapid.gates.secret_joined import JOINT, joined


def retold(text: str) -> list[str]:
    data = text.encode()
    joints = ((match.start() + 1, match.end()) for match in re2.finditer(JOINT, data))
    found = list(joined(data, joints))
    assert all(data[one.start : one.start + 1] in b"\"'" and data[one.end - 1 : one.end] in b"\"'" for one in found)
    return [one.text.decode() for one in found]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('key = "abcd" + "efgh"', 'key = "abcdefgh"'),
        ('key = "ab" + "cd" + "efghij"', 'key = "abcdefghij"'),
        ("key='abcd''efgh'", 'key="abcdefgh"'),
        ("$key = 'abcd' . 'efgh';", '$key = "abcdefgh"'),
        ("key = 'abcd' .. 'efgh'", 'key = "abcdefgh"'),
        ('key = "abcd" & "efgh"', 'key = "abcdefgh"'),
        ('f("abcd" "efgh")', 'f("abcdefgh"'),
        ('key = (\n    "abcd"\n    "efgh"\n)', 'key = "abcdefgh"'),
        ('key = "abcd" \\\n  "efgh"', 'key = "abcdefgh"'),
        ('x;\nkey = "abcd"\n      + "efgh";', 'key = "abcdefgh"'),
        ('key = "abcd" +\n      "efgh";', 'key = "abcdefgh"'),
        ("key = \"abcd\" + 'efgh'", 'key = "abcdefgh"'),
        ("key = 'say \"abcd' + 'efgh\"'", "key = 'say \"abcdefgh\"'"),
        ('key = "a\\"bcd" + "ef\\"gh"', "key = 'a\\\"bcdef\\\"gh'"),
    ],
)
def test_neighbours_are_joined(source, told) -> None:
    assert retold(source) == [told]


@pytest.mark.parametrize(
    "source",
    [
        '"hello " + "world of words"',  # split between words, as prose is
        '"hello" + " world of words"',
        '["abcdefgh", "ijklmnop"]',
        '{"abcdefgh": "ijklmnop"}',
        '"""A docstring that says much."""',
        'x = ""\ny = "abcdefghijkl"',
        "don't + 'abcdefgh'",
        '"ab" + "cd"',  # too short to be of interest
        'a = "abcd\nefgh" + "ijkl"[0]',
        '"abcdefgh" + x + "ijklmnop"',
        "",
        '"',
        "'' + ''",
    ],
)
def test_what_is_not_joined(source) -> None:
    assert retold(source) == []


def test_two_chains_are_told_apart() -> None:
    assert retold('a = "abcd" + "efgh", b = "ijkl" + "mnop"') == [
        'a = "abcdefgh"',
        'a = "abcd" + "efgh", b = "ijklmnop"',
    ]


def test_a_private_key_is_joined_wherever_it_is_split() -> None:
    assert retold(f'x = "-----BEGIN P" "RIVATE {"KEY"}-----"') == [f'x = "-----BEGIN PRIVATE {"KEY"}-----"']


def test_much_to_join_stays_bounded() -> None:
    text = '"abcdefgh" + ' * 20_000 + '"ijklmnop"'
    told = retold(text)
    assert len(told) > 1
    assert max(map(len, told)) < 80 << 10
    assert retold('"' * 100_000) == []
