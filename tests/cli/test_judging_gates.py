"""Gates that judge the change, other gates, or by the project's own files, from the command line on real git."""

import pytest

GATES = """schema: cmr/gates@v1
gates:
  words: {check: denylist, default-set: false, fail-on: high,
          patterns: [{id: no-foo, pattern: foo, paths: ["**/*.txt"], severity: medium}]}
  change: {check: diff, deny: ["vendor/**"], max-lines: 50}
  todo: {check: project, timeout: 30s}
  policy: {check: expression, assert: "${{ gates.words.findings == 0 && gates.todo.status == 'pass' }}"}
"""
VALIDATOR = """from cli_multi_rapid.validators import Context


def check(ctx: Context):
    for path in ctx.matching("**/*.txt"):
        for number, line in enumerate(ctx.lines(path), start=1):
            if "TODO" in line:
                yield ctx.finding("todo", "not done yet", path=path, line=number)
"""
NOQA = "#" + " no" + "qa"


@pytest.fixture
def project(sandbox):
    """A committed project with a gate of each kind and nothing to find."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.write("workflows/validators/todo.py", VALIDATOR)
    sandbox.write("a.txt", "fine\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "first")
    return sandbox


def judged(project, *arguments, code):
    done = project.cmr("validate-compliance", "--json", *arguments)
    assert done.code == code, done.out + done.err
    return {gate["id"]: gate for gate in done.data()["gates"]}


def test_all_pass_and_then_all_say_what_is_wrong(project):
    found = judged(project, "--level", "strict", code=0)
    assert {name: gate["status"] for name, gate in found.items()} == dict.fromkeys(found, "pass")
    assert list(found) == ["words", "change", "todo", "policy"]

    project.write("a.txt", "fine\nTODO foo\n")
    project.write("vendor/lib.py", f"x = 1  {NOQA}\n")
    project.write("config/waivers.yaml", "schema: cmr/waivers@v1\n")
    project.write("workflows/validators/todo.py", "def check(ctx):\n    return []\n")  # loosened: the base's judges
    found = judged(project, code=1)
    assert {name: gate["status"] for name, gate in found.items()} == {
        "words": "warn", "change": "fail", "todo": "fail", "policy": "fail",
    }  # fmt: skip
    assert [(one["rule"], one["path"], one["severity"]) for one in found["change"]["findings"]] == [
        ("policy-changed", "config/waivers.yaml", "medium"),
        ("path-not-allowed", "vendor/lib.py", "high"),
        ("new-suppression", "vendor/lib.py", "medium"),
        ("policy-changed", "workflows/validators/todo.py", "medium"),
    ]
    assert found["change"]["details"]["needs_approval"] == ["config/waivers.yaml", "workflows/validators/todo.py"]
    assert [(one["path"], one["line"]) for one in found["todo"]["findings"]] == [("a.txt", 2)]
    assert found["policy"]["summary"].endswith("(gates.words.findings is 1, gates.todo.status is fail)")

    alone = judged(project, "--gate", "policy", code=3)
    assert (alone["policy"]["status"], alone["policy"]["summary"]) == ("error", "the gate words was not judged here")


def test_a_suppression_blocks_in_strict_also_where_it_is_the_only_change(project):
    project.write("b.py", f"import os  {NOQA}\n")
    project.git("add", "-A")
    assert judged(project, "--gate", "change", code=0)["change"]["status"] == "warn"
    found = judged(project, "--gate", "change", "--level", "strict", code=1)
    assert [(one["path"], one["line"]) for one in found["change"]["findings"]] == [("b.py", 1)]


def test_before_a_push_an_expression_is_judged_with_what_it_reads(project):
    done = project.cmr("export", "pre-commit")
    assert done.code == 0
    entries = [line.strip() for line in done.out.splitlines() if "entry:" in line]
    assert entries == [
        "entry: cli-multi-rapid validate-compliance --changed HEAD --gate words",
        "entry: cli-multi-rapid validate-compliance --gate words --gate change --gate todo --gate policy",
    ]


def test_without_trust_no_validator_runs(project):
    project.write("workflows/validators/todo.py", "open('ran', 'w')\n")
    done = project.cmr("validate-compliance", "--gate", "todo", trust=False)
    assert done.code == 4
    assert not (project.root / "ran").exists()


def test_a_name_that_is_none_is_an_error_at_load(project):
    project.write("config/compliance-gates.yaml", GATES.replace("gates.words", "gates.wrods"))
    done = project.cmr("plan", "p")
    assert done.code == 2
    assert "config/compliance-gates.yaml:7:44" in done.err
    assert "there is no gate 'wrods'" in done.err
    assert "did you mean 'words'?" in done.err
