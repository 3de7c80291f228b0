"""8. Values never become code."""

import json
import sys

import pytest

HOSTILE = {
    "shell": "'; touch {canary}; '",
    "double quotes": '"; touch {canary}; "',
    "command": "$(touch {canary})",
    "backticks": "`touch {canary}`",
    "pipe": "| touch {canary} & touch {canary} || touch {canary}",
    "newline": "x\ntouch {canary}\n",
    "option": "-c touch${{IFS}}{canary}",
    "long option": "--checkpoint-action=exec=touch {canary}",
    "python": "'+__import__('os').system('touch {canary}')+'",
    "expression": "${{{{ env.HOME }}}}",
    "redirection": "> {canary}",
    "everything": "\\'\"$(touch {canary})`touch {canary}`;\n\ttouch {canary}\r\n%s %n {{0}} \x1b[31m \u202e é",
}


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


@pytest.fixture
def values(canary):
    """Return the hostile values. What executes one of them makes the canary, or changes what arrives.

    The tests fail where expressions in shell text or in the code of an interpreter get through, where what a value
    contains is interpolated once more, where a list of arguments is joined for a shell, and where a value may look like
    an option.
    """
    return {name: text.format(canary=canary) for name, text in HOSTILE.items()}


NOTE = """\
import json, os, sys
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([os.environ["CMR_STEP"], sys.argv[2:], os.environ.get("VALUE")]) + "\\n")
"""


def test_values_arrive_as_they_are_on_every_way(sandbox, values, canary, tmp_path):
    """Inputs, matrix values and outputs of earlier steps go through env and arguments, and from there into a shell."""
    seen = tmp_path / "seen"
    sandbox.write("note.py", NOTE)
    sandbox.write(
        "make.py", "import os; open(os.environ['CMR_OUT'] + '/made', 'w', newline='').write(os.environ['IT'])"
    )
    python = json.dumps(sys.executable)
    written = [text for text in values.values() if "${{" not in text]  # in a list of the spec that is an error
    note = f"[{python}, note.py, {seen}, --,"
    sandbox.phase("p", f"""\
inputs: {{x: {{type: string}}, list: {{type: string}}}}
steps:
  - id: input
    run: {note} "${{{{ inputs.x }}}}"]
    env: {{VALUE: "${{{{ inputs.x }}}}"}}
  - id: shell
    run: |
      '{sys.executable}' note.py "$SEEN" -- "$VALUE"
    env: {{VALUE: "${{{{ inputs.x }}}}", SEEN: "{seen}"}}
  - id: make
    run: [{python}, make.py]
    env: {{IT: "${{{{ inputs.x }}}}"}}
    produces: {{made: made}}
    outputs: {{it: "${{{{ artifacts.made }}}}", all: "${{{{ toJSON(inputs.x) }}}}", list: "${{{{ inputs.list }}}}"}}
  - id: output
    run: {note} "${{{{ steps.make.outputs.it }}}}", "${{{{ fromJSON(steps.make.outputs.all) }}}}"]
    env: {{VALUE: "${{{{ steps.make.outputs.it }}}}"}}
    if: steps.make.outputs.it == inputs.x
  - id: written
    needs: [output]
    matrix: {{value: {json.dumps(written)}}}
    run: {note} "${{{{ matrix.value }}}}"]
    env: {{VALUE: "${{{{ matrix.value }}}}"}}
  - id: computed
    needs: [output]
    matrix: {{value: "${{{{ fromJSON(steps.make.outputs.list) }}}}"}}
    run: {note} "${{{{ matrix.value }}}}"]
    env: {{VALUE: "${{{{ matrix.value }}}}"}}
""")  # fmt: skip
    given = "\n".join(values.values())
    inputs = ("--input", f"x={given}", "--input", f"list={json.dumps(list(values.values()))}")
    done = sandbox.started("run-phase", "p", *inputs)
    assert done.code == 0, done.err + done.out
    assert not canary.exists()
    lines = [json.loads(line) for line in seen.read_text().splitlines()]
    assert {step: found for step, *found in lines if "[" not in step} == {
        "p/input": [["--", given], given],
        "p/shell": [["--", given], given],
        "p/output": [["--", given, given], given],
    }
    for step, wanted in (("p/written[", written), ("p/computed[", values.values())):
        arrived = [found for name, *found in lines if name.startswith(step)]
        assert sorted(arrived) == sorted([["--", one], one] for one in wanted)
    for command in (("status", "last"), ("graph", "last"), ("plan", "p", *inputs), ("rerun",)):
        assert sandbox.cmr(*command).code == 0, command
    assert len(seen.read_text().splitlines()) == 2 * len(lines)
    assert not canary.exists()


def test_a_value_that_would_pass_for_an_option_is_refused(sandbox, canary):
    sandbox.phase("p", """\
inputs: {x: {type: string}}
steps:
  - {id: a, run: [env, "${{ inputs.x }}"]}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p", "--input", f"x=-Stouch {canary}")
    assert done.code == 1
    assert "would be taken for an option" in done.out
    assert not canary.exists()


@pytest.mark.parametrize(
    "run",
    [
        '"echo ${{ inputs.x }}"',
        "|\n      set -e\n      echo '${{ inputs.x }}'",
        '[sh, -c, "echo ${{ inputs.x }}"]',
        '[bash, -euo, pipefail, -c, "echo ${{ inputs.x }}"]',
        '[env, A=1, sh, -c, "${{ inputs.x }}"]',
        '[python, -c, "print(${{ inputs.x }})"]',
        '[python3, "${{ inputs.x }}"]',
        '[node, -e, "${{ inputs.x }}"]',
    ],
)
def test_code_with_a_value_in_it_is_refused_before_anything_runs(sandbox, oracle, run):
    sandbox.phase("p", f"""\
inputs: {{x: {{type: string, default: x}}}}
steps:
  - {{id: before, run: {oracle.step("before")}}}
  - id: a
    run: {run}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 2, done.out
    assert "error[SHELL-INJECTION]" in done.err
    assert "p.yaml:" in done.err
    assert not oracle.starts()
