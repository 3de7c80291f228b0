"""Workflows of GitHub Actions as phases: one small workflow for each rule."""

import pytest

from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.phase import InputSpec, InputType, Shell
from cli_multi_rapid.services.importing.github import import_workflows

ALWAYS = {
    "a phase runs when it is asked for",
    "every step runs on this machine, as on Linux",
}


class Result:
    """What an import made, loaded; `left` are the things left out, but for those that every workflow has."""

    def __init__(self, found):
        self.texts = found.phases
        self.phases = load_phases({f"{name}.yaml": text for name, text in found.phases.items()}, gates=None)
        self.left = [one for one in found.left_out if one.why not in ALWAYS]

    @property
    def whys(self):
        return [one.why for one in self.left]

    @property
    def phase(self):
        (phase,) = self.phases.values()
        return phase

    @property
    def step(self):
        (step,) = self.phase.steps
        return step

    @property
    def why(self):
        (why,) = self.whys
        return why


def workflow(jobs, head="on: [push]\n", **given):
    return Result(import_workflows({"ci.yml": f"{head}jobs:\n{jobs}".encode()}, **given))


def job(steps, more="", head="on: [push]\n", **given):
    """Import one job, `test`, with steps as they stand in a file, and more keys."""
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    body = "".join(f"      {line}\n" for line in steps.splitlines())
    return workflow(f"  test:\n    runs-on: ubuntu-latest\n{lines}    steps:\n{body}", head, **given)


def left(result):
    return [(one.where, one.what, one.why) for one in result.left]


# -- jobs and steps


def test_a_job_is_a_phase():
    found = workflow("""\
  lint:
    runs-on: ubuntu-latest
    steps: [{run: ruff check}]
  test:
    name: All the tests
    needs: [lint]
    runs-on: ubuntu-latest
    env: {LEVEL: 2, FAST: true, EMPTY: }
    timeout-minutes: 30
    steps:
      - name: Run them
        id: run
        run: |
          pytest -q
          echo done
        env: {A: "x y", B: 1.5}
        timeout-minutes: 2.5
        continue-on-error: true
        shell: sh
      - run: [a]
""", head="name: CI\non: [push]\nenv: {LEVEL: 1, CI: yes}\n")  # fmt: skip
    assert list(found.phases) == ["lint", "test"]
    phase = found.phases["test"]
    assert phase.title == "All the tests"
    assert phase.needs == ("lint",)
    assert phase.env == {"LEVEL": "2", "CI": "yes", "FAST": "true", "EMPTY": ""}
    assert phase.defaults.timeout == "30m"
    (step,) = phase.steps
    assert (step.id, step.title, step.run) == ("run", "Run them", "pytest -q\necho done\n")
    assert (step.env, step.timeout, step.shell) == ({"A": "x y", "B": "1.5"}, "150000ms", Shell.SH)
    assert step.continue_on_error
    assert left(found) == [
        ("ci.yml:13:5", "timeout-minutes: 30", "it limits each step, not the phase as a whole"),
        ("ci.yml:24:9", "- run: [a]", "the step has no command"),
    ]
    assert found.texts["test"].startswith("# Made by 'cli-multi-rapid import github' of the job 'test' in ci.yml.\n")


def test_everything_left_out_says_where_and_what_to_do():
    found = import_workflows({"a/ci.yml": b"""\
on: [push]
permissions: {contents: read}
concurrency: one
run-name: x
unknown: 1
jobs:
  test:
    runs-on: ubuntu-latest
    environment: prod
    container: python:3
    services: {db: {image: postgres}}
    outputs: {x: y}
    continue-on-error: true
    strategy: {fail-fast: true, max-parallel: 2}
    odd: 1
    steps:
      - run: echo
        odd: 1
"""})  # fmt: skip
    shown = {(one.where.split(":")[1], one.what.split(":")[0]): (one.why, one.fix) for one in found.left_out}
    assert sorted(key for _, key in shown) == sorted([
        "on", "permissions", "concurrency", "run-name", "unknown", "runs-on", "environment", "container", "services",
        "outputs", "continue-on-error", "strategy", "strategy", "odd", "odd",
    ][:11] + ["strategy", "odd", "odd"])  # fmt: skip
    assert shown["1", "on"] == ("a phase runs when it is asked for", "cli-multi-rapid run-phase NAME")
    assert shown["11", "services"][1] == "start the service before the run, or in the step that needs it"
    assert all(one.where.startswith("a/ci.yml:") and one.why for one in found.left_out)


