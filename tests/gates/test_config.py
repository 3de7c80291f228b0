"""Loading `config/compliance-gates.yaml`."""

import json
import re
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.engine.assertions import Assertions
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.gates.config import load_gates
from cli_multi_rapid.gates.registry import settings_of
from cli_multi_rapid.model.gate import Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateFile, GateSpec, size_bytes
from cli_multi_rapid.model.problems import PROBLEMS
from cli_multi_rapid.system.document import schema_text

PATH = "config/compliance-gates.yaml"
HEAD = "schema: cmr/gates@v1\n"
KINDS = ", ".join(Check)
Said = tuple[int, int, str, str, str]


def said(text: str) -> list[Said]:
    with pytest.raises(SpecInvalid) as caught:
        load_gates(HEAD + text, PATH)
    found = caught.value.problems
    assert all(problem.code in PROBLEMS and problem.path == PATH for problem in found)
    return [(problem.line, problem.column, problem.code, problem.message, problem.fix) for problem in found]


def test_a_valid_file() -> None:
    text = (
        "level: strict\ngates:\n  cov: {check: coverage, min: 90, changed-min: 75.5, reports: ['*.json']}\n"
        "  lint: {check: command, run: [ruff], fail-on: medium}\n"
    )
    assert load_gates(HEAD + text, PATH) == GateFile(
        schema="cmr/gates@v1",
        level=Level.STRICT,
        gates={
            "cov": GateSpec(check=Check.COVERAGE, min=90.0, changed_min=75.5, reports=("*.json",)),
            "lint": GateSpec(check=Check.COMMAND, run=("ruff",), fail_on=Severity.MEDIUM),
        },
    )
    assert load_gates(HEAD.encode(), PATH).gates == {}


