"""From graph and state to the steps that can start now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import build
from cli_multi_rapid.engine.planner import Planner, Ready, roll_up, startable
from cli_multi_rapid.model.events import Kind, NewEvent, payload_of
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.testing import phase, step


def reader(name, **settings):
    return step(name, **({"writes": (), "needs": ()} | settings))


def writer(name, **settings):
    return step(name, **({"needs": ()} | settings))


class Scene:
    """A graph and a state that moves by events."""

    def __init__(self, *steps, finally_=()):
        self.graph = build([phase("p", *steps, finally_=finally_)])
        self.state = RunState(id="R")
        self.planner = Planner(self.graph, self.state)

    def end(self, *names, status=Status.SUCCESS):
        for name in names:
            payload = payload_of(StepResult(status=status, outcome=status))
            self.state.apply(NewEvent(kind=Kind.STEP_FINISHED, step=f"p/{name}", payload=payload))
        return self

    def expand(self, name, number):
        matrix = [{"n": one} for one in range(number)]
        self.state.apply(NewEvent(kind=Kind.STEP_EXPANDED, step=f"p/{name}", payload={"matrix": matrix}))
        return self

    def waiting(self, *, final=False):
        return [node.step.id for node in self.planner.waiting("p", final=final)]

    def starts(self, *running, parallel=4):
        busy = tuple(Ready(key=f"p/{name}", node=self.graph.nodes[f"p/{name.partition('[')[0]}"]) for name in running)
        ready = self.planner.waiting("p", final=False)
        return [one.key[2:] for one in startable(ready, self.state, running=busy, parallel=parallel)]


class TestWaiting:
    def test_a_chain_goes_step_by_step(self):
        scene = Scene("a", "b", "c")
        assert scene.waiting() == ["a"]
        assert scene.end("a").waiting() == ["b"]
        assert scene.end("b").waiting() == ["c"]
        assert scene.end("c").waiting() == []

    def test_a_diamond_joins_when_both_sides_have_ended(self):
        scene = Scene("a", step("b", needs=("a",)), step("c", needs=("a",)), step("d", needs=("b", "c", "b")))
        assert scene.end("a").waiting() == ["b", "c"]
        assert scene.end("c").waiting() == ["b"]
        assert scene.end("b").waiting() == ["d"]

    def test_the_order_is_the_declared_one_however_the_turn_came(self):
        scene = Scene(step("z", needs=("a",)), reader("b"), reader("a"), step("y", needs=("b",)))
        assert scene.waiting() == ["b", "a"]
        assert scene.end("b").waiting() == ["a", "y"]
        assert scene.end("a").waiting() == ["z", "y"]

    @pytest.mark.parametrize("status", [Status.FAILURE, Status.ERROR, Status.TIMEOUT, Status.CANCELLED, Status.SKIPPED])
    def test_however_a_step_ended_the_next_one_can_be_looked_at(self, status):
        assert Scene("a", "b").end("a", status=status).waiting() == ["b"]

    def test_a_started_or_retried_step_still_waits_to_end(self):
        scene = Scene("a", "b")
        for kind in (Kind.STEP_STARTED, Kind.STEP_RETRIED, Kind.STEP_STARTED):
            scene.state.apply(NewEvent(kind=kind, step="p/a", attempt=1, payload={}))
            assert scene.waiting() == ["a"]

    def test_a_matrix_ends_with_its_last_combination(self):
        scene = Scene(reader("m"), step("b", needs=("m",))).expand("m", 2)
        assert scene.end("m[1]").waiting() == ["m"]
        assert scene.end("m[0]").waiting() == ["b"]

    def test_final_steps_are_apart(self):
        scene = Scene("a", finally_=(step("x"), step("y")))
        assert scene.waiting(final=True) == ["x"]
        assert not scene.planner.all_ended("p", final=False)
        scene.end("a", "x")
        assert scene.waiting(final=True) == ["y"]
        assert scene.planner.all_ended("p", final=False)
        assert not scene.planner.all_ended("p", final=True)
        scene.end("y")
        assert scene.planner.all_ended("p", final=True)

    def test_a_phase_without_steps_has_ended(self):
        assert Scene().planner.all_ended("p", final=False)
        assert Scene().planner.all_ended("p", final=True)

    def test_it_begins_with_what_is_recorded(self):
        scene = Scene("a", "b", "c").end("a", "b")
        assert [node.step.id for node in Planner(scene.graph, scene.state).waiting("p", final=False)] == ["c"]

    @given(data=st.data())
    def test_it_agrees_with_the_definition_in_any_graph_and_order(self, data):
        number = data.draw(st.integers(1, 9))
        names = [f"s{one}" for one in range(number)]
        rank = data.draw(st.permutations(names))  # needs may point forward in the file
        needs = {
            name: tuple(data.draw(st.lists(st.sampled_from(rank[:place]), unique=True))) if place else ()
            for place, name in enumerate(rank)
        }
        scene = Scene(*(step(name, needs=needs[name]) for name in names))
        ended = set()
        while len(ended) < number:
            expected = [name for name in names if name not in ended and set(needs[name]) <= ended]
            assert scene.waiting() == expected
            chosen = data.draw(st.sampled_from(expected))
            scene.end(chosen, status=data.draw(st.sampled_from([Status.SUCCESS, Status.FAILURE, Status.SKIPPED])))
            ended.add(chosen)
        assert scene.waiting() == []


class TestStarting:
    def test_readers_overlap_up_to_the_limit(self):
        scene = Scene(*(reader(name) for name in "abcde"))
        assert scene.starts(parallel=3) == ["a", "b", "c"]
        assert scene.starts("a", "c", parallel=3) == ["b"]
        assert scene.starts("a", "b", "c", parallel=3) == []

    def test_a_writer_runs_alone(self):
        scene = Scene(writer("a"), reader("b"), writer("c"))
        assert scene.starts() == ["a"]
        assert scene.starts("a") == []

    def test_a_writer_waits_until_nothing_runs(self):
        scene = Scene(reader("a"), writer("b"))
        assert scene.starts("a") == []
        assert scene.end("a").starts() == ["b"]

    def test_what_comes_after_a_waiting_writer_waits_too(self):
        scene = Scene(reader("a"), writer("b"), reader("c"))
        assert scene.starts() == ["a"]
        assert scene.starts("a") == []
        assert scene.end("a").starts() == ["b"]
        assert scene.end("b").starts() == ["c"]

    def test_one_at_a_time(self):
        assert Scene(reader("a"), reader("b")).starts(parallel=1) == ["a"]

    def test_combinations_of_a_reader_overlap_those_of_a_writer_do_not(self):
        assert Scene(reader("m")).expand("m", 3).starts(parallel=2) == ["m[0]", "m[1]"]
        scene = Scene(writer("m")).expand("m", 3)
        assert scene.starts() == ["m[0]"]
        assert scene.starts("m[0]") == []
        assert scene.end("m[0]").starts() == ["m[1]"]

    def test_combinations_that_have_ended_do_not_start_again(self):
        assert Scene(reader("m")).expand("m", 3).end("m[1]").starts("m[0]") == ["m[2]"]


class TestRollUp:
    ORDER = (Status.CANCELLED, Status.FAILURE, Status.ERROR, Status.SUCCESS)

    def test_nothing_is_a_success(self):
        assert roll_up([]) is Status.SUCCESS

    @pytest.mark.parametrize("worse", range(4))
    def test_the_worse_wins(self, worse):
        for better in range(worse, 4):
            assert roll_up([self.ORDER[better], Status.SKIPPED, self.ORDER[worse]]) is self.ORDER[worse]

    def test_a_timeout_is_a_failure_and_a_skipped_part_no_fault(self):
        assert roll_up([Status.TIMEOUT, Status.ERROR]) is Status.FAILURE
        assert roll_up([Status.SKIPPED]) is Status.SUCCESS
