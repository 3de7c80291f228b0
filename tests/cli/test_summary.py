"""How each kind of end is told."""

import pytest

from cli_multi_rapid.cli.summary import summary
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import Log
from cli_multi_rapid.documents.text import ASCII, Symbols
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Level, Severity
from cli_multi_rapid.model.run import Status


def gate(name: str = "coverage", status: GateStatus = GateStatus.PASS, **more: object) -> GateResult:
    """Return a gate's result at level standard."""
    return GateResult(**({"id": name, "check": "coverage", "level": Level.STANDARD, "status": status} | more))  # type: ignore[arg-type]


def told(record, *, alive: bool = False, **options: object) -> list[str]:
    """Return the lines of the summary of what was recorded."""
    return summary(view(record.events, alive=alive), **options).split("\n")  # type: ignore[arg-type]


def test_success(record) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.gate("phase1", gate())
    record.end(Status.SUCCESS)
    assert told(record) == [
        "✓ Passed  phase1 · 2m14s",
        "  in all   1 step: 1 success · 1 gate: 1 pass",
        f"  next     cli-multi-rapid generate-report {record.run}",
    ]


def test_success_that_nothing_judged(record) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.end(Status.SUCCESS)
    assert told(record)[0] == "! Done, but not judged  phase1 · no gate has judged this run · 2m14s"


def test_a_failed_step(record) -> None:
    record.start("phase1", inputs={"phase1": {"fix": False}})
    record.step("phase1/plan")
    record.step("phase1/lint", status=Status.FAILURE, command="ruff check\nsrc", code=1, fix="run it with --fix")
    record.end(Status.FAILURE, code=1)
    tail = "".join(f"line {number}\r\n" for number in range(40)) + "\x1b[31mthe last\x1b[0m\n"
    lines = told(record, logs={"phase1/lint": Log(path="/runs/1.log", tail=tail)})
    assert lines[:6] == [
        "✗ Failed  phase1 · step phase1/lint failed: exit code 1 · 2m14s",
        "  step     phase1/lint",
        "  ran      $ ruff check",
        "           src",
        "  ended    exit code 1, after 0.4s",
        "  log      /runs/1.log",
    ]
    assert lines[6:21] == [*(f"           │ line {number}" for number in range(26, 40)), "           │ the last"]
    assert lines[21:] == [
        "  fix      run it with --fix",
        "  in all   2 steps: 1 success, 1 failure",
        f"  next     cli-multi-rapid rerun {record.run}",
        "           cli-multi-rapid run-phase phase1 --input fix=true",
    ]


def test_a_step_that_failed_after_several_attempts_with_a_cut_log(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/lint", attempt=1, command="c", log="1.log")
    record.add(Kind.STEP_RETRIED, "phase1/lint", attempt=1, status="failure", wait_ms=1, duration_ms=1)
    record.step("phase1/lint", status=Status.FAILURE, attempt=2, code=3, reason="wrong", truncated=True)
    lines = told(record, logs={"phase1/lint": Log(path="/runs/1.log", tail="")})
    assert "  ended    wrong (exit code 3), attempt 2, after 0.4s" in lines
    assert "  log      /runs/1.log (cut at its size limit)" in lines


def test_a_timeout(record) -> None:
    record.start("phase1")
    record.step("phase1/test", status=Status.TIMEOUT, signal=15, reason="it took longer than 10m")
    record.end(Status.TIMEOUT, code=1)
    lines = told(record)
    assert lines[0] == "✗ Timed out  phase1 · step phase1/test timed out: it took longer than 10m · 2m14s"
    assert lines[-1] == f"  next     cli-multi-rapid rerun {record.run}"


def test_a_failed_gate(record) -> None:
    findings = tuple(
        Finding(
            rule="no-eval",
            message=f"m{number}",
            path="a.py",
            line=number + 1,
            column=4,
            severity=severity,
            fix="literal_eval",
        )
        for number, severity in enumerate([Severity.LOW, Severity.HIGH, *[Severity.MEDIUM] * 5])
    )
    result = gate(
        status=GateStatus.FAIL, summary="83.9 % is below 85 %", observed=83.9, threshold=85.0, findings=findings,
        findings_total=9,
    )  # fmt: skip
    record.start("phase1")
    record.step("phase1/test")
    record.gate("phase1", result)
    record.end(Status.FAILURE, code=1)
    assert told(record) == [
        "✗ Failed  phase1 · gate coverage failed: 83.9 % is below 85 % · 2m14s",
        "  gate     phase1: coverage failed: 83.9 % is below 85 %",
        "           observed 83.9, needed 85",
        "           a.py:2:4  high  m1 (no-eval)",
        "           a.py:3:4  medium  m2 (no-eval)",
        "           a.py:4:4  medium  m3 (no-eval)",
        "           a.py:5:4  medium  m4 (no-eval)",
        "           a.py:6:4  medium  m5 (no-eval)",
        "           and 4 further findings",
        "  fix      literal_eval",
        "  in all   1 step: 1 success · 1 gate: 1 fail",
        f"  next     cli-multi-rapid rerun {record.run}",
    ]


def test_a_gate_that_could_not_be_evaluated(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate(status=GateStatus.ERROR, summary="coverage.json is missing", fix="run the tests"))
    record.end(Status.ERROR, code=3)
    lines = told(record)
    assert lines[0] == (
        "✗ Could not be judged  phase1 · gate coverage could not be evaluated: coverage.json is missing · 2m14s"
    )
    assert "  fix      run the tests" in lines


def test_a_step_that_could_not_run(record) -> None:
    record.start("phase1")
    record.step("phase1/lint", status=Status.ERROR, reason="ruff is not installed")
    record.end(Status.ERROR, code=3)
    assert "step phase1/lint could not run: ruff is not installed" in told(record)[0]


def test_cancelled(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="c", log="1.log")
    record.add(Kind.RUN_CANCEL, by="mira")
    record.finish("phase1/test", status=Status.CANCELLED, reason="the run was cancelled")
    record.end(Status.CANCELLED, code=1)
    assert told(record) == [
        "■ Cancelled  phase1 · cancelled by mira · 2m14s",
        "  in all   1 step: 1 cancelled",
        f"  next     cli-multi-rapid rerun {record.run}",
    ]


@pytest.mark.parametrize("reason", ["SIGINT", "SIGTERM", "timeout"])
def test_interrupted(record, reason: str) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="c", log="1.log")
    record.add(Kind.RUN_INTERRUPTED, attempt=1, reason=reason)
    assert told(record) == [
        f"■ Interrupted  phase1 · interrupted by {reason} · 4.0s",
        "  in all   1 step: 1 interrupted",
        f"  next     cli-multi-rapid resume {record.run}",
    ]


