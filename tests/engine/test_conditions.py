"""Whether a step runs, and how often."""

import pytest

from cli_multi_rapid.engine.conditions import Admission, combinations
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import build
from cli_multi_rapid.model.events import Kind, NewEvent, payload_of
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.testing import gate_result, phase, run_plan, step

RUNS = None
STEP = "p/x"


class Scene:
    """A chain of steps whose last one, `x`, is decided about."""

    def __init__(self, *steps, finally_=(), inputs=None):
        spec = phase("p", *steps, finally_=finally_)
        self.plan = run_plan(spec, inputs={"p": inputs or {}})
        self.graph = build([spec])
        self.state = RunState(id="R")
        self.admission = Admission(
            plan=self.plan, graph=self.graph, state=self.state, hash_files=lambda *patterns: "+".join(patterns)
        )

    def note(self, kind, name, **payload):
        self.state.apply(NewEvent(kind=kind, step=f"p/{name}", attempt=1, payload=payload))
        return self

    def end(self, name, status=Status.SUCCESS, **more):
        return self.note(
            Kind.STEP_FINISHED, name, **payload_of(StepResult(**({"status": status, "outcome": status} | more)))
        )

    def cancel(self):
        self.state.apply(NewEvent(kind=Kind.RUN_CANCEL))
        return self

    def decide(self, name="x"):
        """Return how the step ended, as status and reason, or None if it runs."""
        result = self.admission.of(self.graph.nodes[f"p/{name}"]).result
        return None if result is None else (result.status.value, result.reason)


def one_before(condition=None, *, final=False, **inputs):
    last = step("x", if_=condition)
    return Scene("a", last, inputs=inputs) if not final else Scene("a", finally_=(last,), inputs=inputs)


