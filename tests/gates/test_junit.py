import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import Report
from cli_multi_rapid.gates.junit import evaluate, read_tests
from cli_multi_rapid.model.gate import GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Exit

PASSED = '<testcase classname="tests.test_a" name="test_ok" time="0.1"/>'
SKIPPED = '<testcase classname="tests.test_a" name="test_later"><skipped message="later"/></testcase>'
FAILED = (
    '<testcase classname="tests.test_a" name="test_bad"><failure message="assert 1 == 2&#10;more">'
    "def test_bad():\n&gt;   assert 1 == 2\n\ntests/test_a.py:7: AssertionError</failure></testcase>"
)
ERRORED = '<testcase classname="tests.test_a" name="test_setup"><error message="no fixture"/></testcase>'


def suite(*cases: str, attributes: str = "") -> str:
    return f"<testsuites><testsuite {attributes}>{''.join(cases)}</testsuite></testsuites>"


def judge(project, *contents: str | bytes):
    for number, content in enumerate(contents):
        project.write(f"junit-{number}.xml", content)
    return evaluate("tests", GateSpec(check=Check.TESTS, reports=("junit-*.xml",)), project.given())


def test_tests_that_pass(project) -> None:
    result = judge(project, suite(PASSED, PASSED, SKIPPED), suite(PASSED))
    assert (result.status, result.summary) == (GateStatus.PASS, "3 tests passed, 1 skipped")
    assert result.details == {"tests": 4, "passed": 3, "failed": 0, "errors": 0, "skipped": 1, "flaky": 0}
    assert len(result.evidence) == 2


def test_a_failed_test_is_named_with_its_place_and_first_line(project) -> None:
    project.write("tests/test_a.py", "x\n")
    result = judge(project, suite(PASSED, FAILED, ERRORED))
    assert (result.status, result.summary, result.observed) == (GateStatus.FAIL, "2 of 3 tests failed", 2.0)
    errored, failed = result.findings
    assert (failed.rule, failed.path, failed.line) == ("test-failed", "tests/test_a.py", 7)
    assert failed.message == "tests.test_a::test_bad failed: assert 1 == 2"
    assert (errored.rule, errored.path) == ("test-error", "tests/test_a.py")
    assert len({failed.fingerprint, errored.fingerprint}) == 2


def test_a_place_that_the_report_names_itself(project) -> None:
    case = '<testcase name="t" file="spec/a.js" line="12"><failure/></testcase>'
    (finding,) = judge(project, suite(case)).findings
    assert (finding.path, finding.line, finding.message) == ("spec/a.js", 12, "t failed: no message")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (suite(), "the report has no test at all"),
        ("<testsuites/>", "the report has no test at all"),
        (suite(attributes='tests="12" failures="0"'), "the report has no test at all"),
        (suite(SKIPPED, SKIPPED), "all 2 tests skipped, none ran"),
        (suite('<testcase name="a" status="notrun"/>'), "all 1 test skipped, none ran"),
        (suite('<testcase name="a" status="pending"/>'), "all 1 test skipped, none ran"),
        (suite('<testcase name="a" result="Inconclusive"/>'), "all 1 test skipped, none ran"),
        (suite(ERRORED), "1 of 1 test failed"),
        (suite(FAILED, attributes='tests="1" failures="0" errors="0"'), "1 of 1 test failed"),
        (suite(PASSED, '<error message="crashed"/>'), "1 of 1 test failed"),
    ],
)
def test_what_must_not_pass_fails(project, content, says) -> None:
    result = judge(project, content)
    assert (result.status, result.summary) == (GateStatus.FAIL, says)


