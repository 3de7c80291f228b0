"""Who needs whom."""

import pytest

from cli_multi_rapid.engine.graph import build, ordered
from cli_multi_rapid.model.phase import Permissions
from cli_multi_rapid.testing import phase, run_plan, step


def needs(*phases):
    return {node.key: node.needs for node in build(phases).nodes.values()}


def test_a_step_needs_the_one_before_it():
    assert needs(phase("p", "a", "b", "c")) == {"p/a": (), "p/b": ("p/a",), "p/c": ("p/b",)}


def test_an_empty_list_needs_nothing_and_the_next_one_needs_that_step():
    found = needs(phase("p", "a", step("b", needs=()), "c"))
    assert found == {"p/a": (), "p/b": (), "p/c": ("p/b",)}


def test_a_diamond():
    found = needs(phase("p", "a", step("b", needs=("a",)), step("c", needs=("a",)), step("d", needs=("b", "c"))))
    assert found["p/d"] == ("p/b", "p/c")


def test_needs_may_point_forward():
    assert needs(phase("p", step("a", needs=("b",)), step("b", needs=())))["p/a"] == ("p/b",)


def test_final_steps_form_a_chain_of_their_own():
    graph = build([phase("p", "a", "b", finally_=(step("c"), step("d"), step("e", needs=())))])
    assert [(node.key, node.needs) for node in graph.of("p", final=True)] == [
        ("p/c", ()),
        ("p/d", ("p/c",)),
        ("p/e", ()),
    ]
    assert [node.key for node in graph.of("p", final=False)] == ["p/a", "p/b"]


def test_equal_ids_in_two_phases_are_two_steps():
    assert needs(phase("p", "a", "b"), phase("q", "a", "b")) == {
        "p/a": (),
        "p/b": ("p/a",),
        "q/a": (),
        "q/b": ("q/a",),
    }


def test_phases_without_steps_and_unknown_phases_have_none():
    graph = build([phase("p")])
    assert graph.of("p", final=False) == graph.of("p", final=True) == graph.of("q", final=False) == ()


@pytest.mark.parametrize(
    ("settings", "expressive"),
    [
        ({}, False),
        ({"run": "echo '$x'"}, False),
        ({"run": ("echo", "${{ inputs.x }}")}, True),
        ({"env": {"A": 1, "B": "${{ inputs.x }}"}}, True),
        ({"env": {"A": 1}}, False),
        ({"produces": {"a": "${{ matrix.x }}.txt"}}, True),
        ({"outputs": {"a": "literal"}}, True),
    ],
)
def test_only_steps_with_expressions_are_expressive(settings, expressive):
    (node,) = build([phase("p", step("a", **settings))]).nodes.values()
    assert node.expressive is expressive


def test_expressions_in_the_variables_of_the_phase_concern_every_step():
    graph = build([phase("p", "a", env={"X": "${{ inputs.x }}"})])
    assert graph.nodes["p/a"].expressive


@pytest.mark.parametrize(
    ("own", "permitted", "paths"),
    [
        (None, None, None),
        (None, ("docs",), ("docs",)),
        (None, (), ()),
        ((), None, ()),
        ((), ("docs",), ()),
        (("src/**",), (), ("src/**",)),
    ],
)
def test_who_says_nothing_may_write_what_the_phase_permits(own, permitted, paths):
    permissions = None if permitted is None else Permissions(write=permitted)
    node = build([phase("p", step("a", writes=own), permissions=permissions)]).nodes["p/a"]
    assert node.paths == paths
    assert node.writes is (paths != ()), "who says nothing at all may change anything"


def test_phases_come_after_all_they_need():
    specs = {
        "d": phase("d", needs=("b", "c")),
        "b": phase("b", needs=("a",)),
        "c": phase("c", needs=("a",)),
        "a": phase("a"),
        "x": phase("x"),
    }
    assert [one.name for one in ordered(["d"], specs)] == ["a", "b", "c", "d"]
    assert [one.name for one in ordered(["x", "b", "b", "a"], specs)] == ["x", "a", "b"]
    assert ordered([], specs) == ()


def test_a_plan_knows_its_phases():
    plan = run_plan(phase("a"), phase("b", "s"))
    assert plan.phase("b").steps[0].id == "s"
