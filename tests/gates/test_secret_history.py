"""A secret that only the history has is found, named with the first commit that has it, and found once."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from secret_samples import github_token, mixed

from cli_multi_rapid.gates import secret_history
from cli_multi_rapid.gates.secrets import evaluate
from cli_multi_rapid.model.gate import GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy, WaiverUse

SPEC = GateSpec(check=Check.SECRETS, history=True)


@pytest.fixture
def git(project, monkeypatch):
    """Return a function that runs git in the project."""
    for name, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")

    def run(*arguments: str) -> str:
        done = subprocess.run(("git", *arguments), cwd=project.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def commit(project, git):
    """Return a function that writes files, None for one that goes, and returns the id of the commit."""

    def make(**files: str | None) -> str:
        for name, content in files.items():
            path = name.replace("__", ".")
            if content is None:
                (project.root / path).unlink()
            else:
                project.write(path, content)
        git("add", "-A")
        git("commit", "-q", "-m", "change")
        return git("rev-parse", "HEAD")

    return make


def judge(project, *, level=Level.STANDARD, spec=SPEC, **more):
    """Evaluate as a run does: only files that git would list, with the ids of their contents."""
    given = project.given(level=level)
    files = tuple(path for path in given.files if not path.startswith(".git/"))
    ids = subprocess.run(
        ("git", "hash-object", "--no-filters", "--", *files),
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return evaluate("secrets", spec, replace(given, files=files, blobs=dict(zip(files, ids, strict=True)), **more))


def test_a_secret_only_in_the_history_is_found_with_its_first_commit(project, commit):
    commit(a__py="x = 1\n")
    first = commit(a__py=f'x = 1\ntoken = "{github_token()}"\n', other__txt="x")
    commit(a__py=f'y = 2\nx = 1\ntoken = "{github_token()}"\n')
    commit(a__py="x = 1\n")
    result = judge(project)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line, finding.severity) == ("github-pat", "a.py", 2, Severity.HIGH)
    assert f"(in commit {first[:12]})" in finding.message
    assert finding.fix.startswith("revoke it")
    assert result.status is GateStatus.FAIL
    assert result.details["history"] == [{"rule": "github-pat", "path": "a.py", "line": 2, "commit": first}]
    assert result.summary == "1 possible secret in 2 files and 2 earlier contents of 4 commits"
    assert judge(project, spec=replace(SPEC, history=False)).status is GateStatus.PASS


def test_a_file_that_is_gone_is_found_under_its_old_path(project, commit):
    commit(a__py="x\n")
    commit(gone__env=f"TOKEN={github_token()}\n")
    commit(gone__env=None)
    assert [finding.path for finding in judge(project).findings] == ["gone.env"]


def test_what_the_project_has_now_is_named_as_such_and_once(project, commit):
    commit(a__py=f'token = "{github_token()}"\n')
    commit(a__py=f'x = 1\ntoken = "{github_token()}"\n')
    result = judge(project)
    assert [finding.line for finding in result.findings] == [2]
    assert "in commit" not in result.findings[0].message
    assert result.details["history"] == []


def test_a_fingerprint_is_that_of_the_secret_in_the_project(project, commit):
    commit(a__py=f'token = "{github_token()}"\n')
    before = judge(project).findings[0].fingerprint
    commit(a__py="x\n")
    assert judge(project).findings[0].fingerprint == before


def test_a_secret_in_the_history_can_be_waived(project, commit):
    commit(a__py=f'token = "{github_token()}"\n')
    commit(a__py="x\n")
    (finding,) = judge(project).findings
    waiver = WaiverUse(
        rule=finding.rule, path=finding.path, fingerprint=finding.fingerprint, reason="revoked", approved_by="lead",
        expires="2999-01-01T00:00:00Z",
    )  # fmt: skip
    assert judge(project, policy=Policy(waivers=(waiver,))).status is GateStatus.WAIVED


def test_what_only_looks_secret_warns_outside_of_strict(project, commit):
    commit(a__env=f"API_KEY={mixed(32)}\n")
    commit(a__env="x=1\n")
    assert judge(project).status is GateStatus.WARN
    assert judge(project, level=Level.STRICT).status is GateStatus.FAIL


def test_what_is_excluded_is_left_out_of_the_history_too(project, commit):
    commit(a__py="x\n", data__txt=github_token())
    commit(data__txt=None)
    assert judge(project, spec=replace(SPEC, exclude=("*.txt",))).status is GateStatus.PASS
    commit(b__py=github_token())  # the same content on another path is another thing
    assert judge(project, spec=replace(SPEC, exclude=("*.txt",))).status is GateStatus.FAIL


def test_each_content_is_searched_once(project, commit):
    text = "x = 1\n"
    for number in range(4):
        commit(**{f"copy{number}__py": text, "a__py": f"{number}\n"})
    result = judge(project)
    assert result.details["contents"] == 3  # the versions of a.py that are not there any more
    assert (result.details["commits"], result.status) == (4, GateStatus.PASS)


def test_what_was_found_in_the_history_is_kept(project, commit):
    commit(a__py=f'token = "{github_token()}"\n')
    commit(a__py="x\n")
    findings = str(project.aside / "findings.db")
    first, second, without = (judge(project, findings=path) for path in (findings, findings, ""))
    assert (first.cached, second.cached) == (False, True)
    assert replace(second, cached=False) == first == without
    commit(a__py=f'token = "{github_token(8)}"\n')
    commit(a__py="x\n")
    third = judge(project, findings=findings)
    assert (third.cached, third.findings_total) == (False, 2)


def test_with_only_what_changed_the_history_begins_at_the_base(project, commit):
    commit(old__py=f'token = "{github_token()}"\n')
    base = commit(old__py="x\n")
    commit(new__py=f'token = "{github_token(8)}"\n')
    commit(new__py="x\n")
    result = judge(project, only=frozenset({"new.py"}), policy=Policy(base=base))
    assert [finding.path for finding in result.findings] == ["new.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes")
def test_names_that_are_no_text(project, commit):
    odd = os.fsdecode(b"a\xff.py")
    project.write(odd, f'token = "{github_token()}"\n')
    commit(b__py="x\n")
    assert [finding.path for finding in judge(project, findings=str(project.aside / "f.db")).findings] == ["a\\xff.py"]
    (project.root / odd).unlink()
    commit(b__py="y\n")
    assert [finding.path for finding in judge(project, findings=str(project.aside / "f.db")).findings] == ["a\\xff.py"]


def test_a_history_without_commits_passes(project, git):
    project.write("a.py", "x\n")
    assert judge(project).status is GateStatus.PASS


def test_a_folder_that_is_no_repository_is_an_error(project):
    project.write("a.py", "x\n")
    result = evaluate("secrets", SPEC, project.given())
    assert (result.status, result.summary) == (
        GateStatus.ERROR, "this is no git repository, so it has no history to search",
    )  # fmt: skip


def test_a_shallow_clone_is_an_error(project, commit, tmp_path, git):
    commit(a__py="x\n")
    commit(a__py="y\n")
    git("clone", "-q", "--depth", "1", f"file://{project.root}", str(tmp_path / "clone"))
    result = judge(replace(project, root=tmp_path / "clone"))
    assert (result.status, result.summary) == (GateStatus.ERROR, "the history is not whole: this is a shallow clone")
    assert "--unshallow" in result.fix


def test_a_content_that_is_too_large_is_named(project, commit, monkeypatch):
    commit(a__txt="x" * 101)
    commit(a__txt="x")
    monkeypatch.setattr(secret_history, "LIMIT_BYTES", 100)
    result = judge(project)
    assert [(finding.rule, finding.path) for finding in result.findings] == [("file-too-large", "a.txt")]
    assert (result.status, judge(project, level=Level.STRICT).status) == (GateStatus.WARN, GateStatus.FAIL)


def test_a_search_that_is_not_wanted_any_more_ends(project, commit):
    commit(a__py="x\n")
    asked = iter([False])
    assert judge(project, stopped=lambda: next(asked, True)).summary == "the run was stopped"


def test_a_secret_in_a_program_for_git_runs_nothing(project, commit, git):
    commit(a__py="x\n")
    commit(a__py="y\n", __gitattributes="* diff=evil filter=evil\n")
    seen = Path(project.aside, "seen")
    for name in (
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.smudge",
        "filter.evil.clean",
        "core.fsmonitor",
    ):
        git("config", name, f"touch {seen}; cat")
    judge(project)
    assert not seen.exists()