BROKEN = {
    "empty": "",
    "truncated": suite(PASSED)[:-10],
    "text": "3 passed",
    "JSON": "{}",
    "other XML": "<html/>",
    "claims failures": suite(PASSED, attributes='failures="2"'),
    "claims errors": suite(PASSED, attributes='errors="1"'),
    "claims nonsense": suite(PASSED, attributes='errors="NaN"'),
    "entity bomb": '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]><testsuites>&c;</testsuites>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]><testsuites/>',
    "undeclared entity": '<!DOCTYPE a SYSTEM "a.dtd"><testsuites>&unknown;</testsuites>',
    "unknown encoding": '<?xml version="1.0" encoding="klingon"?><testsuites/>',
    "not UTF-8": b"<testsuites>\xff</testsuites>",
    "two roots": "<testsuites/><testsuites/>",
    "too deep": "<testsuite>" * 500 + "</testsuite>" * 500,
    "a case without a name": suite(PASSED, "<testcase/>"),
    "a case with empty names": suite(PASSED, '<testcase name="" classname=""/>'),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_evidence_is_an_error(project, content) -> None:
    result = judge(project, content)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_missing_evidence_is_an_error(project) -> None:
    assert judge(project).status is GateStatus.ERROR


def test_one_broken_report_among_good_ones_is_an_error(project) -> None:
    assert judge(project, suite(PASSED), "<testsuite>").status is GateStatus.ERROR


def test_a_test_file_that_changed_after_the_report_is_an_error(project) -> None:
    project.write_aged("junit-0.xml", suite('<testcase name="t" file="tests/test_a.py"/>'))
    project.write("tests/test_a.py", "x")
    assert "changed after" in judge(project).summary


def test_a_real_report_of_pytest(project) -> None:
    project.write("tests/test_x.py", "def test_a():\n    pass\n\ndef test_b():\n    assert 1 == 2\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml=junit-0.xml", "tests"]
    subprocess.run(argv, cwd=project.root, check=False, timeout=60, stdout=subprocess.DEVNULL)
    result = judge(project)
    assert (result.status, result.summary) == (GateStatus.FAIL, "1 of 2 tests failed")
    assert (result.findings[0].path, result.findings[0].line) == ("tests/test_x.py", 5)


FLAKY = (
    '<testcase classname="tests.test_a" name="test_shaky"><flakyFailure message="first try" type="E"><stackTrace>'
    "tests/test_a.py:3: E</stackTrace><system-out>x</system-out></flakyFailure></testcase>"
)
RERUN = (
    '<testcase classname="tests.test_a" name="test_worse"><rerunFailure message="second"/>'
    '<failure message="first"/></testcase>'
)


def test_a_test_that_passed_at_another_try_passes_with_a_note(project) -> None:
    project.write("tests/test_a.py", "x\n")
    result = judge(project, suite(PASSED, FLAKY, attributes='failures="0" flakes="1"'))
    assert (result.status, result.summary, result.details["flaky"]) == (GateStatus.WARN, "2 tests passed, 1 flaky", 1)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line, finding.severity) == (
        "test-flaky", "tests/test_a.py", 3, Severity.INFO,
    )  # fmt: skip
    assert finding.message == "tests.test_a::test_shaky failed before it passed: first try"
    only_error = FLAKY.replace("flakyFailure", "flakyError")
    assert judge(project, suite(only_error)).status is GateStatus.WARN
    assert judge(project, suite(FLAKY, FAILED)).status is GateStatus.FAIL


@pytest.mark.parametrize(
    ("case", "rule", "message"),
    [
        (RERUN, "test-failed", "tests.test_a::test_worse failed: first"),
        ('<testcase name="t"><rerunError message="m"/></testcase>', "test-error", "t broke down: m"),
        ('<testcase name="t"><flakyFailure/><failure message="m"/></testcase>', "test-failed", "t failed: m"),
        ('<testcase name="t" status="FAILED"/>', "test-failed", "t failed: no message"),
        ('<testcase name="t" result="error"/>', "test-failed", "t failed: no message"),
        ('<testcase name="t" status="timeout"/>', "test-failed", "t failed: no message"),
        ('<testcase name="t" result="Aborted"/>', "test-failed", "t failed: no message"),
        ('<testcase name="t"><skipped/><failure message="m"/></testcase>', "test-failed", "t failed: m"),
        ('<testcase name="t" status="notrun"><error message="m"/></testcase>', "test-error", "t broke down: m"),
    ],
)
def test_whatever_says_that_a_test_failed_counts_once(project, case, rule, message) -> None:
    result = judge(project, suite(PASSED, case))
    assert result.status is GateStatus.FAIL
    assert [(finding.rule, finding.message) for finding in result.findings] == [(rule, message)]
    assert (result.details["tests"], result.details["passed"], result.details["skipped"]) == (2, 1, 0)


@pytest.mark.parametrize("wrap", [
    "<testsuites><testsuite><testsuite><testsuite>{}</testsuite></testsuite></testsuite></testsuites>",
    "<testsuite><properties/>{}<system-out/></testsuite>", "<testsuites>{}</testsuites>",
    '<j:testsuites xmlns:j="urn:j"><j:testsuite>{}</j:testsuite></j:testsuites>',
])  # fmt: skip
def test_cases_are_found_at_every_depth(project, wrap) -> None:
    def named(case):
        return case.replace("<test", "<j:test").replace("</test", "</j:test") if "j:" in wrap else case

    assert judge(project, wrap.format(named(PASSED))).status is GateStatus.PASS
    assert judge(project, wrap.format(named(PASSED) + named(SKIPPED))).details["skipped"] == 1
    result = judge(project, wrap.format(named(PASSED) + named(FAILED)))
    assert (result.status, result.summary) == (GateStatus.FAIL, "1 of 2 tests failed")


