"""Workflows of GitHub Actions as phases: jobs and steps, one small workflow for each rule, and files that are none."""

import pytest

from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.phase import Shell
from cli_multi_rapid.services.importing.github import import_workflows


def test_a_job_is_a_phase(workflow):
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
    assert found.places == [
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
    assert [key for _, key in sorted(shown, key=lambda one: int(one[0]))] == [
        "on", "permissions", "concurrency", "run-name", "unknown", "runs-on", "environment", "container", "services",
        "outputs", "continue-on-error", "strategy", "odd", "odd",
    ]  # fmt: skip
    assert len(found.left_out) == 15  # two of the strategy, in one line
    assert shown["1", "on"] == ("a phase runs when it is asked for", "cli-multi-rapid run-phase NAME")
    assert shown["11", "services"][1] == "start the service before the run, or in the step that needs it"
    assert all(one.where.startswith("a/ci.yml:") and one.why for one in found.left_out)


def test_steps_get_names(job):
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


def test_phases_of_several_files_have_different_names(files):
    text = b"on: push\njobs:\n  test: {runs-on: x, steps: [{run: echo}]}\n  _odd: {needs: test, steps: [{run: echo}]}\n"
    found = files({"ci.yml": text, "more/release.yml": text})
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
def test_actions_are_left_out_with_advice(uses, why, fix, job):
    found = job(f"- uses: {uses}\n- run: echo")
    (item,) = found.left
    assert item.where == "ci.yml:6:9"
    assert item.what.startswith("- uses: ")
    assert item.why.startswith(why)
    assert item.fix.startswith(fix)


def test_what_an_action_sets_up_is_required_by_the_steps_that_call_it(job):
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


def test_a_step_that_is_missed_leaves_a_note_in_the_file(job):
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
def test_jobs_of_which_nothing_is_left(more, why, workflow):
    found = workflow(f"  test:\n    {more}\n")
    assert not found.phases
    assert why in found.whys


def test_jobs_that_wait_for_each_other_are_left_out(workflow):
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


def test_a_job_does_not_wait_for_one_that_has_nothing_to_run(workflow):
    found = workflow("  a: {steps: [{uses: x/y@v1}]}\n  b: {needs: [a, nope], steps: [{run: echo}]}\n")
    assert found.phase.needs == ()
    assert "the job 'a' is not carried over, so it is not waited for" in found.whys
    assert "there is no job 'nope', so it is not waited for" in found.whys
    assert "# Left out: needs a (line 4)\n" in found.texts["b"]


def test_shells(workflow):
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


def test_the_folder_of_a_step(job):
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


def test_anchors_are_followed(workflow):
    found = workflow("  a: {steps: &steps [{run: echo}, {uses: x/y@v1}]}\n  b: {steps: *steps}\n")
    assert list(found.phases) == ["a", "b"]
    assert {one.where for one in found.left} == {"ci.yml:3:36"}


def test_odd_types_everywhere_do_not_crash(workflow):
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


def test_a_job_of_too_many_steps_is_left_out_with_the_words_of_the_loader(workflow):
    found = workflow("  a: {steps: [" + "{run: echo}, " * 2001 + "]}\n  b: {needs: a, steps: [{run: echo}]}\n")
    assert list(found.phases) == ["b"]
    assert found.phase.needs == ()
    assert "the result would not be valid: the phase has 2001 steps; at most 2000 are allowed" in found.whys
