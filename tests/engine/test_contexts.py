"""What the expressions of a step can see."""

import json

import pytest

from cli_multi_rapid.engine.contexts import artifacts, gate_statuses, phase_contexts
from cli_multi_rapid.engine.expressions import evaluate
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import build
from cli_multi_rapid.model.events import Kind, NewEvent, payload_of
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Level
from cli_multi_rapid.model.run import Artifact, Status, StepResult
from cli_multi_rapid.testing import gate_result, phase, run_plan, step

FIRST = phase("first", step("make", outputs={"n": "1"}), "skipped", finally_=(step("tidy"),))
SECOND = phase(
    "second",
    step("read", outputs={"x": "1"}, produces={"report": "r.txt"}),
    step("many", matrix={"v": (1, 2)}, produces={"part": "p.txt"}),
    "later",
    finally_=(step("last"),),
    title="The second",
    needs=("first",),
    env={"A": 1, "B": "b"},
)


def made(path):
    return Artifact(path=path, sha256="0", size=1)


class Scene:
    def __init__(self):
        self.plan = run_plan(
            FIRST, SECOND, inputs={"second": {"name": "value"}}, git={"head": "abc", "branch": "main", "tree": "t"}
        )
        self.graph = build(self.plan.phases)
        self.state = RunState(id="RUN")
        phases = [{"name": "first"}, {"name": "second"}]
        self.state.apply(NewEvent(kind=Kind.RUN_STARTED, payload={"phases": phases}))

    def note(self, kind, key="", **payload):
        self.state.apply(NewEvent(kind=kind, step=key, payload=payload))
        return self

    def end(self, key, status=Status.SUCCESS, **more):
        result = StepResult(**({"status": status, "outcome": status} | more))
        return self.note(Kind.STEP_FINISHED, key, **payload_of(result))

    def sees(self, expression, *, phase="second"):
        return evaluate(expression, phase_contexts(self.plan, self.graph, self.state, phase))


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("inputs.name", "value"),
        ("env.A", 1),
        ("phase.title", "The second"),
        ("phase.name", "second"),
        ("run.id", "RUN"),
        ("RUN.ID", "RUN"),
        ("git.branch", "main"),
        ("inputs.other", None),
        ("run.other", None),
    ],
)
def test_what_is_fixed(scene, expression, value):
    assert scene.sees(expression) == value


def test_a_step_is_seen_when_it_has_ended(scene):
    assert scene.sees("steps.read") is None
    scene.note(Kind.STEP_STARTED, "second/read")
    assert scene.sees("steps.read.status") is None
    scene.end("second/read", Status.SUCCESS, outcome=Status.FAILURE, outputs={"x": [1, {"y": 2}]})
    assert scene.sees("steps.read.status") == "success"
    assert scene.sees("steps.read.outcome") == "failure"
    assert scene.sees("steps.READ.outputs.X[1].y") == 2
    assert scene.sees("steps.*.status") == ["success"]


def test_steps_of_other_phases_are_not_mixed_in(scene):
    scene.end("first/make").end("second/read")
    assert scene.sees("steps.make") is None
    assert scene.sees("join(steps.*.status, ',')", phase="first") == "success"
    assert scene.sees("steps['../first/make']") is None


def test_final_steps_see_each_other(scene):
    scene.end("second/read").end("second/last")
    assert json.loads(scene.sees("toJSON(steps)")) == {
        name: {"outputs": {}, "status": "success", "outcome": "success"} for name in ("read", "last")
    }


def test_a_matrix_is_seen_as_lists(scene):
    scene.note(Kind.STEP_EXPANDED, "second/many", matrix=[{"v": 1}, {"v": 2}])
    scene.end("second/many[1]", outputs={"o": 2}, artifacts={"part": made("/b")})
    assert scene.sees("steps.many") is None
    assert scene.sees("artifacts.part") == ["/b"], "a list, however many there are"
    scene.end("second/many[0]", outputs={"o": 1}, artifacts={"part": made("/a")})
    assert scene.sees("steps.many.outputs.o") == [1, 2]
    assert scene.sees("artifacts.part") == ["/a", "/b"]


def test_one_artifact_is_a_path(scene):
    assert scene.sees("artifacts.report") is None
    scene.end("second/read", artifacts={"report": made("/r.txt")})
    assert scene.sees("artifacts.report") == "/r.txt"
    assert artifacts(scene.graph, scene.state, "second") == {"report": [made("/r.txt")]}
    assert artifacts(scene.graph, scene.state, "first") == {}


def test_a_needed_phase_shows_its_status_and_steps(scene):
    scene.end("first/make", outputs={"n": 5}).end("first/skipped", Status.SKIPPED).end("first/tidy")
    scene.note(Kind.PHASE_FINISHED, "first", status="success")
    assert scene.sees("needs.first.status") == "success"
    assert scene.sees("needs.FIRST.steps.make.outputs.n") == 5
    assert scene.sees("needs.first.steps.skipped.status") == "skipped"
    assert scene.sees("needs.first.steps.tidy") is None, "final steps pass nothing on"
    assert scene.sees("needs.second") is None
    assert scene.sees("needs.first", phase="first") is None


@pytest.mark.parametrize("expression", ["steps", "needs", "needs.first", "run", "artifacts", "steps.read", "needs.*"])
def test_whole_contexts_are_plain_data(scene, expression):
    """They can be an output, which the log has to take."""
    scene.end("first/make", outputs={"n": 5}).note(Kind.PHASE_FINISHED, "first", status="success")
    scene.end("second/read", artifacts={"report": made("/r")})
    assert json.loads(json.dumps(scene.sees(expression)))


def test_the_status_of_the_run_is_that_of_the_phase_so_far(scene):
    assert scene.sees("run.status") == "success"
    scene.end("first/make", Status.FAILURE)
    assert scene.sees("run.status") == "success"
    scene.end("second/read", Status.ERROR)
    assert scene.sees("run.status") == "error"
    scene.note(Kind.GATE_FINISHED, "second/gate:g", **payload_of(gate_result("g", GateStatus.FAIL)))
    assert scene.sees("run.status") == "failure"
    scene.note(Kind.RUN_CANCEL)
    assert scene.sees("run.status") == "cancelled"


@pytest.mark.parametrize(
    ("verdict", "level", "means"),
    [
        (GateStatus.PASS, Level.STANDARD, [Status.SUCCESS]),
        (GateStatus.WARN, Level.STANDARD, [Status.SUCCESS]),
        (GateStatus.SKIPPED, Level.STRICT, [Status.SUCCESS]),
        (GateStatus.FAIL, Level.STANDARD, [Status.FAILURE]),
        (GateStatus.ERROR, Level.STRICT, [Status.ERROR]),
        (GateStatus.FAIL, Level.ADVISORY, []),
        (GateStatus.ERROR, Level.ADVISORY, []),
    ],
)
def test_what_gates_mean(scene, verdict, level, means):
    scene.note(Kind.GATE_FINISHED, "second/gate:g", **payload_of(gate_result("g", verdict, level=level)))
    assert gate_statuses(scene.state, "second/") == means
    assert gate_statuses(scene.state, "first/") == []
