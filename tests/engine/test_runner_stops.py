"""Runs that do not come to their end by themselves: cancelled, interrupted, or in trouble."""

import asyncio

import pytest

from cli_multi_rapid.engine import runner
from cli_multi_rapid.errors import Fenced, StateUnwritable
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.testing import (
    FAILS,
    HANGS,
    RUN_ID,
    Act,
    MemoryStore,
    ScriptedGates,
    phase,
    retry,
    step,
)


class TestCancel:
    def test_what_runs_is_stopped_the_rest_does_not_start_and_the_end_is_kept(self, drill, statuses, cancelled):
        last = step("z", env={"STATUS": "${{ run.status }}"})
        one = drill(phase("a", "x", "y", gates=("g",), finally_=(last,)), phase("b", "x"), scripts={"a/x": HANGS})

        state = cancelled(one, at="a/x")
        assert (state.status, state.exit_code) == (Status.CANCELLED, 1)
        assert state.phases == {"a": Status.CANCELLED, "b": Status.CANCELLED}
        assert statuses(state) | {"b/x": ""} == {"a/x": "cancelled", "a/y": "skipped", "a/z": "success", "b/x": ""}
        assert ("stop", "a/x") in one.children.trace
        assert one.children.commands[-1].env["STATUS"] == "cancelled"
        assert one.gates.asked == []
        assert one.observer.events.count(one.store.events(RUN_ID)[-1]) == 1

    def test_it_is_noticed_also_while_steps_keep_ending(self, drill):
        names = [f"s{number}" for number in range(50)]

        def act(command):
            one.cancel()
            return Act()

        one = drill(phase("a", *names), scripts={"a/s3": act})
        assert one.drive().status is Status.CANCELLED
        assert one.children.started() == ["a/s0", "a/s1", "a/s2", "a/s3"]

    def test_no_further_combination_of_a_matrix_starts(self, drill, statuses, cancelled):
        many = step("m", matrix={"v": (1, 2, 3)})
        one = drill(phase("a", many), scripts={"a/m[0]": Act(), "a/m[1]": HANGS})

        state = cancelled(one, at="a/m[1]")
        assert one.children.started() == ["a/m[0]", "a/m[1]"]
        found = statuses(state)
        assert found.pop("a/m[2]") in {"skipped", "cancelled"}
        assert found == {"a/m": "cancelled", "a/m[0]": "success", "a/m[1]": "cancelled"}

    @pytest.mark.parametrize("final", [True, False])
    def test_a_matrix_that_is_to_run_all_the_same_does(self, drill, cancelled, final):
        cleaning = step("m", matrix={"v": (1, 2)}, if_=None if final else "always()")
        spec = phase("a", "x", finally_=(cleaning,)) if final else phase("a", "x", cleaning)
        one = drill(spec, scripts={"a/x": HANGS})
        assert cancelled(one, at="a/x").status is Status.CANCELLED
        assert one.children.started() == ["a/x", "a/m[0]", "a/m[1]"]

    def test_a_stubborn_child_makes_no_room_for_the_next_combination(self, drill, reader, cancelled):
        """Stopping takes up to a second; nothing may start meanwhile."""
        one = drill(phase("a", reader("m", matrix={"v": (1, 2, 3)})), plan={"parallel": 2})

        class Stubborn(type(one.children)):
            async def run(self, command, *, on_output=None):
                try:
                    return await super().run(command, on_output=on_output)
                except asyncio.CancelledError:
                    if command.tag.endswith("[0]"):
                        for _ in range(50):
                            await asyncio.sleep(0)
                    raise

        one.children = Stubborn({f"a/m[{n}]": HANGS for n in range(3)})

        assert cancelled(one, at="a/m[1]").status is Status.CANCELLED
        assert one.children.started() == ["a/m[0]", "a/m[1]"]

    def test_steps_that_ask_for_it_run_in_a_cancelled_run(self, drill, cancelled):
        one = drill(
            phase("a", "x", step("y", if_="cancelled()"), step("z", if_="always()"), step("n", if_="failure()")),
            scripts={"a/x": HANGS},
        )

        cancelled(one, at="a/x")
        assert one.children.started() == ["a/x", "a/y", "a/z"], "as on GitHub, a cancellation is no failure"

    def test_a_run_that_was_cancelled_while_nobody_worked_on_it_ends_when_it_is_taken_up(
        self, drill, again, interrupted
    ):
        one = drill(phase("a", "x", "y", finally_=(step("z"),)), scripts={"a/y": HANGS})
        interrupted(one, at="a/y")
        one.cancel()
        second = again(one)
        state = second.drive()
        assert state.status is Status.CANCELLED
        assert second.children.started() == ["a/z"]
        assert state.step("a/x").status is Status.SUCCESS

    def test_a_retry_is_not_waited_for(self, drill):
        one = drill(phase("a", step("x", retry=retry(2, initial="1d", max="1d"))), scripts={"a/x": FAILS})

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.observer.until(Kind.STEP_RETRIED, "a/x")
            one.cancel()
            return await driving

        assert asyncio.run(main()).step("a/x").status is Status.CANCELLED

    def test_softening_does_not_hide_it(self, drill, cancelled):
        one = drill(phase("a", step("x", continue_on_error=True)), scripts={"a/x": HANGS})

        assert cancelled(one, at="a/x").step("a/x").status is Status.CANCELLED


