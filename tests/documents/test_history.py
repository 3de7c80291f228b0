"""From events to the one view that everything shows."""

import pytest

from cli_multi_rapid.documents.approvals import fact_words
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import Verdict
from cli_multi_rapid.documents.words import Planned, headline, measured, next_commands, signal_name
from cli_multi_rapid.errors import EvidenceMissing, StateDamaged
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level
from cli_multi_rapid.model.run import Artifact, Status


def gate(name: str = "coverage", status: GateStatus = GateStatus.PASS, **more: object) -> GateResult:
    """Return a gate's result at level standard."""
    return GateResult(**({"id": name, "check": "coverage", "level": Level.STANDARD, "status": status} | more))  # type: ignore[arg-type]


def test_a_run_that_passed(record) -> None:
    record.start("phase1", job="default", branch="main", inputs={"phase1": {"fix": False}}, fingerprint="f00")
    record.step("phase1/lint", artifacts={"sarif": Artifact(path="a.sarif", sha256="00", size=3)}, outputs={"n": 1})
    record.gate("phase1", gate())
    record.end(Status.SUCCESS)

    run = view(record.events, alive=False)

    assert (run.status, run.verdict, run.exit_code) == (Status.SUCCESS, Verdict.PASS, 0)
    assert (run.title, run.reason, run.reasons, run.remarks) == ("default", "", (), ())
    assert run.duration_ms == 134_000
    assert run.origin.branch == "main"
    assert run.origin.fingerprint == "f00"
    assert run.head == record.events[-1].hash
    assert run.not_run == ()
    (phase,) = run.phases
    assert (phase.name, phase.title, phase.status) == ("phase1", "Title of phase1", Status.SUCCESS)
    assert phase.inputs == {"fix": False}
    (step,) = phase.steps
    assert (step.id, step.command, step.log) == ("lint", "tool --flag", "phase1.lint.1.log")
    assert step.artifacts["sarif"].size == 3
    assert step.outputs == {"n": 1}
    assert phase.gates == run.gates
    assert next_commands(run) == (f"cli-multi-rapid generate-report {run.run}",)


def test_work_that_no_gate_judged_is_not_a_pass(record) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.end(Status.SUCCESS)
    run = view(record.events, alive=False)
    assert run.verdict is Verdict.UNJUDGED
    assert run.reason == "no gate has judged this run"
    assert headline(run) == "Done, but not judged"


def test_skipped_gates_judge_nothing(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate(status=GateStatus.SKIPPED, summary="nothing to judge"))
    record.end(Status.SUCCESS)
    run = view(record.events, alive=False)
    assert run.verdict is Verdict.UNJUDGED
    assert [(one.kind, one.name, one.reason) for one in run.not_run] == [
        ("gate", "phase1/gate:coverage", "nothing to judge")
    ]


def test_a_failed_step_with_its_attempts(record) -> None:
    record.start("phase1", inputs={"phase1": {"fix": False}})
    record.add(Kind.STEP_STARTED, "phase1/lint", attempt=1, command="ruff", log="1.log")
    record.add(
        Kind.STEP_RETRIED, "phase1/lint", attempt=1, status="timeout", reason="timed out", wait_ms=5, duration_ms=9
    )
    record.step("phase1/lint", status=Status.FAILURE, attempt=2, code=1)
    record.end(Status.FAILURE, code=1)
    run = view(record.events, alive=False)
    (step,) = run.failed_steps
    assert [(one.number, one.status) for one in step.attempts] == [(1, Status.TIMEOUT), (2, Status.FAILURE)]
    assert step.log == "phase1.lint.2.log"
    assert run.reason == "step phase1/lint failed: exit code 1"
    assert run.verdict is Verdict.FAIL
    assert next_commands(run) == (
        f"cli-multi-rapid rerun {run.run}",
        "cli-multi-rapid run-phase phase1 --input fix=true",
    )