PERCENT = "use a number from 0 to 100"
VALIDATED = "move it to workflows/validators/, which has to be trusted before anything runs"
INSIDE = "write it relative to the project's root, without '..'"


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("check: coverage, min: 101", (3, 24, "SPEC-VALUE", "'min' is 101, which is not a percentage", PERCENT)),
        ("check: coverage, min: -0.5", (3, 24, "SPEC-VALUE", "'min' is -0.5, which is not a percentage", PERCENT)),
        ("check: coverage, changed-min: 100.5",
         (3, 24, "SPEC-VALUE", "'changed-min' is 100.5, which is not a percentage", PERCENT)),
        ("check: tests, changed-min: 85", (3, 21, "SPEC-VALUE",
         "'changed-min' has no effect on a gate of the kind tests", "remove it")),
        ("check: coverage, min: '85'", (3, 24, "SPEC-VALUE", "'min': expected a number, got text",
                                        "write the number without quotes")),
        ("check: covrage", (3, 7, "SPEC-VALUE",
         f"'check' is 'covrage'; it must be one of: {KINDS}",
                            "did you mean 'coverage'?")),
        ("check: tests, min: 3", (3, 21, "SPEC-VALUE", "'min' has no effect on a gate of the kind tests", "remove it")),
        ("check: secrets, ok-codes: [0]", (3, 23, "SPEC-VALUE",
         "'ok-codes' has no effect on a gate of the kind secrets", "remove it")),
        ("check: command", (3, 6, "SPEC-KEY-MISSING",
         "a gate of the kind command needs a command or the reports of one",
                            "add 'run' or 'reports'")),
        ("check: command, run: ['']", (3, 23, "SPEC-KEY-MISSING",
         "a gate of the kind command needs a command or the reports of one",
                                       "add 'run' or 'reports'")),
        ("check: command, run: [x], ok-codes: [300]", (3, 44, "SPEC-VALUE", "300 is not an exit code",
         "use numbers from 0 to 255")),
        ("check: command, run: [x], timeout: 0s", (3, 33, "SPEC-VALUE", "'timeout' must be longer than zero",
         "write a longer one")),
        ("check: tests, reports: [../x]", (3, 31, "PATH-OUTSIDE", "'../x' is not a path inside the project", INSIDE)),
        ("check: secrets, exclude: [/x]", (3, 33, "PATH-OUTSIDE", "'/x' is not a path inside the project", INSIDE)),
        ("check: dependencies, max-age: 0s", (3, 28, "SPEC-VALUE", "'max-age' must be longer than zero",
         "write a longer one")),
        ("check: dependencies, database: /var/osv", (3, 38, "PATH-OUTSIDE",
         "'/var/osv' is not a path inside the project",
         "write it relative to the project's root, or set CMR_ADVISORY_DB to a place outside of it")),
        ("check: dependencies, lock-files: [../x]", (3, 41, "PATH-OUTSIDE", "'../x' is not a path inside the project",
                                                     INSIDE)),
        ("check: dependencies, allow: [MIT]", (3, 28, "SPEC-VALUE",
         "'allow' has no effect on a gate of the kind dependencies", "remove it")),
        ("check: licences", (3, 7, "SPEC-KEY-MISSING", "without 'allow' and 'deny' every licence would do",
                             "add 'allow' or 'deny'")),
        ("check: licences, allow: [MIT, Apche-2.0]", (3, 37, "SPEC-VALUE", "'Apche-2.0' is no SPDX id",
         "use an id of the SPDX list such as MIT or Apache-2.0, or unknown")),
        ("check: licences, allow: [MIT], deny: [MIT]", (3, 45, "SPEC-VALUE", "'MIT' is also in 'allow'",
                                                        "remove one of the two")),
        ("check: contracts, mode: full", (3, 25, "SPEC-VALUE", "'mode' has no effect where nothing is compared",
                                          "add  compat: last-release")),
        ("check: contracts, require: [mql4]", (3, 35, "SPEC-VALUE",
         "there is no round trip, so 'mql4' cannot be required", "add  roundtrip: true")),
        ("check: contracts, roundtrip: true, require: [compat]", (3, 52, "SPEC-VALUE",
         "nothing is compared, so nothing can be required of it", "add  compat: last-release")),
        ("check: denylist, default-set: false", (3, 24, "SPEC-VALUE",
         "without the built-in set and without patterns nothing would be looked for", "add 'patterns'")),
        ("check: denylist, patterns: [{id: a, pattern: x, paths: [/x]}]",
         (3, 63, "PATH-OUTSIDE", "'/x' is not a path inside the project", INSIDE)),
        ("check: denylist, patterns: [{id: a, pattern: ''}]",
         (3, 52, "PATTERN", "an empty pattern matches every line", "write what to find")),
        ("check: denylist, patterns: [{id: a, pattern: x}, {id: a, pattern: y}]",
         (3, 61, "SPEC-VALUE", "there is already a pattern 'a'", "give one of the two another id")),
        ("check: diff, allow: []", (3, 20, "SPEC-VALUE", "'allow' is empty, which says nothing",
                                    "name paths, or remove it")),
        ("check: diff, deny: [../x]", (3, 27, "PATH-OUTSIDE", "'../x' is not a path inside the project", INSIDE)),
        ("check: diff, max-files: -1", (3, 20, "SPEC-VALUE", "'max-files' is -1, which nothing can keep to",
                                        "use 0 or more")),
        ("check: diff, max-file-size: 5 MB", (3, 20, "SPEC-VALUE", "'max-file-size' is '5 MB', which is not a size",
                                              "write a whole number and a unit: 500KiB or 2MiB")),
        ("check: diff, fail-on: low", (3, 20, "SPEC-VALUE", "'fail-on' has no effect on a gate of the kind diff",
                                       "remove it")),
        ("check: expression", (3, 6, "SPEC-KEY-MISSING",
         "a gate of the kind expression needs something that must be true",
                               'add  assert: "${{ gates.NAME.findings == 0 }}"')),
        ("check: secrets, assert: x", (3, 23, "SPEC-VALUE", "'assert' has no effect on a gate of the kind secrets",
                                       "remove it")),
        ("check: project, file: scripts/v.py", (3, 29, "PATH-OUTSIDE",
         "'scripts/v.py' is no Python file below workflows/validators/", VALIDATED)),
        ("check: project, file: workflows/validators/../x.py", (3, 29, "PATH-OUTSIDE",
         "'workflows/validators/../x.py' is no Python file below workflows/validators/", VALIDATED)),
        ("check: project, file: workflows/validators/v.sh", (3, 29, "PATH-OUTSIDE",
         "'workflows/validators/v.sh' is no Python file below workflows/validators/", VALIDATED)),
        ("check: project, timeout: 0s", (3, 23, "SPEC-VALUE", "'timeout' must be longer than zero",
                                         "write a longer one")),
        ("check: denylist, patterns: [{id: 1, pattern: y}]",
         (3, 36, "SPEC-VALUE", "'id': expected text, got a number", "put it in quotes")),
    ],
)  # fmt: skip
def test_problems(gate: str, expected: Said) -> None:
    assert said(f"gates:\n  g: {{{gate}}}\n") == [expected]


@pytest.mark.parametrize("pattern", ["(?=x)", "(a", r"(a)\1"])
def test_patterns_are_in_re2_syntax(pattern: str) -> None:
    found = said(f"gates:\n  g: {{check: denylist, patterns: [{{id: a, pattern: '{pattern}'}}]}}\n")
    assert [(line, column, code, fix) for line, column, code, _, fix in found] == [
        (3, 52, "PATTERN", "use RE2 syntax: no look-around, no back-references")
    ]
    assert found[0][3].startswith(f"'{pattern}': ")


