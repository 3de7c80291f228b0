"""What a run is: recorded when it begins, and enough to go on whatever happens to the files."""

from dataclasses import replace
from pathlib import Path

import pytest

from cli_multi_rapid.errors import GateUnknown, InputInvalid, PhaseUnknown
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.model.gate_settings import Level
from cli_multi_rapid.services.snapshot import (
    Wish,
    check_gates,
    check_phase,
    chosen_inputs,
    fingerprint,
    plan_of,
    secret_names,
    snapshot,
)
from cli_multi_rapid.services.tree import Tree
from cli_multi_rapid.services.wiring import PHASES, Project, checked_specs
from cli_multi_rapid.testing_memory import MemoryStore

FIRST = """\
schema: cmr/phase@v1
name: first
title: The first
secrets: [TOKEN, KEY_A]
inputs:
  count: {type: number, default: 3}
  shared: {type: string, default: own}
steps:
  - {id: a, run: [echo, "${{ inputs.count }}"]}
"""
SECOND = """\
schema: cmr/phase@v1
name: second
needs: [first]
secrets: [KEY_A, ANOTHER]
inputs:
  shared: {type: string, default: other}
  fix: {type: boolean, default: false}
  target: {type: path, default: src}
  kind: {type: string, default: x, options: [x, y]}
steps:
  - {id: b, run: [echo, "${{ inputs.shared }}"]}
gates: [lint]
"""
THIRD = """\
schema: cmr/phase@v1
name: third
inputs:
  must: {type: string, description: what it is about}
steps:
  - {id: c, run: [echo, "${{ inputs.must }}"]}
"""
GATES = "schema: cmr/gates@v1\ngates:\n  lint: {check: denylist}\n  other: {check: denylist}\n"
TREE = Tree(id="t" * 40, head="h" * 40, branch="main", git=True)


def texts(**changed):
    found = {"first": FIRST, "second": SECOND, "third": THIRD} | changed
    return {f"{PHASES}/{name}.yaml": text for name, text in found.items()}


REFUSED = {
    "count": ("", "x", "nan", "inf", "-Infinity", "1e999", "0x10", "1,5", "9" * 5000, "1_0", " 1", "\u0663"),
    "fix": ("", "yes", "1", "True", "TRUE", " true"),
    "target": ("", "/etc", "..", "../x", "a/../../b", "a/..", "\0", "C:\\x", "C:x", "\\x", "a\\..\\b"),
    "kind": ("z", "", "X"),
}


@pytest.fixture
def specs():
    return checked_specs(texts(), GATES)


@pytest.fixture
def record(tmp_path, specs):
    """Make the snapshot of a wish, in a project whose files are not there at all."""
    project = Project(root=tmp_path / "gone", state=tmp_path / "state", environ={})

    def make(*targets, specs=specs, tree=TREE, trust="approved", path="/bin", **settings):
        wish = Wish(**({"targets": targets or ("second",), "final_gates": ("other",)} | settings))
        return snapshot(project, specs, wish, tree=tree, trust=trust, path=path)

    return make


def stored(payload):
    """Return a payload as the log gives it back."""
    store = MemoryStore()
    store.append("R", [NewEvent(kind=Kind.RUN_STARTED, payload=payload)])
    return store.events("R")[0].payload


class TestRecord:
    def test_it_is_plain_data_that_the_log_gives_back_unchanged(self, record):
        made = record()
        assert stored(made) == made

    def test_phases_come_with_their_texts_after_those_they_need(self, record):
        made = record("third", "second", inputs={"must": "x"})
        assert [phase["name"] for phase in made["phases"]] == ["third", "first", "second"]
        assert made["phases"][1] == {
            "name": "first",
            "title": "The first",
            "path": f"{PHASES}/first.yaml",
            "text": FIRST,
        }
        assert made["targets"] == ["third", "second"]

    def test_where_and_what_it_was_begun_on(self, record):
        made = record(parent="P", job="J", parallel=7)
        assert (made["tree"], made["head"], made["branch"]) == (TREE.id, TREE.head, "main")
        assert (made["parent"], made["job"], made["parallel"]) == ("P", "J", 7)
        assert (made["trust"], made["path"]) == ("approved", "/bin")
        assert Path(made["root"]).name == "gone"

    def test_a_run_of_gates_alone(self, record, specs):
        made = record(targets=(), final_gates=("lint", "other"))
        plan = plan_of(stored(made))
        assert (plan.phases, plan.final_gates) == ((), ("lint", "other"))


