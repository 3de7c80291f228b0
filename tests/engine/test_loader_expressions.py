"""Loading phases: what expressions may read where, and values that would become code."""

from collections.abc import Mapping

import pytest

from cli_multi_rapid.engine.contexts import phase_contexts
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import RunPlan, build
from cli_multi_rapid.engine.loader import load_phase, load_phases
from cli_multi_rapid.engine.vocabulary import CONTEXTS, MEMBERS, VISIBLE, Place
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.problems import PROBLEMS

PATH = "w/p.yaml"
HEAD = "schema: cmr/phase@v1\nname: p\n"
INPUTS = "inputs: {cov: {type: number, default: 85}, fix: {type: boolean, default: false}}\n"
STEPS = """\
secrets: [TOKEN]
env: {MODE: fast, MADE: "${{ inputs.cov }}"}
steps:
  - {id: one, run: x, produces: {report: r.json}, outputs: {percent: "${{ fromJSON(artifacts.report).p }}"}}
  - {id: two, needs: [], run: x, produces: {other: o.json}, outputs: {n: "1"}, matrix: {python: ["3.11"]}}
  - id: three
    needs: [one]
    run: [x]
    %s
  - {id: four, needs: [three], run: x, produces: {late: l}, outputs: {n: "1"}}
finally:
  - {id: last, run: x, produces: {end: e}}
"""
Said = tuple[int, int, str, str, str]


def said(text: str) -> list[Said]:
    with pytest.raises(SpecInvalid) as caught:
        load_phase(text, PATH, gates=None)
    found = caught.value.problems
    assert all(problem.code in PROBLEMS and problem.fix for problem in found)
    return [(problem.line, problem.column, problem.code, problem.message, problem.fix) for problem in found]


def of_step(key: str) -> list[Said]:
    return said(HEAD + INPUTS + STEPS % key)


@pytest.mark.parametrize(
    "key",
    [
        "if: inputs.fix",
        "if: ${{ inputs.FIX && steps.one.status == 'success' && always() }}",
        "if: \"!cancelled() && env.MODE == 'fast' && git.branch == 'main' && phase.name == 'p' && run.status != 'x'\"",
        "if: steps['one'].outputs.percent > inputs.cov",
        "env: {A: '${{ steps.one.outputs.percent }} ${{ artifacts.report }} ${{ secrets.TOKEN }} ${{ step.out }}'}",
        "env: {A: '${{ toJSON(steps) }} ${{ inputs }} ${{ steps.*.outputs }}'}",
        "matrix: {v: '${{ fromJSON(steps.one.outputs.percent) }}'}",
        "matrix: {v: [a, b]}\n    env: {A: '${{ matrix.v }}'}",
        "produces: {mine: 'a/${{ step.id }}.json'}\n    outputs: {v: '${{ artifacts.mine }} ${{ artifacts.report }}'}",
        "title: it costs $5",
    ],
)
def test_what_may_be_read(key: str) -> None:
    load_phase(HEAD + INPUTS + STEPS % key, PATH, gates=None)


