"""Workflows of GitHub Actions as phases: expressions, variables, inputs and conditions."""

import pytest

from cli_multi_rapid.model.phase import InputSpec, InputType

# -- expressions


@pytest.mark.parametrize(
    ("expression", "value", "name"),
    [
        ("github.sha", "git.head", "GITHUB_SHA"),
        ("github.ref_name", "git.branch", "GITHUB_REF_NAME"),
        ("github.ref", "format('refs/heads/{0}', git.branch)", "GITHUB_REF"),
        ("github['SHA']", "git.head", "GITHUB_SHA"),
        ("github.run_id", "run.id", "GITHUB_RUN_ID"),
        ("github.job", "phase.name", "GITHUB_JOB"),
        ("job.status", "run.status", "JOB_STATUS"),
        ("secrets.KEY", "secrets.KEY", "KEY"),
        ("github.token", "secrets.GITHUB_TOKEN", "GITHUB_TOKEN"),
        ("inputs.what", "inputs.what", "INPUT_WHAT"),
        ("github.event.inputs.what", "inputs.what", "INPUT_WHAT"),
        ("github.event.inputs.sure", "format('{0}', inputs.sure)", "INPUT_SURE"),
        ("hashFiles('**/x')", "hashFiles('**/x')", "VALUE"),
        ("github.sha && 'a' || 'b'", "git.head && 'a' || 'b'", "VALUE"),
        ("toJSON(github.sha)", "toJSON(git.head)", "VALUE"),
        ("steps.first.outcome", "steps.first.outcome", "STEP_FIRST_OUTCOME"),
        ("steps.FIRST.conclusion", "steps.first.status", "STEP_FIRST_CONCLUSION"),
        ("needs.before.result", "needs.before.status", "NEEDS_BEFORE_RESULT"),
        ("format('{0}-{1}', github.sha, 'it''s')", "format('{0}-{1}', git.head, 'it''s')", "VALUE"),
    ],
)
def test_what_stands_for_an_expression(expression, value, name, workflow):
    found = workflow(f"""\
  before: {{steps: [{{run: echo}}]}}
  test:
    needs: before
    steps:
      - {{id: first, run: echo}}
      - run: echo "${{{{ {expression} }}}}"
""", head="on: {workflow_dispatch: {inputs: {what: {}, sure: {type: boolean}}}}\n")  # fmt: skip
    step = found.phases["test"].steps[1]
    assert step.env == {name: f"${{{{ {value} }}}}"}
    assert step.run == f'echo "${name}"'


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.workflow", "The CI"), ("runner.os", "Linux"), ("'it''s'", "it's"), ("1 == 1", "true"),
        ("matrix.nope", ""),
        ("runner.os == 'Windows' && 'a' || 'b'", "b"), ("matrix.only", "7"), ("matrix.only == 7 && 'x'", "x"),
        ("env.PLAIN", "$PLAIN"), ("env.OWN", "$OWN"),
    ],
)  # fmt: skip
def test_what_is_always_the_same_is_written_out(expression, value, job):
    found = job(
        f"- run: echo ${{{{ {expression} }}}}\n  env: {{OWN: a}}",
        "strategy: {matrix: {only: [7]}}\nenv: {PLAIN: b}",
        head="name: The CI\non: push\n",
    )
    assert found.step.run.replace('"', "") == f"echo {value}"
    assert found.step.env == {"OWN": "a"}
    assert not found.step.matrix


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("github.actor", "there is no 'github.actor' here"),
        ("github.event.head_commit.message", "there is no 'github.event.head_commit.message' here"),
        ("vars.X", "there are no configuration variables ('vars') here"),
        ("runner.temp", "there is no 'runner.temp' here"),
        ("strategy.job-index", "there is no 'strategy' in expressions here"),
        ("toJSON(github)", "'github' as a whole is another one here"),
        ("job.container.id", "there is no 'job.container.id' here"),
        ("steps.nope.outcome", "it reads the step 'nope', which is not carried over"),
        ("steps.first.outputs.x", "what a step writes to $GITHUB_OUTPUT is not read here"),
        ("needs.nope.result", "it reads the job 'nope', which is not carried over"),
        ("needs.before.outputs.x", "the outputs of a job are not carried over"),
        ("inputs.nope", "the workflow has no input 'nope'"),
        ("env.NOPE", "the variable 'NOPE' is not in any 'env' that is carried over"),
        ("nope.x", "there is no 'nope' in expressions"),
        ("secrets.a-b", "the secret 'a-b' cannot be an environment variable"),
        ("github.ref == 'refs/tags/v1'", "only branches are known here, no tags and no pull requests"),
        ("a b", "the expression is not valid: Unexpected symbol: 'b'."),
        ("", "There is no expression between"),
    ],
)
def test_what_has_no_equivalent_leaves_the_step_out(expression, why, workflow):
    found = workflow(f"""\
  before: {{steps: [{{run: echo}}]}}
  test:
    needs: before
    steps:
      - {{id: first, run: echo}}
      - run: |
          one
          echo "${{{{ {expression} }}}}"
""")  # fmt: skip
    assert [step.id for step in found.phases["test"].steps] == ["first"]
    (item,) = found.left
    assert item.why.startswith(why)
    assert item.where.startswith("ci.yml:10:")
    assert "echo" in item.what