def test_steps_get_names():
    found = job("""\
- run: echo a
- run: echo a
- name: Run the "tests", all!
  run: echo
- {id: _odd, run: echo}
- {id: Build, run: echo}
- {id: build, run: echo}
- name: "123"
  run: echo
- name: "äöü"
  run: echo
- run: |
    # comment
    set -e
    python -m pytest "${{ github.sha }}"
- name: %s
  run: echo
""" % ("x" * 80))  # fmt: skip
    assert [step.id for step in found.phase.steps] == [
        "echo-a", "echo-a-2", "run-the-tests-all", "odd", "Build", "build-2", "step-123", "step", "python-m-pytest",
        "x" * 63,
    ]  # fmt: skip
    assert [why for why in found.whys if "called" in why] == [
        "the id does not fit or is taken: the step is called 'odd'",
        "the id does not fit or is taken: the step is called 'build-2'",
    ]


def test_phases_of_several_files_have_different_names():
    text = b"on: push\njobs:\n  test: {runs-on: x, steps: [{run: echo}]}\n  _odd: {needs: test, steps: [{run: echo}]}\n"
    found = Result(import_workflows({"ci.yml": text, "more/release.yml": text}))
    assert {name: phase.needs for name, phase in found.phases.items()} == {
        "test": (), "odd": ("test",), "release-test": (), "odd-2": ("release-test",),
    }  # fmt: skip
    assert "the name does not fit or is taken: the phase is called 'release-test'" in found.whys


@pytest.mark.parametrize(
    ("uses", "why", "fix"),
    [
        ("actions/checkout@v4", "not needed: steps run in the project itself", ""),
        ("actions/checkout@v4\n  with: {repository: a/b}", "another checkout is not made", "run: [git, clone, URL"),
        ("actions/checkout@v4\n  with: {ref: v1}", "no other commit is checked out", "switch to it before"),
        ("actions/cache@v4", "not needed: what is on this machine stays there", ""),
        ("actions/upload-artifact@v4", "files stay in the project", "a step names what it makes: produces:"),
        ("codecov/codecov-action@v5", "nothing is uploaded by itself", "call the uploader"),
        ("./.github/actions/x", "an action is not a command", "copy the steps of ./.github/actions/x"),
        ("docker://alpine", "an action is not a command", "run: [docker, run"),
        ("somebody/thing@v1", "an action is not a command", "write what it does as a step with 'run'"),
        ("somebody/setup-thing@v1", "nothing is installed", "install it before the run"),
        ("dtolnay/rust-toolchain@stable", "nothing is installed: steps that call cargo, rustc say so", ""),
    ],
)
def test_actions_are_left_out_with_advice(uses, why, fix):
    found = job(f"- uses: {uses}\n- run: echo")
    (item,) = found.left
    assert item.where == "ci.yml:6:9"
    assert item.what.startswith("- uses: ")
    assert item.why.startswith(why)
    assert item.fix.startswith(fix)


def test_what_an_action_sets_up_is_required_by_the_steps_that_call_it():
    found = job("""\
- run: python -V
- uses: actions/setup-python@v5
- uses: actions/setup-node@v4
- run: |
    cd x && python -m build
    sudo npm ci
- run: echo python
- {run: "import os", shell: python}
""")  # fmt: skip
    assert [step.requires for step in found.phase.steps] == [(), ("python", "npm"), (), ()]


