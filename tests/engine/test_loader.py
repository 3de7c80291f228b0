"""Loading phases: ids, needs, circles, values, gates, and several files at once."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.engine.loader import Phases, load_phase, load_phases
from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.phase import Step
from cli_multi_rapid.model.problems import PROBLEMS

PATH = "workflows/phase_definitions/p.yaml"
HEAD = "schema: cmr/phase@v1\nname: p\n"
Said = tuple[int, int, str, str, str]


def problems(files: Mapping[str, str | bytes], gates: frozenset[str] | None = frozenset()) -> tuple[Problem, ...]:
    with pytest.raises(SpecInvalid) as caught:
        load_phases(files, gates=gates)
    found = caught.value.problems
    assert all(problem.code in PROBLEMS and problem.fix and problem.line for problem in found), found
    assert list(found) == sorted(found, key=lambda one: (one.path, one.line, one.column, one.code))
    return found


def said(text: str, gates: frozenset[str] | None = frozenset()) -> list[Said]:
    found = problems({PATH: HEAD + text}, gates)
    return [(problem.line, problem.column, problem.code, problem.message, problem.fix) for problem in found]


def test_a_valid_phase() -> None:
    text = (
        HEAD
        + "steps:\n  - id: a\n    run: [x]\n  - {id: b, run: y, needs: [a]}\ngates: [g]\nfinally: [{id: c, run: z}]\n"
    )
    spec = load_phase(text, PATH, gates=frozenset({"g"}))
    assert spec.steps == (Step(id="a", run=("x",)), Step(id="b", run="y", needs=("a",)))
    assert load_phase(text.encode(), PATH, gates=None) == spec


def test_phases_are_a_mapping_with_positions() -> None:
    files = {f"w/{name}.yaml": f"schema: cmr/phase@v1\nname: {name}\nneeds: {needs}\nsteps: [{{id: a, run: x}}]\n"
             for name, needs in (("b", "[a]"), ("a", "[]"))}  # fmt: skip
    phases = load_phases(files, gates=None)
    assert isinstance(phases, Phases)
    assert (list(phases), len(phases), phases["b"].needs) == (["a", "b"], 2, ("a",))
    assert phases.documents["b"].position(("steps", 0, "run")) == (4, 22)
    assert phases.documents["b"].path == "w/b.yaml"
    assert len(load_phases({}, gates=frozenset())) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps:\n  - {id: a, run: x}\n  - {id: a, run: x}\n",
         (5, 10, "STEP-DUPLICATE", "the step 'a' is already defined in line 4", "give one of the two another id")),
        ("steps:\n  - {id: a, run: x}\nfinally:\n  - {id: A, run: x}\n",
         (6, 10, "STEP-DUPLICATE",
          "the step 'A' is already defined in line 4 (as 'a': expressions do not tell them apart)",
          "give one of the two another id")),
        ("steps:\n  - {id: lint, run: x}\n  - {id: b, run: x, needs: [lnt]}\n",
         (5, 29, "NEED-UNKNOWN", "there is no step 'lnt' to wait for", "did you mean 'lint'?")),
        ("steps:\n  - {id: b, run: x, needs: [lnt]}\n",
         (4, 29, "NEED-UNKNOWN", "there is no step 'lnt' to wait for", "write  needs: []")),
        ("steps:\n  - {id: b, run: x, needs: [z]}\nfinally:\n  - {id: z, run: x}\n",
         (4, 29, "NEED-UNKNOWN", "'z' is a step of 'finally', which starts when all others have ended", "remove it")),
        ("steps:\n  - {id: b, run: x}\nfinally:\n  - {id: z, run: x, needs: [b]}\n",
         (6, 29, "NEED-UNKNOWN", "'b' has always ended before the steps of 'finally' start", "remove it")),
        ("steps:\n  - {id: a, run: x, needs: [a]}\n",
         (4, 29, "CYCLE", "these steps wait for each other: a -> a", "remove one of these needs")),
        ("steps:\n  - {id: a, run: x, needs: [c]}\n  - {id: b, run: x}\n  - {id: c, run: x}\n  - {id: d, run: x}\n",
         (4, 29, "CYCLE", "these steps wait for each other: a -> c -> b -> a", "remove one of these needs")),
        ("steps: []\n", (3, 1, "SPEC-VALUE", "the phase has neither steps nor gates", "add a step")),
        ("steps:\n  - {id: a, run: []}\n", (4, 13, "STEP-KIND", "'run' is empty",
         "write the command as a list or as text")),
        ("steps:\n  - {id: a, run: ' '}\n",
         (4, 13, "STEP-KIND", "'run' is empty", "write the command as a list or as text")),
        ("steps:\n  - {id: a, run: [x], shell: sh}\n",
         (4, 23, "SPEC-VALUE", "'shell' has no effect on a list, which is run as it is",
          "remove it, or write 'run' as text")),
        ("steps:\n  - id: a\n    agent: {prompt: x}\n",
         (5, 5, "STEP-KIND", "'agent' is not an action of this version", "use 'run' with a command")),
        ("steps:\n  - id: a\n    uses: git.merge\n    run: x\n",
         (5, 5, "STEP-KIND", "a step has one action, and this one has 'run' and 'uses'", "make two steps of it")),
        ("steps:\n  - {id: a, run: x, produces: {f: f}}\n  - {id: b, run: x, produces: {F: f}}\n",
         (5, 32, "ARTIFACT-DUPLICATE", "the artifact 'F' is already produced by 'a'",
          "give one of the two another name")),
    ],
)  # fmt: skip
def test_steps(text: str, expected: Said) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gates: [coverag]\n", (3, 9, "GATE-UNKNOWN", "the gate 'coverag' is not defined", "did you mean 'coverage'?")),
        (
            "gates: [{use: zzz}]\n",
            (3, 15, "GATE-UNKNOWN", "the gate 'zzz' is not defined", "use one of: coverage, lint"),
        ),
        (
            "gates: [lint, {use: lint}]\n",
            (3, 21, "SPEC-VALUE", "the gate 'lint' is listed twice", "remove one of the two"),
        ),
    ],
)
def test_gates(text: str, expected: Said) -> None:
    assert said(text + "steps: []\n", frozenset({"coverage", "lint"})) == [expected]


def test_gates_that_accept_a_step() -> None:
    text = "steps: [{id: a, run: [x], accept: [lint, coverag, lint]}]\n"
    assert said(text, frozenset({"coverage", "lint"})) == [
        (3, 42, "GATE-UNKNOWN", "the gate 'coverag' is not defined", "did you mean 'coverage'?"),
        (3, 51, "SPEC-VALUE", "the gate 'lint' is listed twice", "remove one of the two"),
    ]
    ((_, _, code, message, _),) = said("steps: [{id: a, approval: {}, accept: [lint]}]\n", frozenset({"lint"}))
    assert (code, message[:8]) == ("SPEC-VALUE", "'accept'")


def test_gates_where_none_is_defined_or_known() -> None:
    fix = "define it in config/compliance-gates.yaml"
    assert said("gates: [a]\nsteps: []\n") == [(3, 9, "GATE-UNKNOWN", "the gate 'a' is not defined", fix)]
    assert load_phase(f"{HEAD}gates: [a]\nsteps: []\n", PATH, gates=None).gates == ("a",)


VARIABLE = "use letters, digits and '_', and no digit at the start"
NAME = "start with a letter; then letters, digits, '_' and '-', at most 63 in all"
INSIDE = "write it relative to the project's root, without '..'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env: {1A: x}", (3, 7, "SPEC-VALUE", "'1A' cannot be an environment variable", VARIABLE)),
        ("env: {A-B: x}", (3, 7, "SPEC-VALUE", "'A-B' cannot be an environment variable", VARIABLE)),
        ('env: {"A\\n": x}', (3, 7, "SPEC-VALUE", "'A ' cannot be an environment variable", VARIABLE)),
        ("env: {cmr_out: x}", (3, 7, "SPEC-VALUE", "'cmr_out' is reserved: names with CMR_ are given by the program",
                               "use another name")),
        ("secrets: [OK, A B]", (3, 15, "SPEC-VALUE", "'A B' cannot be an environment variable", VARIABLE)),
        ("permissions: {write: [src/**, /etc]}", (3, 31, "PATH-OUTSIDE", "'/etc' is not a path inside the project",
         INSIDE)),
        ("permissions: {write: ['a/../../b']}", (3, 23, "PATH-OUTSIDE", "'a/../../b' is not a path inside the project",
         INSIDE)),
        ("permissions: {write: ['C:\\x']}", (3, 23, "PATH-OUTSIDE", "'C:\\x' is not a path inside the project",
         INSIDE)),
        ("permissions: {write: ['']}", (3, 23, "PATH-OUTSIDE", "'' is not a path inside the project", INSIDE)),
        ("defaults: {timeout: 0s}", (3, 12, "SPEC-VALUE", "'timeout' must be longer than zero", "write a longer one")),
        ("defaults: {timeout: 366d}", (3, 12, "SPEC-VALUE", "'timeout' is longer than 365 days",
         "write a shorter one")),
        (f"defaults: {{timeout: '{'9' * 5000}s'}}", (3, 12, "SPEC-VALUE", "'timeout' is longer than 365 days",
                                                     "write a shorter one")),
        ("defaults: {retry: {max: 366d}}", (3, 20, "SPEC-VALUE", "'max' is longer than 365 days",
         "write a shorter one")),
        ("inputs: {1a: {type: string}}", (3, 10, "SPEC-VALUE", "'1a' is not a name", NAME)),
        ("inputs: {a: {type: number, default: '5'}}",
         (3, 37, "SPEC-VALUE", "'default': the input is of type number, so this must be a number, not '5'",
          "write a number, or change the type")),
        ("inputs: {a: {type: number, default: true}}",
         (3, 37, "SPEC-VALUE", "'default': the input is of type number, so this must be a number, not true",
          "write a number, or change the type")),
        ("inputs: {a: {type: boolean, default: 1}}",
         (3, 38, "SPEC-VALUE", "'default': the input is of type boolean, so this must be true or false, not '1'",
          "write true or false, or change the type")),
        ("inputs: {a: {type: string, default: 1}}",
         (3, 37, "SPEC-VALUE", "'default': the input is of type string, so this must be text, not '1'",
          "put it in quotes")),
        ("inputs: {a: {type: string, options: [x, null]}}",
         (3, 41, "SPEC-VALUE", "item 2 of 'options': the input is of type string, so this must be text, not nothing",
          "write text, or change the type")),
        ("inputs: {a: {type: string, default: x, options: [y, z]}}",
         (3, 28, "SPEC-VALUE", "the default 'x' is none of the options", "use one of: y, z")),
        ("inputs: {a: {type: path, default: ../x}}",
         (3, 26, "PATH-OUTSIDE", "'../x' is not a path inside the project", INSIDE)),
    ],
)  # fmt: skip
def test_values_of_a_phase(text: str, expected: Said) -> None:
    assert said(f"{text}\nsteps: [{{id: a, run: x}}]\n") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env: {CMR_X: 1}", (6, 11, "SPEC-VALUE", "'CMR_X' is reserved: names with CMR_ are given by the program",
                             "use another name")),
        ("ok-codes: [0, 256]", (6, 19, "SPEC-VALUE", "256 is not an exit code", "use numbers from 0 to 255")),
        ("ok-codes: [-1]", (6, 16, "SPEC-VALUE", "-1 is not an exit code", "use numbers from 0 to 255")),
        ("timeout: 0ms", (6, 5, "SPEC-VALUE", "'timeout' must be longer than zero", "write a longer one")),
        ("retry: {attempts: 0}", (6, 13, "SPEC-VALUE", "'attempts' is 0; it must be from 1 to 20",
                                  "use a number in that range")),
        ("retry: {attempts: 21}", (6, 13, "SPEC-VALUE", "'attempts' is 21; it must be from 1 to 20",
                                   "use a number in that range")),
        ("retry: {on: [timeout, failure, 'exit:3', 'exit:256']}",
         (6, 46, "SPEC-VALUE", "'exit:256' is not a reason to try again",
          "use timeout, failure, or exit:N with N from 0 to 255")),
        ("retry: {on: ['exit:']}", (6, 18, "SPEC-VALUE", "'exit:' is not a reason to try again",
                                    "use timeout, failure, or exit:N with N from 0 to 255")),
        ("produces: {f: ../f}", (6, 19, "PATH-OUTSIDE", "'../f' is not a path inside the step's folder",
                                 "write it relative to $CMR_OUT, without '..'")),
        ("produces: {f: /tmp/f}", (6, 19, "PATH-OUTSIDE", "'/tmp/f' is not a path inside the step's folder",
                                   "write it relative to $CMR_OUT, without '..'")),
        ("produces: {a b: f}", (6, 16, "SPEC-VALUE", "'a b' is not a name", NAME)),
        ("outputs: {'': f}", (6, 15, "SPEC-VALUE", "'' is not a name", NAME)),
        ("writes: [/x]", (6, 14, "PATH-OUTSIDE", "'/x' is not a path inside the project", INSIDE)),
        ("requires: ['a b']", (6, 16, "SPEC-VALUE", "'a b' is neither a program nor a module",
                               "write ruff for a program, python:pytest for a module")),
        ("matrix: {v: []}", (6, 14, "SPEC-VALUE", "'v' has no values, so the step would never run",
                             "add a value, or remove it")),
        ("matrix: {v: a}", (6, 14, "SPEC-VALUE", "'v' must be a list, or an expression that gives one", "write  [a]")),
        ("matrix: {1v: [a]}", (6, 14, "SPEC-VALUE", "'1v' is not a name", NAME)),
        ("matrix: {v: [3.9, 3.10, '3.10', 3.0e1]}", (6, 23, "SPEC-VERSION-NUMBER",
         "the number 3.10 loses its last zero",
                                                     'put it in quotes: "3.10"')),
        (f"matrix: {{a: [{'1,' * 16}1], b: [{'1,' * 16}]}}",
         (6, 5, "SPEC-LIMIT", "the matrix has 272 combinations; at most 256 are allowed", "split the step")),
    ],
)  # fmt: skip
def test_values_of_a_step(text: str, expected: Said) -> None:
    assert said(f"steps:\n  - id: a\n    run: x\n    {text}\n") == [expected]


def test_limits_are_inclusive() -> None:
    step = (
        "{id: a, run: x, ok-codes: [0, 255], retry: {attempts: 20, initial: 0s}, timeout: 365d, matrix: {a: %s, b: %s}}"
    )
    load_phase(f"{HEAD}steps: [{step % ([1] * 16, [1] * 16)}]\n", PATH, gates=None)
    many = "".join(f"  - {{id: s{i}, run: x}}\n" for i in range(2000))
    assert len(load_phase(f"{HEAD}steps:\n{many}", PATH, gates=None).steps) == 2000
    assert said(f"steps:\n{many}finally: [{{id: z, run: x}}]\n") == [
        (3, 1, "SPEC-LIMIT", "the phase has 2001 steps; at most 2000 are allowed", "split it into several phases")
    ]


def test_every_circle_is_named_once() -> None:
    text = "steps:\n" + "".join(
        f"  - {{id: {name}, run: x, needs: [{needs}]}}\n"
        for name, needs in (("a", "b"), ("b", "a"), ("c", "a"), ("d", "e, a"), ("e", "f"), ("f", "d"), ("g", ""))
    )
    assert [(line, message) for line, _, code, message, _ in said(text) if code == "CYCLE"] == [
        (4, "these steps wait for each other: a -> b -> a"),
        (7, "these steps wait for each other: d -> e -> f -> d"),
    ]


def test_names_of_files() -> None:
    found = problems({"w/q.yaml": f"{HEAD}steps: [{{id: a, run: x}}]\n"})
    assert [(p.where, p.code, p.message, p.fix) for p in found] == [
        (
            "w/q.yaml:2:7",
            "SPEC-NAME",
            "the phase is called 'p', its file 'q.yaml'",
            "write  name: q, or rename the file",
        )
    ]
    text = f"{HEAD}steps: [{{id: a, run: x}}]\n"
    found = problems({"w/p.yaml": text, "w/p.yml": text})
    assert [(p.where, p.code, p.message) for p in found] == [
        ("w/p.yml:2:7", "SPEC-NAME", "the phase 'p' is already defined in w/p.yaml")
    ]


def phase(name: str, needs: str) -> str:
    return f"schema: cmr/phase@v1\nname: {name}\nneeds: [{needs}]\nsteps: [{{id: a, run: x}}]\n"


def test_needs_of_phases() -> None:
    found = problems({"w/phase0.yaml": phase("phase0", ""), "w/phase1.yaml": phase("phase1", "phase0, phse0")})
    assert [(p.where, p.code, p.message, p.fix) for p in found] == [
        ("w/phase1.yaml:3:17", "NEED-UNKNOWN", "there is no phase 'phse0' to wait for", "did you mean 'phase0'?")
    ]
    assert problems({"w/a.yaml": phase("a", "zzz")})[0].fix == "write  needs: []"
    found = problems(
        {
            "w/a.yaml": phase("a", "b"),
            "w/b.yaml": phase("b", "c"),
            "w/c.yaml": phase("c", "b"),
            "w/d.yaml": phase("d", "d"),
        }
    )
    assert [(p.where, p.code, p.message) for p in found] == [
        ("w/b.yaml:3:9", "CYCLE", "these phases wait for each other: b -> c -> b"),
        ("w/d.yaml:3:9", "CYCLE", "these phases wait for each other: d -> d"),
    ]


def test_one_phase_by_itself_is_not_asked_for_the_others() -> None:
    assert load_phase(phase("a", "b"), "w/a.yaml", gates=None).needs == ("b",)


def test_an_unreadable_file_causes_no_further_complaints() -> None:
    found = problems({"w/a.yaml": "a: [", "w/b.yaml": phase("b", "a"), "w/c.yaml": b"\xff", "w/d.yaml": "- 1"})
    assert [(p.path, p.code) for p in found] == [
        ("w/a.yaml", "YAML-SYNTAX"), ("w/c.yaml", "YAML-SYNTAX"), ("w/d.yaml", "SPEC-VALUE"),
    ]  # fmt: skip


def test_what_the_schema_refuses_causes_no_further_complaints() -> None:
    text = (
        "needs: 3\nsteps:\n  - {ids: a, run: x}\n  - {id: b, run: x, needs: [a], retry: {attempts: x}}\n"
        "  - {id: c, needs: [b]}\n  - 7\n"
    )
    assert [one[:3] for one in said(text)] == [
        (3, 1, "SPEC-VALUE"), (5, 5, "SPEC-KEY-MISSING"), (5, 6, "SPEC-KEY-UNKNOWN"), (6, 41, "SPEC-VALUE"),
        (7, 5, "STEP-KIND"), (8, 5, "SPEC-VALUE"),
    ]  # fmt: skip


def test_all_kinds_of_problems_of_all_files_come_at_once() -> None:
    files = {
        "w/a.yaml": "schema: cmr/phase@v1\nname: a\nneeds: [b]\ntitel: x\nsteps:\n"
        "  - {id: s, run: x, needs: [t], timeout: 3}\n"
        "  - {id: s, run: 'echo ${{ inputs.x }}'}\n"
        "  - {id: t, run: [x, '${{ nope }}'], if: '${{ true }} x'}\ngates: [g]\n",
        "w/b.yaml": "schema: cmr/phase@v1\nname: b\nname: c\nneeds: [a]\nsteps: []\n",
    }
    assert [(p.where, p.code) for p in problems(files)] == [
        ("w/a.yaml:3:9", "CYCLE"), ("w/a.yaml:4:1", "SPEC-KEY-UNKNOWN"), ("w/a.yaml:6:29", "CYCLE"),
        ("w/a.yaml:6:33", "SPEC-VALUE"), ("w/a.yaml:7:10", "STEP-DUPLICATE"), ("w/a.yaml:7:24", "SHELL-INJECTION"),
        ("w/a.yaml:8:27", "EXPRESSION"), ("w/a.yaml:8:54", "CONDITION-TEXT"), ("w/a.yaml:9:9", "GATE-UNKNOWN"),
        ("w/b.yaml:3:1", "YAML-DUPLICATE"), ("w/b.yaml:5:1", "SPEC-VALUE"),
    ]  # fmt: skip


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999)
    | st.sampled_from(["", "a", "b", "x ${{ inputs.a }}", "${{ steps.a.outputs.o }}", "${{", "${{ artifacts.f }}",
    "0s", "3x", "-c", "bash",
                       "${{ secrets.A }}", "always()", "${{ needs.b.steps.a }}", "${{ matrix.m }} x", "../x"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["a", "b", "id", "run", "f", "use", "from", "type", "default"]), inner,
    max_size=4),
    max_leaves=8,
)  # fmt: skip
_STEP = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "c", ""]), "run": _VALUES},
    optional=dict.fromkeys(
        ("needs", "if", "env", "matrix", "produces", "outputs", "retry", "agent", "timeout"), _VALUES
    ),
)
_PHASE = st.fixed_dictionaries(
    {"schema": st.just("cmr/phase@v1"), "name": st.sampled_from(["p", "q"]), "steps": st.lists(_STEP, max_size=4)},
    optional={"needs": _VALUES, "inputs": _VALUES, "env": _VALUES, "secrets": _VALUES, "gates": _VALUES,
              "finally": st.lists(_STEP, max_size=2), "permissions": _VALUES, "defaults": _VALUES},
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(_PHASE, st.text(max_size=40))
def test_no_content_raises_anything_but_spec_invalid(values: dict[str, object], text: str) -> None:
    for files in (
        {"w/p.yaml": json.dumps(values), "w/b.yaml": phase("b", "")},
        {"w/p.yaml": text},
        {"w/p.yaml": HEAD + text},
    ):
        try:
            load_phases(files, gates=frozenset({"a"}))
        except SpecInvalid as invalid:
            assert all(problem.code in PROBLEMS and problem.fix and problem.line for problem in invalid.problems)
