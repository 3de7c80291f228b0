"""The SARIF log: valid by the official schema, honest about what did not pass, harmless whatever was recorded."""

import json
from pathlib import Path

import pytest
from jsonschema_rs import Draft4Validator

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.sarif import render_sarif
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.sarif import read_sarif
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import Evidence, Finding, GateStatus, Level, Severity
from cli_multi_rapid.model.run import Status

SARIF = ("@microsoft/jest-sarif@1.0.0-beta.0", "package/lib/schemas/sarif-2.1.0-rtm.5.json")
DIGEST = "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8"
HOSTILE = "<script>a</script>\x1b[31m\u202e\x00\n\udcff|`{0}" + "x" * 400


@pytest.fixture(scope="session")
def official(fetched):
    """Return the validator of the official schema."""
    schema = json.loads(fetched(*SARIF, digest=DIGEST))
    for owner in ("run", "toolComponent"):  # a typing error in it: a bracket too many, so that it is no expression
        del schema["definitions"][owner]["properties"]["language"]["pattern"]
    return Draft4Validator(schema, validate_formats=True)


def log_of(run):
    return json.loads(render_sarif(run))


def run_of(log, gate):
    """Return the SARIF run of a gate."""
    (found,) = (run for run in log["runs"] if run["properties"].get("gate") == gate)
    return found


def ended(record, *gates, status=Status.SUCCESS, phase="phase1"):
    """Return a run with these gates."""
    record.start("phase1", head="c" * 40, tree="e" * 40, root="/work", branch="main")
    record.step("phase1/lint")
    for one in gates:
        record.gate(phase, one)
    record.end(status)
    return view(record.events, alive=False)


@pytest.mark.outside
@pytest.mark.parametrize("word", ["needle", HOSTILE, "with blank %41/../é.py"])
def test_it_is_valid_by_the_official_schema(record, rich_run, official, word):
    log = log_of(rich_run(record, word))
    assert [str(error) for error in official.iter_errors(log)] == []


@pytest.mark.outside
def test_the_official_schema_is_not_blind(record, gate, official):
    log = log_of(ended(record, gate()))
    assert official.is_valid(log)
    log["runs"][1]["results"] = [{"ruleId": "no message"}]
    assert not official.is_valid(log)


def test_one_run_for_the_whole_and_one_for_each_gate(record, rich_run):
    log = log_of(rich_run(record, "needle"))
    assert log["version"] == "2.1.0"
    names = [run["tool"]["driver"]["name"] for run in log["runs"]]
    assert names == [
        "CLI Multi-Rapid", "needle", *(["cli-multi-rapid coverage"] * 6),
    ]  # fmt: skip
    identities = [run["automationDetails"]["id"] for run in log["runs"]]
    assert identities[1] == f"cli-multi-rapid/phase1/style/{record.run}"
    assert identities[5] == f"cli-multi-rapid/project/secrets/{record.run}"
    assert identities[6] == f"cli-multi-rapid/phase1/test[0]/unit/{record.run}"
    assert len(set(identities)) == len(identities)
    for run in log["runs"]:
        (source,) = run["versionControlProvenance"]
        assert (source["revisionId"], source["properties"]["tree"]) == ("c" * 40, "e" * 40)
        assert run["originalUriBaseIds"] == {"%SRCROOT%": {"uri": "file:///needle/"}}


def test_a_finding_is_told_whole(record, gate):
    found = Finding(
        rule="no-eval", message="eval runs text", path="src/a b.py", line=3, column=7, severity=Severity.MEDIUM,
        fingerprint="sha256:f1", fix="use ast.literal_eval",
    )  # fmt: skip
    other = Finding(rule="no-eval", message="again", path="/outside/x.py", severity=Severity.INFO)
    evidence = (Evidence(path="/state/report.json", sha256="b" * 64),)
    result = gate(
        status=GateStatus.FAIL, findings=(found, other), findings_total=2, tool="searcher", tool_version="9",
        evidence=evidence, rules_digest="d1", started="2026-03-14T09:00:00.500+00:00", duration_ms=1500,
    )  # fmt: skip
    run = run_of(log_of(ended(record, result)), "coverage")
    assert run["tool"]["driver"] == {
        "name": "searcher",
        "version": "9",
        "rules": [
            {
                "id": "no-eval",
                "shortDescription": {"text": "no-eval"},
                "defaultConfiguration": {"level": "warning"},
                "help": {"text": "use ast.literal_eval"},
            }
        ],
    }
    first, second = run["results"]
    assert first == {
        "ruleId": "no-eval",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": "eval runs text"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "src/a%20b.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 3, "startColumn": 7},
                }
            }
        ],
        "suppressions": [],
        "partialFingerprints": {"cmrFinding/v1": "sha256:f1"},
        "properties": {"severity": "medium"},
    }
    assert (second["level"], second["kind"], second["ruleIndex"]) == ("none", "informational", 0)
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "file:///outside/x.py"}}
    assert run["invocations"] == [
        {
            "executionSuccessful": True,
            "toolExecutionNotifications": [],
            "startTimeUtc": "2026-03-14T09:00:00.500Z",
            "endTimeUtc": "2026-03-14T09:00:02.000Z",
        }
    ]
    assert run["properties"]["evidence"] == [{"path": "/state/report.json", "sha256": "b" * 64}]
    assert (run["properties"]["status"], run["properties"]["rulesDigest"]) == ("fail", "d1")


def test_what_is_excused_is_suppressed_and_an_expired_waiver_suppresses_nothing(record, rich_run):
    found, waived, known = run_of(log_of(rich_run(record, "needle")), "style")["results"]
    assert found["suppressions"] == []
    assert found["properties"]["expired"] == "its waiver has expired on 2026-01-31T00:00:00Z"
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "needle",
            "properties": {"approvedBy": "needle", "expires": "2030-01-31T00:00:00Z"},
        }
    ]
    (suppression,) = known["suppressions"]
    assert suppression == {"kind": "external", "status": "accepted", "justification": "known from the baseline"}


