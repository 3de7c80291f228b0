"""States before and after steps that write, and the promise of those that do not; on fakes."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from cli_multi_rapid.engine.guard import _within
from cli_multi_rapid.engine.recovery import Choice, half_done, made_whole
from cli_multi_rapid.errors import GitFailed, StepHalfDone
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.process import Exit
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.testing import FAILS, HANGS, RUN_ID, Act, phase, retry, step
from cli_multi_rapid.testing_memory import MemoryCheckpoints


@pytest.fixture
def files():
    return MemoryCheckpoints(a="1", b="1")


def changing(files, act=None, **contents):
    """Script a child that changes files now."""

    def script(command):
        files.files.update(contents)
        files.times.update(dict.fromkeys(contents, time.time()))
        return act or Act()

    return script


def payload(drill, kind, key=""):
    return next(event.payload for event in drill.store.events(RUN_ID) if event.kind is kind and event.step == key)


class TestWriting:
    def test_a_step_runs_between_two_states(self, drill, files):
        one = drill(phase("p", "x"), scripts={"p/x": changing(files, a="2")}, checkpoints=files)
        state = one.drive()
        began, ended = payload(one, Kind.STEP_STARTED, "p/x"), payload(one, Kind.STEP_FINISHED, "p/x")
        assert files.kept == ["p/x before attempt 1", "p/x after attempt 1"]
        assert (began["before"], ended["after"], ended["changed"]) == ("c1", "c2", 1)
        assert state.tree == ended["tree"] == files.tree()
        assert not state.step("p/x").half_done

    def test_the_next_step_begins_with_the_state_the_last_one_left(self, drill, files):
        one = drill(phase("p", "x", "y"), checkpoints=files)
        one.drive()
        assert files.kept == ["p/x before attempt 1", "p/x after attempt 1", "p/y after attempt 1"]
        assert payload(one, Kind.STEP_STARTED, "p/y")["before"] == "c2"

    def test_after_other_steps_the_state_is_taken_anew(self, drill, files, reader):
        one = drill(phase("p", "x", reader("r", needs=("x",)), step("y", needs=("r",))), checkpoints=files)
        one.drive()
        assert "p/y before attempt 1" in files.kept

    def test_changes_outside_of_what_it_may_change_are_named(self, drill, files):
        one = drill(
            phase("p", step("x", writes=("a",))), scripts={"p/x": changing(files, a="2", b="2")}, checkpoints=files
        )
        assert one.drive().status is Status.SUCCESS
        (warning,) = payload(one, Kind.STEP_FINISHED, "p/x")["warnings"]
        assert warning.endswith("were changed: b")

    def test_what_cannot_be_kept_is_refused(self, drill, files):
        files.files["foreign/x"] = "1"
        one = drill(phase("p", step("x", writes=("a",)), "y"), checkpoints=files)
        state = one.drive()
        assert one.children.started() == ["p/x"]
        assert (state.exit_code, state.step("p/y").status) == (3, Status.ERROR)
        assert "foreign is a repository of its own" in state.step("p/y").result.reason

    def test_what_is_refused_may_be_allowed_to_fail(self, drill, files):
        files.files["foreign/x"] = "1"
        one = drill(phase("p", step("x", continue_on_error=True)), checkpoints=files)
        assert one.drive().exit_code == 0

    def test_a_state_that_cannot_be_kept_stops_the_run(self, drill, files, monkeypatch):
        def broken(label):
            raise GitFailed("disk full")

        monkeypatch.setattr(files, "take", broken)
        one = drill(phase("p", "x"), checkpoints=files)
        with pytest.raises(GitFailed, match="disk full"):
            one.drive()
        assert one.children.started() == []
        assert one.state().status is Status.RUNNING

    def test_without_a_repository_nothing_is_kept(self, drill, reader):
        one = drill(phase("p", "x", reader("r")))
        assert one.drive().status is Status.SUCCESS
        assert "before" not in payload(one, Kind.STEP_STARTED, "p/x")


class TestRetrying:
    def test_what_a_failed_attempt_changed_is_taken_back(self, drill, files, record):
        def script(command):
            assert files.files["a"] == "1"
            files.files["a"] = "half"
            return FAILS if command.env["CMR_ATTEMPT"] == "1" else Act()

        one = drill(phase("p", step("x", writes=("a",), retry=retry(2))), scripts={"p/x": script}, checkpoints=files)
        assert one.drive().status is Status.SUCCESS
        assert record(one)[3:7] == [
            "step.started p/x", "step.retried p/x", "step.restored p/x", "step.started p/x",
        ]  # fmt: skip
        assert payload(one, Kind.STEP_RESTORED, "p/x")["paths"] == ["a"]

    def test_a_step_that_does_not_say_what_it_changes_goes_on_with_what_is_there(self, drill, files):
        def script(command):
            files.files["a"] += "+"
            return FAILS if command.env["CMR_ATTEMPT"] == "1" else Act()

        one = drill(phase("p", step("x", retry=retry(2))), scripts={"p/x": script}, checkpoints=files)
        one.drive()
        assert files.files["a"] == "1++"


class TestPromises:
    def test_a_step_that_changes_what_it_promised_not_to_fails(self, drill, files, reader, record):
        one = drill(
            phase("p", reader("x"), step("y", needs=("x",)), gates=("g",)),
            scripts={"p/x": changing(files, a="2", new="2")}, checkpoints=files,
        )  # fmt: skip
        state = one.drive()
        assert one.children.started() == ["p/x"]
        assert (state.exit_code, state.step("p/x").status, state.step("p/y").status) == (
            1, Status.FAILURE, Status.SKIPPED,
        )  # fmt: skip
        assert "a, new" in state.step("p/x").result.reason
        assert "step.refuted p/x" in record(one)
        assert one.gates.asked == []

    def test_it_is_checked_before_the_gates(self, drill, files, reader):
        one = drill(phase("p", reader("x"), gates=("g",)), scripts={"p/x": changing(files, a="2")}, checkpoints=files)
        assert one.drive().exit_code == 1
        assert one.gates.asked == []

    def test_a_final_step_is_checked_too(self, drill, files, reader):
        one = drill(
            phase("p", "x", finally_=(reader("z"),)), scripts={"p/z": changing(files, a="2")}, checkpoints=files
        )
        assert one.drive().exit_code == 1

    def test_it_may_be_allowed_to_fail(self, drill, files, reader):
        one = drill(
            phase("p", reader("x", continue_on_error=True)), scripts={"p/x": changing(files, a="2")}, checkpoints=files
        )
        state = one.drive()
        assert (state.exit_code, state.step("p/x").result.outcome) == (0, Status.FAILURE)

    def test_only_those_that_ran_at_that_moment_are_blamed(self, drill, files, reader):
        one = drill(
            phase("p", reader("x"), reader("y", needs=("x",)), reader("z", needs=("y",))),
            scripts={"p/x": Act(turns=400), "p/y": changing(files, a="2"), "p/z": Act(turns=400)}, checkpoints=files,
        )  # fmt: skip
        state = one.drive()
        assert state.step("p/y").status is Status.FAILURE
        assert state.status is Status.FAILURE

    def test_a_change_while_nothing_ran_is_nobodys(self, drill, files, reader):
        files.times["a"] = 1.0
        one = drill(
            phase("p", reader("x")), scripts={"p/x": lambda _: files.files.update(a="2") or Act()}, checkpoints=files
        )
        assert one.drive().exit_code == 0

    def test_a_matrix_step_fails_with_one_of_its_combinations(self, drill, files, reader):
        one = drill(
            phase("p", reader("m", matrix={"v": (1, 2)})), scripts={"p/m[1]": changing(files, a="2")}, checkpoints=files
        )
        state = one.drive()
        assert state.step("p/m").status is Status.FAILURE

    def test_one_that_still_runs_is_remembered(self, drill, files, reader):
        """A phase ends, so the tree is looked at, while a step of another one has broken its promise and goes on."""
        scripts = {"b/x": lambda _: changing(files, a="2")(_) and HANGS}
        one = drill(phase("a", reader("x")), phase("b", reader("x")), scripts=scripts, checkpoints=files)

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.observer.until(Kind.PHASE_FINISHED, "a")
            one.children.release("b/x")
            return await driving

        assert asyncio.run(main()).phases["b"] is Status.FAILURE

    def test_what_was_not_checked_before_a_crash_is_checked_after_it(self, drill, again, files, reader, record):
        one = drill(phase("p", reader("x"), gates=("g",)), scripts={"p/x": changing(files, a="2")}, checkpoints=files)
        one.drive()
        ended = next(event.seq for event in one.store.events(RUN_ID) if event.kind is Kind.STEP_FINISHED)
        second = again(one, checkpoints=files)
        second.store = one.store.as_of(RUN_ID, ended)
        state = second.drive()
        assert state.step("p/x").status is Status.FAILURE
        assert second.children.started() == []

    def test_an_unchanged_tree_costs_one_look_a_group(self, drill, files, reader, record):
        one = drill(phase("p", reader("x"), reader("y"), gates=("g",)), checkpoints=files)
        assert one.drive().status is Status.SUCCESS
        assert files.kept == []
        assert record(one).count("tree.seen") == 1

    def test_when_an_instant_lies_in_a_span(self):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        text = at.isoformat(timespec="milliseconds")
        assert _within(at.timestamp() - 0.01, text, "")
        assert not _within(at.timestamp() - 1, text, "")
        assert not _within(at.timestamp() + 1, text, text)
        assert _within(None, text, text)
        assert _within(1.0, "", "")


class TestRecovery:
    def stopped(self, drill, files, made, interrupted):
        one = drill(phase("p", made), scripts={"p/x": lambda _: changing(files, a="half", b="half")(_) and HANGS},
                    checkpoints=files)  # fmt: skip
        state = interrupted(one, at="p/x")
        (found,) = half_done(state, one.runner().graph)
        return one, state, found

    def settle(self, files, state, found, *, choice=Choice.ASK, cancelled=False):
        return made_whole(found, files, choice=choice, tree=state.tree, cancelled=cancelled)

    def test_what_the_step_says_it_changes_is_put_back(self, drill, files, interrupted):
        one, state, found = self.stopped(drill, files, step("x", writes=("a",)), interrupted)
        event = self.settle(files, state, found)
        assert files.files == {"a": "1", "b": "half"}
        assert (event.kind, event.step, event.attempt) == (Kind.STEP_RESTORED, "p/x", 1)
        assert event.payload["left"] == ["b"]
        state.apply(event)
        assert list(half_done(state, one.runner().graph)) == []

    def test_somebody_has_to_decide_about_a_step_that_does_not(self, drill, files, interrupted):
        _, state, found = self.stopped(drill, files, step("x"), interrupted)
        with pytest.raises(StepHalfDone, match=r"p/x was interrupted .* these changed: a, b") as raised:
            self.settle(files, state, found)
        assert raised.value.exit_code == 4
        assert files.files == {"a": "half", "b": "half"}
        assert self.settle(files, state, found, choice=Choice.KEEP).payload == {"choice": "keep"}
        assert files.files == {"a": "half", "b": "half"}
        assert self.settle(files, state, found, choice=Choice.RESTORE).payload["paths"] == ["a", "b"]
        assert files.files == {"a": "1", "b": "1"}

    def test_nobody_has_to_decide_where_nothing_changed(self, drill, files, interrupted):
        _, state, found = self.stopped(drill, files, step("x"), interrupted)
        files.files.update(a="1", b="1")
        assert self.settle(files, state, found) is None

    def test_nor_for_a_step_that_will_not_run_again(self, drill, files, interrupted):
        _, state, found = self.stopped(drill, files, step("x"), interrupted)
        assert self.settle(files, state, found, cancelled=True) is None

    def test_an_attempt_that_was_to_be_tried_again(self, drill, again, files):
        one = drill(phase("p", step("x", writes=("a",), retry=retry(2))),
                    scripts={"p/x": changing(files, FAILS, a="half")}, checkpoints=files)  # fmt: skip
        one.drive()
        retried = next(event.seq for event in one.store.events(RUN_ID) if event.kind is Kind.STEP_RETRIED)
        second = again(one, checkpoints=files)
        second.store = one.store.as_of(RUN_ID, retried)
        files.files["a"] = "half"
        (found,) = half_done(second.state(), one.runner().graph)
        assert not found.interrupted
        self.settle(files, second.state(), found)
        assert files.files["a"] == "1"

    def test_steps_that_ended_or_write_nothing_owe_nothing(self, drill, files, reader):
        one = drill(phase("p", "x", reader("y")), checkpoints=files)
        state = one.drive()
        assert list(half_done(state, one.runner().graph)) == []


def test_a_step_that_ends_by_a_signal_leaves_its_state(drill, files):
    one = drill(phase("p", "x"), scripts={"p/x": changing(files, Act(exit=Exit(signal=9)), a="2")}, checkpoints=files)
    assert one.drive().exit_code == 1
    assert payload(one, Kind.STEP_FINISHED, "p/x")["changed"] == 1