def test_names_and_several_problems_at_once() -> None:
    assert [
        one[:4]
        for one in said("levl: strict\ngates:\n  a b: {check: coverage, min: 101}\n  c: {check: 1, min: 3}\n  d: 3\n")
    ] == [
        (2, 1, "SPEC-KEY-UNKNOWN", "unknown key 'levl'"),
        (4, 3, "SPEC-VALUE", "'a b' is not a name"),
        (4, 26, "SPEC-VALUE", "'min' is 101, which is not a percentage"),
        (5, 7, "SPEC-VALUE", f"'check': expected one of {KINDS}, got a number"),
        (6, 3, "SPEC-VALUE", "'d': expected a mapping, got a number"),
    ]
    assert [one[2] for one in said("a: [")] == ["YAML-SYNTAX"]


def test_keys_that_some_checks_only_read_say_so_in_the_schema() -> None:
    names = {field.metadata.get("alias", field.name): field.name for field in fields(GateSpec)}
    described = json.loads(schema_text("gates"))["$defs"]["GateSpec"]["properties"]
    for key, part in described.items():
        ends = re.findall(r"\(([a-z, ]+)\)\.", part["description"])  # one for each meaning of the key
        named = {name for end in ends for name in end.split(", ")}
        reading = {check.value for check in Check if names[key] in settings_of(check)}
        assert key == "check" or reading == named, key


def asserted(*texts: str) -> list[Said]:
    """Return what is said of gates a, b, ... that are expressions, beside a gate of another kind, `tests`."""
    lines = "".join(
        f"  {name}: {{check: expression, assert: {text}}}\n" for name, text in zip("abc", texts, strict=False)
    )
    with pytest.raises(SpecInvalid) as caught:
        load_gates(f"{HEAD}gates:\n  tests: {{check: tests}}\n{lines}", PATH, expressions=Assertions())
    return [(one.line, one.column, one.code, one.message, one.fix) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"${{ gates.test.findings == 0 }}"',
         (4, 39, "GATE-UNKNOWN", "there is no gate 'test'", "did you mean 'tests'?")),
        ('"${{ 1 == 1 && gates.tests.finding == 0 }}"',
         (4, 49, "EXPRESSION", "'finding' is unknown in 'gates.tests'", "did you mean 'findings'?")),
        ("'gates.tests.findings == 0 && steps.x.status'",
         (4, 64, "EXPRESSION", "there is no 'steps' in the expressions of gates", "use one of: gates, change, level")),
        ("gates.tests.findings =", (4, 55, "EXPRESSION", None, None)),
        ('"${{ change.size > 3 }}"',
         (4, 39, "EXPRESSION", "'size' is unknown in 'change'", "use one of: added, files, removed")),
        ('"${{ always() }}"', (4, 39, "EXPRESSION", "always() cannot be asked about gates", "compare a status")),
        ("gates.a.status == 'pass'", (4, 34, "CYCLE", "these gates judge each other: a -> a", "leave one of them out")),
    ],
)  # fmt: skip
def test_problems_of_expressions(text: str, expected: Said) -> None:
    (found,) = asserted(text)
    assert found[:3] == expected[:3]
    assert expected[3] in (None, found[3])
    assert expected[4] in (None, found[4])


def test_every_name_of_an_expression_is_looked_at_and_circles_too() -> None:
    assert [one[:3] for one in asserted('"${{ gates.x.status == gates.y.status }}"')] == [
        (4, 39, "GATE-UNKNOWN"),
        (4, 57, "GATE-UNKNOWN"),
    ]
    circle = asserted("gates.b.status == 'pass'", "gates.c.status == 'pass'", "gates.a.status == gates.tests.status")
    assert [one[2] for one in circle] == ["CYCLE"]


def test_expressions_are_read_only_where_somebody_can() -> None:
    text = f"{HEAD}gates:\n  a: {{check: expression, assert: gates.nowhere.findings == 0}}\n"
    assert load_gates(text, PATH).gates["a"].assert_ == "gates.nowhere.findings == 0"
    good = text.replace("nowhere.findings == 0", "b.findings == 0") + "  b: {check: secrets}\n"
    assert set(load_gates(good, PATH, expressions=Assertions()).gates) == {"a", "b"}


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("5 KiB", 5120), ("2MiB", 2 << 20), ("1GiB", 1 << 30)])
def test_sizes(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "5", "0KiB", "5KB", "-1B", "1.5MiB", "5KiB\n"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size_bytes(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_content_raises_anything_but_spec_invalid(text: str) -> None:
    for content in (
        text,
        HEAD + text,
        f"{HEAD}gates: {{g: {{check: denylist, patterns: [{{id: a, pattern: {text!r}}}]}}}}",
        f"{HEAD}gates: {{g: {{check: expression, assert: {text!r}}}}}",
        f"{HEAD}gates: {{g: {{check: expression, assert: {json.dumps(text)}}}}}",
    ):
        try:
            load_gates(content, PATH, expressions=Assertions())
        except SpecInvalid as invalid:
            assert all(problem.code in PROBLEMS for problem in invalid.problems)