class TestPlan:
    def test_it_follows_from_the_record_alone(self, record, specs):
        plan = plan_of(stored(record(level=Level.STRICT, parallel=5)))
        assert [phase.name for phase in plan.phases] == ["first", "second"]
        assert plan.phases == (specs.phases["first"], specs.phases["second"])
        assert plan.inputs["second"] == {"shared": "other", "fix": False, "target": "src", "kind": "x"}
        assert plan.gates == {**specs.gates.gates, **specs.implied}
        assert (plan.final_gates, plan.level, plan.parallel) == (("other",), Level.STRICT, 5)
        assert plan.git == {"head": TREE.head, "branch": "main", "tree": TREE.id}

    def test_a_project_without_gates(self, record):
        bare = checked_specs({f"{PHASES}/first.yaml": FIRST}, None)
        made = record("first", specs=bare, final_gates=())
        assert made["gates_text"] is None
        assert plan_of(stored(made)).gates == bare.implied


class TestInputs:
    def chosen(self, specs, *targets, **inputs):
        phases = tuple(specs.phases[name] for name in targets)
        return chosen_inputs(phases, Wish(targets=targets, inputs=inputs))

    def test_defaults_where_nothing_is_given(self, specs):
        assert self.chosen(specs, "first") == {"first": {"count": 3, "shared": "own"}}

    def test_a_value_reaches_every_phase_that_has_the_input(self, specs):
        found = self.chosen(specs, "first", "second", shared="same")
        assert (found["first"]["shared"], found["second"]["shared"]) == ("same", "same")

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("count", "7", 7),
            ("count", "-7", -7),
            ("count", "0.5", 0.5),
            ("count", "1e3", 1000.0),
            ("fix", "true", True),
            ("fix", "false", False),
            ("target", "src/a b/-x", "src/a b/-x"),
            ("target", "..x/y..", "..x/y.."),
            ("kind", "y", "y"),
            ("shared", "", ""),
            ("shared", "${{ inputs.fix }}", "${{ inputs.fix }}"),
            ("shared", "007", "007"),
        ],
    )
    def test_text_becomes_a_value_of_its_type(self, specs, name, text, value):
        found = next(
            inputs[name] for inputs in self.chosen(specs, "first", "second", **{name: text}).values() if name in inputs
        )
        assert found == value
        assert type(found) is type(value)

    @pytest.mark.parametrize(("name", "text"), [(name, text) for name, refused in REFUSED.items() for text in refused])
    def test_what_does_not_fit_is_refused(self, specs, name, text):
        with pytest.raises(InputInvalid) as refused:
            self.chosen(specs, "first", "second", **{name: text})
        assert refused.value.exit_code == 2
        assert refused.value.hint

    def test_one_that_no_phase_has(self, specs):
        with pytest.raises(InputInvalid, match="no phase of this run has an input 'must'") as refused:
            self.chosen(specs, "first", "second", must="x")
        assert refused.value.hint == "inputs: count, fix, kind, shared, target"

    def test_one_that_is_required(self, specs):
        with pytest.raises(InputInvalid, match="third needs a value for must") as refused:
            self.chosen(specs, "third")
        assert refused.value.hint == "--input must=VALUE"


class TestFingerprint:
    def test_the_same_again_is_the_same(self, record):
        assert record()["fingerprint"] == record()["fingerprint"]
        assert len(record()["fingerprint"]) == 64

    def test_it_can_be_computed_from_what_the_log_gives_back(self, record):
        made = stored(record())
        assert fingerprint(made, made["tree"]) == made["fingerprint"]

    @pytest.mark.parametrize(
        "change",
        [
            {"inputs": {"fix": "true"}},
            {"level": Level.STRICT},
            {"final_gates": ()},
            {"targets": ("first", "second")},
            {"tree": replace(TREE, id="u" * 40)},
            {"specs": checked_specs(texts(first=FIRST + "# a comment\n"), GATES)},
            {"specs": checked_specs(texts(), GATES + "# a comment\n")},
        ],
    )
    def test_whatever_changes_what_runs_changes_it(self, record, change):
        assert record(**change)["fingerprint"] != record()["fingerprint"]

    @pytest.mark.parametrize(
        "change",
        [
            {"parallel": 9},
            {"parent": "P"},
            {"job": "J"},
            {"trust": "environment"},
            {"path": "/other"},
            {"tree": replace(TREE, head="x", branch="y")},
            {"inputs": {"fix": "false"}},
            {"specs": checked_specs(texts(third=THIRD + "# a comment\n"), GATES)},
        ],
    )
    def test_what_does_not_does_not(self, record, change):
        assert record(**change)["fingerprint"] == record()["fingerprint"]


def test_secrets_are_those_of_all_phases(specs, record):
    assert secret_names(specs) == ("ANOTHER", "KEY_A", "TOKEN")
    assert plan_of(stored(record("first"))).secrets == ("ANOTHER", "KEY_A", "TOKEN")


def test_unknown_gates_and_phases_are_named(specs):
    check_gates(specs, ("lint", "other"))
    check_phase("first", specs)
    with pytest.raises(GateUnknown, match="'lin'") as gate:
        check_gates(specs, ("lint", "lin"))
    assert gate.value.hint == "use one of: lint, other"
    with pytest.raises(PhaseUnknown, match="'frist'") as phase:
        check_phase("frist", specs)
    assert phase.value.hint.startswith("did you mean first?")
