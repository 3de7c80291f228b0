"""JSON is read strictly, and what is refused has its place."""

import pytest

from cli_multi_rapid.contracts.strict_json import MAX_DEPTH, read_json
from cli_multi_rapid.errors import SpecInvalid

REFUSED = {
    "a key twice": (b'{"a": 1,\n "a": 2}', "second time", 2, 2),
    "a key twice, written differently": (b'{"a": 1, "\\u0061": 2}', "second time", 1, 10),
    "NaN": (b'{"a": NaN}', "NaN", 1, 7),
    "minus infinity": (b"[-Infinity]", "-Infinity", 1, 2),
    "too large a number": (b"[1e999]", "too large", 1, 1),
    "too large a whole number": (b"[-" + b"9" * 309 + b"]", "too large", 1, 1),
    "half a pair": (b'["\\ud800"]', "surrogate", 1, 2),
    "a comma too many": (b'{\n"a": 1,}', "not JSON", 2, None),
    "text without an end": (b'["' + b'\\"' * 1000, "not JSON", 1, None),
    "nothing": (b"", "not JSON", 1, 1),
    "too deep": (b"[" * 3000 + b"]" * 3000, "levels deep", 1, MAX_DEPTH + 1),
    "bytes that are no text": (b'{\n"\xff"}', "UTF-8", 2, 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    data, reason, line, column = REFUSED[name]
    with pytest.raises(SpecInvalid) as caught:
        read_json(data, "x.json")
    (problem,) = caught.value.problems
    assert reason in problem.message
    assert problem.line == line
    assert column is None or problem.column == column


def test_what_is_read():
    text = b'{"a": {"a": [1, -0.5e3, true, null]}, "b": "\\ud83d\\ude00\\u2028 {\\"a\\":"}'
    assert read_json(text, "x") == {"a": {"a": [1, -500.0, True, None]}, "b": '😀\u2028 {"a":'}


def test_the_deepest_that_is_allowed():
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "x") is not None
