import json
import os
import subprocess
import sys
from hashlib import sha256

import pytest

from cli_multi_rapid.gates.baseline import Baseline, baseline_text, load_baseline
from cli_multi_rapid.gates.coverage import evaluate
from cli_multi_rapid.model.gate import Excuse, GateStatus, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy


def spec(least: float = 85, *reports: str) -> GateSpec:
    return GateSpec(check=Check.COVERAGE, min=least, reports=reports or ("coverage.json",))


def record(hit: list, miss: list, *, taken: list | None = None, open_: list | None = None) -> dict:
    made = {"executed_lines": hit, "missing_lines": miss, "excluded_lines": []}
    if taken is not None:
        made |= {"executed_branches": taken, "missing_branches": open_ or []}
    return made


def document(**files: dict) -> dict:
    return {"meta": {"format": 3}, "files": {name.replace("__", "/") + ".py": one for name, one in files.items()}}


def judge(project, content: object, *, least: float = 85, lines: int = 20_000, name: str = "coverage.json"):
    """Write sources an hour old and the report now, and evaluate the gate on them."""
    if isinstance(content, dict):
        for path in content.get("files", {}):
            project.write_aged(path, "x\n" * lines)
        content = json.dumps(content)
    project.write(name, content)
    return evaluate("coverage", spec(least, name), project.given())


def test_exactly_the_threshold_passes(project) -> None:
    result = judge(project, document(a=record(list(range(1, 86)), list(range(86, 101)))))
    assert (result.status, result.observed, result.threshold) == (GateStatus.PASS, 85.0, 85.0)
    assert result.summary == "85.0 % of 100 lines, needs 85 %"
    assert result.findings == ()


def test_one_line_in_ten_thousand_below_fails_and_is_not_shown_as_the_threshold(project) -> None:
    result = judge(project, document(a=record(list(range(1, 8_500)), list(range(8_500, 10_001)))))
    assert result.status is GateStatus.FAIL
    assert result.observed == 84.99
    assert result.summary == "84.99 % of 10,000 lines, needs 85 %"


def test_a_threshold_is_the_number_that_was_written(project) -> None:
    measured = document(a=record(list(range(1, 8_500)), list(range(8_500, 10_001))))
    assert judge(project, measured, least=84.99).status is GateStatus.PASS
    assert judge(project, measured, least=84.991).status is GateStatus.FAIL


def test_a_failure_names_the_worst_files_and_their_lines(project) -> None:
    result = judge(project, document(a=record([1], [2]), src__b=record([1], [3, 4, 5, 9])))
    assert [(finding.path, finding.line) for finding in result.findings] == [("a.py", 2), ("src/b.py", 3)]
    assert result.findings[1].message == "4 of 5 lines not executed: 3-5, 9"
    assert {finding.rule for finding in result.findings} == {"coverage-below"}
    assert result.findings_total == 2
    assert result.fix.startswith("write tests for src/b.py first")
    assert [worst["path"] for worst in result.details["worst"]] == ["src/b.py", "a.py"]
    assert result.details["lines"] == 7


def test_the_evidence_is_recorded(project) -> None:
    result = judge(project, document(a=record([1], [])))
    data = (project.root / "coverage.json").read_bytes()
    assert [(one.path, one.sha256) for one in result.evidence] == [("coverage.json", sha256(data).hexdigest())]
    assert result.tool == "coverage.py"


def test_branches_count_beside_lines(project) -> None:
    measured = document(a=record([1, 2], [], taken=[[1, 2]], open_=[[1, -1]]))
    assert judge(project, measured, least=75).status is GateStatus.PASS
    result = judge(project, measured, least=75.01)
    assert result.status is GateStatus.FAIL
    assert result.summary == "75.0 % of 2 lines and 2 branches, needs 75.01 %"
    assert result.findings[0].message == "1 branch not taken"


