"""Loading `config/compliance-gates.yaml`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.errors import PROBLEMS, SpecInvalid
from cli_multi_rapid.gates.config import load_gates
from cli_multi_rapid.gates.registry import settings_of
from cli_multi_rapid.model.gate import Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateFile, GateSpec
from cli_multi_rapid.system.document import schema_text

PATH = "config/compliance-gates.yaml"
HEAD = "schema: cmr/gates@v1\n"
Said = tuple[int, int, str, str, str]


def said(text: str) -> list[Said]:
    with pytest.raises(SpecInvalid) as caught:
        load_gates(HEAD + text, PATH)
    found = caught.value.problems
    assert all(problem.code in PROBLEMS and problem.path == PATH for problem in found)
    return [(problem.line, problem.column, problem.code, problem.message, problem.fix) for problem in found]


def test_a_valid_file() -> None:
    text = (
        "level: strict\ngates:\n  cov: {check: coverage, min: 90, reports: ['*.json']}\n"
        "  lint: {check: command, run: [ruff], fail-on: medium}\n"
    )
    assert load_gates(HEAD + text, PATH) == GateFile(
        schema="cmr/gates@v1",
        level=Level.STRICT,
        gates={
            "cov": GateSpec(check=Check.COVERAGE, min=90.0, reports=("*.json",)),
            "lint": GateSpec(check=Check.COMMAND, run=("ruff",), fail_on=Severity.MEDIUM),
        },
    )
    assert load_gates(HEAD.encode(), PATH).gates == {}


PERCENT = "use a number from 0 to 100"
INSIDE = "write it relative to the project's root, without '..'"


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("check: coverage, min: 101", (3, 24, "SPEC-VALUE", "'min' is 101, which is not a percentage", PERCENT)),
        ("check: coverage, min: -0.5", (3, 24, "SPEC-VALUE", "'min' is -0.5, which is not a percentage", PERCENT)),
        ("check: coverage, min: '85'", (3, 24, "SPEC-VALUE", "'min': expected a number, got text",
                                        "write the number without quotes")),
        ("check: covrage", (3, 7, "SPEC-VALUE",
         "'check' is 'covrage'; it must be one of: coverage, tests, secrets, denylist, command, dependencies, licences",
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
        ("check: denylist, default-set: false", (3, 24, "SPEC-VALUE",
         "without the built-in set and without patterns nothing would be looked for", "add 'patterns'")),
        ("check: denylist, patterns: [{id: a, pattern: x, paths: [/x]}]",
         (3, 63, "PATH-OUTSIDE", "'/x' is not a path inside the project", INSIDE)),
        ("check: denylist, patterns: [{id: a, pattern: ''}]",
         (3, 52, "PATTERN", "an empty pattern matches every line", "write what to find")),
        ("check: denylist, patterns: [{id: a, pattern: x}, {id: a, pattern: y}]",
         (3, 61, "SPEC-VALUE", "there is already a pattern 'a'", "give one of the two another id")),
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
        (5, 7, "SPEC-VALUE", f"'check': expected one of {', '.join(Check)}, got a number"),
        (6, 3, "SPEC-VALUE", "'d': expected a mapping, got a number"),
    ]
    assert [one[2] for one in said("a: [")] == ["YAML-SYNTAX"]


def test_keys_that_some_checks_only_read_say_so_in_the_schema() -> None:
    import json

    described = json.loads(schema_text("gates"))["$defs"]["GateSpec"]["properties"]
    for key, part in described.items():
        named = part["description"].rpartition("(")[2].rstrip(").").split(", ") if "(" in part["description"] else []
        reading = {check.value for check in Check if key.replace("-", "_") in settings_of(check)}
        assert key == "check" or reading == set(named), key


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_content_raises_anything_but_spec_invalid(text: str) -> None:
    for content in (
        text,
        HEAD + text,
        f"{HEAD}gates: {{g: {{check: denylist, patterns: [{{id: a, pattern: {text!r}}}]}}}}",
    ):
        try:
            load_gates(content, PATH)
        except SpecInvalid as invalid:
            assert all(problem.code in PROBLEMS for problem in invalid.problems)