def test_a_suite_that_broke_down_deep_inside_is_a_failure(project) -> None:
    inner = '<testsuite name="s"><error message="no database"/></testsuite>'
    result = judge(project, suite(PASSED, inner))
    assert (result.status, result.summary) == (GateStatus.FAIL, "1 of 1 test failed")
    assert result.findings[0].message == "a test suite broke down: no database"


def test_tries_of_a_test_that_failed_do_not_count_as_passed(project) -> None:
    first_try = '<testcase classname="tests.test_a" name="test_bad"/>'
    result = judge(project, suite(first_try, FAILED))
    assert (result.status, result.details["passed"]) == (GateStatus.FAIL, 0)
    result = judge(project, suite(PASSED, PASSED))
    assert (result.status, result.details["passed"]) == (GateStatus.PASS, 2)


def excusing(findings, **changes) -> Policy:
    uses = tuple(
        WaiverUse(
            rule=one.rule, path=one.path, fingerprint=one.fingerprint, reason="r", approved_by="b", expires="2999",
            **changes,
        )
        for one in findings
    )  # fmt: skip
    return Policy(waivers=uses)


def test_the_status_follows_from_what_is_not_excused(project) -> None:
    def again(policy, *cases):
        project.write("junit-0.xml", suite(*cases))
        spec = GateSpec(check=Check.TESTS, reports=("junit-*.xml",))
        return evaluate("tests", spec, project.given(policy=policy))

    errored, failed = again(Policy(), PASSED, FAILED, ERRORED).findings
    result = again(excusing([failed, errored]), PASSED, FAILED, ERRORED)
    assert (result.status, result.summary) == (GateStatus.WAIVED, "2 of 3 tests failed, 2 waived")
    assert again(excusing([failed]), PASSED, FAILED, ERRORED).status is GateStatus.FAIL
    assert again(excusing([failed, errored], expired=True), PASSED, FAILED, ERRORED).status is GateStatus.FAIL
    known = Policy(baseline={"tests": frozenset({failed.fingerprint})})
    assert again(known, PASSED, FAILED).status is GateStatus.WAIVED
    assert again(known, PASSED, FAILED, FLAKY).status is GateStatus.WARN
    assert again(known, FAILED).status is GateStatus.FAIL, "no test passed"
    assert again(known, SKIPPED).status is GateStatus.FAIL


def test_a_waiver_of_one_failure_hides_no_suite_that_only_claims_others(project) -> None:
    def again(policy, claimed):
        hidden = f'<testsuite name="b" failures="{claimed}">{PASSED}</testsuite>'
        shown = f'<testsuite name="a" failures="1">{PASSED}{FAILED}</testsuite>'
        project.write("junit-0.xml", f'<testsuites failures="{1 + claimed}">{shown}{hidden}</testsuites>')
        return evaluate("tests", GateSpec(check=Check.TESTS, reports=("junit-*.xml",)), project.given(policy=policy))

    policy = excusing(again(Policy(), 0).findings)
    assert again(policy, 0).status is GateStatus.WAIVED
    result = again(policy, 7)
    assert (result.status, "claims failures of the suite b" in result.summary) == (GateStatus.ERROR, True)


@given(st.lists(st.sampled_from([PASSED, SKIPPED, FAILED, ERRORED]), max_size=12), st.integers(0, 3))
def test_the_recount_equals_counting_by_hand(tmp_path_factory, cases, depth) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = "<testsuite>" * depth + suite(*cases) + "</testsuite>" * depth
    report = Report(path="r", absolute=folder / "r", data=text.encode(), sha256="", mtime_ns=0, own=False)
    tests = read_tests((report,), _given(folder))
    bad = cases.count(FAILED) + cases.count(ERRORED)
    assert (tests.total, tests.skipped, len(tests.troubles)) == (len(cases), cases.count(SKIPPED), bad)
    assert tests.passed == cases.count(PASSED)


def _given(folder):
    return GateInput(
        root=str(folder),
        level=Level.STANDARD,
        files=(),
        tree="",
        evidence=None,
        env={},
        work=str(folder),
        cache=str(folder),
        execute=lambda _: Exit(code=0),
    )
