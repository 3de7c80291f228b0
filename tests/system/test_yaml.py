"""YAML 1.2 with positions: what is read, what is refused, and where it is said to be."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.problems import PROBLEMS
from cli_multi_rapid.system import yaml
from cli_multi_rapid.system.yaml import MAX_DEPTH, MAX_NODES, decode, parse, scan


def problems(source: str | bytes) -> tuple[Problem, ...]:
    found = scan(source, "f.yaml").problems
    assert all(problem.code in PROBLEMS and problem.fix and problem.path == "f.yaml" for problem in found)
    return found


def only(source: str | bytes) -> Problem:
    found = problems(source)
    assert len(found) == 1, found
    return found[0]


def at(problem: Problem) -> tuple[str, int, int]:
    return problem.code, problem.line, problem.column


@pytest.mark.parametrize("text", ["no", "No", "off", "on", "yes", "y", "n", "NO", "12:30", "12:30:45", "010", "00",
"0b1",
                                  "1_000", "2024-01-02", "0x", "0o8", "+", ".", "..", "1e", "e1", "nan", "inf", "=",
                                  "tRUE", "nULL", "1.2.3", "0777", "0o", "1 2"])  # fmt: skip
def test_what_yaml_1_1_would_change_stays_text(text: str) -> None:
    assert parse(f"a: {text}", "f").values == {"a": text}
    assert parse(f"{text}: 1", "f").values == {text: 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None),
        ("true", True), ("True", True), ("FALSE", False),
        ("0", 0), ("-0", 0), ("+7", 7), ("-12", -12), ("0o17", 15), ("0xFf", 255), ("1234567890123456789",
         1234567890123456789),
        ("12345678901234567890", "12345678901234567890"), ("0x" + "F" * 20, "0x" + "F" * 20),
        ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("010.5", "010.5"),
        ("'1'", "1"), ('"true"', "true"), ("|\n  1", "1\n"),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    found = parse(f"a: {text}\n", "f").values
    assert found == {"a": value}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(value)


def test_keys_are_text_as_written() -> None:
    assert parse("1: a\ntrue: b\n1.50: c\n", "f").values == {"1": "a", "true": "b", "1.50": "c"}


def test_positions_of_values_and_keys() -> None:
    document = parse("a:\n  - b: [1, 'x']\n    é: |\n      t\n", "f")
    assert document.position(("a",)) == (2, 3)
    assert document.position(("a",), key=True) == (1, 1)
    assert document.position(("a", 0, "b", 1)) == (2, 12)
    assert document.position(("a", 0, "é"), key=True) == (3, 5)
    assert document.position(("a", 0, "nothing", 3)) == (2, 5), "what is not there is where it would stand in"
    assert document.position((), key=True) == (1, 1)


def test_aliases_are_shared_and_found_at_their_anchor() -> None:
    document = parse("a: &x {v: 3.10}\nb: *x\nc: [*x]\n", "f")
    assert document.values == {"a": {"v": 3.1}, "b": {"v": 3.1}, "c": [{"v": 3.1}]}
    assert document.position(("b", "v")) == (1, 11)
    assert document.position(("c", 0, "v"), key=True) == (1, 8)
    assert document.written(("c", 0, "v")) == "3.10"


def test_how_numbers_are_written_is_kept_for_plain_ones_only() -> None:
    document = parse("a: 3.10\nb: '3.10'\nc: 3\n", "f")
    assert [document.written((key,)) for key in "abcd"] == ["3.10", "", "", ""]


def test_an_expression_inside_a_block_is_found_at_its_line() -> None:
    document = parse('run: |\n\n  echo hi\n  echo ${{ a }} ${{ b }}\nq: "x ${{ c }}"\nf: >-\n  x\n  ${{ d }}\n', "f")
    assert document.position_of(("run",), "${{") == (4, 8)
    assert document.position_of(("run",), "${{", nth=1) == (4, 17)
    assert document.position_of(("q",), "${{") == (5, 7)
    assert document.position_of(("f",), "${{") == (8, 3)
    assert document.position_of(("f",), "${{", nth=1) == (6, 4), "not there: where the value starts"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_of_all_systems(line_break: str) -> None:
    text = line_break.join(["a: 1", "é: b", "a: 2"])
    problem = only(text)
    assert at(problem) == ("YAML-DUPLICATE", 3, 1)
    assert problem.text == "a: 2"


def test_byte_order_mark_and_end_of_document() -> None:
    assert parse("\ufeffa: 1\n...\n", "f").values == {"a": 1}
    assert parse("\ufeffa: 1".encode(), "f").values == {"a": 1}
    assert parse("%YAML 1.2\n---\na: no", "f").values == {"a": "no"}


def test_all_that_leaves_the_rest_readable_is_reported_at_once() -> None:
    text = (
        "a: 1\na: 2\nb: !x 3\nc: !!str 4\n<<: {d: 1}\n? [k]\n: 5\ne: .nan\nf: -.INF\ng: 1e999\n~: 6\n"
        'h: *gone\ni: "\\0"\n'
    )
    document = scan(text, "f.yaml")
    assert [at(problem) for problem in problems(text)] == [
        ("YAML-DUPLICATE", 2, 1), ("YAML-TAG", 3, 4), ("YAML-TAG", 4, 4), ("YAML-MERGE", 5, 1), ("YAML-KEY", 6, 3),
        ("YAML-NUMBER", 8, 4), ("YAML-NUMBER", 9, 4), ("YAML-NUMBER", 10, 4), ("YAML-KEY", 11, 1),
        ("YAML-SYNTAX", 12, 4), ("YAML-SYNTAX", 13, 4),
    ]  # fmt: skip
    assert document.complete
    assert isinstance(document.values, dict)
    assert document.values["a"] == 1, "the first of two keys counts"
    with pytest.raises(SpecInvalid) as caught:
        parse(text, "f.yaml")
    assert caught.value.problems == document.problems
    assert caught.value.where == "f.yaml:2:1"


def test_messages_name_the_text_and_the_fix() -> None:
    problem = only("a: 1\nname: x\n  a: 2\n")
    assert at(problem) == ("YAML-SYNTAX", 3, 4)
    assert problem.message == "not valid YAML: mapping values are not allowed in this context"
    assert (problem.text, problem.fix) == ("  a: 2", "quote text that contains ': '")
    problem = only("x: 1\nx: 2\n")
    assert problem.message == "the key 'x' stands here for the second time"
    assert problem.fix == "remove one of the two, or rename this 'x'"
    assert at(only("!x a: 1")) == ("YAML-TAG", 1, 1)
    assert only('"<<": 1\n"<<": 2').code == "YAML-DUPLICATE", "a quoted << is a key like any other"
    assert only("a: &b [*b]").message == "the alias '*b' has no finished '&b' before it"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a: [1", ("YAML-SYNTAX", 2, 1)),
        ("a: @x", ("YAML-SYNTAX", 1, 4)),
        ("\ta: 1", ("YAML-SYNTAX", 1, 1)),
        ("- a\nb: 1", ("YAML-SYNTAX", 2, 1)),
        ("a: 'b\n", ("YAML-SYNTAX", 2, 1)),
        ('a: "\\ud800"', ("YAML-SYNTAX", 1, 7)),
        ("a: b\nc: x\x00y", ("YAML-SYNTAX", 2, 5)),
        ("a: \x1b[31m", ("YAML-SYNTAX", 1, 4)),
        ("a: \ud800", ("YAML-SYNTAX", 1, 4)),
        (b"a: b\nc: \xc3\xa9\xff", ("YAML-SYNTAX", 2, 5)),
        (b"\xff\xfea\x00", ("YAML-SYNTAX", 1, 1)),
        ("a: 1\n---\nb: 2\n", ("YAML-DOCUMENTS", 2, 1)),
        ("", ("YAML-EMPTY", 1, 1)),
        ("# nothing\n", ("YAML-EMPTY", 1, 1)),
        ("---\n", ("YAML-EMPTY", 1, 1)),
        ("!!python/object/apply:os.system [x]", ("YAML-TAG", 1, 1)),
    ],
)
def test_what_cannot_be_read(source: str | bytes, expected: tuple[str, int, int]) -> None:
    assert at(only(source)) == expected


def test_foreign_bytes_are_named_however_they_were_read() -> None:
    assert only(b"a: \xff").message == "byte 0xff is not UTF-8 text"
    assert only(b"a: \xff".decode(errors="surrogateescape")).message == "byte 0xff is not UTF-8 text"
    assert at(only("é: \udcfe")) == ("YAML-SYNTAX", 1, 4)
    with pytest.raises(SpecInvalid, match="byte 0xff"):
        decode(b"\xff", "f")


def test_a_line_is_shown_as_it_stands_but_printable_and_not_endless() -> None:
    problem = only("a: 1\n\tb: \x1b" + "x" * 5000)
    assert problem.text == "\tb: \ufffd" + "x" * 1995
    assert "\x1b" not in only('"\\e[31m": 1\n"\\e[31m": 2').message


def test_depth() -> None:
    assert not problems("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert at(only("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))) == ("YAML-LIMIT", 1, MAX_DEPTH + 1)
    assert only("{a: " * 5000).code == "YAML-LIMIT"
    assert only("- " * 5000 + "x").code == "YAML-LIMIT"


def test_depth_counts_what_aliases_bring_along() -> None:
    half = "[" * 40 + "]" * 40
    assert at(only(f"a: &x {half}\nb: {'[' * 30}*x{']' * 30}\n")) == ("YAML-LIMIT", 2, 34)
    assert not problems(f"a: &x {half}\nb: {'[' * 20}*x{']' * 20}\n")


def test_number_of_values_counts_what_aliases_bring_along() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    problem = only(bomb)
    assert problem.code == "YAML-LIMIT"
    assert problem.line == 5
    assert only("[" + "1," * MAX_NODES + "1]").code == "YAML-LIMIT"
    assert not problems("[" + "1," * (MAX_NODES - 2) + "1]")


def test_size() -> None:
    problem = only("a: " + "é" * (yaml.MAX_BYTES // 2))
    assert at(problem) == ("YAML-LIMIT", 1, 1)
    assert problem.message == f"the file has {yaml.MAX_BYTES + 3} bytes; at most {yaml.MAX_BYTES} are read"
    assert only(b"#" * (10 << 20)).code == "YAML-LIMIT"


def test_many_problems_end_in_a_limit() -> None:
    found = problems("a: 1\n" * 5000)
    assert found[-1].code == "YAML-LIMIT"
    assert len(found) == yaml.MAX_PROBLEMS + 1


_SNIPPETS = st.sampled_from(
    ["a: ", "- ", "&x ", "*x", "!t ", "<<: ", "? ", "[", "]", "{", "}", ",", "'", '"', "|\n", ">-\n", "#", "\n", "  ",
     "---\n", "...\n", "%YAML 1.1\n", "\t", "~", "1e999", ".inf", "\ufeff", "\x00", "é", "\u2028", "\\ud800",
     "${{ x }}"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(_SNIPPETS, max_size=40).map("".join), st.binary(max_size=100)))
@example("&x\n*x")
@example("\ufeff\ufeff")
@example("a: &x 1\n&x b: *x")
@example("*x : 1")
def test_nothing_but_spec_invalid_is_raised(source: str | bytes) -> None:
    document = scan(source, "f.yaml")
    for problem in document.problems:
        assert problem.code in PROBLEMS
        assert problem.line > 0
        assert problem.column > 0
        (problem.message + problem.text + problem.fix).encode()
    if document.problems:
        with pytest.raises(SpecInvalid):
            parse(source, "f.yaml")
    else:
        assert document.complete


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\ufffe\uffff", exclude_categories=["Cc", "Cs",
    "Zl", "Zp"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<é ", min_size=1, max_size=5), inner,
    max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_PLAIN.filter(lambda value: value is not None))
def test_every_json_value_is_read_as_it_is(value: object) -> None:
    assert parse(json.dumps(value, ensure_ascii=False), "f").values == value
