"""The expression check, with the language of the engine."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cli_multi_rapid.engine.assertions import Assertions
from cli_multi_rapid.gates.expression import evaluate
from cli_multi_rapid.gates.expression_names import FIELDS, UnknownName, circle_of, resolved
from cli_multi_rapid.gates.outcome import MAX_FINDINGS, Gate, Tally, judged
from cli_multi_rapid.gates.runner import evaluate as evaluate_all
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import Excuse, Finding, GateResult, GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec, Pattern
from cli_multi_rapid.model.policy import Policy
from cli_multi_rapid.model.ports import GateInput


def asserting(text: str) -> GateSpec:
    return GateSpec(check=Check.EXPRESSION, assert_=text)


def result(name: str, status: GateStatus = GateStatus.PASS, **more) -> GateResult:
    return GateResult(**({"id": name, "check": "tests", "level": Level.STANDARD, "status": status} | more))


FOUND = tuple(Finding(rule="r", message="m", excused=excuse) for excuse in (None, Excuse.WAIVER, None))
RESULTS = (
    result("secrets", GateStatus.FAIL, findings=FOUND, findings_total=3, observed=3.0, threshold=0.0),
    result("coverage", check="coverage", observed=91.25, threshold=85.0, duration_ms=40),
    result("broken", GateStatus.ERROR, summary="no report", fix="write it"),
    result("left-out", GateStatus.SKIPPED),
)


def judge(project, text: str, **more) -> GateResult:
    given = replace(project.given(), **({"results": RESULTS, "expressions": Assertions()} | more))
    return evaluate("policy", asserting(text), given)


@pytest.mark.parametrize(
    "text",
    [
        "${{ gates.secrets.findings == 2 && gates.coverage.observed >= 85 }}",
        "gates.secrets.excused == 1",
        "gates.secrets.status == 'fail' && gates.coverage.status != 'fail'",
        "gates.broken.status == 'error' && gates.left-out.status == 'skipped'",
        "gates.coverage.observed > gates.coverage.threshold",
        "gates.coverage.check == 'coverage' && gates.coverage.duration_ms == 40 && !gates.coverage.cached",
        "Gates.COVERAGE.Observed == 91.25 && LEVEL == 'standard' && gates.coverage.level == level",
        "true",
    ],
)
def test_true_passes(project, text) -> None:
    found = judge(project, text)
    assert (found.status, found.findings, found.fix) == (GateStatus.PASS, (), "")
    assert found.summary.startswith("true: ")


@pytest.mark.parametrize(
    "text",
    ["gates.secrets.findings == 0", "gates.coverage.observed >= 91.26", "gates.secrets.status == 'pass'", "false"],
)
def test_false_fails(project, text) -> None:
    assert judge(project, text).status is GateStatus.FAIL


def test_a_result_says_what_it_rests_on(project) -> None:
    found = judge(project, "${{ gates.secrets.findings == 0 && gates.coverage.observed >= 85 }}")
    assert found.summary == (
        "false: gates.secrets.findings == 0 && gates.coverage.observed >= 85 "
        "(gates.secrets.findings is 2, gates.coverage.observed is 91.25)"
    )
    assert found.details == {"values": {"gates.secrets.findings": 2, "gates.coverage.observed": 91.25}}
    assert found.fix == "this rests on 2 gates, secrets, coverage: see what they say"
    assert (found.id, found.check, found.tree) == ("policy", "expression", "tree-id")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gates.broken.findings == 0", "gates.broken.findings is not known: broken could not be judged"),
        ("gates.broken.observed < 1", "gates.broken.observed is not known"),
        ("gates.left-out.findings == 0", "gates.left-out.findings is not known"),
        ("true || gates.broken.findings == 0", "gates.broken.findings is not known"),
        ("gates.other.findings == 0", "the gate other was not judged here"),
        ("gates.left-out.observed == null", "gates.left-out.observed is not known"),
        ("gates.coverage.percent > 1", "'percent' is unknown in 'gates.coverage'"),
        ("gates.coverage", "'gates.coverage' is no value of its own"),
        ("gates.coverage.observed.more == null", "'gates.coverage.observed' has no parts"),
        ("inputs.x == 1", "there is no 'inputs' in the expressions of gates"),
        ("change.files == 0", "there is no base revision"),
        ("change.size == 0", "'size' is unknown in 'change'"),
        ("change == null", "'change' is no value of its own"),
        ("gates == null", "'gates' is no value of its own"),
        ("level.x == null", "'level' has no parts"),
        ("gates.secrets.findings", "the expression is 2, which is neither true nor false"),
        ("gates.secrets.status", "the expression is fail, which is neither true nor false"),
        ("null", "the expression is null"),
        ("''", "neither true nor false"),
        ("1", "the expression is 1, which"),
        ("fromJSON('[1]')", "the expression is a list"),
        ("fromJSON('{') == 1", "the expression cannot be evaluated"),
        ("gates.secrets.findings ==", "the expression cannot be read"),
        ("gates.secrets.findings[0] == 0", "the expression cannot be read: there are no lists here"),
        ("", "the expression cannot be read"),
    ],
)  # fmt: skip
def test_all_else_is_an_error(project, text, says) -> None:
    found = judge(project, text)
    assert found.status is GateStatus.ERROR
    assert says in found.summary
    assert found.fix


def test_a_value_that_a_gate_does_not_set_is_an_error(project) -> None:
    found = judge(project, "gates.plain.threshold == 0", results=(result("plain"),))
    assert (found.status, found.summary) == (
        GateStatus.ERROR, "gates.plain.threshold has no value: a gate of the kind tests sets none"
    )  # fmt: skip


def test_without_a_language_nothing_is_judged(project) -> None:
    assert judge(project, "true", expressions=None).status is GateStatus.ERROR


def test_the_change(project) -> None:
    files = {
        "a.py": ChangedFile(kind=ChangeKind.MODIFIED, before="a.py", lines=frozenset({1, 2}), removed=5),
        "b.py": ChangedFile(kind=ChangeKind.RENAMED, before="c.py"),
    }
    text = "change.files == 2 && change.added == 2 && change.removed == 5"
    assert judge(project, text, change=lambda: Change(base="b", files=files)).status is GateStatus.PASS


def test_the_change_is_only_asked_for_where_it_is_named(project) -> None:
    def never() -> None:
        raise AssertionError("asked")

    assert judge(project, "level == 'standard'", change=never).status is GateStatus.PASS


def many(project, *, excused: int) -> GateResult:
    """Return the result of more findings than a result shows, some of them in the baseline."""
    given = replace(project.given(), work=str(project.aside))
    gate = Gate("many", GateSpec(check=Check.DENYLIST), given)
    tally = Tally(Severity.LOW)
    for number in range(MAX_FINDINGS + 500):
        tally.add(Finding(rule="r", message="m", path="a", line=number + 1), f"line {number}")
    known = frozenset(one.fingerprint for one in tally.findings()[:excused])
    return judged(replace(gate, given=replace(given, policy=Policy(baseline={"many": known}))), tally, summary="s")


def test_excused_findings_are_counted_beyond_what_a_result_shows(project) -> None:
    text = "gates.many.findings == 1400 && gates.many.excused == 100"
    assert judge(project, text, results=(many(project, excused=100),)).status is GateStatus.PASS


def test_a_list_of_findings_that_is_gone_is_an_error(project) -> None:
    found = many(project, excused=100)
    assert found.all_findings is not None
    Path(found.all_findings.path).unlink()
    assert judge(project, "gates.many.findings > 0", results=(found,)).summary == (
        "the list of all findings of many is gone"
    )


class TestAmongOtherGates:
    """Expressions come after all others, whatever the order in which gates are given."""

    PATTERN = Pattern(id="foo", pattern="foo", paths=("*.txt",))
    WORDS = GateSpec(check=Check.DENYLIST, default_set=False, patterns=(PATTERN,))

    def statuses(self, project, gates: Mapping[str, GateSpec], *, parallel: int = 2) -> dict[str, str]:
        project.write("a.txt", "foo\n")

        def given(_name: str) -> GateInput:
            return replace(project.given(), expressions=Assertions())

        results = evaluate_all(gates, given, parallel=parallel)
        assert [one.id for one in results] == list(gates)
        assert all(one.started for one in results)
        return {one.id: one.status.value for one in results}

    @pytest.mark.parametrize("parallel", [1, 4])
    def test_they_see_the_results_of_all(self, project, parallel) -> None:
        gates = {
            "last": asserting("gates.inner.status == 'pass' && gates.words.findings == 1"),
            "inner": asserting("gates.words.status == 'fail'"),
            "words": self.WORDS,
            "clean": asserting("gates.words.findings == 0"),
        }
        found = self.statuses(project, gates, parallel=parallel)
        assert found == {"last": "pass", "inner": "pass", "words": "fail", "clean": "fail"}

    def test_a_gate_that_is_not_judged_with_it(self, project) -> None:
        assert self.statuses(project, {"policy": asserting("gates.words.findings == 1")}) == {"policy": "error"}

    def test_a_circle_is_an_error_and_no_endless_loop(self, project) -> None:
        gates = {
            "a": asserting("gates.b.status == 'pass'"),
            "b": asserting("gates.a.status == 'error'"),
            "self": asserting("gates.self.status == 'pass'"),
        }
        assert self.statuses(project, gates)["a"] == "error"
        assert self.statuses(project, gates)["self"] == "error"


class TestNames:
    def test_every_field_has_a_value_in_some_result(self, project) -> None:
        for field in FIELDS:
            text = f"gates.coverage.{field} != 'nothing'"
            assert judge(project, text).status is GateStatus.PASS, field

    def test_names_are_spelled_as_they_are_defined(self) -> None:
        assert resolved(("GATES", "one", "Findings"), ["One"]) == ("gates", "One", "findings")
        assert resolved(("gates", "one", "status"), ["One", "one"]) == ("gates", "one", "status")

    def test_an_unknown_gate_suggests_the_nearest(self) -> None:
        with pytest.raises(UnknownName) as caught:
            resolved(("gates", "secretz", "status"), ["secrets", "tests"])
        assert (caught.value.code, caught.value.fix) == ("GATE-UNKNOWN", "did you mean 'secrets'?")

    @pytest.mark.parametrize(
        ("needs", "circle"),
        [
            ({}, ()),
            ({"a": ["b"], "b": ["c"]}, ()),
            ({"a": ["a"]}, ("a", "a")),
        ],
    )
    def test_circles(self, needs, circle) -> None:
        assert circle_of(needs) == circle

    def test_a_longer_circle_follows_what_reads_what(self) -> None:
        found = circle_of({"a": ["b"], "b": ["c", "x"], "c": ["a"]})
        needs = {"a": "b", "b": "c", "c": "a"}
        assert len(found) == 4
        assert all(needs[one] == other for one, other in pairwise(found))
