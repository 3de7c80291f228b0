"""What has not changed is not judged again; whatever a verdict follows from makes it be judged anew."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from cli_multi_rapid.services import unchanged

PATTERN = "{id: no-foo, pattern: foo, paths: ['**/*.txt'], severity: high}"
WORDS = f"  words: {{check: denylist, default-set: false, patterns: [{PATTERN}]}}\n"
TOOL = "  tool: {check: command, format: json, run: [judge], cache: true}\n"


@pytest.fixture
def project(sandbox):
    sandbox.write("config/compliance-gates.yaml", f"schema: cmr/gates@v1\ngates:\n{WORDS}  lie: {{check: diff}}\n")
    sandbox.write("a.txt", "fine\n")
    commit(sandbox)
    sandbox.git("branch", "other", "HEAD~1")
    (sandbox.root / ".git/info/exclude").write_text("hidden*\n")
    return sandbox


def commit(project):
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", "m")


def judged(project, *arguments, code=0, env=None):
    """Judge, and return whether all results were taken over."""
    done = project.cmr("validate-compliance", "--json", *arguments, env=env)
    assert done.code == code, done.out + done.err
    taken = {bool(gate["details"].get("judged_in")) for gate in done.data()["gates"]}
    assert len(taken) == 1
    assert ("nothing has changed" in done.err) is (taken == {True})
    return taken.pop()


def gates(project, more, *, words=WORDS):
    project.write("config/compliance-gates.yaml", f"schema: cmr/gates@v1\ngates:\n{words}{more}")
    commit(project)


@pytest.mark.parametrize(("text", "code"), [("fine\n", 0), ("foo\n", 1)])
def test_a_verdict_stands_as_long_as_nothing_changes(project, text, code):
    project.write("a.txt", text)
    assert not judged(project, code=code)
    first = project.cmr("status", "last", "--json").data()
    assert judged(project, code=code)
    assert judged(project, code=code)
    last = project.cmr("status", "last", "--json").data()
    assert last["verdict"] == first["verdict"]
    assert last["run"]["run"] != first["run"]["run"]
    for gate, before in zip(last["gates"], first["gates"], strict=True):
        assert gate["details"].pop("judged_in") == first["run"]["run"]
        assert {**gate, "cached": None, "started": "", "duration_ms": 0} == {
            **before, "cached": None, "started": "", "duration_ms": 0,
        }  # fmt: skip
    assert project.cmr("generate-report", "last", "--format", "sarif").code == 0
    assert not judged(project, "--no-cache", code=code)


CHANGES = {
    "a file": lambda project: project.write("a.txt", "other\n"),
    "a new file": lambda project: project.write("b.txt", "b\n"),
    "a file that is gone": lambda project: (project.root / "a.txt").unlink(),
    "a mode": lambda project: (project.root / "a.txt").chmod(0o755),
    "what trust covers though git ignores it": lambda project: project.write("workflows/hidden.md", "x\n"),
    "what trust covers": lambda project: project.write("workflows/x.md", "x\n"),
    "the base": commit,
    "the upstream branch": lambda project: project.git("branch", "--set-upstream-to", "other"),
    "the branch": lambda project: project.git("checkout", "-q", "-b", "further"),
    "the user's settings": lambda _: _user("level: standard\n"),
}


def _user(text):
    folder = Path(os.environ["HOME"], ".config", "cli-multi-rapid")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"schema: cmr/config@v1\n{text}")


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_a_verdict_follows_from_makes_it_be_judged_anew(project, what):
    judged(project)
    assert judged(project)
    CHANGES[what](project)
    assert not judged(project)
    assert judged(project)


@pytest.mark.parametrize("options", [("--level", "strict"), ("--gate", "words"), ("--changed",), ("--changed", "HEAD")])
def test_other_options_are_another_question(project, options):
    judged(project)
    assert not judged(project, *options)


def test_another_environment_is_another_question(project):
    judged(project)
    assert judged(project)
    assert not judged(project, env={"RUFF_CONFIG": "x"})
    judged(project)


def test_another_program_judges_anew(project, monkeypatch):
    judged(project)
    monkeypatch.setattr(unchanged, "code_digest", lambda *_: "another")
    assert not judged(project)


def test_what_time_can_change_is_judged_anew(project):
    project.write("a.txt", "foo\n")
    commit(project)
    found = project.cmr("validate-compliance", "--json").data()["gates"][0]["findings"][0]
    waiver = {
        "rule": "no-foo", "path": "a.txt", "fingerprint": found["fingerprint"], "reason": "r",
        "approved-by": "b@example.org", "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    project.write("config/waivers.yaml", json.dumps({"schema": "cmr/waivers@v1", "waivers": [waiver]}))
    commit(project)
    for _ in range(3):
        assert not judged(project)


def test_what_a_waiver_excuses_only_in_part_is_judged_anew_as_well(project):
    """Its gate warns of something else: when the waiver ends, it fails."""
    two = f"{PATTERN}, {{id: no-bar, pattern: bar, severity: info}}"
    gates(project, "", words=WORDS.replace(PATTERN, two).replace("patterns:", "fail-on: high, patterns:"))
    project.write("a.txt", "foo\nbar\n")
    commit(project)
    found = project.cmr("validate-compliance", "--json").data()["gates"][0]["findings"]
    (print_,) = [one["fingerprint"] for one in found if one["rule"] == "no-foo"]
    waiver = {
        "rule": "no-foo", "path": "a.txt", "fingerprint": print_, "reason": "r", "approved-by": "b@example.org",
        "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    project.write("config/waivers.yaml", json.dumps({"schema": "cmr/waivers@v1", "waivers": [waiver]}))
    commit(project)
    for _ in range(3):
        assert not judged(project)


def test_what_no_tree_holds_is_judged_every_time(project):
    (project.root / "vendor").mkdir()
    project.git("init", "-q", "vendor")
    project.write("vendor/a.txt", "fine\n")
    for _ in range(3):
        assert not judged(project)


def test_an_altered_record_is_nothing_to_go_by(project):
    judged(project)
    (log,) = Path(os.environ["CMR_STATE_DIR"]).rglob("events.db")
    with sqlite3.connect(log) as connection:
        connection.execute("UPDATE event SET payload = replace(payload, 'no match in', 'no thing in')")
    assert not judged(project)


def test_what_could_not_be_judged_is_tried_again(project):
    gates(project, "  tests: {check: tests, reports: [junit.xml]}\n")
    for _ in range(2):
        assert not judged(project, code=3)


@pytest.fixture
def tool(project, tmp_path, monkeypatch):
    """A program `judge` on the PATH that counts how often it ran, and a gate that may take over what it found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "judge"
    program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/count\necho '[]'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    gates(project, TOOL)
    return program


