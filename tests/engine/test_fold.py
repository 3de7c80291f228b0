"""State = fold(events)."""

import pytest

from cli_multi_rapid.engine.fold import fold
from cli_multi_rapid.errors import StateDamaged
from cli_multi_rapid.model.events import Kind, NewEvent, payload_of
from cli_multi_rapid.model.run import DEATHS_ALLOWED, Artifact, Status, StepResult
from cli_multi_rapid.testing import RUN_ID
from cli_multi_rapid.testing_memory import MemoryStore


class Log:
    """Records events through a store, so that they are what a real log gives back."""

    def __init__(self):
        self.store = MemoryStore()
        self.add(Kind.RUN_STARTED, phases=[{"name": "a"}, {"name": "b"}])
        self.takes = 0

    def add(self, kind, step="", attempt=0, **payload):
        assert self.store.append(RUN_ID, [NewEvent(kind=kind, step=step, attempt=attempt, payload=payload)])

    def take(self):
        self.takes += 1
        self.add(Kind.RUN_TAKEN, attempt=self.takes, pid=1, host="here")

    def finish(self, step, status=Status.SUCCESS, attempt=1, **more):
        result = StepResult(**({"status": status, "outcome": status} | more))
        self.add(Kind.STEP_FINISHED, step, attempt, **payload_of(result))

    @property
    def state(self):
        return fold(RUN_ID, self.store.events(RUN_ID))


@pytest.fixture
def log():
    return Log()


def test_nothing_recorded_is_a_run_that_has_not_begun():
    state = fold(RUN_ID, ())
    assert (state.id, state.status, state.seq, state.started) == (RUN_ID, Status.PENDING, 0, {})


def test_a_run_from_its_start_to_its_end(log):
    assert log.state.status is Status.RUNNING
    assert log.state.phases == {"a": Status.PENDING, "b": Status.PENDING}
    log.add(Kind.PHASE_STARTED, "a", title="")
    assert log.state.phases["a"] is Status.RUNNING
    log.add(Kind.PHASE_FINISHED, "a", status="failure", reason="")
    log.add(Kind.PHASE_FINISHED, "b", status="skipped", reason="")
    log.add(Kind.RUN_FINISHED, status="failure", exit_code=1)
    state = log.state
    assert state.phases == {"a": Status.FAILURE, "b": Status.SKIPPED}
    assert (state.status, state.exit_code, state.seq) == (Status.FAILURE, 1, 5)


def test_an_attempt_counts_when_it_starts_a_retry_when_it_ended(log):
    log.add(Kind.STEP_STARTED, "a/s", 1, command="", log="")
    assert log.state.step("a/s").status is Status.RUNNING
    log.add(Kind.STEP_RETRIED, "a/s", 1, status="failure", wait_ms=5)
    step = log.state.step("a/s")
    assert (step.status, step.attempt, step.retries) == (Status.PENDING, 1, 1)
    log.add(Kind.STEP_STARTED, "a/s", 2, command="", log="")
    log.add(Kind.STEP_STARTED, "a/s", 3, command="", log="")
    step = log.state.step("a/s")
    assert (step.status, step.attempt, step.retries) == (Status.RUNNING, 3, 1), "the second one was interrupted"


def test_results_come_back_as_they_were_recorded(log):
    result = StepResult(
        status=Status.SUCCESS, outcome=Status.FAILURE, reason="r", fix="f", code=3, outputs={"x": [1, None], "y": "z"},
        artifacts={"cov": Artifact(path="/out/c.json", sha256="ab", size=7)}, duration_ms=4, leftover=1, truncated=True,
    )  # fmt: skip
    log.add(Kind.STEP_FINISHED, "a/s", 1, **payload_of(result))
    assert log.state.step("a/s").result == result
    assert log.state.step("a/s").status is Status.SUCCESS
    assert log.state.ended == ["a/s"]