class TestWithoutCondition:
    @pytest.mark.parametrize("status", [Status.SUCCESS, Status.SKIPPED])
    def test_it_runs_after_what_did_not_fail(self, status):
        assert one_before().end("a", status).decide() is RUNS

    @pytest.mark.parametrize("status", [Status.FAILURE, Status.ERROR, Status.TIMEOUT, Status.CANCELLED])
    def test_it_is_skipped_after_what_did(self, status):
        assert one_before().end("a", status).decide() == ("skipped", "a did not succeed")

    def test_a_softened_failure_does_not_stop_it(self):
        assert one_before().end("a", Status.SUCCESS, outcome=Status.FAILURE).decide() is RUNS

    def test_a_failure_reaches_through_those_it_skipped(self):
        scene = Scene("a", "b", "c", "x").end("a", Status.FAILURE).end("b", Status.SKIPPED).end("c", Status.SKIPPED)
        assert scene.decide() == ("skipped", "a did not succeed")

    def test_a_step_skipped_by_its_own_condition_stops_nobody(self):
        scene = Scene("a", step("b", if_=False), "x").end("a").end("b", Status.SKIPPED)
        assert scene.decide() is RUNS

    def test_a_failure_reaches_through_a_step_that_ran_in_spite_of_it(self):
        """As on GitHub, where only `if: always()` and the like step over a failure further up."""
        scene = Scene("a", step("b", if_="always()"), "x").end("a", Status.FAILURE).end("b")
        assert scene.decide() == ("skipped", "a did not succeed")

    def test_one_failed_side_of_a_diamond_is_enough(self):
        scene = Scene("a", step("b", needs=()), step("x", needs=("a", "b"))).end("a").end("b", Status.TIMEOUT)
        assert scene.decide() == ("skipped", "b did not succeed")

    def test_failures_elsewhere_do_not_matter(self):
        assert Scene("a", step("x", needs=())).end("a", Status.FAILURE).decide() is RUNS

    def test_a_long_chain_needs_no_deep_stack(self):
        names = [f"s{number}" for number in range(3000)]
        scene = Scene(*names, "x").end(names[0], Status.FAILURE)
        for name in names[1:]:
            scene.end(name, Status.SKIPPED)
        assert scene.decide() == ("skipped", "s0 did not succeed")

    def test_a_cancelled_run_starts_nothing(self):
        assert one_before().end("a").cancel().decide() == ("skipped", "the run was cancelled")

    def test_a_final_step_runs_whatever_happened(self):
        assert one_before(final=True).end("a", Status.FAILURE).decide() is RUNS
        assert one_before(final=True).end("a").cancel().decide() is RUNS
        assert one_before(condition=False, final=True).end("a").decide() == ("skipped", "the condition is false")


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "after", "runs"),
        [
            (True, Status.SUCCESS, True),
            (True, Status.FAILURE, False),
            (False, Status.SUCCESS, False),
            ("inputs.yes", Status.SUCCESS, True),
            ("${{ inputs.yes }}", Status.SUCCESS, True),
            ("inputs.no", Status.SUCCESS, False),
            ("inputs.yes", Status.FAILURE, False),
            ("inputs.yes && always()", Status.FAILURE, True),
            ("inputs.no || failure()", Status.FAILURE, True),
            ("inputs.no || failure()", Status.SUCCESS, False),
            ("failure()", Status.SUCCESS, False),
            ("failure()", Status.TIMEOUT, True),
            ("success()", Status.SUCCESS, True),
            ("success()", Status.FAILURE, False),
            ("!success()", Status.FAILURE, True),
            ("always()", Status.FAILURE, True),
            ("Always()", Status.FAILURE, True),
            ("cancelled()", Status.FAILURE, False),
            ("steps.a.status == 'success'", Status.SUCCESS, True),
            ("steps.a.outcome == 'failure' && always()", Status.FAILURE, True),
            ("run.status == 'failure' && always()", Status.FAILURE, True),
            ("steps.x.status", Status.SUCCESS, False),
            ("hashFiles('a', 'b') == 'a+b'", Status.SUCCESS, True),
            ("''", Status.SUCCESS, False),
            ("0", Status.SUCCESS, False),
        ],
    )
    def test_it_decides(self, condition, after, runs):
        scene = one_before(condition, yes=True, no=False).end("a", after)
        assert (scene.decide() is RUNS) is runs

    @pytest.mark.parametrize(
        ("condition", "runs"),
        [("success()", False), ("failure()", False), ("cancelled()", True), ("always()", True), ("true", False)],
    )
    def test_after_a_cancellation(self, condition, runs):
        assert (one_before(condition).end("a").cancel().decide() is RUNS) is runs

    def test_a_false_one_is_named(self):
        assert one_before("inputs.no", no=False).end("a").decide() == ("skipped", "the condition is false: inputs.no")

    def test_one_that_is_not_reached_because_of_a_failure_names_the_failure(self):
        assert one_before("inputs.no", no=False).end("a", Status.FAILURE).decide() == ("skipped", "a did not succeed")

    @pytest.mark.parametrize("condition", ["nothing.here", "fromJSON('{')", "1 +", "a ${{ b }}", ""])
    def test_one_that_cannot_be_evaluated_fails_the_step(self, condition):
        status, reason = one_before(condition).end("a").decide()
        assert status == "failure"
        assert reason.startswith("condition: ")

    @pytest.mark.parametrize(
        ("condition", "bad", "runs"),
        [
            ("success()", Status.SUCCESS, True),
            ("success()", Status.FAILURE, False),
            ("failure()", Status.FAILURE, True),
            ("inputs.yes", Status.FAILURE, True),
        ],
    )
    def test_final_steps_ask_about_the_whole_phase(self, condition, bad, runs):
        last = step("x", if_=condition)
        scene = Scene("a", step("b", needs=()), finally_=(step("f"), last), inputs={"yes": True})
        assert (scene.end("a", bad).end("b").end("f").decide() is RUNS) is runs

    @pytest.mark.parametrize(("status", "runs"), [(GateStatus.FAIL, True), (GateStatus.WARN, False)])
    def test_final_steps_ask_about_the_gates_too(self, status, runs):
        scene = one_before("failure()", final=True).end("a")
        scene.note(Kind.GATE_FINISHED, "gate:g", **payload_of(gate_result("g", status)))
        assert (scene.decide() is RUNS) is runs


