import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli_multi_rapid.gates.command import evaluate
from cli_multi_rapid.model.gate import GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec, ReportFormat
from cli_multi_rapid.model.process import Exit

ITEM = {"path": "a.py", "line": 2, "column": 3, "rule": "R", "message": "bad", "severity": "medium"}
SARIF = {"runs": [{"tool": {"driver": {"name": "t", "version": "9"}}, "results": []}]}


def printing(text: str, *, code: int = 0, **more) -> GateSpec:
    """Return a gate whose tool prints a text and ends with a code."""
    script = f"import sys; sys.stdout.write({text!r}); sys.exit({code})"
    return tool(script, **more)


def tool(script: str, **more) -> GateSpec:
    return GateSpec(check=Check.COMMAND, run=(sys.executable, "-c", script), **({"format": ReportFormat.JSON} | more))


def judge(project, spec: GateSpec, **more):
    return evaluate("lint", spec, project.given(**more))


def test_no_finding_passes(project) -> None:
    result = judge(project, printing("[]"))
    assert result.status is GateStatus.PASS
    assert result.summary.endswith(": no finding")
    assert len(result.evidence) == 1 and len(result.evidence[0].sha256) == 64


def test_findings_block_by_severity(project) -> None:
    project.write("a.py", "one\ntwo\n")
    spec = printing(json.dumps([ITEM, ITEM | {"severity": "info", "line": 1}]), code=1)
    result = judge(project, spec)
    assert (result.status, result.findings_total, result.details["blocking"]) == (GateStatus.FAIL, 2, 1)
    assert [(one.line, one.severity) for one in result.findings] == [(1, Severity.INFO), (2, Severity.MEDIUM)]
    high = printing(json.dumps([ITEM]), code=1, fail_on=Severity.HIGH)
    assert judge(project, high).status is GateStatus.WARN


def test_a_fingerprint_is_made_of_the_line_in_the_file(project) -> None:
    project.write("a.py", "one\ntwo\n")
    before = judge(project, printing(json.dumps([ITEM]), code=1)).findings[0].fingerprint
    project.write("a.py", "one\nmore\n  two\n")
    after = judge(project, printing(json.dumps([ITEM | {"line": 3}]), code=1)).findings[0].fingerprint
    assert before == after


def test_sarif_names_tool_and_version(project) -> None:
    result = judge(project, printing(json.dumps(SARIF), format=ReportFormat.SARIF))
    assert (result.status, result.tool, result.tool_version) == (GateStatus.PASS, "t", "9")


def test_junit_output(project) -> None:
    good = '<testsuite><testcase name="a"/></testsuite>'
    bad = '<testsuite><testcase name="a"><failure/></testcase></testsuite>'
    assert judge(project, printing(good, format=ReportFormat.JUNIT)).status is GateStatus.PASS
    assert judge(project, printing(bad, code=1, format=ReportFormat.JUNIT)).status is GateStatus.FAIL
    assert judge(project, printing("<testsuite/>", format=ReportFormat.JUNIT)).status is GateStatus.FAIL
    assert judge(project, printing(good, code=1, format=ReportFormat.JUNIT)).status is GateStatus.ERROR


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (printing("[]", code=1), "reported no finding"),
        (printing("[]", code=2), "ended with exit code 2"),
        (printing(json.dumps([ITEM]), code=2), "ended with exit code 2"),
        (printing(""), "is empty"),
        (printing("  \n"), "is empty"),
        (printing("[{"), "not valid JSON"),
        (printing("All checks passed!"), "not valid JSON"),
        (printing('{"a": 1}'), "is not a list"),
        (printing("[1]"), "is not an object"),
        (printing('[{"path": "a.py"}]'), "neither rule nor message"),
        (printing('[{"rule": "R", "line": "2"}]'), "no line or column"),
        (printing('[{"rule": "R", "line": -1}]'), "no line or column"),
        (printing('[{"rule": "R", "severity": "awful"}]'), "no severity"),
        (printing('{"runs": []}', format=ReportFormat.SARIF), "no runs"),
        (printing("<a/>", format=ReportFormat.JUNIT), "no JUnit report"),
        (tool("import os, sys; print('[]', flush=True); os._exit(9)"), "ended with exit code 9"),
        (tool("import time; time.sleep(30)", timeout="200ms"), "did not end within 200ms"),
        (GateSpec(check=Check.COMMAND, run=("no-such-tool-anywhere", "x")), "no-such-tool-anywhere is not installed"),
        (GateSpec(check=Check.COMMAND), "no reports are named"),
    ],
)
def test_what_says_nothing_is_an_error(project, spec, says) -> None:
    result = judge(project, spec)
    assert result.status is GateStatus.ERROR
    assert says in result.summary
    assert result.fix


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_crash_is_an_error_with_the_last_words(project) -> None:
    script = (
        "import os, sys; print('[]', flush=True); sys.stderr.write('going down\\n'); sys.stderr.flush(); os.abort()"
    )
    result = judge(project, tool(script))
    assert result.status is GateStatus.ERROR
    assert result.summary.endswith("killed by signal 6: going down")


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        (Exit(error="permission denied"), "could not be started: permission denied"),
        (Exit(code=0, truncated=True), "larger than"),
    ],
)
def test_what_only_supervision_can_tell(project, ended, says) -> None:
    given = replace(project.given(), execute=lambda _command: ended)
    result = evaluate("lint", printing("[]"), given)
    assert result.status is GateStatus.ERROR
    assert says in result.summary