def test_fix_is_not_offered_where_it_was_on(record) -> None:
    record.start("phase1", inputs={"phase1": {"fix": True}})
    record.step("phase1/lint", status=Status.FAILURE, code=1)
    record.end(Status.FAILURE, code=1)
    assert next_commands(view(record.events, alive=False)) == (f"cli-multi-rapid rerun {record.run}",)


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (GateStatus.FAIL, Verdict.FAIL, "gate coverage failed: observed 83.9, needed 85"),
        (GateStatus.ERROR, Verdict.ERROR, "gate coverage could not be evaluated: observed 83.9, needed 85"),
    ],
)
def test_a_gate_that_blocks(record, status: GateStatus, verdict: Verdict, words: str) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.gate("phase1", gate(status=status, observed=83.9, threshold=85.0))
    record.end(Status.FAILURE if status is GateStatus.FAIL else Status.ERROR, code=1)
    run = view(record.events, alive=False)
    assert (run.verdict, run.reasons) == (verdict, (words,))


def test_a_blocking_gate_outranks_a_recorded_success(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate(status=GateStatus.FAIL))
    record.end(Status.SUCCESS)
    assert view(record.events, alive=False).verdict is Verdict.FAIL


def test_a_failed_gate_stands_before_one_that_could_not_be_evaluated(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate("first", GateStatus.ERROR))
    record.gate("phase1", gate("second", GateStatus.FAIL))
    record.end(Status.FAILURE, code=1)
    run = view(record.events, alive=False)
    assert [one.result.id for one in run.blocking_gates] == ["second", "first"]
    assert run.verdict is Verdict.FAIL


def test_what_does_not_block_is_a_warning(record) -> None:
    record.start("phase1")
    record.step("phase1/notify", outcome=Status.FAILURE, code=22)
    record.gate("phase1", gate())
    record.gate("phase1", gate("types", GateStatus.FAIL, level=Level.ADVISORY, findings_total=7))
    record.gate("phase1", gate("size", GateStatus.WARN, summary="large"))
    record.end(Status.SUCCESS)
    run = view(record.events, alive=False)
    assert run.verdict is Verdict.WARN
    assert run.warnings == 3
    assert run.reasons == ()
    assert run.remarks == (
        "step phase1/notify failed: exit code 22; the spec allows it",
        "gate types failed: 7 findings; advisory, so it does not block",
        "gate size warned: large",
    )


def test_a_gate_of_the_whole_project_belongs_to_no_phase(record) -> None:
    record.add(Kind.RUN_STARTED, level="strict")
    record.gate("", gate())
    record.add(Kind.RUN_FINISHED, status="success", exit_code=0, duration_ms=5)
    run = view(record.events, alive=False)
    assert (run.verdict, run.title, run.phases) == (Verdict.PASS, "compliance", ())
    assert run.gates[0].key == "gate:coverage"


@pytest.mark.parametrize(("alive", "status"), [(True, Status.RUNNING), (False, Status.INTERRUPTED)])
def test_a_run_that_has_not_ended(record, alive: bool, status: Status) -> None:
    record.start("phase1", "phase2")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="1.log")
    run = view(record.events, alive=alive)
    assert (run.status, run.verdict) == (status, Verdict.UNFINISHED)
    assert run.phases[0].steps[0].status is status
    assert run.exit_code is None
    assert run.duration_ms == 4000


def test_an_interruption_says_by_what(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="1.log")
    record.add(Kind.RUN_INTERRUPTED, attempt=1, reason="SIGTERM")
    run = view(record.events, alive=False)
    assert run.reason == "interrupted by SIGTERM"
    assert next_commands(run) == (f"cli-multi-rapid resume {run.run}",)


def test_a_run_without_a_last_word_says_that_its_program_is_gone(record) -> None:
    record.start("phase1")
    assert view(record.events, alive=False).reason == "the program that ran it is gone"


def test_a_resumed_run_keeps_the_attempt_that_was_cut_off(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="1.log")
    record.add(Kind.RUN_TAKEN, attempt=2)
    record.step("phase1/test", attempt=2)
    record.end(Status.SUCCESS)
    run = view(record.events, alive=False)
    (step,) = run.steps
    assert [one.status for one in step.attempts] == [Status.INTERRUPTED, Status.SUCCESS]
    assert (run.taken, step.log) == (2, "phase1.test.2.log")