class TestDecidedOnce:
    def test_what_may_start_stays_so_while_it_waits_for_its_turn(self):
        scene = Scene("a", step("x", if_="run.status == 'success'", needs=()))
        assert scene.decide() is RUNS
        scene.end("a", Status.FAILURE)
        assert scene.decide() is RUNS

    def test_what_has_started_is_not_asked_again_after_an_interruption(self):
        scene = Scene("a", step("x", if_="run.status == 'success'", needs=()))
        scene.note(Kind.STEP_STARTED, "x").end("a", Status.FAILURE)
        assert scene.decide() is RUNS

    def test_a_matrix_that_has_begun_is_finished(self):
        scene = Scene(step("x", if_="run.status == 'success'", matrix={"v": (1, 2)}))
        scene.note(Kind.STEP_EXPANDED, "x", matrix=[{"v": 1}, {"v": 2}]).end("x[0]", Status.FAILURE)
        assert scene.decide() is RUNS

    def test_a_cancellation_opens_the_question_again(self):
        scene = one_before().end("a")
        assert scene.decide() is RUNS
        assert scene.cancel().decide() == ("skipped", "the run was cancelled")

    def test_a_step_that_had_started_before_a_crash_does_not_start_in_a_cancelled_run(self):
        scene = one_before().end("a").note(Kind.STEP_STARTED, "x").cancel()
        assert scene.decide() == ("skipped", "the run was cancelled")


class TestMatrix:
    def test_the_last_axis_varies_fastest(self):
        found = combinations({"os": ("linux", "mac"), "python": ("3.11", "3.13")}, {})
        assert [tuple(one.values()) for one in found] == [
            ("linux", "3.11"),
            ("linux", "3.13"),
            ("mac", "3.11"),
            ("mac", "3.13"),
        ]
        assert all(list(one) == ["os", "python"] for one in found)

    def test_an_axis_can_come_from_an_expression(self):
        found = combinations({"v": "${{ fromJSON(inputs.list) }}", "w": (1,)}, {"inputs": {"list": '[1, {"a": 2}]'}})
        assert found == [{"v": 1, "w": 1}, {"v": {"a": 2}, "w": 1}]

    @pytest.mark.parametrize("text", ["[]", "{}", "3", '"abc"', "null"])
    def test_what_is_no_list_of_values_is_refused(self, text):
        with pytest.raises(ValueError, match="v must be a list"):
            combinations({"v": "${{ fromJSON(inputs.list) }}"}, {"inputs": {"list": text}})

    def test_a_static_axis_may_not_be_empty_either(self):
        with pytest.raises(ValueError, match="v must be a list"):
            combinations({"v": ()}, {})

    def test_256_are_allowed_and_not_one_more(self):
        assert len(combinations({"a": range(16), "b": range(16)}, {})) == 256
        with pytest.raises(ValueError, match="257 combinations"):
            combinations({"a": range(257)}, {})

    def test_too_many_are_refused_before_they_are_made(self):
        axes = {f"a{number}": "${{ inputs.list }}" for number in range(9)}
        with pytest.raises(ValueError, match=f"{1000**9} combinations"):
            combinations(axes, {"inputs": {"list": [0] * 1000}})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], {"deep": [float("nan")]}])
    def test_what_the_log_cannot_take_is_refused(self, value):
        with pytest.raises(ValueError, match="finite"):
            combinations({"v": "${{ inputs.list }}"}, {"inputs": {"list": [1, value]}})

    def test_an_expression_that_cannot_be_evaluated(self):
        with pytest.raises(ExpressionError):
            combinations({"v": "${{ fromJSON('{') }}"}, {})
