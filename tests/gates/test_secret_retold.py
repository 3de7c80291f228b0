"""Markup, pairs and encoded text are told as assignments."""

import base64

import pytest

from cli_multi_rapid.gates.byte_search import ByteSearch
from cli_multi_rapid.gates.secret_retold import EXPRESSIONS, retold

SEARCH = ByteSearch(EXPRESSIONS)
HIDDEN = "text that is hidden"
CODED = base64.b64encode(HIDDEN.encode()).decode()


def told(text: str) -> set[str]:
    data = text.encode()
    found = [
        one for number in SEARCH.possible(data) for one in retold(data, number, SEARCH.matches(number, data, limit=100))
    ]
    assert all(0 <= one.start < one.end <= len(data) for one in found)
    return {one.text.decode() for one in found}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<password>abcdefgh</password>", 'password = "abcdefgh"'),
        ("<a:password x='1'>abc&amp;defgh</a:password>", 'password = "abc&defgh"'),
        ("<password>\n   abcdefgh\n</password>", 'password = "abcdefgh"'),
        ('<add key="password" value="abcdefgh" />', 'password = "abcdefgh"'),
        ('<property name="password">abcdefgh</property>', 'password = "abcdefgh"'),
        ("<key>password</key>\n  <string>abcdefgh</string>", 'password = "abcdefgh"'),
        ("- name: DB_PASSWORD\n  value: abcdefgh\n", 'DB_PASSWORD = "abcdefgh"'),
        ('{"name": "DB_PASSWORD", "value": "abcdefgh"}', 'DB_PASSWORD = "abcdefgh"'),
        ('{ name = "DB_PASSWORD"\n  value = "abcdefgh" }', 'DB_PASSWORD = "abcdefgh"'),
        (f'x: "{CODED}"', f'x: "{HIDDEN}"'),
        (f"x: {CODED.rstrip('=')}", f'x: "{HIDDEN}"'),
        (f"x = '{HIDDEN.encode().hex()}'", f'x = "{HIDDEN}"'),
        (f"x = {HIDDEN.encode().hex().upper()}", f'x = "{HIDDEN}"'),
        ('x = "abcd" + "efgh"', 'x = "abcdefgh"'),
    ],
)
def test_the_same_in_plain_words(text, line) -> None:
    assert line in told(text)


@pytest.mark.parametrize(
    "text",
    [
        "<p>short</p>", "<a><b>x</b></a>", "if a < b and c > d: pass", "- name: HOME\n  value: abcdefgh\n",
        "x = 0123456789abcdef0123456789abcdef01234567", f"x = '{base64.b64encode(bytes(range(128, 200))).decode()}'",
        "a_long_name_of_a_function_that_is_no_code(argument)", "x = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
        f"x = '{base64.b64encode(b'binary' + bytes(40)).decode()}'",
    ],
)  # fmt: skip
def test_what_has_nothing_else_to_say(text) -> None:
    assert told(text) == set()