class TestMatrix:
    @pytest.fixture
    def expanded(self, log):
        log.add(Kind.STEP_EXPANDED, "a/m", matrix=[{"v": "x"}, {"v": "y"}])
        return log

    def test_combinations_are_numbered(self, expanded):
        state = expanded.state
        assert state.step("a/m").instances == ("a/m[0]", "a/m[1]")
        assert [state.step(f"a/m[{n}]").matrix for n in (0, 1)] == [{"v": "x"}, {"v": "y"}]

    def test_the_step_ends_with_its_last_combination(self, expanded):
        expanded.finish("a/m[1]", outputs={"n": 1})
        assert expanded.state.step("a/m").status is Status.PENDING
        assert expanded.state.ended == ["a/m[1]"]
        expanded.finish("a/m[0]", outputs={"n": 0, "only": True})
        state = expanded.state
        assert state.step("a/m").result.outputs == {"n": [0, 1], "only": [True, None]}
        assert state.ended == ["a/m[1]", "a/m[0]", "a/m"]

    @pytest.mark.parametrize(
        ("parts", "whole"),
        [
            ((Status.SUCCESS, Status.SUCCESS), Status.SUCCESS),
            ((Status.SUCCESS, Status.SKIPPED), Status.SUCCESS),
            ((Status.SKIPPED, Status.SKIPPED), Status.SKIPPED),
            ((Status.SUCCESS, Status.ERROR), Status.ERROR),
            ((Status.ERROR, Status.TIMEOUT), Status.TIMEOUT),
            ((Status.TIMEOUT, Status.FAILURE), Status.FAILURE),
            ((Status.FAILURE, Status.CANCELLED), Status.CANCELLED),
        ],
    )
    def test_the_worst_combination_decides(self, expanded, parts, whole):
        for number, status in enumerate(parts):
            expanded.finish(f"a/m[{number}]", status)
        assert expanded.state.step("a/m").status is whole

    def test_a_softened_combination_softens_the_whole(self, expanded):
        expanded.finish("a/m[0]", status=Status.SUCCESS, outcome=Status.FAILURE)
        expanded.finish("a/m[1]")
        result = expanded.state.step("a/m").result
        assert (result.status, result.outcome) == (Status.SUCCESS, Status.FAILURE)


class TestDeaths:
    def test_a_run_that_dies_three_times_is_not_taken_up_again(self, log):
        for death in range(DEATHS_ALLOWED):
            assert log.state.idle_takes == death
            log.take()
        assert log.state.idle_takes == DEATHS_ALLOWED

    def test_a_step_that_ended_is_progress(self, log):
        log.take()
        log.take()
        log.finish("a/s")
        assert log.state.idle_takes == 0
        log.take()
        assert log.state.idle_takes == 1

    def test_starting_or_retrying_a_step_is_none(self, log):
        log.take()
        log.add(Kind.STEP_STARTED, "a/s", 1)
        log.add(Kind.STEP_RETRIED, "a/s", 1)
        assert log.state.idle_takes == 1

    def test_an_orderly_stop_is_no_death(self, log):
        for _ in range(5):
            log.take()
            log.add(Kind.RUN_INTERRUPTED, attempt=log.takes, reason="SIGTERM")
            assert log.state.idle_takes == 0
            assert (log.state.status, log.state.interrupted) == (Status.INTERRUPTED, "SIGTERM")
        log.take()
        assert (log.state.status, log.state.interrupted) == (Status.RUNNING, "")


def test_gates_are_kept_as_they_were_recorded(log):
    log.add(Kind.GATE_FINISHED, "a/gate:cov", 1, id="cov", status="fail", level="standard")
    assert log.state.gates == {"a/gate:cov": {"id": "cov", "status": "fail", "level": "standard"}}


def test_cancelling_is_remembered_whoever_takes_the_run_up(log):
    log.add(Kind.RUN_CANCEL, by="me")
    log.take()
    assert log.state.cancelled


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Kind.RUN_STARTED, {"phases": [{}]}),
        (Kind.RUN_STARTED, {"phases": 3}),
        (Kind.RUN_FINISHED, {}),
        (Kind.RUN_FINISHED, {"status": "odd", "exit_code": 0}),
        (Kind.RUN_FINISHED, {"status": "success", "exit_code": "x"}),
        (Kind.RUN_INTERRUPTED, {}),
        (Kind.PHASE_FINISHED, {"status": "odd"}),
        (Kind.STEP_EXPANDED, {"matrix": 1}),
        (Kind.STEP_FINISHED, {}),
        (Kind.STEP_FINISHED, {"status": "success", "outcome": "success", "invented": 1}),
        (Kind.STEP_FINISHED, {"status": "success", "outcome": "success", "artifacts": []}),
        (Kind.STEP_FINISHED, {"status": "success", "outcome": "success", "artifacts": {"a": {"path": "x"}}}),
    ],
)
def test_an_event_of_another_form_is_damage(kind, payload):
    store = MemoryStore()
    store.append(RUN_ID, [NewEvent(kind=kind, step="a/s", payload=payload)])
    with pytest.raises(StateDamaged, match=f"event 1 of run {RUN_ID}"):
        fold(RUN_ID, store.events(RUN_ID))


def test_what_is_taken_in_before_it_is_stored_gives_the_same_state(log):
    log.add(Kind.STEP_EXPANDED, "a/m", matrix=[{"v": 1}, {"v": 2}])
    log.finish("a/m[0]", outputs={"x": 1})
    log.add(Kind.STEP_STARTED, "a/m[1]", 1, command="c", log="l")
    events = log.store.events(RUN_ID)
    early = fold(RUN_ID, ())
    for event in events:
        early.apply(NewEvent(kind=event.kind, step=event.step, attempt=event.attempt, payload=event.payload))
        early.committed(event)
    assert early == log.state


def test_a_step_ends_once_whatever_is_recorded(log):
    log.finish("a/s", attempt=1)
    log.finish("a/s", Status.SKIPPED, attempt=0)
    assert log.state.ended == ["a/s"]
