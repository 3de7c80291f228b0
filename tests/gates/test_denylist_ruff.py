"""Rules of ruff beside the patterns: they see what lies on several lines, and nothing switches them off."""

import os
from dataclasses import replace

import pytest

from cli_multi_rapid.gates import denylist
from cli_multi_rapid.gates.denylist_defaults import DEFAULT_SET
from cli_multi_rapid.gates.denylist_ruff import RULES
from cli_multi_rapid.model.gate import GateStatus, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.process import Exit

SPEC = GateSpec(check=Check.DENYLIST)
SHELL = "import subprocess\n\n\ndef run(text):\n    subprocess.run(\n        text,\n        shell={},\n    )\n"


def judge(project, spec=SPEC, **given):
    return denylist.evaluate("g", spec, replace(project.given(), **given))


def test_what_lies_on_several_lines_is_found_once(project):
    project.write("a.py", SHELL.format("1"))  # no pattern sees that 1 is true
    result = judge(project)
    assert [(one.rule, one.line, one.severity) for one in result.findings] == [("ruff-S602", 5, Severity.HIGH)]
    assert result.status is GateStatus.FAIL
    assert result.tool == "google-re2, ruff"
    project.write("a.py", "y = ev" + "al(x)  # no" + "qa: S307\n")
    assert [one.rule for one in judge(project).findings] == ["python-eval"]


def test_neither_settings_nor_comments_switch_a_rule_off(project):
    lines = SHELL.format("1").replace("subprocess.run(\n", "subprocess.run(  # no" + "qa\n")
    project.write("a.py", "# ruff: no" + "qa\n" + lines)
    project.write("pyproject.toml", '[tool.ruff]\nexclude = ["*.py"]\n[tool.ruff.lint]\nignore = ["S"]\n')
    assert [one.rule for one in judge(project).findings] == ["ruff-S602"]


def test_without_it_only_patterns_count(project):
    project.write("a.py", SHELL.format("1"))
    for spec in (replace(SPEC, ruff=False), replace(SPEC, default_set=False, patterns=DEFAULT_SET[:1])):
        result = judge(project, spec)
        assert (result.status, result.tool) == (GateStatus.PASS, "google-re2")
    wanted = replace(SPEC, default_set=False, patterns=DEFAULT_SET[:1], ruff=True)
    assert judge(project, wanted).status is GateStatus.FAIL


def test_a_file_that_is_no_python_is_said_once(project):
    project.write("a.py", "def f(:\n    )(\n")
    assert [(one.rule, one.severity) for one in judge(project).findings] == [("python-unparsed", Severity.INFO)]


def test_links_are_not_followed(project, tmp_path):
    (tmp_path / "outside.py").write_text(SHELL.format("1"))
    (project.root / "a.py").symlink_to(tmp_path / "outside.py")
    project.write("b.py", "x = 1\n")
    project.write("-c.py", "x = 1\n")
    assert judge(project).findings == ()


def test_a_name_that_ruff_cannot_say_does_not_hide_what_it_finds(project):
    name = os.fsdecode(b"b\xff.py")
    project.write("a.py", "x = 1\n")
    project.write(name, "x = 1\n")
    assert judge(project).status is GateStatus.PASS
    project.write(name, SHELL.format("1"))
    assert judge(project).status is not GateStatus.PASS


@pytest.mark.parametrize(
    "ended",
    [Exit(code=2), Exit(signal=9), Exit(signal=15, timed_out=True), Exit(error="no", missing=True),
     Exit(code=0, truncated=True), Exit(code=0)],
)  # fmt: skip
def test_a_ruff_that_did_not_end_well_is_an_error(project, ended):
    """Also one that ends well and says nothing at all."""
    project.write("a.py", "x = 1\n")
    result = judge(project, execute=lambda _: ended)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_every_rule_exists_and_those_that_mean_the_same_do(project):
    names = {pattern.id for pattern in DEFAULT_SET}
    assert {rule.same for rule in RULES.values()} - names == {""}
    project.write("a.py", "x = 1\n")
    assert judge(project).status is GateStatus.PASS  # ruff refuses codes that it does not know
