"""Reports from stored results: JSON, evidence, logs."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from jsonschema_rs import Draft202012Validator

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import (
    Verdict,
    compliance,
    json_text,
    listed,
    log_tails,
    plain,
    render_json,
    verdict_of,
    verify_evidence,
)
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import Evidence, Excuse, Finding, GateResult, GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.system.document import schema_text


def full_gate(status: GateStatus = GateStatus.PASS, level: Level = Level.STANDARD, *evidence: Evidence) -> GateResult:
    """Return a gate's result with a finding."""
    finding = Finding(rule="r", message="m", path="a.py", line=3, severity=Severity.LOW, fix="f", excused=Excuse.WAIVER)
    waiver = WaiverUse(
        rule="r", path="a.py", fingerprint="sha256:1", reason="why", approved_by="b", expires="2030-01-01T00:00:00Z",
        expired=True,
    )  # fmt: skip
    return GateResult(
        id="coverage", check="coverage", level=level, status=status, observed=83.9, threshold=85.0, findings=(finding,),
        findings_total=4, tool="t", tool_version="1", rules_digest="d", tree="tree", evidence=evidence, summary="s",
        all_findings=Evidence(path="/all", sha256="2"), waivers=(waiver,), cached=True, details={"lines": 10}, fix="x",
        started="2026-03-14T09:26:53+00:00", duration_ms=7,
    )  # fmt: skip


def failed(record) -> None:
    """Record a run that failed."""
    record.start("phase1", tree="abc", version="0.1.0", inputs={"phase1": {"fix": False}})
    record.step("phase1/lint")
    record.gate("phase1", full_gate(GateStatus.FAIL))
    record.end(Status.FAILURE, code=1)


def test_json_has_every_field_of_every_gate(record) -> None:
    failed(record)
    data = json.loads(render_json(view(record.events, alive=False)))
    (shown,) = data["gates"]
    assert shown == {
        "id": "coverage", "check": "coverage", "level": "standard", "status": "fail", "summary": "s", "observed": 83.9,
        "threshold": 85.0, "findings_total": 4, "tool": "t", "tool_version": "1", "rules_digest": "d", "tree": "tree",
        "evidence": [], "details": {"lines": 10}, "fix": "x", "started": "2026-03-14T09:26:53+00:00", "duration_ms": 7,
        "phase": "phase1", "blocks": True,
        "findings": [
            {"rule": "r", "message": "m", "path": "a.py", "line": 3, "column": 0, "severity": "low", "fingerprint": "",
             "fix": "f", "excused": "waiver"},
        ],
        "waivers": [
            {"rule": "r", "path": "a.py", "fingerprint": "sha256:1", "reason": "why", "approved_by": "b",
             "expires": "2030-01-01T00:00:00Z", "expired": True},
        ],
        "all_findings": {"path": "/all", "sha256": "2"}, "cached": True,
    }  # fmt: skip


def test_json_says_the_verdict_and_where_it_comes_from(record) -> None:
    failed(record)
    text = render_json(view(record.events, alive=False))
    data = json.loads(text)
    assert data["schema"] == "cmr/report@v1"
    assert data["verdict"] == {
        "status": "fail", "reasons": ["gate coverage failed: s"], "remarks": [], "exit_code": 1,
    }  # fmt: skip
    assert data["run"]["run"] == record.run
    assert data["run"]["status"] == "failure"
    assert data["environment"]["tree"] == "abc"
    assert data["phases"][0]["inputs"] == {"fix": False}
    assert data["phases"][0]["steps"][0]["command"] == "tool --flag"
    assert data["not_run"] == []


def test_json_is_canonical(record) -> None:
    failed(record)
    text = render_json(view(record.events, alive=False))
    assert text == render_json(view(list(record.events), alive=False))
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


@pytest.fixture(scope="module")
def published():
    """Return the validator of the published schema of reports."""
    return Draft202012Validator(schema_text("report"))


@pytest.mark.parametrize("word", ["needle", "<\x1b[31m\u202e\x00\n\udcff"])
def test_json_is_valid_by_its_published_schema(record, rich_run, published, word) -> None:
    data = json.loads(render_json(rich_run(record, word)))
    assert [f"{error.instance_path}: {error.message}" for error in published.iter_errors(data)] == []