class TestInterruption:
    def test_the_run_can_be_taken_up_where_it_was(self, drill, again, record, interrupted):
        one = drill(phase("a", "x", "y", "z"), scripts={"a/y": HANGS})
        state = interrupted(one, at="a/y")
        assert (state.status, state.interrupted, state.exit_code) == (Status.INTERRUPTED, "SIGTERM", None)
        assert record(one)[-2:] == ["step.started a/y", "run.interrupted"]
        assert one.children.trace[-1] == ("stop", "a/y")

        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert second.children.started() == ["a/y", "a/z"]
        assert second.children.commands[0].env["CMR_ATTEMPT"] == "2"

    def test_finals_run_and_run_again_when_the_run_ends(self, drill, again, record, interrupted):
        finals = (step("z"), step("no", if_="success()"), step("stopped", if_="cancelled()"))
        one = drill(phase("a", "x", finally_=finals), scripts={"a/x": HANGS})
        state = interrupted(one, at="a/x")
        assert one.children.started() == ["a/x", "a/z", "a/stopped"]
        assert record(one)[-5:] == [
            "run.interrupted", "step.started a/z", "step.interim a/z", "step.started a/stopped",
            "step.interim a/stopped",
        ]  # fmt: skip
        assert (state.status, state.step("a/z").status) == (Status.INTERRUPTED, Status.PENDING)

        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert second.children.started() == ["a/x", "a/z", "a/no"]
        assert second.state().step("a/stopped").status is Status.SKIPPED

    def test_finals_of_a_matrix_that_fail_or_hang(self, drill, interrupted, monkeypatch):
        monkeypatch.setattr(runner, "STOPPING_S", 0.05)
        finals = (step("z", matrix={"v": (1, 2)}, if_="always()"), step("never"))
        scripts = {"a/x": HANGS, "a/z[0]": FAILS, "a/z[1]": HANGS}
        one = drill(phase("a", "x", finally_=finals), scripts=scripts)
        interrupted(one, at="a/x")
        assert one.children.trace[-1] == ("stop", "a/z[1]")
        ends = [event.payload["status"] for event in one.store.events(RUN_ID) if event.kind is Kind.STEP_INTERIM]
        assert ends == ["failure", "timeout"]

    def test_a_phase_that_has_not_begun_has_no_finals(self, drill, interrupted):
        one = drill(phase("a", "x"), phase("b", "x", needs=("a",), finally_=(step("z"),)), scripts={"a/x": HANGS})
        interrupted(one, at="a/x")
        assert one.children.started() == ["a/x"]

    def test_before_anything_began(self, drill, again, record):
        one = drill(phase("a", "x"))

        async def main():
            runner = one.runner()
            runner.interrupt("SIGINT")
            return await runner.drive()

        assert asyncio.run(main()).status is Status.INTERRUPTED
        assert record(one) == ["run.started", "run.taken", "run.interrupted"]
        assert again(one).drive().status is Status.SUCCESS

    def test_what_ended_at_that_moment_is_kept(self, drill, again, reader):
        one = drill(phase("a", reader("x"), reader("y")), scripts={"a/x": HANGS, "a/y": HANGS})

        async def main():
            runner = one.runner()
            driving = asyncio.create_task(runner.drive())
            await one.children.until("start", "a/y")
            one.children.release("a/x")
            await one.children.until("end", "a/x")
            runner.interrupt("SIGINT")
            return await driving

        state = asyncio.run(main())
        assert state.step("a/x").status is Status.SUCCESS
        assert state.step("a/y").status is Status.RUNNING
        second = again(one)
        second.drive()
        assert second.children.started() == ["a/y"]

    def test_the_first_reason_counts_and_each_interruption_is_recorded(self, drill, again, record):
        one = drill(phase("a", "x"), scripts={"a/x": HANGS})

        async def main(drill):
            runner = drill.runner()
            driving = asyncio.create_task(runner.drive())
            await drill.children.until("start", "a/x")
            runner.interrupt("SIGINT")
            runner.interrupt("SIGTERM")
            return await driving

        assert asyncio.run(main(one)).interrupted == "SIGINT"
        second = again(one, scripts={"a/x": HANGS})
        asyncio.run(main(second))
        assert record(one).count("run.interrupted") == 2
        assert second.state().idle_takes == 0

    def test_a_cancelled_run_that_is_interrupted_while_it_stops_is_still_cancelled(self, drill, again):
        one = drill(phase("a", "x", finally_=(step("z"),)), scripts={"a/x": HANGS, "a/z": HANGS})

        async def main():
            runner = one.runner()
            driving = asyncio.create_task(runner.drive())
            await one.children.until("start", "a/x")
            one.cancel()
            await one.children.until("start", "a/z")
            runner.interrupt("SIGINT")
            return await driving

        assert asyncio.run(main()).status is Status.INTERRUPTED
        second = again(one)
        assert second.drive().status is Status.CANCELLED
        assert second.children.started() == ["a/z"]