def test_the_same_expression_is_one_variable_and_others_get_other_names(job):
    found = job("""\
- run: echo "${{ github.sha }} ${{ github.sha }} ${{ inputs.a }} ${{ secrets.INPUT_A }} $GITHUB_SHA"
  env: {GITHUB_REF_NAME: mine, HEAD: "${{ github.sha }}"}
""", "env: {X: 1}", head="on: {workflow_call: {inputs: {a: {}}}}\n")  # fmt: skip
    assert found.step.run == 'echo "$HEAD $HEAD $INPUT_A $INPUT_A_2 $GITHUB_SHA"'
    assert found.step.env == {
        "GITHUB_REF_NAME": "mine", "HEAD": "${{ git.head }}", "INPUT_A": "${{ inputs.a }}",
        "INPUT_A_2": "${{ secrets.INPUT_A }}", "GITHUB_SHA": "${{ git.head }}",
    }  # fmt: skip
    assert found.phase.secrets == ("INPUT_A",)


def test_variables_of_env(job):
    found = job("""\
- {run: "echo $A", env: {A: "${{ env.PLAIN }}-${{ env.MADE }}-${{ env.OWN }}", OWN: "o-${{ github.sha }}"}}
- {run: "echo ${{ env.PLAIN }} ${{ env.MADE }}", env: {PLAIN: mine}}
- {run: "echo $LOST"}
- {run: "echo ${{ env.LOST }}"}
- {run: "echo", env: {A: "${{ env.A }}"}}
- {run: "echo", env: [a]}
- {run: "echo", env: {A: [a]}}
- {run: "echo", env: {"1A": a}}
""", 'env: {PLAIN: p, MADE: "m-${{ github.ref_name }}", LOST: "${{ github.actor }}", "not ok": a, CMR_X: 1}'
    )  # fmt: skip
    one, two = found.phase.steps
    assert found.phase.env == {"PLAIN": "p", "MADE": "m-${{ git.branch }}"}
    assert one.env == {
        "A": "${{ env.PLAIN }}-${{ format('m-{0}', git.branch) }}-${{ format('o-{0}', git.head) }}",
        "OWN": "o-${{ git.head }}",
    }
    assert two.run == 'echo "$PLAIN" "$MADE"'
    assert found.whys == [
        "there is no 'github.actor' here",
        "the variable 'not ok' cannot be given to a step here",
        "the variable 'CMR_X' cannot be given to a step here",
        "it reads the variable LOST: there is no 'github.actor' here",
        "there is no 'github.actor' here",
        "the variable 'A' is made of itself",
        "'env' is no mapping of variables to values",
        "a variable has one value",
        "the variable '1A' cannot be given to a step here",
    ]


def test_a_variable_that_github_env_would_have_set_is_missed(job):
    found = job("""\
- run: echo "V=1" >> $GITHUB_ENV
- run: echo $V
- {run: "echo $V", env: {V: mine}}
- run: echo /x >> "$GITHUB_PATH"
""")  # fmt: skip
    assert found.step.env == {"V": "mine"}
    assert found.whys == [
        "what a step writes to $GITHUB_ENV does not reach later steps",
        "it reads the variable V: the step that sets it is not carried over",
        "what a step writes to $GITHUB_PATH does not reach later steps",
    ]


