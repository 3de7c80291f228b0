"""Which evidence the gates of a phase judge."""

import pytest

from cli_multi_rapid.engine.gating import phase_gates
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.phase import GateUse
from cli_multi_rapid.model.run import Artifact
from cli_multi_rapid.testing import phase, step

GATES = {name: GateSpec(check=Check.COMMAND) for name in ("lint", "cov")} | {
    "named": GateSpec(check=Check.COMMAND, artifact="report")
}


def wanted(*gates, steps=(), finally_=(), artifacts=None, **contexts):
    made = {
        name: [Artifact(path=path, sha256="0", size=1) for path in paths] for name, paths in (artifacts or {}).items()
    }
    spec = phase("p", *steps, gates=gates, finally_=finally_)
    return phase_gates(spec, GATES, {"artifacts": {}, **contexts}, made)


def test_gates_keep_their_order():
    assert list(wanted("lint", GateUse(use="cov"), "named")) == ["lint", "cov", "named"]


def test_where_nothing_is_produced_the_gate_looks_for_its_own_reports():
    assert wanted("lint") == {"lint": None}


def test_artifacts_of_the_same_name_are_its_evidence():
    assert wanted("lint", artifacts={"lint": ["/a", "/b"], "other": ["/c"]}) == {"lint": ("/a", "/b")}


def test_the_settings_of_the_gate_may_name_another_artifact():
    assert wanted("named", artifacts={"named": ["/a"], "report": ["/r"]}) == {"named": ("/r",)}


@pytest.mark.parametrize("part", ["steps", "finally_"])
def test_an_artifact_that_was_not_produced_is_no_evidence_and_no_old_report(part):
    """The step was skipped: a report of an earlier run in the project must not stand in for it."""
    assert wanted("lint", **{part: (step("a", produces={"lint": "x"}),)}) == {"lint": ()}
    assert wanted("named", **{part: (step("a", produces={"report": "x"}),)}) == {"named": ()}


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("/a.json", ("/a.json",)),
        (["/a", "/b"], ("/a", "/b")),
        ([], ()),
        (None, ()),
        ("", ()),
        (False, ()),
        (3, ()),
        ({"a": 1}, ()),
        (["/a", None], ()),
        (["/a", ""], ()),
    ],
)
def test_an_expression_gives_the_paths_or_none_at_all(value, paths):
    use = GateUse(use="lint", from_="${{ artifacts.x }}")
    assert phase_gates(phase("p", gates=(use,)), GATES, {"artifacts": {"x": value}}, {}) == {"lint": paths}


@pytest.mark.parametrize("expression", ["${{ nothing.here }}", "${{ fromJSON('{') }}", "${{ 1 + }}"])
def test_an_expression_that_cannot_be_evaluated_gives_none(expression):
    assert wanted(GateUse(use="lint", from_=expression), artifacts={"lint": ["/a"]}) == {"lint": ()}


def test_an_expression_outweighs_the_artifact_of_the_same_name():
    use = GateUse(use="lint", from_="${{ inputs.path }}")
    assert wanted(use, artifacts={"lint": ["/a"]}, inputs={"path": "/b"}) == {"lint": ("/b",)}