CONDITION_FIX = "put the whole condition inside one `${{ }}`, or leave the braces out"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("if: input.fix", (12, 9, "EXPRESSION", "there is no 'input' in expressions", "did you mean 'inputs'?")),
        ("if: ${{ zzz }}", (12, 13, "EXPRESSION", "there is no 'zzz' in expressions",
                            "use one of: artifacts, env, git, inputs, needs, phase, run, steps")),
        ('if: "inputs.fix && inputs.cv"', (12, 24, "EXPRESSION", "'cv' is unknown in 'inputs'", "did you mean 'cov'?")),
        ("if: ${{ inputs.fix }} == 'y'", (12, 26, "CONDITION-TEXT",
         "text outside `${{ }}` makes a condition that is always true",
                                          CONDITION_FIX)),
        ("if: not ${{ inputs.fix }}", (12, 9, "CONDITION-TEXT",
         "text outside `${{ }}` makes a condition that is always true",
                                       CONDITION_FIX)),
        ("if: secrets.TOKEN", (12, 9, "EXPRESSION", "'secrets' cannot be read in if",
         "pass it to the command through 'env'")),
        ("if: step.out", (12, 9, "EXPRESSION", "'step' cannot be read in if",
                          "use one of: artifacts, env, git, inputs, needs, phase, run, steps")),
        ("env: {A: '${{ secrets.TOKN }}'}", (12, 19, "EXPRESSION", "the secret 'TOKN' is not declared",
                                             "write  secrets: [TOKEN, TOKN]")),
        ("env: {A: 'x ${{ env.MADE }}'}", (12, 21, "EXPRESSION",
                                           "'MADE' is itself made by an expression, which 'env' does not show",
                                           "write out what the value is made of")),
        ("env: {A: '${{ env.HOME }}'}", (12, 19, "EXPRESSION", "'HOME' is unknown in 'env'", "use one of: MADE, MODE")),
        ("env: {A: '${{ git.brnch }}'}", (12, 19, "EXPRESSION", "'brnch' is unknown in 'git'",
         "did you mean 'branch'?")),
        ("env: {A: '${{ matrix.v }}'}", (12, 19, "EXPRESSION", "'matrix' is only there in a step with a matrix",
                                         "add 'matrix' to the step")),
        ("matrix: {v: [a]}\n    env: {A: '${{ matrix.w }}'}", (13, 19, "EXPRESSION", "'w' is unknown in 'matrix'",
                                                               "use one of: v")),
        ("matrix: {v: '${{ matrix.v }}'}", (12, 22, "EXPRESSION", "'matrix' cannot be read in matrix",
                                            "use one of: artifacts, env, git, inputs, needs, phase, run, steps")),
        ("env: {A: '${{ steps.on.status }}'}", (12, 19, "EXPRESSION", "'on' is unknown in 'steps'",
         "did you mean 'one'?")),
        ("env: {A: '${{ steps.one.output }}'}", (12, 19, "EXPRESSION", "'output' is unknown in 'steps.one'",
                                                 "did you mean 'outputs'?")),
        ("env: {A: '${{ steps.one.outputs.prcent }}'}", (12, 19, "EXPRESSION",
         "'prcent' is unknown in 'steps.one.outputs'",
                                                         "did you mean 'percent'?")),
        ("env: {A: '${{ steps.two.outputs.n }}'}",
         (12, 19, "NEED-MISSING", "the step 'two' might not be there yet: 'three' does not wait for 'two'",
          "write  needs: [one, two]")),
        ("env: {A: '${{ steps.four.outputs.n }}'}",
         (12, 19, "NEED-MISSING", "the step 'four' might not be there yet: 'three' does not wait for 'four'",
          "'four' comes later; read it in a step after it")),
        ("env: {A: '${{ steps.last.status }}'}",
         (12, 19, "NEED-MISSING", "the step 'last' might not be there yet: 'three' does not wait for 'last'",
          "'last' comes later; read it in a step after it")),
        ("env: {A: '${{ steps.three.status }}'}",
         (12, 19, "NEED-MISSING", "the step 'three' is the one that reads it", "read an earlier step")),
        ("env: {A: '${{ artifacts.reprt }}'}",
         (12, 19, "ARTIFACT-UNKNOWN", "no step produces the artifact 'reprt'", "did you mean 'report'?")),
        ("env: {A: '${{ artifacts.other }}'}",
         (12, 19, "ARTIFACT-UNKNOWN",
          "the artifact 'other' of 'two' might not be there yet: 'three' does not wait for 'two'",
          "write  needs: [one, two]")),
        ("produces: {mine: m}\n    env: {A: '${{ artifacts.mine }}'}",
         (13, 19, "ARTIFACT-UNKNOWN", "the artifact 'mine' is produced by this step itself",
          "use ${{ step.out }} and its path")),
        ("env: {A: '${{ needs.q.status }}'}", (12, 19, "EXPRESSION", "'q' is unknown in 'needs'",
         "there is nothing in 'needs'")),
        ("env: {A: '${{ success() }}'}", (12, 19, "EXPRESSION", "success() can be asked in 'if' only",
         "move it to 'if'")),
        ("env: {A: '${{ 1 + 2 }}'}",
         (12, 21, "EXPRESSION", "'1 + 2': unexpected symbol: '+'. Located at position 3 within expression: 1 + 2",
          "there is no arithmetic")),
        ("env: {A: '${{ inputs.cov'}", (12, 15, "EXPRESSION", "`${{` is not closed", "add `}}`")),
        ("title: ${{ inputs.cov }}",
         (12, 12, "EXPRESSION", "'title' is taken as it is; expressions are not evaluated here",
          "expressions work in: if, run (a list), env, matrix (in place of a list), produces, outputs, with, from")),
        ("matrix: {v: ['${{ inputs.cov }}']}",
         (12, 18, "EXPRESSION", "item 1 of 'v' is taken as it is; expressions are not evaluated here",
          "expressions work in: if, run (a list), env, matrix (in place of a list), produces, outputs, with, from")),
    ],
)  # fmt: skip
def test_what_may_not_be_read(key: str, expected: Said) -> None:
    assert of_step(key) == [expected]


