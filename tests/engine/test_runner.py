"""One run from its plan to its end, on fakes: what is recorded, in which order, and what an interruption leaves."""

import asyncio
from dataclasses import replace

import pytest

from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.phase import Backoff
from cli_multi_rapid.model.process import Exit
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.testing import (
    FAILS,
    HANGS,
    MISSING,
    RUN_ID,
    TIMES_OUT,
    Act,
    MemoryStore,
    ScriptedGates,
    phase,
    retry,
    step,
)


def payloads(drill, kind):
    return [event.payload for event in drill.store.events(RUN_ID) if event.kind is kind]


class TestRecord:
    def test_a_run_from_start_to_end(self, drill, record):
        one = drill(phase("a", "x", "y", finally_=(step("z"),)), phase("b", "x", needs=("a",)))
        state = one.drive()
        assert record(one) == [
            "run.started",
            "run.taken",
            "phase.started a",
            "step.started a/x",
            "step.finished a/x",
            "step.started a/y",
            "step.finished a/y",
            "step.started a/z",
            "step.finished a/z",
            "phase.finished a",
            "phase.started b",
            "step.started b/x",
            "step.finished b/x",
            "phase.finished b",
            "run.finished",
        ]
        assert (state.status, state.exit_code) == (Status.SUCCESS, 0)

    def test_what_is_recorded_amounts_to_the_state_that_is_returned(self, drill, statuses):
        one = drill(
            phase(
                "a",
                step("m", matrix={"v": (1, 2)}, outputs={"o": "${{ matrix.v }}"}),
                step("f", retry=retry(2)),
                gates=("g",),
            ),
            scripts={"a/f": FAILS},
        )
        state = one.drive()
        found = one.state()
        assert statuses(found) == statuses(state)
        assert found == replace(state, seq=found.seq)

    def test_an_end_and_the_next_start_share_a_commit(self, drill):
        commits = []

        class Counting(MemoryStore):
            def append(self, run, events, *, fence=None):
                commits.append([f"{event.kind} {event.step}" for event in events])
                return super().append(run, events, fence=fence)

        store = Counting()
        drill(phase("a", "x", "y"), store=store).drive()
        assert ["step.finished a/x", "step.started a/y"] in commits

    def test_nothing_starts_before_that_is_recorded(self, drill, record):
        seen = {}

        def act(command):
            key = command.tag.partition(":")[2]
            seen[key] = record(one)[-1]
            return Act()

        one = drill(phase("a", "x", "y"), scripts={"a/x": act, "a/y": act})
        one.drive()
        assert seen == {"a/x": "step.started a/x", "a/y": "step.started a/y"}

    def test_observers_see_every_event_of_it_and_all_lines(self, drill):
        one = drill(phase("a", "x", "y"), scripts={"a/x": Act(lines=("1", "2"))})
        one.drive()
        assert tuple(one.observer.events) == one.store.events(RUN_ID)[2:]
        assert one.observer.lines == [("a/x", "1"), ("a/x", "2")]

    def test_a_run_without_phases_succeeds(self, drill):
        assert drill().drive().status is Status.SUCCESS

    def test_a_phase_without_steps_succeeds(self, drill):
        assert drill(phase("a")).drive().phases == {"a": Status.SUCCESS}

    def test_what_is_shown_of_a_command(self, drill):
        one = drill(
            phase(
                "a",
                step("x", run=("echo", "${{ matrix.v }}", "a b"), matrix={"v": (1,)}),
                step("y", run=("echo", "${{ fromJSON('{') }}")),
            )
        )
        one.drive()
        first, second = payloads(one, Kind.STEP_STARTED)
        assert first == {"command": "echo 1 'a b'", "log": "a.x.0.1.log", "matrix": {"v": 1}}
        assert second["command"] == "('echo', \"${{ fromJSON('{') }}\")"


class TestOutcome:
    @pytest.mark.parametrize(
        ("act", "status", "code"),
        [
            (Act(), Status.SUCCESS, 0),
            (FAILS, Status.FAILURE, 1),
            (TIMES_OUT, Status.FAILURE, 1),
            (MISSING, Status.ERROR, 3),
        ],
    )
    def test_one_step_decides(self, drill, act, status, code):
        one = drill(phase("a", "x", "y"), scripts={"a/x": act})
        state = one.drive()
        assert (state.phases["a"], state.status, state.exit_code) == (status, status, code)
        assert (state.step("a/y").status is Status.SKIPPED) is (status is not Status.SUCCESS)

    def test_work_that_failed_outweighs_work_that_could_not_run(self, drill, reader):
        one = drill(phase("a", reader("x"), reader("y")), scripts={"a/x": MISSING, "a/y": FAILS})
        assert one.drive().status is Status.FAILURE

    def test_a_softened_failure_does_no_harm(self, drill):
        one = drill(phase("a", step("x", continue_on_error=True), "y"), scripts={"a/x": FAILS})
        state = one.drive()
        assert state.status is Status.SUCCESS
        assert state.step("a/x").result.outcome is Status.FAILURE
        assert one.children.started() == ["a/x", "a/y"]

    def test_a_condition_that_cannot_be_evaluated_fails_the_phase(self, drill):
        one = drill(phase("a", step("x", if_="fromJSON('{')")))
        assert one.drive().status is Status.FAILURE
        assert one.children.started() == []


