"""The coverage gate on a real repository: changed lines, and the coverage that may not fall."""

import json

import pytest

GATES = "schema: cmr/gates@v1\ngates:\n  coverage: {check: coverage, reports: [coverage.json], min: 85}\n"


def measured(hit, missed):
    return json.dumps({"files": {"a.py": {"executed_lines": hit, "missing_lines": missed}}})


@pytest.fixture
def project(sandbox):
    """A committed project of ten lines, six of which are executed."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.write(".gitignore", "coverage.json\n")
    sandbox.write("a.py", "".join(f"x = {number}\n" for number in range(1, 11)))
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "first")
    sandbox.write("coverage.json", measured([1, 2, 3, 4, 5, 6], [7, 8, 9, 10]))
    return sandbox


def judged(project, *arguments, code):
    done = project.cmr("validate-compliance", "--json", *arguments)
    assert done.code == code, done.out + done.err
    return done.data()["gates"][0]


def test_coverage_that_is_low_may_not_fall_below_the_baseline(project):
    assert project.cmr("validate-compliance", "--write-baseline").code == 0
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "baseline")
    gate = judged(project, code=0)
    assert (gate["status"], gate["findings"][0]["excused"]) == ("waived", "baseline")
    assert "60.0 % of 10 lines, needs 85 %; not below the 60.0 % of the baseline" in gate["summary"]
    project.write("coverage.json", measured([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]))
    assert "fell below the 60.0 % of the baseline" in judged(project, code=1)["summary"]


def test_in_strict_the_lines_of_a_change_are_judged_on_their_own(project):
    project.write("config/compliance-gates.yaml", GATES.replace("min: 85", "min: 60"))
    project.git("commit", "-q", "-a", "-m", "less")
    text = "".join(f"x = {number}\n" for number in range(1, 11))
    project.write("a.py", text.replace("x = 7\n", "y = 7\n"))
    project.write("coverage.json", measured([1, 2, 3, 4, 5, 6], [7, 8, 9, 10]))
    gate = judged(project, "--level", "strict", code=1)
    assert [(one["rule"], one["line"]) for one in gate["findings"]] == [("changed-lines-uncovered", 7)]
    assert gate["summary"] == "60.0 % of 10 lines, needs 60 %; 0.0 % of 1 changed line, needs 85 %"
    project.write("coverage.json", measured([1, 2, 3, 4, 5, 7], [6, 8, 9, 10]))
    assert judged(project, "--level", "strict", code=0)["details"]["changed_covered"] == 1