def test_deaths_without_progress_make_a_run_stuck(record) -> None:
    record.start("phase1")
    for fence in (2, 3):
        record.add(Kind.RUN_TAKEN, attempt=fence)
    assert view(record.events, alive=False).status is Status.INTERRUPTED
    run = view(record.events, alive=False, stuck_after=3)
    assert (run.status, headline(run)) == (Status.STUCK, "Stuck")
    assert run.reason == "it was taken up 3 times and died again without finishing a step"
    assert next_commands(run) == (f"cli-multi-rapid rerun {run.run}",)
    assert view(record.events, alive=True, stuck_after=3).status is Status.RUNNING


def test_a_step_that_ends_is_progress(record) -> None:
    record.start("phase1")
    record.add(Kind.RUN_TAKEN, attempt=2)
    record.step("phase1/lint")
    record.add(Kind.RUN_TAKEN, attempt=3)
    assert view(record.events, alive=False, stuck_after=3).status is Status.INTERRUPTED


def wait(record, attempt: int = 1, **more: object) -> None:
    """Record that phase1/review waits, and with it the run."""
    payload = {"by": ["leads"], "not_author": True, "expires_at": "2026-03-15T09:26:53.000+00:00", "tree": "t" * 40,
               "fingerprint": "f" * 64, "ref": "refs/cmr/R/0001.x", "warnings": ["v is left out"]}  # fmt: skip
    record.add(Kind.STEP_WAITING, "phase1/review", attempt=attempt, **(payload | more))
    record.add(Kind.RUN_WAITING, attempt=attempt, steps=["phase1/review"])


def decide(record, attempt: int = 1, decision: str = "approved", **more: object) -> None:
    payload = {"decision": decision, "by": {"user": "l", "name": "Lead", "email": "l@x"}, "reason": "ok", "tree": "t",
               "fingerprint": "f", "key": "", "signature": ""}  # fmt: skip
    record.add(Kind.STEP_APPROVED, "phase1/review", attempt=attempt, **(payload | more))


def test_a_run_that_waits_for_a_person(record) -> None:
    record.start("phase1")
    wait(record)
    run = view(record.events, alive=False, stuck_after=1)
    assert (run.status, run.verdict, headline(run)) == (Status.WAITING, Verdict.UNFINISHED, "Waiting")
    assert [step.key for step in run.waiting_steps] == ["phase1/review"]
    assert run.reason == (
        "step phase1/review waits for approval by leads until 2026-03-15 09:26 UTC, but not by who started the run or "
        "wrote the commit"
    )
    assert run.remarks == ("step phase1/review: v is left out",)
    assert run.phases[0].status is Status.WAITING
    assert next_commands(run) == (
        f"cli-multi-rapid approve {record.run} phase1/review", f"cli-multi-rapid resume {record.run}",
    )  # fmt: skip
    assert view(record.events, alive=True).status is Status.RUNNING


def test_a_decision_that_nobody_has_taken_in_yet(record) -> None:
    record.start("phase1")
    wait(record)
    decide(record)
    decide(record, decision="rejected")
    run = view(record.events, alive=False)
    assert run.reason == "step phase1/review was approved by Lead <l@x>: ok; it ends when the run is taken up"
    assert next_commands(run) == (f"cli-multi-rapid resume {record.run}",)
    record.add(Kind.RUN_TAKEN, attempt=2)
    wait(record, 2, changed=["a", "b"], changed_total=9, voided=True, by=[], not_author=False, expires_at="")
    run = view(record.events, alive=False)
    assert run.reason == (
        "step phase1/review waits for anybody's approval; anew, because since it was approved these files changed: "
        "a, b and 7 more"
    )
    decide(record, 1)
    assert run.steps[0].approval.decision == ""


def test_a_waiting_run_that_was_cancelled_is_taken_up_to_end(record) -> None:
    record.start("phase1")
    wait(record)
    record.add(Kind.RUN_CANCEL, by="ann")
    run = view(record.events, alive=False)
    assert run.reasons[0] == "cancelled by ann"
    assert next_commands(run) == (f"cli-multi-rapid resume {record.run}",)