def test_a_step_that_is_missed_leaves_a_note_in_the_file():
    found = job(
        "- uses: a/b@v1\n- run: echo 1\n- {name: Say it, run: 'echo ${{ github.actor }}'}\n- uses: actions/checkout@v4"
    )
    assert found.texts["test"].endswith("""\
steps:
  # left out: a/b (line 6): an action is not a command
  - id: echo-1
    run: echo 1
  # left out: Say it (line 8): there is no 'github.actor' here
""")  # fmt: skip


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("name: a", "no step of the job is carried over, so there is no phase of it"),
        ("uses: ./.github/workflows/x.yml", "a job that calls another workflow has no steps"),
        ("steps: {a: b}", "the steps of a job are a list"),
        ("steps: [1, a, [b]]", "the step has no command"),
    ],
)
def test_jobs_of_which_nothing_is_left(more, why):
    found = workflow(f"  test:\n    {more}\n")
    assert not found.phases
    assert why in found.whys


def test_jobs_that_wait_for_each_other_are_left_out():
    found = workflow("""\
  a: {needs: c, steps: [{run: echo}]}
  b: {needs: [a], steps: [{run: echo}]}
  c: {needs: b, steps: [{run: echo}]}
  d: {needs: c, steps: [{run: echo}]}
  e: {steps: [{run: echo}]}
""")  # fmt: skip
    assert list(found.phases) == ["e"]
    assert "these jobs wait for each other: a -> c -> b -> a" in found.whys
    assert found.whys.count("the job is in a circle of needs, or waits for one that is") == 4


def test_a_job_does_not_wait_for_one_that_has_nothing_to_run():
    found = workflow("  a: {steps: [{uses: x/y@v1}]}\n  b: {needs: [a, nope], steps: [{run: echo}]}\n")
    assert found.phase.needs == ()
    assert "the job 'a' is not carried over, so it is not waited for" in found.whys
    assert "there is no job 'nope', so it is not waited for" in found.whys
    assert "# Left out: needs a (line 4)\n" in found.texts["b"]


def test_shells():
    found = workflow("""\
  a:
    runs-on: windows-latest
    steps: [{run: Get-Item .}, {run: dir, shell: cmd}, {run: ls, shell: bash}, {run: print(), shell: "python3 {0}"}]
  b:
    defaults: {run: {shell: "bash -el {0}"}}
    steps: [{run: echo}, {run: echo, shell: "/bin/bash -xeo pipefail {0}"}]
  c:
    defaults: {run: {shell: fish}}
    steps: [{run: echo}, {run: ls, shell: sh}]
""")  # fmt: skip
    assert [step.shell for step in found.phases["a"].steps] == [None, Shell.BASH, Shell.PYTHON]
    assert found.phases["a"].defaults.shell is Shell.PWSH
    assert found.phases["a"].steps[0].run == "$ErrorActionPreference = 'stop'\nGet-Item ."
    assert [step.shell for step in found.phases["b"].steps] == [None, None]
    assert [step.run for step in found.phases["c"].steps] == ["ls"]
    assert "shells read no profile here" in found.whys
    assert "'cmd' is none of the shells here: bash, sh, pwsh, python" in found.whys
    assert "'fish' is none of the shells here: bash, sh, pwsh, python" in found.whys