BROKEN = {
    "empty": "",
    "truncated": '{"files": {"a.py": {"executed_lines": [1',
    "plain text": "TOTAL 100%",
    "binary": b"\x00\xff\xfe\x01",
    "not UTF-8": b'{"files": "\xff"}',
    "a list": "[]",
    "no files": '{"totals": {"percent_covered": 100}}',
    "files is a list": '{"files": []}',
    "no file": '{"files": {}}',
    "a file is a number": '{"files": {"a.py": 1}}',
    "NaN": '{"files": {"a.py": {"executed_lines": [NaN], "missing_lines": []}}}',
    "infinite": '{"files": {}, "totals": {"percent_covered": Infinity}}',
    "a key twice": '{"files": {}, "files": {"a.py": {"executed_lines": [1], "missing_lines": []}}}',
    "too deep": "[" * 200_000,
    "too deep object": '{"a":' * 200_000,
    "huge number": '{"files": {"a.py": {"executed_lines": [' + "9" * 6_000 + '], "missing_lines": []}}}',
    "entity bomb": '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><coverage>&c;</coverage>',
    "external entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><coverage>&b;</coverage>',
    "other XML": "<html/>",
    "truncated XML": "<coverage><packages>",
    "XML without lines": "<coverage/>",
    "XML too deep": "<coverage>" + "<a>" * 500 + "</a>" * 500 + "</coverage>",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_evidence_is_an_error(project, content) -> None:
    project.write_aged("a.py", "x\n" * 10)
    result = judge(project, content)
    assert result.status is GateStatus.ERROR
    assert result.summary
    assert result.fix


LYING = {
    "a line twice": record([1, 1], []),
    "a line hit and missed": record([1, 2], [2]),
    "negative line": record([-1], []),
    "line zero": record([0, 1], []),
    "a line is true": record([True], []),
    "a line is a text": record(["1"], []),
    "a line is a fraction": record([1.5], []),
    "no list of missing lines": {"executed_lines": [1]},
    "lines are an object": {"executed_lines": {}, "missing_lines": []},
    "a branch twice": record([1], [], taken=[[1, 2], [1, 2]]),
    "a branch taken and not": record([1], [], taken=[[1, 2]], open_=[[1, 2]]),
    "half a branch": record([1], [], taken=[[1]]),
    "a branch from nowhere": record([1], [], taken=[[-1, 2]]),
    "no line": record([], []),
    "summary of lines": record([1], [2]) | {"summary": {"covered_lines": 2}},
    "summary of missing lines": record([1], [2]) | {"summary": {"missing_lines": 0}},
    "summary of statements": record([1], [2]) | {"summary": {"num_statements": 1}},
    "summary percentage": record([1], [2]) | {"summary": {"percent_covered": 100.0}},
    "summary percentage as text": record([1], [2]) | {"summary": {"percent_covered": "50"}},
    "summary percentage beyond all bounds": record([1], [2]) | {"summary": {"percent_covered": 10**400}},
    "negative summary": record([1], [2]) | {"summary": {"covered_lines": -1}},
    "summary of branches": record([1], [], taken=[[1, 2]], open_=[[1, 3]]) | {"summary": {"missing_branches": 0}},
    "too few covered branches": record([1], [], taken=[[1, 2]]) | {"summary": {"covered_branches": 0}},
    "branches that do not add up": record([1], [], taken=[[1, 2]]) | {"summary": {"num_branches": 7}},
}


@pytest.mark.parametrize("lie", LYING.values(), ids=LYING)
def test_a_report_that_contradicts_itself_is_an_error(project, lie) -> None:
    assert judge(project, document(a=lie), least=0).status is GateStatus.ERROR


@pytest.mark.parametrize("totals", [{"covered_lines": 100}, {"percent_covered": 85.0}, {"percent_covered": True}, []])
def test_totals_that_lie_are_an_error(project, totals) -> None:
    assert judge(project, document(a=record([1], [2])) | {"totals": totals}, least=0).status is GateStatus.ERROR


def test_a_file_under_two_names_is_an_error(project) -> None:
    files = {"a.py": record([1], [2]), "./a.py": record([1, 2], [])}
    assert judge(project, {"files": files}, least=0).status is GateStatus.ERROR


def test_promised_branches_that_are_missing_are_an_error(project) -> None:
    measured = {"meta": {"branch_coverage": True}} | {"files": {"a.py": record([1], [])}}
    assert judge(project, measured, least=0).status is GateStatus.ERROR


@pytest.mark.parametrize("least", [float("nan"), float("inf"), -1.0, 100.5])
def test_a_threshold_that_is_no_percentage_is_an_error(project, least) -> None:
    assert judge(project, document(a=record([1], [])), least=least).status is GateStatus.ERROR


def test_missing_report(project) -> None:
    result = evaluate("coverage", spec(), project.given())
    assert (result.status, result.summary) == (GateStatus.ERROR, "coverage.json does not exist")


def test_several_reports_are_united_and_one_broken_one_is_an_error(project) -> None:
    project.write_aged("a.py", "x\n" * 4)
    project.write("one.json", json.dumps(document(a=record([1, 2], [3, 4]))))
    project.write("two.json", json.dumps(document(a=record([3], [1, 2, 4]))))
    result = evaluate("coverage", spec(75, "*.json"), project.given())
    assert (result.status, result.observed, len(result.evidence)) == (GateStatus.PASS, 75.0, 2)
    project.write("three.json", "{")
    result = evaluate("coverage", spec(75, "*.json"), project.given())
    assert (result.status, len(result.evidence)) == (GateStatus.ERROR, 3)


def test_a_file_that_changed_after_the_report_is_an_error(project) -> None:
    measured = json.dumps(document(a=record([1], [])))
    report = project.write_aged("coverage.json", measured)
    project.write("a.py", "x\n")
    result = evaluate("coverage", spec(), project.given())
    assert (result.status, result.summary) == (GateStatus.ERROR, "a.py was changed after coverage.json was written")
    made = project.given(evidence=(str(report),))
    assert evaluate("coverage", spec(), made).status is GateStatus.PASS, (
        "a phase's own evidence is fresh by construction"
    )


def test_a_measured_file_that_is_gone_is_an_error(project) -> None:
    project.write("coverage.json", json.dumps(document(gone=record([1], []))))
    assert "gone.py, which does not exist" in evaluate("coverage", spec(), project.given()).summary


def test_a_report_of_other_lines_than_the_file_has_is_an_error(project) -> None:
    assert judge(project, document(a=record([1, 500], [])), lines=3).status is GateStatus.ERROR


def test_real_reports_of_coverage_py(project) -> None:
    code = "def f(x):\n    if x:\n        return 1\n    return 2\n\n\n"
    code += "while True:  # pragma: no branch\n    f(1)\n    break\n"
    project.write_aged("src/calc.py", code)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    for step in (["run", "--branch", "src/calc.py"], ["json", "-q"], ["xml", "-q"], ["lcov", "-q"]):
        subprocess.run([sys.executable, "-m", "coverage", *step], cwd=project.root, env=env, check=True, timeout=60)
    claimed = json.loads((project.root / "coverage.json").read_text())["totals"]
    result = evaluate("coverage", spec(70), project.given())
    assert result.status is GateStatus.PASS
    assert (result.details["lines"], result.details["covered_lines"]) == (
        claimed["num_statements"],
        claimed["covered_lines"],
    )
    assert result.details["branches"] - result.details["covered_branches"] == claimed["missing_branches"]
    assert result.observed <= claimed["percent_covered"]
    by_xml = evaluate("coverage", spec(70, "coverage.xml"), project.given())
    assert (by_xml.status, by_xml.details["covered_lines"]) == (GateStatus.PASS, claimed["covered_lines"])
    by_lcov = evaluate("coverage", spec(70, "coverage.lcov"), project.given())
    assert (by_lcov.status, by_lcov.details["covered_lines"]) == (GateStatus.PASS, claimed["covered_lines"])
    assert by_lcov.details["branches"] - by_lcov.details["covered_branches"] == claimed["missing_branches"]


def known(percent: str) -> Policy:
    return Policy(base="c0ffee", covered={"coverage": percent})


def test_a_total_that_is_low_but_not_below_the_baseline_is_excused(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    measured = json.dumps(document(a=record([1, 2, 3, 4, 5], [6, 7, 8])))
    result = project.judge_coverage(measured, policy=known("125/2"))
    assert result.status is GateStatus.WAIVED
    assert not result.blocks
    assert result.summary == (
        "62.5 % of 8 lines, needs 85 %; not below the 62.5 % of the baseline, 1 known from the baseline"
    )
    assert [finding.excused for finding in result.findings] == [Excuse.BASELINE]
    assert (result.details["exact"], result.fix) == ("125/2", "")
    assert project.judge_coverage(measured, policy=known("60")).status is GateStatus.WAIVED
    assert project.judge_coverage(measured, policy=Policy(covered={"other": "1"})).status is GateStatus.FAIL


def test_a_total_below_the_baseline_fails_however_little(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    measured = json.dumps(document(a=record([1, 2, 3, 4, 5], [6, 7, 8])))
    result = project.judge_coverage(measured, policy=known("62500001/1000000"))
    assert (result.status, result.findings[0].excused) == (GateStatus.FAIL, None)
    assert result.summary == "62.5 % of 8 lines, needs 85 %; and fell below the 62.500001 % of the baseline"
    assert result.fix.startswith("write tests for a.py first")


def test_what_is_enough_needs_no_baseline(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    result = project.judge_coverage(json.dumps(document(a=record(list(range(1, 9)), []))), policy=known("100"))
    assert (result.status, result.summary, result.details["exact"]) == (
        GateStatus.PASS,
        "100.0 % of 8 lines, needs 85 %",
        "100",
    )


def test_fingerprints_in_a_baseline_excuse_no_missing_line(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    measured = json.dumps(document(a=record([1], [2])))
    (finding,) = project.judge_coverage(measured).findings
    policy = Policy(baseline={"coverage": frozenset({finding.fingerprint})})
    assert project.judge_coverage(measured, policy=policy).status is GateStatus.FAIL


def test_waivers_of_every_file_that_is_not_covered_whole_excuse_the_total(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    project.write_aged("b.py", "x\n" * 8)
    measured = json.dumps(document(a=record([1], [2]), b=record([1], [2, 3])))
    found = project.judge_coverage(measured).findings
    uses = tuple(
        WaiverUse(
            rule=one.rule, path=one.path, fingerprint=one.fingerprint, reason="r", approved_by="b", expires="2999"
        )
        for one in found
    )
    assert project.judge_coverage(measured, policy=Policy(waivers=uses)).status is GateStatus.WAIVED
    assert project.judge_coverage(measured, policy=Policy(waivers=uses[:1])).status is GateStatus.FAIL


def test_the_written_baseline_is_the_one_that_excuses(project) -> None:
    project.write_aged("a.py", "x\n" * 8)
    measured = json.dumps(document(a=record([1, 2], [3])))
    text = baseline_text([project.judge_coverage(measured)], before=Baseline())
    covered = load_baseline(text, "baseline").covered
    assert covered == {"coverage": "200/3"}
    assert project.judge_coverage(measured, policy=Policy(covered=covered)).status is GateStatus.WAIVED
    worse = json.dumps(document(a=record([1], [2, 3])))
    assert project.judge_coverage(worse, policy=Policy(covered=covered)).status is GateStatus.FAIL