def test_a_command_that_says_so_is_not_run_again_while_its_program_is_the_same(project, tool, tmp_path):
    def count():
        return len((tmp_path / "count").read_text().split())

    assert not judged(project)
    assert judged(project)
    assert count() == 1
    tool.write_text(tool.read_text() + "# newer\n")
    assert not judged(project)
    assert count() == 2
    gates(project, TOOL.replace(", cache: true", ""))
    judged(project)
    assert not judged(project)
    assert count() == 4


def test_a_program_may_be_named_by_its_place(project, tool):
    gates(project, TOOL.replace("[judge]", f"[{tool}]"))
    assert not judged(project)
    assert judged(project)
    tool.write_text(tool.read_text() + "# newer\n")
    assert not judged(project)
    gates(project, TOOL.replace("[judge]", f"[{os.path.relpath(tool, project.root)}]"))
    for _ in range(2):
        assert not judged(project)


def test_evidence_that_is_gone_or_altered_is_made_anew(project, tool, tmp_path):
    judged(project)
    (output,) = Path(os.environ["CMR_STATE_DIR"]).rglob("gate-tool-*/output")
    output.write_text("[ ]")
    assert not judged(project)
    (output,) = [path for path in Path(os.environ["CMR_STATE_DIR"]).rglob("gate-tool-*/output") if path != output]
    output.unlink()
    assert not judged(project)


def test_a_run_that_takes_over_has_its_evidence_itself(project, tool):
    judged(project)
    (output,) = Path(os.environ["CMR_STATE_DIR"]).rglob("gate-tool-*/output")
    assert judged(project)
    output.unlink()
    assert project.cmr("generate-report", "last", "--format", "json").code == 0
    assert judged(project)


def test_what_changed_while_it_was_judged_is_no_verdict_for_later(project, tool, tmp_path):
    tool.write_text(f"#!/bin/sh\necho changed > {project.root}/a.txt\necho '[]'\n")
    judged(project)
    project.write("a.txt", "fine\n")  # as it was when judging began
    assert not judged(project)
