"""What a change could try so that it is judged by less than its base revision asks for."""

import json
import os

import pytest

PATTERN = "{id: no-foo, pattern: foo, paths: ['**/*.txt'], severity: high, message: foo, fix: bar}"
GATES = f"schema: cmr/gates@v1\ngates:\n  words: {{check: denylist, default-set: false, patterns: [{PATTERN}]}}\n"
CONFIG = "config/workflow-config.yaml"


@pytest.fixture
def project(sandbox):
    """A project with one gate and a clean file, whose configuration is not committed."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.write("a.txt", "fine\n")
    sandbox.git("rm", "-q", "--cached", "--ignore-unmatch", CONFIG)
    sandbox.write(".git/info/exclude", f"{CONFIG}\n")
    commit(sandbox)
    return sandbox


def commit(project, author="Test <test@example.org>"):
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", "m", "--author", author)


def judged(project, *arguments, code):
    done = project.cmr("validate-compliance", "--json", "--no-cache", *arguments)
    assert done.code == code, done.err
    return done.data(), done.err


@pytest.mark.parametrize("path", ["config/compliance-gates.yaml", CONFIG])
def test_a_base_that_names_no_level_is_standard(project, path):
    project.write(path, f"level: advisory\n{GATES}" if path != CONFIG else "schema: cmr/config@v1\nlevel: advisory\n")
    project.write("a.txt", "foo\n")
    assert judged(project, code=1)[0]["level"] == "standard"


@pytest.mark.parametrize("added", ["diff: {check: expression, assert: '${{ true }}'}", "other: {check: diff}"])
def test_a_new_gate_does_not_take_the_place_of_what_strict_adds(project, added):
    project.write("config/compliance-gates.yaml", f"{GATES}  {added}\n")
    project.write("new.py", "import os  # noqa: F401\n")
    found, _ = judged(project, "--level", "strict", code=1)
    assert {gate["id"]: gate["check"] for gate in found["gates"]}["diff"] == "diff"


def waived(project, author="Dev One <dev@example.org>", **changes):
    """Commit a violation and a waiver of it."""
    project.write("a.txt", "foo\n")
    commit(project)
    done = project.cmr("validate-compliance", "--json", "--no-cache")
    (finding,) = done.data()["gates"][0]["findings"]
    waiver = {
        "rule": "no-foo", "path": "a.txt", "fingerprint": finding["fingerprint"], "reason": "why not",
        "approved-by": "dev@example.org", "expires": "2999-01-01T00:00:00Z", **changes,
    }  # fmt: skip
    text = json.dumps({"schema": "cmr/waivers@v1", "waivers": [waiver]}, indent=1)
    project.write("config/waivers.yaml", text)
    commit(project, author)
    return text


@pytest.mark.parametrize("spelled", [
    "Dev One <dev@example.org>", "dev  one", "<DEV@example.org>", "dev@example.org (Dev)", "mailto:dev@example.org",
    "\uff44ev@example.org",
])  # fmt: skip
def test_an_author_who_approves_under_another_spelling_is_known(project, spelled):
    waived(project, **{"approved-by": spelled})
    assert "approved what they wrote" in judged(project, code=1)[1]


@pytest.mark.parametrize("trick", ["mailmap", "ignored"])
def test_a_change_cannot_say_who_wrote_a_waiver(project, trick):
    waived(project, "Somebody <some@example.org>", path="b.txt")
    waived(project)
    if trick == "mailmap":
        project.write(".mailmap", "Somebody <some@example.org> <dev@example.org>\n")
    else:
        project.git("config", "blame.ignoreRevsFile", ".ignored")
        project.write(".ignored", project.git("rev-parse", "HEAD"))
    assert "approved what they wrote" in judged(project, code=1)[1]


def test_lines_that_only_yaml_counts_do_not_hide_who_wrote_a_waiver(project):
    text = waived(project)
    project.write("config/waivers.yaml", "# " + "\u2028" * 12 + "#\n" + text)
    commit(project, "Dev One <dev@example.org>")
    judged(project, code=1)


def test_a_shallow_clone_does_not_know_who_wrote_a_waiver(project):
    waived(project, **{"approved-by": "lead@example.org"})
    project.write("b.txt", "more\n")
    commit(project, "Other <other@example.org>")
    project.write(".git/shallow", project.git("rev-parse", "HEAD").strip() + "\n")
    refused = project.cmr("validate-compliance")
    assert refused.code == 1
    assert "git fetch --unshallow" in refused.err
    (project.root / ".git/shallow").unlink()
    assert project.cmr("validate-compliance").code == 0  # the verdict does not stand


def test_a_base_that_a_tag_may_mean_is_refused(project):
    project.git("branch", "old")
    project.write("config/compliance-gates.yaml", GATES.replace("high", "info"))
    project.write("a.txt", "foo\n")
    commit(project)
    project.git("tag", "old")
    refused = project.cmr("validate-compliance", "--changed", "old")
    assert refused.code == 2
    assert "may mean different commits" in refused.err
    judged(project, "--changed", "refs/heads/old", code=1)


def test_attributes_do_not_hide_how_large_a_change_is(project):
    project.write("config/compliance-gates.yaml", f"{GATES}  size: {{check: diff, max-lines: 50}}\n")
    project.write("b.txt", "x\n")
    commit(project)
    project.write("b.txt", "y\n" * 60)
    judged(project, code=1)
    project.write(".gitattributes", "*.txt -diff\n")
    judged(project, code=1)
    project.write(".gitattributes", "")
    project.write("b.txt", "y\n" * 20)
    judged(project, code=0)


def test_names_that_are_no_text_do_not_end_the_judging(project):
    project.write("config/compliance-gates.yaml", f"{GATES}  paths: {{check: diff, deny: ['no/**']}}\n")
    commit(project)
    for folder in ("no", "workflows/validators"):
        (project.root / folder).mkdir(parents=True, exist_ok=True)
        for name in (b"\xff.py", b"\x1b[31m\n<b>.py", "\u202e.py".encode()):
            (project.root / folder / os.fsdecode(name)).write_bytes(b"x = 1  # noqa\n")
    found, _ = judged(project, "--level", "strict", code=1)
    assert found["gates"][-1]["findings_total"] > 6
    for form in ("html", "json", "sarif", "junit", "md"):
        assert project.cmr("generate-report", "--format", form).code in (0, 1)
    assert project.cmr("validate-compliance", "--write-baseline").code == 0


def test_a_baseline_with_bytes_that_are_no_text_is_written_anew(project):
    project.write("a.txt", "foo\n")
    path = project.root / "config/compliance-baseline.json"
    path.write_bytes(b'{"schema": "cmr/baseline@v1", "covered": {}, "findings": {"words": {"sha256:0": "\xff"}}}')
    done = project.cmr("validate-compliance", "--write-baseline")
    assert done.code in (0, 2), done.err
    assert "Traceback" not in done.err


def test_a_submodule_differs_only_where_it_does(project):
    project.write("config/compliance-gates.yaml", f"{GATES}  paths: {{check: diff, allow: ['*.txt']}}\n")
    first, second = project.git("rev-parse", "HEAD").strip(), project.git("rev-parse", "HEAD^{tree}").strip()
    project.git("update-index", "--add", "--cacheinfo", f"160000,{first},vendored")
    commit_index = ("commit", "-q", "-m", "m")
    project.git("add", "config/compliance-gates.yaml")
    project.git(*commit_index)
    (gate,) = judged(project, "--gate", "paths", code=0)[0]["gates"]
    assert gate["details"]["files"] == 0
    project.git("update-index", "--cacheinfo", f"160000,{second},vendored")
    project.git(*commit_index)
    (gate,) = judged(project, "--gate", "paths", "--changed", "HEAD~1", code=1)[0]["gates"]
    assert [one["path"] for one in gate["findings"]] == ["vendored"]