def test_who_approved_stays_with_the_step(record) -> None:
    record.start("phase1")
    wait(record)
    decide(record, key="SHA256:k")
    record.finish("phase1/review", status=Status.SUCCESS, attempt=0, reason="approved by Lead <l@x>: ok")
    record.end(Status.SUCCESS)
    (step,) = view(record.events, alive=False).steps
    assert (step.status, step.approval.who, step.approval.key) == (Status.SUCCESS, "Lead <l@x>", "SHA256:k")
    assert fact_words(step.approval) == (
        "approved 2026-03-14 09:26 UTC, signed with SHA256:k, fingerprint ffffffffffff, tree tttttttttttt"
    )


def test_a_cancelled_run(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="1.log")
    record.add(Kind.RUN_CANCEL, by="mira")
    record.finish("phase1/test", status=Status.CANCELLED, reason="the run was cancelled")
    record.end(Status.CANCELLED, code=1)
    run = view(record.events, alive=False)
    assert (run.reason, headline(run), run.verdict) == ("cancelled by mira", "Cancelled", Verdict.FAIL)


def test_a_matrix_stands_as_its_combinations(record) -> None:
    record.start("phase1")
    record.add(Kind.STEP_EXPANDED, "phase1/test", matrix=[{"python": "3.11"}, {"python": "3.13"}])
    record.step("phase1/test[0]")
    run = view(record.events, alive=False)
    assert [(step.id, step.matrix, step.status) for step in run.steps] == [
        ("test[0]", {"python": "3.11"}, Status.SUCCESS),
        ("test[1]", {"python": "3.13"}, Status.PENDING),
    ]
    assert [one.name for one in run.not_run] == ["phase1/test[1]"]


def test_what_was_planned_and_not_reached_is_named(record) -> None:
    record.start("phase1")
    record.add(Kind.PHASE_FINISHED, "phase2", status="skipped", reason="needs phase1, which did not succeed")
    record.step("phase1/lint", status=Status.FAILURE)
    record.finish("phase1/publish", status=Status.SKIPPED, attempt=0, reason="its condition is false")
    record.end(Status.FAILURE, code=1)
    planned = {"phase1": Planned(steps=("lint", "test", "publish"), gates=("coverage",))}
    run = view(record.events, alive=False, planned=planned)
    assert [(one.kind, one.name, one.reason) for one in run.not_run] == [
        ("step", "phase1/publish", "its condition is false"),
        ("step", "phase1/test", "was not reached"),
        ("gate", "phase1/gate:coverage", "was not reached"),
        ("phase", "phase2", "needs phase1, which did not succeed"),
    ]


def test_a_phase_that_was_never_reached(record) -> None:
    record.add(Kind.RUN_STARTED, phases=[{"name": "phase1", "title": "One", "path": "p", "text": ""}])
    run = view(record.events, alive=False)
    assert run.phases[0].status is Status.PENDING
    assert run.not_run[0].reason == "was not reached"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Kind.GATE_FINISHED, {"id": "coverage", "level": "standard", "status": "green"}),
        (Kind.GATE_FINISHED, {"id": "coverage", "level": "standard"}),
        (Kind.GATE_FINISHED, {"level": "standard", "status": "pass", "observed": "much"}),
        (Kind.GATE_FINISHED, {"level": "standard", "status": "pass", "findings": "none"}),
        (Kind.GATE_FINISHED, {"level": "standard", "status": "pass", "summary": 3}),
        (Kind.STEP_FINISHED, {"status": "fine"}),
        (Kind.STEP_FINISHED, {"status": "success", "artifacts": {"a": "b"}}),
        (Kind.STEP_FINISHED, {"status": "success", "code": "0"}),
        (Kind.STEP_FINISHED, {"status": "success", "outputs": []}),
    ],
)
def test_a_record_that_cannot_be_read_is_damage_and_never_a_pass(
    record, kind: Kind, payload: dict[str, object]
) -> None:
    record.start("phase1")
    record.add(kind, "phase1/gate:coverage" if kind is Kind.GATE_FINISHED else "phase1/lint", **payload)
    with pytest.raises(StateDamaged):
        view(record.events, alive=False)


def test_no_events_no_view() -> None:
    nothing: list[Event] = []
    with pytest.raises(EvidenceMissing):
        view(nothing, alive=False)


def test_words_of_gates_and_signals() -> None:
    assert measured(gate()) == ""
    assert measured(gate(observed=402.0)) == "observed 402"
    assert signal_name(9) == "SIGKILL"
    assert signal_name(4000) == "signal 4000"
