"""Trees of JSON keep how it is written, and get smaller."""

import json

import pytest

from cli_multi_rapid.contracts.json_text import Items, Members, at, quoted, replaced, tree_of, written
from cli_multi_rapid.contracts.shrinking import smaller


@pytest.mark.parametrize("text", ["1", '"a"', "[]", "{}", '{"a":[1e2,{"b":null}],"c":""}', '{"a":1,"a":2}', '["\\""]'])
def test_what_is_read_is_written_the_same(text):
    assert written(tree_of(text)) == text


@pytest.mark.parametrize("text", ["", "{", "01", "[1,]", "{'a':1}", "1 2", "[" * 5000])
def test_what_is_no_json_has_no_tree(text):
    assert tree_of(text) is None
    assert smaller(text) == []


def test_a_part_is_replaced():
    tree = tree_of('{"a":[1,2]}')
    assert at(tree, (0, 1)) == "2"
    assert replaced(tree, (0, 1), "x") == Members((('"a"', Items(("1", "x"))),))


@pytest.mark.parametrize("form", ["plain", "escaped", "short"])
@pytest.mark.parametrize("text", ["", 'a"\\/\b\f\n\r\t\x01', "é😀\u2028\uffff", "\0"])
def test_every_form_of_a_text_is_the_text(text, form):
    assert json.loads(quoted(text, form)) == text


def test_less_is_shorter_and_each_thing_is_left_out_once():
    found = smaller('{"a":[1,2],"b":"long text"}')
    assert '{"b":"long text"}' in found
    assert '{"a":[2],"b":"long text"}' in found
    assert '{"a":[1,2],"b":""}' in found
    assert all(len(one) < 27 for one in found)
    assert found == sorted(found, key=lambda one: (len(one), one))


def test_of_a_long_text_only_that_gets_shorter():
    text = json.dumps({"a": 1, "b": "x" * 20_000})
    assert all('"a":1' in one for one in smaller(text) if one != text)
    assert any(len(one) < 100 for one in smaller(text))


def test_escapes_that_are_not_needed_go():
    assert '{"b":"x"}' in smaller('{"\\u0062":"\\u0078"}')
    assert '{"\\ud800":""}' in smaller('{"\\ud800":"\\ud800"}')


def test_a_text_gets_shorter_by_whole_characters():
    assert '"\\n"' in smaller('"\\u0001\\n"')
    assert '"\\ud83d\\ude00"' in smaller('"x\\ud83d\\ude00"')