class TestFinally:
    def test_it_runs_whatever_happened_and_knows_it(self, drill):
        last = step("z", env={"STATUS": "${{ run.status }}"})
        for act, status in ((Act(), "success"), (FAILS, "failure"), (MISSING, "error")):
            one = drill(phase("a", "x", "y", finally_=(last,)), scripts={"a/x": act}, store=MemoryStore())
            one.folder = one.folder / status
            one.drive()
            assert one.children.commands[-1].env["STATUS"] == status

    def test_it_knows_what_the_gates_said(self, drill):
        last = step("z", env={"STATUS": "${{ run.status }}"})
        one = drill(phase("a", "x", gates=("g",), finally_=(last,)), gates=ScriptedGates({"g": GateStatus.FAIL}))
        assert one.drive().status is Status.FAILURE
        assert one.children.commands[-1].env["STATUS"] == "failure"

    def test_its_failure_fails_the_phase_and_the_rest_of_it_still_runs(self, drill):
        one = drill(phase("a", "x", finally_=(step("y"), step("z", if_="failure()"))), scripts={"a/y": FAILS})
        state = one.drive()
        assert state.status is Status.FAILURE
        assert one.children.started() == ["a/x", "a/y", "a/z"]

    def test_it_does_not_run_for_a_phase_that_never_began(self, drill):
        one = drill(phase("a", "x"), phase("b", "x", needs=("a",), finally_=(step("z"),)), scripts={"a/x": FAILS})
        one.drive()
        assert one.children.started() == ["a/x"]


class TestPhases:
    def test_those_that_need_a_failed_one_are_skipped_also_further_down(self, drill):
        one = drill(
            phase("a", "x"),
            phase("b", "x", needs=("a",)),
            phase("c", "x", needs=("b",)),
            phase("d", "x"),
            scripts={"a/x": FAILS},
        )
        state = one.drive()
        assert {name: status.value for name, status in state.phases.items()} == {
            "a": "failure",
            "b": "skipped",
            "c": "skipped",
            "d": "success",
        }
        reasons = {
            event.step: event.payload["reason"]
            for event in one.store.events(RUN_ID)
            if event.kind is Kind.PHASE_FINISHED
        }
        assert reasons["b"] == "needs a, which did not succeed"
        assert reasons["c"] == "needs b, which did not succeed"
        assert state.exit_code == 1

    def test_outputs_reach_later_steps_and_phases(self, drill):
        one = drill(
            phase(
                "a",
                step("x", outputs={"n": "${{ fromJSON('[1,2]') }}"}),
                step("y", env={"N": "${{ steps.x.outputs.n[1] }}"}),
            ),
            phase("b", step("z", env={"N": "${{ needs.a.steps.x.outputs.n[0] }}-${{ needs.a.status }}"}), needs=("a",)),
        )
        one.drive()
        assert [command.env.get("N") for command in one.children.commands] == [None, "2", "1-success"]

    def test_independent_phases_overlap_where_nobody_writes(self, drill, reader):
        one = drill(phase("a", reader("x")), phase("b", reader("x")), scripts={"a/x": HANGS, "b/x": HANGS})

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.children.until("start", "a/x")
            await one.children.until("start", "b/x")
            one.children.release("b/x")
            one.children.release("a/x")
            return await driving

        assert asyncio.run(main()).status is Status.SUCCESS

    def test_writers_of_different_phases_do_not(self, drill):
        one = drill(phase("a", "x", "y"), phase("b", "x", "y"))
        one.drive()
        trace = one.children.trace
        assert all(
            first[0] == "start" and second == ("end", first[1])
            for first, second in zip(trace[::2], trace[1::2], strict=True)
        )