def test_variables_that_github_sets_by_itself(job):
    found = job("""\
- run: echo $GITHUB_SHA $RUNNER_OS ${GITHUB_REF} $GITHUB_WORKFLOW $GITHUB_TOKEN
- run: ls $GITHUB_WORKSPACE "${{ github.workspace }}/x"
- run: echo a >> $GITHUB_OUTPUT; echo b >> $GITHUB_STEP_SUMMARY
- run: echo $GITHUB_ACTOR
- {run: "echo $env:GITHUB_SHA $env:GITHUB_WORKSPACE", shell: pwsh}
- {run: "print(os.environ['GITHUB_SHA'])", shell: python}
- {run: "print(os.environ['GITHUB_WORKSPACE'])", shell: python}
- run: echo ::add-mask::$X
""")  # fmt: skip
    steps = found.phase.steps
    assert steps[0].env == {
        "GITHUB_SHA": "${{ git.head }}", "RUNNER_OS": "Linux", "GITHUB_REF": "refs/heads/${{ git.branch }}",
        "GITHUB_WORKFLOW": "ci.yml",
    }  # fmt: skip
    assert steps[1].run == 'export GITHUB_WORKSPACE="$PWD"\nls $GITHUB_WORKSPACE "$GITHUB_WORKSPACE/x"'
    assert steps[2].env == {
        "GITHUB_OUTPUT": "${{ step.out }}/outputs.txt", "GITHUB_STEP_SUMMARY": "${{ step.out }}/summary.md",
    }  # fmt: skip
    assert "$env:GITHUB_WORKSPACE = (Get-Location).Path\n" in steps[3].run
    assert steps[4].env == {"GITHUB_SHA": "${{ git.head }}"}
    assert [why.partition(" ")[0] for why in found.whys] == ["what", "there", "the", "$GITHUB_WORKSPACE", "it"]


def test_the_inputs_of_a_workflow(job):
    found = job("""\
- run: echo "${{ inputs.a }}${{ inputs.b }}${{ inputs.c }}${{ inputs.d }}${{ inputs.e }}${{ inputs.f }}${{ inputs.G }}"
- run: echo "${{ inputs._odd }}"
""", head="""\
on:
  workflow_dispatch:
    inputs:
      a: {required: true, description: "What\\n  for"}
      b: {}
      c: {type: boolean, default: true}
      d: {type: number, default: 1.5}
      e: {type: choice, options: [x, y]}
      f: {type: choice, options: [x, y], default: z}
      _odd: {}
      unread: {}
  workflow_call:
    inputs: {a: {default: other}, g: {default: 5}}
""")  # fmt: skip
    assert found.phase.inputs == {
        "a": InputSpec(type=InputType.STRING, description="What for"),
        "b": InputSpec(type=InputType.STRING, default=""),
        "c": InputSpec(type=InputType.BOOLEAN, default=True),
        "d": InputSpec(type=InputType.NUMBER, default=1.5),
        "e": InputSpec(type=InputType.STRING, default="x", options=("x", "y")),
        "f": InputSpec(type=InputType.STRING, default="z"),
        "g": InputSpec(type=InputType.STRING, default="5"),
    }
    assert found.why == "'_odd' cannot be the name of an input here"


def test_a_token_of_github_is_the_users_own(job):
    found = job("- {run: gh pr list, env: {GH_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}}")
    assert found.phase.secrets == ("GITHUB_TOKEN",)
    assert found.why == "GitHub makes a GITHUB_TOKEN for every run; here it is the environment variable of that name"


# -- conditions


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ("always()", "always()"),
        ("${{ !cancelled() }}", "!cancelled()"),
        ("failure() && github.ref == 'refs/heads/main'", "failure() && git.branch == 'main'"),
        ("startsWith(github.ref, 'refs/heads/x')", "startsWith(format('refs/heads/{0}', git.branch), 'refs/heads/x')"),
        ("|\n    steps.a.outcome == 'failure'\n    && true", "steps.a.outcome == 'failure'"),
        ("env.X == '1'", "env.X == '1'"),
        ("runner.os == 'Linux'", None),
        ("true", None),
        ("false", False),
        ("matrix.v == 1 || matrix.v == 2", None),
        ("always() && matrix.v == 1", "always()"),
        ("github.sha != '' || always()", "git.head != '' || always()"),
    ],
)
def test_conditions_of_steps(condition, made, job):
    quoted = condition if condition.startswith("|") else f'"{condition}"' if "'" in condition else condition
    found = job(f"- {{id: a, run: echo}}\n- run: echo\n  if: {quoted}", "env: {X: 1}\nstrategy: {matrix: {v: [1, 2]}}")
    assert found.phase.steps[1].if_ == made


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("github.event_name == 'push'", "there is no 'github.event_name' here"),
        ("${{ github.sha }} == 'x'", "text outside `${{ }}` makes a condition that is always true"),
        ("runner.os == 'Windows'", "the condition never holds here: 'Linux' == 'Windows'"),
        ("matrix.v == 3", "the condition holds for no combination that is carried over"),
        ("matrix.v == github.sha", "a condition is decided once for all combinations, and this one needs the matrix"),
        ("startsWith(github.ref, 'refs/tags')", "only branches are known here, no tags and no pull requests"),
        ("secrets.X != ''", "the result would not be valid: 'secrets' cannot be read in if"),
        ("a.b.", "the expression is not valid"),
        ("hashFiles(", "the expression is not valid"),
    ],
)
def test_conditions_that_leave_the_step_out(condition, why, job):
    found = job(f'- {{id: a, run: echo}}\n- run: echo\n  if: "{condition}"', "strategy: {matrix: {v: [1, 2]}}")
    assert found.step.id == "a"
    (item,) = [one for one in found.left if "matrix" not in one.what or "if:" in one.what]
    assert item.why.startswith(why)
    assert "if:" in item.what or "valid:" in item.why


