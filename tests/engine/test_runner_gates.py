"""Gates in a run: when they are judged, and what their verdicts mean for it."""

import asyncio

import pytest

from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Level
from cli_multi_rapid.model.phase import GateUse, Retry
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.testing import (
    FAILS,
    HANGS,
    MISSING,
    TIMES_OUT,
    Act,
    ScriptedGates,
    gate_result,
    phase,
    step,
)


class TestGates:
    @pytest.mark.parametrize(
        ("verdict", "level", "status", "code"),
        [
            (GateStatus.PASS, Level.STANDARD, Status.SUCCESS, 0),
            (GateStatus.WARN, Level.STANDARD, Status.SUCCESS, 0),
            (GateStatus.SKIPPED, Level.STANDARD, Status.SUCCESS, 0),
            (GateStatus.FAIL, Level.STANDARD, Status.FAILURE, 1),
            (GateStatus.ERROR, Level.STRICT, Status.ERROR, 3),
            (GateStatus.FAIL, Level.ADVISORY, Status.SUCCESS, 0),
            (GateStatus.ERROR, Level.ADVISORY, Status.SUCCESS, 0),
        ],
    )
    @pytest.mark.parametrize("final", [True, False])
    def test_a_verdict_decides_about_the_phase_or_the_run(self, drill, verdict, level, status, code, final):
        gates = ScriptedGates({"g": gate_result("g", verdict, level=level)})
        first = phase("a", "x", gates=() if final else ("g",))
        one = drill(first, phase("b", "x", needs=("a",)), plan={"final_gates": ("g",) if final else ()}, gates=gates)
        state = one.drive()
        assert (state.status, state.exit_code) == (status, code)
        after = Status.SKIPPED if status is not Status.SUCCESS and not final else Status.SUCCESS
        assert state.phases["b"] is after

    @pytest.mark.parametrize("act", [FAILS, MISSING, TIMES_OUT])
    def test_work_that_failed_is_not_judged(self, drill, act):
        one = drill(phase("a", "x", gates=("g",)), plan={"final_gates": ("h",)}, scripts={"a/x": act})
        one.drive()
        assert one.gates.asked == []

    def test_softened_failures_and_skipped_steps_are(self, drill):
        one = drill(
            phase("a", step("x", continue_on_error=True), step("y", if_=False), gates=("g",)), scripts={"a/x": FAILS}
        )
        one.drive()
        assert one.gates.asked == [("a", {"g": None})]

    def test_evidence_is_what_the_phase_produced(self, drill):
        maker = step("x", matrix={"v": (1, 2)}, produces={"g": "r"})
        uses = ("g", GateUse(use="h", from_="${{ artifacts.g[1] }}"), "i")
        one = drill(phase("a", maker, gates=uses), scripts={f"a/x[{n}]": Act(files={"r": ""}) for n in (0, 1)})
        one.drive()
        paths = tuple(str(one.folder / f"a.x.{n}.1" / "r") for n in (0, 1))
        assert one.gates.asked == [("a", {"g": paths, "h": paths[1:], "i": None})]

    def test_gates_of_a_phase_without_steps(self, drill):
        one = drill(phase("a", gates=("g",)), gates=ScriptedGates({"g": GateStatus.FAIL}))
        assert one.drive().status is Status.FAILURE

    def test_a_run_of_gates_alone(self, drill, record):
        one = drill(plan={"final_gates": ("g", "h")}, gates=ScriptedGates({"h": GateStatus.ERROR}))
        state = one.drive()
        assert (state.status, state.exit_code) == (Status.ERROR, 3)
        assert one.gates.asked == [("", {"g": None, "h": None})]
        assert record(one)[-3:] == ["gate.finished gate:g", "gate.finished gate:h", "run.finished"]

    def test_a_cancelled_run_that_skipped_its_gates_has_not_passed(self, drill):
        one = drill(plan={"final_gates": ("g",)}, gates=ScriptedGates(hanging=("g",)))

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.gates.entered.wait()
            one.cancel()
            return await driving

        state = asyncio.run(main())
        assert (state.status, state.exit_code) == (Status.CANCELLED, 1)

    def test_recorded_verdicts_are_not_asked_for_again(self, drill, again, interrupted):
        one = drill(phase("a", "x", gates=("g", "h"), finally_=(step("z"),)), scripts={"a/z": HANGS})
        interrupted(one, at="a/z")
        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert second.gates.asked == []

    def test_an_interruption_while_they_are_judged(self, drill, again):
        one = drill(phase("a", "x", gates=("g",)), gates=ScriptedGates(hanging=("g",)))

        async def main():
            runner = one.runner()
            driving = asyncio.create_task(runner.drive())
            await one.gates.entered.wait()
            runner.interrupt("timeout")
            return await driving

        assert asyncio.run(main()).interrupted == "timeout"
        second = again(one)
        assert second.drive().status is Status.SUCCESS
        assert second.children.started() == []
        assert second.gates.asked == [("a", {"g": None})]

    @pytest.mark.parametrize("first", ["gates", "writer"])
    def test_no_gate_looks_at_a_project_while_a_step_changes_it(self, drill, first, reader):
        """Gates of one phase and a writing step of another one: the one that comes second waits."""
        looked = []

        class Looking(ScriptedGates):
            async def judge(self, wanted, *, phase, root, work):
                busy = [key for what, key in one.children.trace if what == "start"]
                done = [key for what, key in one.children.trace if what == "end"]
                looked.append(sorted(set(busy) - set(done)))
                for _ in range(20):
                    await asyncio.sleep(0)
                assert [key for what, key in one.children.trace if what == "start"] == busy
                return await super().judge(wanted, phase=phase, root=root, work=work)

        before = (reader("r"),) if first == "gates" else (reader("r"), reader("q", needs=("r",)))
        one = drill(
            phase("a", *before, gates=("g",)), phase("b", "w", "v"), gates=Looking(), scripts={"b/w": Act(turns=9)}
        )
        assert one.drive().status is Status.SUCCESS
        assert looked == [[]]