class TestRetries:
    def test_attempts_until_one_succeeds(self, drill):
        policy = retry(4, initial="1ms", max="2ms")
        one = drill(phase("a", step("x", retry=policy)), scripts={"a/x": (FAILS, TIMES_OUT, FAILS, Act())})
        state = one.drive()
        assert state.status is Status.SUCCESS
        retried = payloads(one, Kind.STEP_RETRIED)
        assert [(found["status"], found["wait_ms"]) for found in retried] == [
            ("failure", 1),
            ("timeout", 2),
            ("failure", 2),
        ]
        assert [command.env["CMR_ATTEMPT"] for command in one.children.commands] == ["1", "2", "3", "4"]
        assert [event.attempt for event in one.store.events(RUN_ID) if event.kind is Kind.STEP_FINISHED] == [4]

    def test_each_attempt_has_a_folder_and_a_log_of_its_own(self, drill):
        one = drill(phase("a", step("x", retry=retry(2))), scripts={"a/x": (FAILS, Act())})
        one.drive()
        assert [command.log.rpartition("/")[2] for command in one.children.commands] == ["a.x.1.log", "a.x.2.log"]
        assert len({command.env["CMR_OUT"] for command in one.children.commands}) == 2

    def test_none_is_left(self, drill):
        one = drill(phase("a", step("x", retry=retry(3))), scripts={"a/x": FAILS})
        assert one.drive().status is Status.FAILURE
        assert one.children.started() == ["a/x"] * 3

    def test_only_what_is_to_be_tried_again(self, drill):
        policy = retry(5, on=("exit:7",), backoff=Backoff.FIXED)
        one = drill(phase("a", step("x", retry=policy)), scripts={"a/x": (Act(exit=Exit(code=7)), FAILS, Act())})
        assert one.drive().step("a/x").result.code == 1
        assert len(one.children.commands) == 2

    def test_what_could_not_run_is_not_tried_again(self, drill):
        one = drill(phase("a", step("x", retry=retry(5))), scripts={"a/x": MISSING})
        one.drive()
        assert len(one.children.commands) == 1

    def test_attempts_that_ran_to_their_end_count_across_an_interruption_and_interrupted_ones_do_not(
        self, drill, again
    ):
        one = drill(phase("a", step("x", retry=retry(3))), scripts={"a/x": (FAILS, HANGS)})

        async def main():
            runner = one.runner()
            driving = asyncio.create_task(runner.drive())
            await one.observer.until(Kind.STEP_RETRIED, "a/x")
            await one.children.until("start", "a/x", times=2)
            runner.interrupt("SIGINT")
            await driving

        asyncio.run(main())
        second = again(one, scripts={"a/x": FAILS})
        assert second.drive().status is Status.FAILURE
        assert [command.env["CMR_ATTEMPT"] for command in second.children.commands] == ["3", "4"]

    def test_an_interruption_in_a_pause_does_not_wait_for_its_end(self, drill, again):
        one = drill(phase("a", step("x", retry=retry(2, initial="1d", max="1d"))), scripts={"a/x": FAILS})

        async def main():
            runner = one.runner()
            driving = asyncio.create_task(runner.drive())
            await one.observer.until(Kind.STEP_RETRIED, "a/x")
            runner.interrupt("SIGTERM")
            return await driving

        state = asyncio.run(main())
        assert state.status is Status.INTERRUPTED
        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert second.children.commands[0].env["CMR_ATTEMPT"] == "2"


class TestMatrix:
    def test_every_combination_runs_once_and_outputs_become_lists(self, drill):
        many = step(
            "m", matrix={"v": ("a", "b"), "w": (1, 2)}, env={"V": "${{ matrix.v }}${{ matrix.w }}"}, writes=(),
            outputs={"o": "${{ matrix.v }}${{ matrix.w }}"},
        )  # fmt: skip
        one = drill(phase("a", many, step("n", env={"ALL": "${{ join(steps.m.outputs.o, '+') }}"})))
        state = one.drive()
        assert one.children.started() == ["a/m[0]", "a/m[1]", "a/m[2]", "a/m[3]", "a/n"]
        assert [command.env["V"] for command in one.children.commands[:4]] == ["a1", "a2", "b1", "b2"]
        assert one.children.commands[-1].env["ALL"] == "a1+a2+b1+b2"
        assert state.step("a/m").result.outputs == {"o": ["a1", "a2", "b1", "b2"]}

    def test_one_failed_combination_lets_the_others_finish(self, drill):
        one = drill(phase("a", step("m", matrix={"v": (1, 2, 3)}), "n"), scripts={"a/m[0]": FAILS})
        state = one.drive()
        assert len(one.children.commands) == 3
        assert (state.step("a/m").status, state.step("a/n").status) == (Status.FAILURE, Status.SKIPPED)

    def test_each_combination_has_its_own_retries(self, drill):
        one = drill(phase("a", step("m", matrix={"v": (1, 2)}, retry=retry(2))), scripts={"a/m[1]": (FAILS, Act())})
        assert one.drive().status is Status.SUCCESS
        assert one.children.started() == ["a/m[0]", "a/m[1]", "a/m[1]"]

    def test_a_false_condition_comes_first(self, drill, record):
        one = drill(phase("a", step("m", matrix={"v": "${{ fromJSON('{') }}"}, if_=False)))
        assert one.drive().status is Status.SUCCESS
        assert "step.expanded a/m" not in record(one)

    @pytest.mark.parametrize("axis", ["${{ fromJSON('{') }}", "${{ fromJSON('[]') }}", "${{ fromJSON('[1e999]') }}"])
    def test_one_that_cannot_be_expanded_fails(self, drill, axis):
        one = drill(phase("a", step("m", matrix={"v": axis})))
        state = one.drive()
        assert state.status is Status.FAILURE
        assert state.step("a/m").result.reason.startswith("matrix: ")

    def test_a_condition_is_not_asked_again_between_combinations(self, drill):
        many = step("m", matrix={"v": (1, 2)}, if_="run.status == 'success'")
        one = drill(phase("a", many), scripts={"a/m[0]": FAILS})
        state = one.drive()
        assert one.children.started() == ["a/m[0]", "a/m[1]"]
        assert state.step("a/m").status is Status.FAILURE