def test_other_exit_codes_can_be_allowed(project) -> None:
    assert judge(project, printing(json.dumps([ITEM]), code=7, ok_codes=(0, 7))).status is GateStatus.FAIL


def test_a_command_that_writes_its_report_to_a_file(project) -> None:
    script = "open('out.json', 'w').write('[]')"
    result = judge(project, tool(script, reports=("out.json",)))
    assert (result.status, result.evidence[0].path) == (GateStatus.PASS, "out.json")


def test_a_report_that_was_there_before_is_not_taken_for_the_commands(project) -> None:
    project.write_aged("out.json", "[]")
    result = judge(project, tool("pass", reports=("out.json",)))
    assert (result.status, result.summary) == (GateStatus.ERROR, "out.json was not written by the command")


def test_reports_without_a_command_are_judged(project) -> None:
    project.write("out.json", json.dumps([ITEM]))
    spec = GateSpec(check=Check.COMMAND, reports=("out.json",), format=ReportFormat.JSON)
    assert judge(project, spec).status is GateStatus.FAIL
    missing = GateSpec(check=Check.COMMAND, reports=("gone.json",), format=ReportFormat.JSON)
    assert judge(project, missing).status is GateStatus.ERROR


def test_the_evidence_of_a_phase_is_judged_without_running_anything(project) -> None:
    made = project.aside / "made.json"
    made.write_text("[]")
    spec = tool("raise SystemExit(9)")
    assert judge(project, spec, evidence=(str(made),)).status is GateStatus.PASS
    assert judge(project, spec, evidence=()).status is GateStatus.ERROR


def test_suppressed_results_are_counted_and_block_in_strict(project) -> None:
    hidden = {"ruleId": "R", "message": {"text": "m"}, "suppressions": [{"kind": "inSource"}]}
    log = {"runs": [{"tool": {"driver": {"name": "t"}}, "results": [hidden]}]}
    spec = printing(json.dumps(log), code=1, format=ReportFormat.SARIF)
    result = judge(project, spec)
    assert (result.status, result.summary) == (GateStatus.PASS, "t: no finding, 1 suppressed in the project")
    assert judge(project, spec, level=Level.STRICT).status is GateStatus.FAIL


def test_a_gate_name_cannot_leave_the_work_folder(project) -> None:
    evaluate("../../x", printing("[]"), project.given())
    assert [path.name[:12] for path in project.aside.iterdir()] == ["gate-______x"]
    assert [path.name for path in project.aside.parent.iterdir() if path.name.startswith("gate")] == []


@pytest.mark.parametrize("form", ["sarif", "json"])
def test_real_reports_of_ruff(project, form) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    project.write("src/a.py", "import os\n")
    argv = (ruff, "check", "--isolated", "--no-cache", "--output-format", form, ".")
    spec = GateSpec(check=Check.COMMAND, run=argv, format=ReportFormat(form))
    result = judge(project, spec)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line, finding.column) == ("F401", "src/a.py", 1, 8)
    assert (result.status, result.tool, finding.severity) == (GateStatus.FAIL, "ruff", Severity.HIGH)
    project.write("src/a.py", "x = 1\n")
    assert judge(project, spec).status is GateStatus.PASS
