import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.system.plain_yaml import YamlRefused, read_plain


def test_everything_is_text() -> None:
    text = b"a: 1.10\nb: [no, 2024-01-01, ~]\nc:\n  - {d: x}\ne:\n"
    assert read_plain(text) == {"a": "1.10", "b": ["no", "2024-01-01", "~"], "c": [{"d": "x"}], "e": ""}
    assert read_plain(b"") is None
    assert read_plain(b"word") == "word"


def test_aliases_are_the_same_object_again() -> None:
    made = read_plain(b"a: &x [1]\nb: *x\nc: &y k\n*y : 2\n")
    assert made == {"a": ["1"], "b": ["1"], "c": "k", "k": "2"}
    assert made["a"] is made["b"]


@pytest.mark.parametrize(
    "text",
    [b"a: [", b"\x00", b"\xff\xfe\x00", b"a: 1\n---\nb: 2\n", b"*x", b"[" * 200, b"{[a]: 1}", b"a: &x [1]\n*x : 2\n"],
)
def test_what_is_refused(text) -> None:
    with pytest.raises(YamlRefused):
        read_plain(text)


TREE = st.recursive(
    st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@settings(max_examples=80, deadline=None)
@given(TREE)
def test_it_reads_what_another_reader_reads(value) -> None:
    text = yaml.safe_dump(value, allow_unicode=True).encode()
    assert read_plain(text) == yaml.BaseLoader(text).get_single_data()
