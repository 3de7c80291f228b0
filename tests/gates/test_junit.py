import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import Report
from cli_multi_rapid.gates.junit import evaluate, read_tests
from cli_multi_rapid.model.gate import GateStatus, Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec
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