def test_the_folder_of_a_step():
    found = job("""\
- run: ls
- {run: ls, working-directory: ./a b}
- {run: ls, working-directory: /tmp}
- {run: ls, working-directory: "${{ github.workspace }}/x"}
- {run: ls, working-directory: "${{ inputs.where }}"}
- {run: ls, working-directory: "a/${{ inputs.where }}"}
- {run: ls, working-directory: "it's", shell: pwsh}
- {run: "print(1)", shell: python}
""", "defaults: {run: {working-directory: src}}",
    head="on: {workflow_dispatch: {inputs: {where: {default: here}}}}\n")  # fmt: skip
    assert [step.run for step in found.phase.steps] == [
        "cd -- ./src\nls",
        "cd -- './a b'\nls",
        "cd -- /tmp\nls",
        "cd -- ./x\nls",
        'CDPATH= cd -- "$INPUT_WHERE"\nls',
        'CDPATH= cd -- "$WORKING_DIRECTORY"\nls',
        "$ErrorActionPreference = 'stop'\nSet-Location -LiteralPath 'it''s'\nls",
    ]
    assert found.phase.steps[4].env == {"INPUT_WHERE": "${{ inputs.where }}"}
    assert found.phase.steps[5].env == {"WORKING_DIRECTORY": "a/${{ inputs.where }}"}
    assert found.why == "Python text cannot begin with a change of folder"


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
def test_what_stands_for_an_expression(expression, value, name):
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
        ("github.workflow", "The CI"), ("runner.os", "Linux"), ("'it''s'", "it's"), ("1 == 1", "true"), ("matrix.nope", ""),
        ("runner.os == 'Windows' && 'a' || 'b'", "b"), ("matrix.only", "7"), ("matrix.only == 7 && 'x'", "x"),
        ("env.PLAIN", "$PLAIN"), ("env.OWN", "$OWN"),
    ],
)  # fmt: skip
def test_what_is_always_the_same_is_written_out(expression, value):
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
def test_what_has_no_equivalent_leaves_the_step_out(expression, why):
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


def test_the_same_expression_is_one_variable_and_others_get_other_names():
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


def test_variables_of_env():
    found = job("""\
- {run: "echo $A", env: {A: "${{ env.PLAIN }}-${{ env.MADE }}-${{ env.OWN }}", OWN: "o-${{ github.sha }}"}}
- {run: "echo ${{ env.PLAIN }} ${{ env.MADE }}", env: {PLAIN: mine}}
- {run: "echo $LOST"}
- {run: "echo ${{ env.LOST }}"}
- {run: "echo", env: {A: "${{ env.A }}"}}
- {run: "echo", env: [a]}
- {run: "echo", env: {A: [a]}}
- {run: "echo", env: {"1A": a}}
""", 'env: {PLAIN: p, MADE: "m-${{ github.ref_name }}", LOST: "${{ github.actor }}", "not ok": a, CMR_X: 1}')  # fmt: skip
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
        "the result would not be valid: '1A' cannot be an environment variable",
    ]


def test_a_variable_that_github_env_would_have_set_is_missed():
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


def test_variables_that_github_sets_by_itself():
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


def test_the_inputs_of_a_workflow():
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


def test_a_token_of_github_is_the_users_own():
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
def test_conditions_of_steps(condition, made):
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
def test_conditions_that_leave_the_step_out(condition, why):
    found = job(f'- {{id: a, run: echo}}\n- run: echo\n  if: "{condition}"', "strategy: {matrix: {v: [1, 2]}}")
    assert found.step.id == "a"
    (item,) = [one for one in found.left if "matrix" not in one.what or "if:" in one.what]
    assert item.why.startswith(why)
    assert "if:" in item.what or "valid:" in item.why


def test_the_condition_of_a_job_is_one_of_each_step():
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


def test_a_job_whose_condition_cannot_be_carried_over_is_left_out_with_all_that_need_it():
    found = workflow(CONDITIONED)
    assert list(found.phases) == ["other"]
    assert left(found) == [
        ("ci.yml:4:9", "if: github.repository == 'a/b'", "the job is left out with its condition: "
         "there is no 'github.repository' here"),
        ("ci.yml:7:12", "needs: publish", "the job is left out: it waits for 'publish', which is left out with its "
         "condition"),
        ("ci.yml:10:13", "needs: [tag, other]", "the job is left out: it waits for 'tag', which is left out with its "
         "condition"),
        ("ci.yml:17:5", "if: [a]", "the job is left out with its condition: a condition is one expression"),
    ]  # fmt: skip
    assert found.left[0].fix == "if it shall run without it: --without-conditions"


def test_without_conditions_it_is_carried_over_and_its_file_says_so():
    found = workflow(CONDITIONED, conditions=False)
    assert list(found.phases) == ["publish", "tag", "all", "other", "odd"] or set(found.phases) == {
        "publish", "tag", "all", "other", "odd",
    }  # fmt: skip
    assert found.phases["tag"].needs == ("publish",)
    assert "# Left out: its condition (line 4): github.repository == 'a/b'\n" in found.texts["publish"]
    assert "the job has lost its condition: a phase runs only if the phases that it needs succeeded" in found.whys