def test_a_gate_that_could_not_be_evaluated_did_not_succeed_and_has_a_result(record, rich_run):
    run = run_of(log_of(rich_run(record, "needle")), "tests")
    (invocation,) = run["invocations"]
    assert invocation == {
        "executionSuccessful": False,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": "gate tests could not be evaluated: needle"}}
        ],
    }
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("gate-tests", "error")
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "config/compliance-gates.yaml"


def test_a_gate_that_failed_without_findings_has_a_result(record, gate):
    low = gate(status=GateStatus.FAIL, summary="total coverage is 84.99 %", observed=84.99, threshold=85.0)
    run = run_of(log_of(ended(record, low)), "coverage")
    (result,) = run["results"]
    assert (result["level"], result["message"]["text"]) == ("error", "gate coverage failed: total coverage is 84.99 %")
    assert (run["properties"]["observed"], run["properties"]["threshold"]) == (84.99, 85.0)


def test_an_advisory_gate_warns(record, gate):
    low = gate(status=GateStatus.FAIL, level=Level.ADVISORY)
    (result,) = run_of(log_of(ended(record, low)), "coverage")["results"]
    assert result["level"] == "warning"


def test_a_gate_that_was_skipped_claims_nothing(record, rich_run):
    run = run_of(log_of(rich_run(record, "needle")), "docs")
    assert "results" not in run
    assert run["invocations"][0]["executionSuccessful"] is False
    whole = log_of(rich_run(record, "needle"))["runs"][0]
    told = [notice["message"]["text"] for notice in whole["invocations"][0]["toolExecutionNotifications"]]
    assert "gate phase1/gate:licences: was not reached" in told
    assert "gate phase1/gate:docs: needle" in told


def test_findings_that_are_not_listed_are_counted(record, rich_run):
    run = run_of(log_of(rich_run(record, "needle")), "style")
    (notice,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["message"]["text"] == "3 of 9 findings are listed, the worst"
    assert run["properties"]["findingsTotal"] == 9


def test_steps_that_failed_are_results_of_the_run(record, rich_run):
    whole = log_of(rich_run(record, "needle"))["runs"][0]
    (result,) = whole["results"]
    assert (result["ruleId"], result["level"]) == ("step-failed", "error")
    assert result["message"]["text"] == "step phase1/test[0]: needle"
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "workflows/phase_definitions/phase1.yaml"
    assert whole["invocations"][0]["exitCode"] == 1
    assert whole["properties"]["verdict"] == "fail"


@pytest.mark.parametrize(
    ("status", "level", "sound"),
    [
        (Status.SUCCESS, "warning", True),
        (Status.CANCELLED, "error", True),
        (Status.ERROR, "error", False),
        (None, "error", False),
    ],
)
def test_a_run_that_did_not_end_well_is_never_clean(record, status, level, sound):
    """Without a gate that failed and without a step that failed there is a result all the same."""
    record.start("phase1")
    record.step("phase1/lint")
    if status:
        record.end(status)
    (whole,) = log_of(view(record.events, alive=False))["runs"]
    (result,) = whole["results"]
    assert (result["ruleId"], result["level"]) == ("run-verdict", level)
    assert whole["invocations"][0]["executionSuccessful"] is sound


def test_a_clean_run_has_no_results(record, gate):
    log = log_of(ended(record, gate()))
    assert [run["results"] for run in log["runs"]] == [[], []]


def test_hostile_text_is_harmless(record, rich_run):
    text = render_sarif(rich_run(record, HOSTILE))
    assert not set(text) & set("\x00\x1b\u202e\udcff")
    assert "\\ud" not in text.replace("\\\\ud", "")  # no half of a character, which strict readers refuse
    uri = run_of(json.loads(text), "style")["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("%3Cscript%3Ea%3C/script%3E%1B%5B31m%E2%80%AE%00%0A%FF%7C%60%7B0%7D")


def test_our_own_reader_gets_back_what_was_found(record, gate):
    findings = tuple(
        Finding(rule=f"r{number}", message=f"m {number}", path=f"src/é {number}.py", line=number, column=2,
                severity=severity, fix="mend it")
        for number, severity in enumerate(Severity, start=1)
    )  # fmt: skip
    text = render_sarif(ended(record, gate(status=GateStatus.FAIL, findings=findings, findings_total=4)))
    report = read_sarif(text.encode(), path="x.sarif", root=Path("/work"), strict=True)
    assert report.findings == findings


def test_our_own_reader_refuses_what_could_not_be_evaluated(record, rich_run):
    text = render_sarif(rich_run(record, "needle"))
    with pytest.raises(EvidenceError, match="did not finish"):
        read_sarif(text.encode(), path="x.sarif", root=Path("/work"), strict=True)


@pytest.mark.parametrize(("root", "uri"), [("C:\\a b", "file:///C:/a%20b/"), ("", None), ("relative", None)])
def test_roots(record, gate, root, uri):
    record.start("phase1", root=root, head="c" * 40)
    record.gate("phase1", gate())
    record.end(Status.SUCCESS)
    run = log_of(view(record.events, alive=False))["runs"][0]
    assert run.get("originalUriBaseIds") == (uri and {"%SRCROOT%": {"uri": uri}})
    assert ("versionControlProvenance" in run) is bool(uri)


def test_without_results_there_is_no_log(record):
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/lint", attempt=1, command="x", log="1.log")
    with pytest.raises(EvidenceMissing):
        render_sarif(view(record.events, alive=False))