class TestAccept:
    @pytest.mark.parametrize(
        ("verdict", "level", "status"),
        [
            (GateStatus.PASS, Level.STANDARD, Status.SUCCESS),
            (GateStatus.WARN, Level.STANDARD, Status.SUCCESS),
            (GateStatus.WAIVED, Level.STANDARD, Status.SUCCESS),
            (GateStatus.FAIL, Level.STANDARD, Status.FAILURE),
            (GateStatus.ERROR, Level.STANDARD, Status.ERROR),
            (GateStatus.FAIL, Level.ADVISORY, Status.SUCCESS),
        ],
    )
    def test_gates_decide_about_a_step_that_says_that_it_succeeded(self, drill, verdict, level, status):
        gates = ScriptedGates({"g": gate_result("g", verdict, level=level)})
        one = drill(phase("a", step("x", accept=("g",)), "y"), gates=gates)
        state = one.drive()
        assert gates.asked == [("a", {"g": None})]
        assert state.step("a/x").status is status
        assert state.step("a/y").status is (Status.SKIPPED if status.bad else Status.SUCCESS)
        assert [found["status"] for found in state.step("a/x").result.gates] == [verdict.value]
        if status.bad:
            assert "the gate g" in state.step("a/x").result.reason

    def test_an_attempt_that_is_not_accepted_is_tried_again(self, drill):
        class Later(ScriptedGates):
            async def judge(self, wanted, *, phase, root, work):
                await super().judge(wanted, phase=phase, root=root, work=work)
                return (gate_result("g", GateStatus.FAIL if len(self.asked) < 3 else GateStatus.PASS),)

        retry = Retry(attempts=5, initial="1ms")
        one = drill(phase("a", step("x", accept=("g",), retry=retry)), gates=Later())
        assert one.drive().status is Status.SUCCESS
        assert one.state().step("a/x").attempt == 3

    def test_what_failed_by_itself_is_not_judged(self, drill):
        one = drill(phase("a", step("x", accept=("g",))), scripts={"a/x": FAILS})
        assert one.drive().status is Status.FAILURE
        assert one.gates.asked == []

    def test_it_judges_what_the_step_has_produced(self, drill):
        made = step("x", accept=("g", "h"), produces={"g": "g.json"})
        one = drill(phase("a", made), scripts={"a/x": Act(files={"g.json": "{}"})})
        assert one.drive().status is Status.SUCCESS
        (path,) = one.gates.asked[0][1]["g"]
        assert path.endswith("/g.json")
        assert one.gates.asked[0][1]["h"] is None