# -- files that are none


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (b"- a\n", "WORKFLOW-INVALID", "1:1"),
        (b"a: b\n", "WORKFLOW-INVALID", "1:1"),
        (b"jobs: []\n", "WORKFLOW-INVALID", "1:1"),
        (b"name: x\nruns: {using: composite, steps: []}\n", "WORKFLOW-INVALID", "1:1"),
        (b"jobs: [\n", "YAML-SYNTAX", "2:1"),
        (b"\x00\xff\xfe", "YAML-SYNTAX", "1:2"),
        (b"jobs: {a: !x b}\n", "YAML-TAG", "1:11"),
        (b"jobs: {a: {<<: b}}\n", "YAML-MERGE", "1:12"),
        (b"jobs: {a: b, a: b}\n", "YAML-DUPLICATE", "1:14"),
        (b"a: b\n---\nc: d\n", "YAML-DOCUMENTS", "2:1"),
        (b"", "YAML-EMPTY", "1:1"),
        (b"x: " + b"[" * 100, "YAML-LIMIT", "1:67"),
        (b"# " + b"x" * (1 << 20), "YAML-LIMIT", "1:1"),
    ],
)
def test_files_that_are_no_workflow(data, code, where):
    good = b"jobs: {a: {steps: [{run: echo}]}}\n"
    with pytest.raises(SpecInvalid) as caught:
        import_workflows({"good.yml": good, "bad.yml": data})
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].where == f"bad.yml:{where}"


def test_anchors_are_followed():
    found = workflow("  a: {steps: &steps [{run: echo}, {uses: x/y@v1}]}\n  b: {steps: *steps}\n")
    assert list(found.phases) == ["a", "b"]
    assert {one.where for one in found.left} == {"ci.yml:3:36"}


def test_odd_types_everywhere_do_not_crash():
    values = ["1", "[1]", "{a: [b]}", "null", "true", "'${{ x }}'", "'${{'", "[{a: b}]", "3.10"]
    keys = ["name", "needs", "if", "runs-on", "env", "defaults", "steps", "timeout-minutes", "strategy", "outputs"]
    step_keys = [
        "name",
        "id",
        "if",
        "run",
        "env",
        "shell",
        "working-directory",
        "timeout-minutes",
        "continue-on-error",
        "uses",
    ]
    for value in values:
        for key in keys:
            workflow(f"  a:\n    {key}: {value}\n" + ("" if key == "steps" else "    steps: [{run: echo}]\n"))
            workflow("  a: {steps: [{run: echo}]}\n", head=f"{key}: {value}\n")
        for key in step_keys:
            run = "" if key == "run" else ", run: echo"
            workflow(f"  a: {{steps: [{{{key}: {value}{run}}}]}}\n")
        for inner in ("matrix", "fail-fast"):
            workflow(f"  a: {{strategy: {{{inner}: {value}}}, steps: [{{run: 'echo ${{{{ matrix.a }}}}'}}]}}\n")
        for inner in ("include", "exclude", "a"):
            workflow(
                f"  a: {{strategy: {{matrix: {{{inner}: {value}}}}}, steps: [{{run: 'echo ${{{{ matrix.a }}}}'}}]}}\n"
            )
        workflow("  a: {steps: [{run: echo}]}\n", head=f"on: {{workflow_dispatch: {{inputs: {value}}}}}\n")
        workflow(f"  a: {value}\n")


def test_a_job_of_too_many_steps_is_left_out_with_the_words_of_the_loader():
    found = workflow("  a: {steps: [" + "{run: echo}, " * 2001 + "]}\n  b: {needs: a, steps: [{run: echo}]}\n")
    assert list(found.phases) == ["b"]
    assert found.phase.needs == ()
    assert "the result would not be valid: the phase has 2001 steps; at most 2000 are allowed" in found.whys