def test_every_end_of_a_run_is_valid_by_the_schema(recorder, gate, published) -> None:
    for number, status in enumerate([None, *(one for one in Status if one.ended)]):
        record = recorder(f"01J{number:023}")
        record.start("phase1")
        record.step("phase1/lint", status=Status.FAILURE)
        record.gate("phase1", gate(observed=None))
        if status:
            record.end(status)
        assert published.is_valid(json.loads(render_json(view(record.events, alive=False))))


def test_an_approval_is_valid_by_the_schema(record, gate, published) -> None:
    record.start("phase1")
    record.gate("phase1", gate())
    record.add(Kind.STEP_WAITING, "phase1/ask", attempt=1, by=["lead"], fingerprint="f", tree="t", ref="refs/cmr/x")
    (step,) = json.loads(render_json(view(record.events, alive=False)))["phases"][0]["steps"]
    assert step["approval"]["by"] == ["lead"]
    assert published.is_valid(json.loads(render_json(view(record.events, alive=False))))


def test_the_published_schema_knows_every_verdict_and_is_closed(record, rich_run, published) -> None:
    (verdicts,) = [part for part in json.loads(schema_text("report"))["$defs"]["ReportedVerdict"]["properties"].items()
                   if part[0] == "status"]  # fmt: skip
    assert verdicts[1]["enum"] == [one.value for one in Verdict]
    data = json.loads(render_json(rich_run(record, "needle")))
    for part in (data, data["run"], data["gates"][0], data["gates"][0]["findings"][0], data["phases"][0]["steps"][0]):
        part["more"] = 1
        assert not published.is_valid(data)
        del part["more"]
        name, value = part.popitem()
        assert not published.is_valid(data), name
        part[name] = value
    assert published.is_valid(data)