class Breaking(MemoryStore):
    """A log that cannot be written any more when something certain is to be recorded."""

    def __init__(self, kind, step, error):
        super().__init__()
        self._at = (kind, step)
        self._error = error

    def append(self, run, events, *, fence=None):
        if any((event.kind, event.step) == self._at for event in events):
            raise self._error
        return super().append(run, events, fence=fence)


def broken(drill, *, at=""):
    """Drive a run until it breaks, with its first child running, and return the error and the trace at that moment."""

    async def main():
        driving = asyncio.create_task(drill.runner().drive())
        if at:
            await drill.children.until("start", at)
        try:
            await driving
        except (StateUnwritable, Fenced, LookupError) as error:
            return error, list(drill.children.trace)

    return asyncio.run(main())


class TestTrouble:
    """Whatever ends the orchestrator's work early: no child goes on, and nothing is claimed that is not recorded."""

    @pytest.mark.parametrize("error", [StateUnwritable("disk full"), Fenced("taken")])
    @pytest.mark.parametrize("kind", [Kind.STEP_FINISHED, Kind.STEP_STARTED])
    def test_a_log_that_cannot_be_written(self, drill, error, kind, record, reader):
        store = Breaking(kind, "a/y", error)
        one = drill(
            phase("a", reader("x"), reader("y", needs=("w",)), reader("w")), store=store, scripts={"a/x": HANGS}
        )
        raised, trace = broken(one)
        assert raised is error
        assert trace[-1] == ("stop", "a/x")
        assert "step.finished a/y" not in record(one)

    def test_a_retry_that_cannot_be_recorded(self, drill, record, reader):
        store = Breaking(Kind.STEP_RETRIED, "a/y", StateUnwritable("disk full"))
        one = drill(
            phase("a", reader("x"), reader("y", retry=retry(3))), store=store, scripts={"a/x": HANGS, "a/y": FAILS}
        )
        raised, trace = broken(one)
        assert isinstance(raised, StateUnwritable)
        assert trace[-1] == ("stop", "a/x")
        assert record(one)[-1] == "step.started a/y"

    def test_who_lost_the_lease_writes_nothing_more(self, drill, again, record):
        def act(command):
            one.store.beside().take(RUN_ID)
            return Act()

        one = drill(phase("a", "x", "y"), scripts={"a/x": act})
        with pytest.raises(Fenced):
            one.drive()
        assert record(one)[-1] == "step.started a/x"
        assert again(one).drive().status is Status.SUCCESS

    def test_a_bug_in_a_gate(self, drill, reader):
        class Buggy(ScriptedGates):
            async def judge(self, wanted, *, phase, root, work):
                raise LookupError(phase)

        one = drill(phase("a", "x", gates=("g",)), phase("b", reader("x")), gates=Buggy(), scripts={"b/x": HANGS})
        raised, trace = broken(one)
        assert isinstance(raised, LookupError)
        assert trace[-1] == ("stop", "b/x")

    def test_events_of_others_do_not_disturb(self, drill):
        def act(command):
            one.store.beside().append("another run", [NewEvent(kind=Kind.RUN_CANCEL)])
            return Act()

        one = drill(phase("a", "x", "y"), scripts={"a/x": act})
        assert one.drive().status is Status.SUCCESS

    def test_a_folder_that_cannot_be_made(self, drill, again, record, reader):
        one = drill(phase("a", reader("x"), reader("y"), reader("z", needs=("y",))), scripts={"a/x": HANGS})
        (one.folder / "a.z.1").write_text("in the way")
        raised, trace = broken(one)
        assert isinstance(raised, StateUnwritable)
        assert trace[-1] == ("stop", "a/x")
        assert record(one)[-1] == "step.started a/z"
        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert sorted(second.children.started()) == ["a/x", "a/z"]
