"""The text of generated MQL4: names, what comes from strangers, what is refused, and its syntax judged by others."""

import json
import re

import pytest
import tree_sitter
import tree_sitter_cpp
from contract_samples import INT, WIDE, closed
from rich_contract import RICH, opened

from cli_multi_rapid.contracts.emitting import Refused
from cli_multi_rapid.contracts.targets.mql4.allowed import check_sources
from cli_multi_rapid.contracts.targets.mql4.emitter import MAX_FIELDS, Mql4Emitter
from cli_multi_rapid.contracts.targets.mql4.names import member_names, words
from cli_multi_rapid.contracts.targets.mql4.texts import MAX_STATES

NOTED = {"Red", "clrRed", "OP_BUY", "MODE_BID", "EMPTY_VALUE", "CmrReader", "CMR_MAX_DEPTH", "__FILE__", "_Symbol"}
WORDS = sorted({*words(), *NOTED})
ODD = [
    "", "a-b", "a_b", "a b", "a.b", "1st", "_", "__", "é", "日本", "😀", 'a"b', "a\\b", "a\nb", "a*/b", "//",
    "#property", "a\\", "x", "x_present", "x_null", "x_nulls", "x_present_present", "reader_", "seen_", "string x[];",
    "%s", "{x}", "a~b/c", "A_1_0", "A_v1_0", "A_v1_0_Read",
    "A_v1_0_MQH", "B_v1_0_MQH", "k" * 70, "k" * 70 + "2", "\u2028", "\x7f", "linux", "unix",
    "NULL", "std", "errno", "stdin", "EOF", "NAN", "main", "printf", "operator", "cmr_array", "cmr_host", "Kind",
    "kind",
]  # fmt: skip


def errors(text):
    """Return the lines at which the grammar of C++ finds no sense."""
    language = tree_sitter.Language(tree_sitter_cpp.language())
    todo, found = [tree_sitter.Parser(language).parse(text.encode()).root_node], []
    while todo:
        node = todo.pop()
        found += [node.start_point[0] + 1] if node.is_error or node.is_missing else []
        todo += node.children if node.has_error else []
    return found


def identifiers(text):
    code = re.sub(r'"(?:[^"\\]|\\.)*"|//[^\n]*', "", text)
    return set(re.findall(r"[A-Za-z_]\w*", code))


@pytest.mark.parametrize("schema", [WIDE, RICH, closed()], ids=["wide", "rich", "empty"])
def test_the_grammar_of_another_parser_accepts_it(mql4, schema):
    made = mql4(schema)
    for text in made.files.values():
        assert errors(text) == []
        assert text.isascii()
    assert errors(made.text.replace("Clear();", "Clear(;", 1)) != []


def test_every_awkward_name_is_a_member_and_stays_a_key(mql4, through):
    keys = [*WORDS, *ODD]
    schema = closed(**dict.fromkeys(keys, INT))
    made = mql4(schema)
    check_sources(*made.files.values())
    names = identifiers(made.text)
    assert max(map(len, names)) <= 63
    assert not {*member_names(keys, "A_v1_0").values()} & {*WORDS}
    documents = [json.dumps(one) for one in [*({key: 7} for key in keys), dict.fromkeys(keys, 3)]]
    assert made.differences(documents, through(made, documents)) == []


def test_flags_of_no_member_are_names_that_compilers_have(mql4):
    schema = closed(**{"_": {"type": ["string", "null"]}, "\n": {"type": ["string", "null"]}})
    assert not [name for name in identifiers(mql4(schema).text) if name.startswith("__")]


def test_a_plain_key_keeps_its_name_and_flags_have_their_own(mql4):
    schema = closed(x=INT, x_present=INT, **{"double": INT, "a-b": {"type": ["string", "null"]}, "a_b": INT})
    text = mql4(schema).text
    for line in (
        "int               x;", "bool              x_present;", "int               double_;  // \"double\"",
        "int               a_b;", "string            a_b_2;  // \"a-b\"", "bool              a_b_2_null;",
    ):  # fmt: skip
        assert f"   {line}\n" in text, line
    assert 'int               x_present_;  // "x_present"\n' in text


def test_long_names_of_contracts_leave_room(mql4):
    name = "N" * 48 + "@9999.9999"
    schema = closed(
        point=closed(a={"type": "string", "enum": ["LONG" * 20, "LONG" * 20 + "2"]}), points=closed(b=INT),
        rows={"type": "array", "items": {"type": "array", "items": INT}},
    )  # fmt: skip
    made = mql4(schema, name)
    check_sources(*made.files.values())
    longest = max(map(len, identifiers(made.text)))
    assert longest <= 63
    assert f"struct {'N' * 48}_v9999_9999\n" in made.text


STRANGE = [
    "int x[];", "#property strict", "*/ }; #include <vector>", 'a" + system("ls") + "', "back\\", "??/", "%s%n", "{x}",
    "\u2028", "tab\tline\nend", "'", "é", "//", "R\"(x)\"", "}", "string &s[]",
]  # fmt: skip


def test_what_strangers_write_stays_text(mql4, through):
    told = {"description": " ".join(STRANGE) + "\\", "title": "x"}
    schema = {
        **closed(
            e={"type": "string", "enum": STRANGE, **told},
            k={"const": STRANGE[3], **told},
            **{one: {**INT, **told} for one in STRANGE},
        ),
        **told,
    }
    made = mql4(schema)
    check_sources(*made.files.values())
    assert errors(made.text) == []
    documents = [json.dumps({"e": one, one: 5}) for one in STRANGE]
    documents += [json.dumps({"k": STRANGE[3]}), json.dumps({"k": STRANGE[2]}), json.dumps({"e": "none"})]
    assert made.differences(documents, through(made, documents)) == []


def refusal(schema):
    one = opened(schema)
    with pytest.raises(Refused) as refused:
        Mql4Emitter().text(one.contract, one.judge.type)
    (violation,) = refused.value.violations
    return violation


def test_a_pattern_of_many_states_is_refused_with_its_place():
    violation = refusal(closed(**{"a/b": {"type": "string", "pattern": "^[ab]{500}$"}}))
    assert violation.place == "contracts/events/A@1.0.json#/properties/a~1b"
    assert f"needs 501 states; for MQL4 {MAX_STATES} are possible" in violation.reason


def test_structs_that_hold_each_other_too_often_are_refused():
    shared = {f"d{n}": closed(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"}) for n in range(40)}
    violation = refusal({**closed(x={"$ref": "#/$defs/d0"}), "$defs": {**shared, "d40": closed(z=INT)}})
    assert f"more than {MAX_FIELDS} members" in violation.reason
    assert violation.place.endswith(("/$defs/d28", "/$defs/d27", "/$defs/d26"))


def test_equal_enumerations_and_rules_are_written_once(mql4):
    side = {"type": "string", "enum": ["BUY", "SELL"]}
    code = {"type": "string", "pattern": "^[A-Z]+$"}
    text = mql4(closed(side=side, other=side, code=code, last=code, inner=closed(side=side))).text
    assert text.count("enum A_v1_0_Side\n") == 1
    assert text.count("string A_v1_0_CheckCode(") == 1
    assert "   A_v1_0_Side_UNSET=-1,\n   A_v1_0_Side_BUY,\n   A_v1_0_Side_SELL\n" in text