def test_a_run_without_results_has_no_report(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/lint", attempt=1, command="x", log="1.log")
    with pytest.raises(EvidenceMissing) as raised:
        render_json(view(record.events, alive=False))
    assert raised.value.where == f"run {record.run}"
    assert raised.value.exit_code == 3


def test_one_result_is_enough_for_a_report(record) -> None:
    record.start("phase1")
    record.gate("phase1", full_gate())
    assert json.loads(render_json(view(record.events, alive=False)))["verdict"]["status"] == "unfinished"


def test_json_that_a_terminal_shows_controls_nothing() -> None:
    text = json_text({"name": "\x9b31m\u202e\x7f\udcff\x1b[2J", "kind": Status.SUCCESS, "bad": float("nan")})
    assert all(ord(char) < 0x7F for char in text)
    assert json.loads(text) == {"name": "\x9b31m\u202e\x7f\\udcff\x1b[2J", "kind": "success", "bad": "nan"}


def test_plain_values() -> None:
    assert plain((1, 2.5, None, True, float("inf"))) == [1, 2.5, None, True, "inf"]
    assert plain({1: {"b"}}) == {"1": ["b"]}
    assert plain(complex(1, 2)) == "(1+2j)"


def test_compliance_is_what_validate_compliance_prints(record) -> None:
    failed(record)
    data = compliance(view(record.events, alive=False))
    assert list(data) == ["status", "level", "tree", "run", "gates"]
    assert (data["status"], data["level"], data["tree"]) == ("fail", "standard", "abc")


@pytest.mark.parametrize(("ended", "status"), [(True, "error"), (False, "error")])
def test_compliance_without_a_judgement_is_an_error(record, ended: bool, status: str) -> None:
    record.start("phase1")
    if ended:
        record.end(Status.SUCCESS)
    assert compliance(view(record.events, alive=False))["status"] == status


@pytest.mark.parametrize(
    ("status", "gates", "verdict"),
    [
        (Status.SUCCESS, [full_gate()], Verdict.PASS),
        (Status.SUCCESS, [], Verdict.UNJUDGED),
        (Status.SUCCESS, [full_gate(GateStatus.SKIPPED)], Verdict.UNJUDGED),
        (Status.SUCCESS, [full_gate(), full_gate(GateStatus.SKIPPED)], Verdict.PASS),
        (Status.SUCCESS, [full_gate(GateStatus.WARN)], Verdict.WARN),
        (Status.SUCCESS, [full_gate(GateStatus.FAIL, Level.ADVISORY)], Verdict.WARN),
        (Status.SUCCESS, [full_gate(GateStatus.ERROR)], Verdict.ERROR),
        (Status.ERROR, [], Verdict.ERROR),
        (Status.TIMEOUT, [full_gate()], Verdict.FAIL),
        (Status.CANCELLED, [full_gate()], Verdict.FAIL),
        (Status.RUNNING, [full_gate()], Verdict.UNFINISHED),
        (Status.RUNNING, [full_gate(GateStatus.FAIL)], Verdict.FAIL),
        (Status.STUCK, [], Verdict.UNFINISHED),
        (Status.FAILURE, [full_gate(GateStatus.ERROR)], Verdict.FAIL),
    ],
)
def test_verdicts(status: Status, gates: list[GateResult], verdict: Verdict) -> None:
    assert verdict_of(status, gates) is verdict


def test_allowed_failures_are_not_green() -> None:
    assert verdict_of(Status.SUCCESS, [full_gate()], softened=True) is Verdict.WARN


def test_evidence_that_is_gone_or_has_changed_is_named(record) -> None:
    kept, changed = b"kept", b"changed"
    evidence = (
        Evidence(path="kept.json", sha256=sha256(kept).hexdigest()),
        Evidence(path="changed.json", sha256=sha256(b"as it was").hexdigest()),
        Evidence(path="gone.json", sha256="00"),
    )
    record.start("phase1")
    record.gate("phase1", full_gate(GateStatus.PASS, Level.STANDARD, *evidence))
    problems = verify_evidence(view(record.events, alive=False), {"kept.json": kept, "changed.json": changed}.get)
    then, now = sha256(b"as it was").hexdigest()[:12], sha256(changed).hexdigest()[:12]
    assert problems == [
        f"phase1/gate:coverage: changed.json has changed since it was judged (sha256 {then} then, {now} now)",
        "phase1/gate:coverage: gone.json is gone",
    ]


def test_ends_of_logs(record) -> None:
    record.start("phase1")
    record.step("phase1/fine")
    record.step("phase1/lint", status=Status.FAILURE)
    record.step("phase1/lost", status=Status.FAILURE)
    run = view(record.events, alive=False)
    content = {
        "phase1.lint.1.log": b"x" * 40_000 + b"\nprogress 1\rprogress 2\n\x1b[31mred\x1b[0m \xff\n\n",
        "phase1.fine.1.log": b"",
    }
    found = log_tails(run, content.get, folder="/runs/r")
    assert set(found) == {"phase1/lint"}
    log = found["phase1/lint"]
    assert log.path == "/runs/r/phase1.lint.1.log"
    assert len(log.tail) < 17_000
    assert log.lines(3) == ("progress 1", "progress 2", "red \ufffd")
    everything = log_tails(run, content.get, everything=True)
    assert set(everything) == {"phase1/fine", "phase1/lint"}
    assert everything["phase1/fine"].lines(15) == ()


def test_long_lists_keep_their_failures(record) -> None:
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE if number in (500, 999) else Status.SUCCESS)
    steps = view(record.events, alive=False).steps
    shown, left_out = listed(steps, 10)
    assert [step.id for step in shown] == [*(f"s{number}" for number in range(8)), "s500", "s999"]
    assert left_out == 990
    assert listed(steps[:5], 10) == (steps[:5], 0)


def test_looking_loads_neither_rich_nor_jinja() -> None:
    heavy = "{'rich', 'jinja2', 'markupsafe', 'pydantic', 'asyncio', 'click'}"
    modules = "cli.console, cli.status, cli.summary, cli.plain, documents.history, documents.html, documents.graph"
    names = [f"cli_multi_rapid.{one.strip()}" for one in modules.split(",")]
    code = f"import sys, {', '.join(names)}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