def test_several_problems_of_one_text_have_their_own_columns() -> None:
    found = of_step("env:\n      A: >-\n        x ${{ inputs.a }}\n        ${{ inputs.b }} ${{ inputs.c || inputs.d }}")
    assert [one[:2] for one in found] == [(14, 15), (15, 13), (15, 29), (15, 41)]


def test_the_env_of_the_phase() -> None:
    text = (
        f"{HEAD}env:\n  A: ${{{{ steps.a.status }}}}\n  B: ${{{{ matrix.x }}}}\n  C: ${{{{ inputs.x }}}}\n"
        f"steps: [{{id: a, run: x}}]\n"
    )
    assert [(line, code, message) for line, _, code, message, _ in said(text)] == [
        (4, "EXPRESSION", "'steps' cannot be read in the phase's env"),
        (5, "EXPRESSION", "'matrix' cannot be read in the phase's env"),
        (6, "EXPRESSION", "'x' is unknown in 'inputs'"),
    ]


def test_evidence_of_gates() -> None:
    text = STEPS % "writes: []" + "gates: [{use: a, from: '${{ artifacts.late }} ${{ steps.four.status }}'}]\n"
    load_phase(HEAD + INPUTS + text, PATH, gates=None)
    text = (
        STEPS
        % "writes: []"
        + "gates:\n  - {use: a, from: '${{ artifacts.end }}'}\n  - {use: b, from: artifacts.late}\n"
        "  - {use: c, from: '${{ step.out }}'}\n"
    )
    assert [(code, message) for _, _, code, message, _ in said(HEAD + INPUTS + text)] == [
        ("ARTIFACT-UNKNOWN", "the artifact 'end' of 'last' comes only in 'finally', after the gates"),
        ("EXPRESSION", "'from' needs an expression, not 'artifacts.late'"),
        ("EXPRESSION", "'step' cannot be read in from"),
    ]


def test_steps_of_finally_see_all_steps() -> None:
    text = f"{HEAD}steps: [{{id: a, run: x, produces: {{f: f}}}}]\nfinally:\n"
    end = "  - {id: y, run: [x, '${{ steps.a.status }}${{ artifacts.f }}${{ run.status }}']}\n"
    load_phase(f"{text}{end}", PATH, gates=None)
    early = "  - {id: y, run: [x, '${{ steps.z.status }}']}\n  - {id: z, run: [x, '${{ steps.y.status }}']}\n"
    assert [(line, code) for line, _, code, _, _ in said(f"{text}{early}")] == [(5, "NEED-MISSING")]