def test_still_running(record) -> None:
    record.start("phase1")
    lines = told(record, alive=True)
    assert lines[0] == "● Still running  phase1 · 2.0s"
    assert lines[-2:] == [
        f"  next     cli-multi-rapid logs {record.run} -f",
        f"           cli-multi-rapid cancel {record.run}",
    ]


def test_skipped_phases_and_steps_are_named(record) -> None:
    record.start("phase1")
    record.step("phase1/lint", status=Status.FAILURE, code=1)
    for number in range(4):
        record.finish(f"phase1/s{number}", status=Status.SKIPPED, attempt=0, reason="needs lint")
    record.add(Kind.PHASE_FINISHED, "phase2", status="skipped", reason="needs phase1")
    record.end(Status.FAILURE, code=1)
    lines = told(record)
    assert "  in all   2 phases: 1 failure, 1 skipped · 5 steps: 1 failure, 4 skipped" in lines
    assert "  not run  phase1/s0, phase1/s1, phase1/s2 and 2 more" in lines


def test_warnings_are_counted_on_the_first_line_and_told(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate())
    for number in range(7):
        record.gate("phase1", gate(f"g{number}", GateStatus.WARN, summary="hm"))
    record.end(Status.SUCCESS)
    lines = told(record)
    assert lines[0] == "! Passed with warnings  phase1 · gate g0 warned: hm · 2m14s · 7 warnings"
    assert lines[2:8] == [
        "  warning  gate g0 warned: hm",
        *(f"           gate g{number} warned: hm" for number in range(1, 5)),
        "           and 2 further warnings",
    ]


def test_a_thousand_failures_stay_readable(record) -> None:
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE, code=1)
        record.gate("phase1", gate(f"g{number}", GateStatus.FAIL))
    record.end(Status.FAILURE, code=1)
    lines = told(record)
    assert len(lines) < 30
    assert "           and 997 further steps, see the report" in lines
    assert "           and 997 further gates, see the report" in lines


def test_hostile_text_is_harmless(record) -> None:
    hostile = "\x1b[2J\x1b]0;t\x07\u202eevil\x00\n  next     rm -rf /"
    record.start("phase1", job=hostile)
    record.step("phase1/lint", status=Status.FAILURE, command=hostile, reason=hostile, fix=hostile)
    finding = Finding(rule=hostile, message=hostile, path=hostile)
    record.gate("phase1", gate(hostile, GateStatus.FAIL, summary=hostile, findings=(finding,), fix=hostile))
    record.end(Status.FAILURE, code=1)
    lines = told(record, logs={"phase1/lint": Log(path=hostile, tail=hostile)})
    assert not set("".join(lines)) & set("\x1b\x07\x00\u202e")
    assert [line for line in lines if line.startswith("  next")] == [f"  next     cli-multi-rapid rerun {record.run}"]


def test_ascii_and_colour(record) -> None:
    record.start("phase1")
    record.step("phase1/lint", status=Status.FAILURE, code=1)
    record.end(Status.FAILURE, code=1)
    logs = {"phase1/lint": Log(path="/runs/1.log", tail="x" * 500)}
    plain = "\n".join(told(record, symbols=ASCII, logs=logs))
    assert plain.startswith("[FAIL] Failed  phase1 - step phase1/lint")
    assert plain.isascii()
    assert told(record, symbols=Symbols(colour=True))[0].startswith("\x1b[31m✗ Failed\x1b[0m  phase1")