def test_the_condition_of_a_job_is_one_of_each_step(job):
    found = job("""\
- run: one
- {run: two, if: "failure() || inputs.b"}
- {run: three, if: false}
""", "if: github.ref_name == 'main' || inputs.a",
    head="on: {workflow_call: {inputs: {a: {type: boolean}, b: {type: boolean}}}}\n")  # fmt: skip
    assert [step.if_ for step in found.phase.steps] == [
        "git.branch == 'main' || inputs.a",
        "(git.branch == 'main' || inputs.a) && (failure() || inputs.b)",
        False,
    ]
    assert set(found.phase.inputs) == {"a", "b"}


CONDITIONED = """\
  publish:
    if: github.repository == 'a/b'
    steps: [{run: twine upload}]
  tag:
    needs: publish
    steps: [{run: git push}]
  all:
    needs: [tag, other]
    if: always()
    steps: [{run: echo}]
  other:
    if: always()
    steps: [{run: echo}]
  odd:
    if: [a]
    steps: [{run: echo}]
"""


def test_a_job_whose_condition_cannot_be_carried_over_is_left_out_with_all_that_need_it(workflow):
    found = workflow(CONDITIONED)
    assert list(found.phases) == ["other"]
    assert [one[:2] for one in found.places] == [
        ("ci.yml:4:9", "if: github.repository == 'a/b'"), ("ci.yml:7:12", "needs: publish"),
        ("ci.yml:10:13", "needs: [tag, other]"), ("ci.yml:17:5", "if: [a]"),
    ]  # fmt: skip
    assert found.whys == [
        "the job is left out with its condition: there is no 'github.repository' here",
        "the job is left out: it waits for 'publish', which is left out with its condition",
        "the job is left out: it waits for 'tag', which is left out with its condition",
        "the job is left out with its condition: a condition is one expression",
    ]
    assert found.left[0].fix == "if it shall run without it: --without-conditions"


def test_without_conditions_it_is_carried_over_and_its_file_says_so(workflow):
    found = workflow(CONDITIONED, conditions=False)
    assert set(found.phases) == {"publish", "tag", "all", "other", "odd"}
    assert found.phases["tag"].needs == ("publish",)
    assert "# Left out: its condition (line 4): github.repository == 'a/b'\n" in found.texts["publish"]
    assert "the job has lost its condition: a phase runs only if the phases that it needs succeeded" in found.whys


def test_the_condition_of_a_job_cannot_read_its_matrix(job):
    found = job("- run: echo", "if: matrix.a == 1\nstrategy: {matrix: {a: [1, 2]}}")
    assert not found.phases
    assert (
        found.why
        == "the job is left out with its condition: the condition of a job cannot read its matrix, on GitHub neither"
    )


def test_problems_that_go_on_leave_out_the_phase(workflow):
    steps = ["{id: s0, run: echo, if: \"secrets.X != ''\"}"]
    steps += [f"{{id: s{i}, run: echo, if: steps.s{i - 1}.outcome == 'failure'}}" for i in range(1, 40)]
    found = workflow(f"  a: {{steps: [{', '.join(steps)}]}}\n  b: {{needs: a, steps: [{{run: echo}}]}}\n")
    assert list(found.phases) == ["b"]
    assert sum(why.startswith("the result would not be valid") for why in found.whys) == 21