def test_in_a_circle_nothing_is_said_of_the_order() -> None:
    text = (
        f"{HEAD}steps:\n  - {{id: a, run: [x, '${{{{ steps.b.status }}}}'], needs: [b]}}\n"
        f"  - {{id: b, run: x, needs: [a]}}\n"
    )
    assert [code for _, _, code, _, _ in said(text)] == ["CYCLE"]


OTHER = (
    "schema: cmr/phase@v1\nname: base\nsteps: [{id: build, run: x, outputs: {v: '1'}}]\nfinally: [{id: end, run: x}]\n"
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("needs.base.status", None),
        ("needs.BASE.steps.build.outputs.v", None),
        ("toJSON(needs)", None),
        ("needs.base.step", ("'step' is unknown in 'needs.base'", "did you mean 'steps'?")),
        ("needs.base.steps.bild.status", ("'bild' is unknown in 'needs.base.steps'", "did you mean 'build'?")),
        ("needs.base.steps.end.status", ("'end' is unknown in 'needs.base.steps'", "use one of: build")),
        ("needs.base.steps.build.outputs.w", ("'w' is unknown in 'needs.base.steps.build.outputs'", "use one of: v")),
        ("needs.more.status", ("the phase 'more' is not among the needs of this one", "write  needs: [base, more]")),
        ("needs.bas.status", ("'bas' is unknown in 'needs'", "did you mean 'base'?")),
    ],
)
def test_what_other_phases_give(reference: str, expected: tuple[str, str] | None) -> None:
    text = f"{HEAD}needs: [base]\nsteps: [{{id: a, run: [x, '${{{{ {reference} }}}}']}}]\n"
    files = {PATH: text, "w/base.yaml": OTHER, "w/more.yaml": OTHER.replace("base", "more")}
    if expected is None:
        load_phases(files, gates=None)
        return
    with pytest.raises(SpecInvalid) as caught:
        load_phases(files, gates=None)
    assert [(p.code, p.message, p.fix) for p in caught.value.problems] == [("EXPRESSION", *expected)]


def test_a_text_command_with_expressions() -> None:
    text = (
        f"{HEAD}{INPUTS}steps:\n  - id: a\n    run: |\n      echo hi\n      echo ${{{{ inputs.cov }}}} ${{{{ x }}}}\n"
    )
    message = "`${{ }}` in a text command would turn data into code"
    fix = "pass the value through 'env:' and use the variable"
    assert said(text) == [(8, 12, "SHELL-INJECTION", message, fix), (8, 30, "SHELL-INJECTION", message, fix)]


def test_an_expression_as_code_of_an_interpreter() -> None:
    text = (
        f"{HEAD}{INPUTS}steps:\n  - id: a\n"
        f"    run: [python, -c, 'print(${{{{ inputs.cov }}}})', '${{{{ inputs.cov }}}}']\n"
    )
    message = "`${{ }}` where an interpreter expects code would turn data into code"
    fix = "pass the value through 'env:' and use the variable"
    assert said(text) == [(6, 30, "SHELL-INJECTION", message, fix)]


def test_the_table_of_contexts_is_what_the_engine_gives() -> None:
    spec = load_phase(f"{HEAD}steps: [{{id: a, run: x}}]\n", PATH, gates=None)
    plan = RunPlan(phases=(spec,), inputs={}, git=dict.fromkeys(MEMBERS["git"], ""))
    given = phase_contexts(plan, build([spec]), RunState(id="r"), "p")
    assert set(given) == VISIBLE[Place.CONDITION]
    for name in ("phase", "run", "git"):
        found = given[name]
        assert isinstance(found, Mapping)
        assert set(found) == set(MEMBERS[name])
    assert set().union(*VISIBLE.values()) == set(CONTEXTS)
    assert set(VISIBLE) == set(Place)
