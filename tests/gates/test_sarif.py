import json
from pathlib import Path

import pytest

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.sarif import read_sarif
from cli_multi_rapid.model.gate import Severity

ROOT = Path("/project") if Path("/").drive == "" else Path("C:/project")


def log(*results: object, driver: dict | None = None, **run: object) -> dict:
    tool = {"driver": {"name": "tool", "version": "1.2"} | (driver or {})}
    return {"version": "2.1.0", "runs": [{"tool": tool, "results": list(results)} | run]}


def result(uri: str = "src/a.py", **more: object) -> dict:
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": 3, "startColumn": 5}}
    return {"ruleId": "R1", "message": {"text": "bad"}, "locations": [{"physicalLocation": place}]} | more


def read(content: object, *, strict: bool = False):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_sarif(data, path="r.sarif", root=ROOT, strict=strict)


def test_a_result_and_its_tool() -> None:
    report = read(log(result()))
    (finding,) = report.findings
    assert (finding.rule, finding.path, finding.line, finding.column) == ("R1", "src/a.py", 3, 5)
    assert (finding.message, finding.severity) == ("bad", Severity.MEDIUM)
    assert (report.tool, report.tool_version) == ("tool", "1.2")


def test_no_result_means_clean() -> None:
    assert read(log()).findings == ()


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({"level": "error"}, Severity.HIGH),
        ({"level": "warning"}, Severity.MEDIUM),
        ({"level": "note"}, Severity.LOW),
        ({"level": "none"}, Severity.INFO),
        ({}, Severity.MEDIUM),
        ({"kind": "review"}, Severity.INFO),
    ],
)
def test_levels(more, severity) -> None:
    assert read(log(result(**more))).findings[0].severity is severity


def test_the_level_message_and_help_of_the_rule() -> None:
    rule = {
        "id": "R1",
        "defaultConfiguration": {"level": "error"},
        "messageStrings": {"m": {"text": "{0} is worse than {1}"}},
        "help": {"text": "do otherwise"},
    }
    message = {"id": "m", "arguments": ["this", "that"]}
    for more in ({"ruleIndex": 0}, {}, {"ruleId": None, "rule": {"index": 0}}):
        (finding,) = read(log(result(message=message, **more), driver={"rules": [rule]})).findings
        assert (finding.rule, finding.severity) == ("R1", Severity.HIGH)
        assert (finding.message, finding.fix) == ("this is worse than that", "do otherwise")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"{ROOT.as_uri()}/src/a%20b.py", "src/a b.py"),
        ("src/a%20b.py", "src/a b.py"),
        ("./src/a.py", "src/a.py"),
        ("src\\a.py", "src/a.py"),
        ("", ""),
    ],
)
def test_paths(uri, path) -> None:
    assert read(log(result(uri))).findings[0].path == path


def test_paths_by_base_and_by_index() -> None:
    base = {"originalUriBaseIds": {"ROOT": {"uri": f"{ROOT.as_uri()}/"}}}
    place = {"physicalLocation": {"artifactLocation": {"uri": "src/a.py", "uriBaseId": "ROOT"}}}
    assert read(log(result(locations=[place]), **base)).findings[0].path == "src/a.py"
    indexed = {"physicalLocation": {"artifactLocation": {"index": 0}}}
    files = {"artifacts": [{"location": {"uri": "src/b.py"}}]}
    assert read(log(result(locations=[indexed]), **files)).findings[0].path == "src/b.py"


def test_results_that_are_no_problems_are_left_out() -> None:
    content = log(result(kind="pass"), result(kind="notApplicable"), result(baselineState="absent"))
    assert read(content).findings == ()


def test_what_the_project_suppresses_counts_in_strict_only() -> None:
    content = log(result(suppressions=[{"kind": "inSource"}]), result())
    assert (len(read(content).findings), read(content).suppressed) == (1, 1)
    assert len(read(content, strict=True).findings) == 2


def test_several_runs() -> None:
    content = log(result())
    content["runs"] += log(result("b.py"), driver={"name": "other"})["runs"]
    report = read(content)
    assert [finding.path for finding in report.findings] == ["src/a.py", "b.py"]
    assert report.tool == "tool, other"


BROKEN = {
    "empty": b"",
    "truncated": json.dumps(log(result())).encode()[:-5],
    "text": b"All checks passed!",
    "a list": [],
    "no runs": {"version": "2.1.0"},
    "empty runs": {"version": "2.1.0", "runs": []},
    "runs is an object": {"runs": {}},
    "a run is a number": {"runs": [1]},
    "no tool": {"runs": [{"results": []}]},
    "no results": {"runs": [{"tool": {"driver": {"name": "t"}}}]},
    "results is null": {"runs": [{"tool": {"driver": {"name": "t"}}, "results": None}]},
    "a result is a text": log("x"),
    "unknown level": log(result(level="fatal")),
    "did not finish": log(invocations=[{"executionSuccessful": False}]),
    "met an error": log(
        invocations=[
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": "cannot parse a.py"}}],
            }
        ]
    ),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_evidence_is_refused(content) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(content)
    assert caught.value.fix


@pytest.mark.parametrize("status", ["rejected", "underReview", None, []])
def test_a_suppression_that_nobody_accepted_hides_nothing(status) -> None:
    suppressions = [{"kind": "external", "status": "accepted"}, {"kind": "external", "status": status}]
    assert len(read(log(result(suppressions=suppressions))).findings) == 1
    suppressions[1]["status"] = "accepted"
    assert read(log(result(suppressions=suppressions))).findings == ()


@pytest.mark.parametrize("content", [result("//[x"), result("file://[x/a"), result(kind=[]), result(kind={})])
def test_odd_values_do_not_end_the_reading(content) -> None:
    assert len(read(log(content)).findings) == 1
