"""What can be wrong with worktrees, actions, undo, cache, groups and budgets: each with its place and its fix."""

import pytest

from cli_multi_rapid.engine.loader import load_phase
from cli_multi_rapid.errors import SpecInvalid

HEAD = "schema: cmr/phase@v1\nname: p\n"
STEPS = "steps: [{id: a, run: [x]}]\n"


def said(text):
    with pytest.raises(SpecInvalid) as caught:
        load_phase(HEAD + text, "w/p.yaml", gates=frozenset())
    return [(one.line, one.column, one.code, one.message) for one in caught.value.problems]


@pytest.mark.parametrize(("text", "line", "column", "code", "part"), [
    (f"workspace: elsewhere\n{STEPS}", 3, 1, "SPEC-VALUE", "in-place"),
    (f"setup: [make]\n{STEPS}", 3, 1, "SPEC-VALUE", "'setup' prepares worktrees"),
    (f"link: [.venv]\n{STEPS}", 3, 1, "SPEC-VALUE", "'link' prepares worktrees"),
    (f"workspace: worktree\nlink: [../x]\n{STEPS}", 4, 8, "PATH-OUTSIDE", "not a folder inside"),
    (f"concurrency: {{group: ' '}}\n{STEPS}", 3, 15, "SPEC-VALUE", "no name"),
    (f"concurrency: {{group: g, on-conflict: wait}}\n{STEPS}", 3, 25, "SPEC-VALUE", "queue"),
    (f"concurrency: {{group: '${{{{ steps.a }}}}'}}\n{STEPS}", 3, 27, "EXPRESSION", "cannot be read in concurrency"),
    (f"rollback: {{on: [always]}}\n{STEPS}", 3, 17, "SPEC-VALUE", "failure"),
    (f"rollback: {{}}\n{STEPS}", 3, 11, "SPEC-KEY-MISSING", "on"),
    (f"budget: {{usd: -1}}\n{STEPS}", 3, 10, "SPEC-VALUE", "cannot be negative"),
    (f"budget: {{tokens: many}}\n{STEPS}", 3, 10, "SPEC-VALUE", "tokens"),
    (f"permissions: {{write: [], network: some}}\n{STEPS}", 3, 26, "SPEC-VALUE", "none"),
    ("steps: [{id: a, uses: git.murge}]\n", 3, 23, "ACTION-UNKNOWN", "no action 'git.murge'"),
    ("steps: [{id: a, uses: git.revert}]\n", 3, 23, "ACTION-UNKNOWN", "takes back another step"),
    ("steps: [{id: a, uses: git.merge, with: {into: main}}]\n", 3, 23, "SPEC-VALUE", "this phase works in place"),
    ("steps: [{id: a, uses: notify}]\n", 3, 23, "SPEC-KEY-MISSING", "needs 'text'"),
    ("steps: [{id: a, uses: template.render, with: {template: n.j2, to: n}}]\n", 3, 57, "SPEC-VALUE", "path of a temp"),
    ("steps: [{id: a, uses: notify, with: {text: x, too: y}}]\n", 3, 47, "SPEC-KEY-UNKNOWN", "does not take 'too'"),
    ("steps: [{id: a, uses: notify, with: {text: x}, shell: sh}]\n", 3, 48, "SPEC-VALUE", "'shell' is for commands"),
    ("steps: [{id: a, run: [x], with: {a: b}}]\n", 3, 27, "SPEC-VALUE", "'with' is for 'uses' only"),
    ("steps: [{id: a, run: [x], undo: {}}]\n", 3, 27, "STEP-KIND", "'undo' has one action"),
    ("steps: [{id: a, run: [x], undo: {run: [x], uses: git.revert}}]\n", 3, 27, "STEP-KIND", "'undo' has one action"),
    ("steps: [{id: a, run: [x], undo: {run: []}}]\n", 3, 34, "STEP-KIND", "'run' is empty"),
    ("steps: [{id: a, run: [x], undo: {run: [x], timeout: 0s}}]\n", 3, 44, "SPEC-VALUE", "longer than zero"),
    ("steps: [{id: a, run: [x], undo: {run: [x], env: {CMR_A: b}}}]\n", 3, 50, "SPEC-VALUE", "reserved"),
    ("steps: [{id: a, run: [x], undo: {run: 'x ${{ inputs.a }}'}}]\n", 3, 42, "SHELL-INJECTION", "data into code"),
    ("steps: [{id: a, run: [x], undo: {run: [x, '${{ inputs.b }}']}}]\n", 3, 48, "EXPRESSION", "'b' is unknown"),
    ("steps: [{id: a, run: [x], cache: {inputs: []}}]\n", 3, 35, "SPEC-VALUE", "'inputs' is empty"),
    ("steps: [{id: a, run: [x], cache: {inputs: [/etc]}}]\n", 3, 44, "PATH-OUTSIDE", "not a path inside"),
    ("steps: [{id: a, run: [x], cache: {}}]\n", 3, 34, "SPEC-KEY-MISSING", "inputs"),
    ("steps: [{id: a, approval: {}, undo: {run: [x]}}]\n", 3, 31, "SPEC-VALUE", "'undo' has no effect"),
])  # fmt: skip
def test_where_and_what(text, line, column, code, part):
    problems = said(text)
    assert any(found[:3] == (line, column, code) and part in found[3] for found in problems), problems


def test_an_undo_reads_the_outputs_of_its_own_step():
    text = """\
rollback: {on: [failure]}
steps:
  - id: a
    run: [x]
    outputs: {n: "${{ 1 }}"}
    undo: {run: [y, "${{ steps.a.outputs.n }}"], env: {N: "${{ steps.a.outputs.n }}"}}
"""
    assert load_phase(HEAD + text, "w/p.yaml", gates=frozenset()).steps[0].undo is not None
