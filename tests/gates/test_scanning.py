"""What is kept of a search equals what a fresh search finds."""

import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates import denylist, secrets
from cli_multi_rapid.model.gate import GateStatus, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec, Pattern

SPEC = GateSpec(
    check=Check.DENYLIST,
    default_set=False,
    patterns=(
        Pattern(id="foo", pattern="foo", paths=("**/*.txt",), severity=Severity.HIGH),
        Pattern(id="bar", pattern="bar", severity=Severity.LOW),
    ),
)


def cached(project, spec=SPEC, *, check=denylist):
    """Evaluate with git's ids of the contents, and a cache."""
    given_ = project.given()
    paths = "\n".join(given_.files)
    ids = subprocess.run(
        ("git", "hash-object", "--stdin-paths", "--no-filters"), cwd=project.root, input=paths, text=True,
        capture_output=True, check=True,
    ).stdout.split()  # fmt: skip
    blobs = dict(zip(given_.files, ids, strict=True))
    return check.evaluate("g", spec, replace(given_, blobs=blobs, findings=str(project.aside / "findings.db")))


def plain(project, spec=SPEC):
    return denylist.evaluate("g", spec, project.given())


def same(one, other) -> bool:
    return replace(one, cached=False) == replace(other, cached=False)


CONTENTS = ("", "foo\n", "bar\nfoo\n", "foo bar\n", "x\0y", "clean\n", "foo\n" * 3)
NAMES = ("a.txt", "b.txt", "c.md", "d/e.txt", "d/f")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CONTENTS), min_size=1), min_size=1, max_size=4))
def test_kept_findings_equal_fresh_ones(project, steps):
    """Files come, go, are renamed and copied; equal contents lie on paths that other rules apply to."""
    for files in steps:
        for path in [path for path in project.root.rglob("*") if path.is_file()]:
            path.unlink()
        for path, content in files.items():
            project.write(path, content)
        assert same(cached(project), plain(project))
        again = cached(project)
        assert again.cached
        assert same(again, plain(project))


def test_a_changed_rule_or_another_tool_finds_anew(project, monkeypatch):
    project.write("a.txt", "foo baz\n")
    assert cached(project).status is GateStatus.FAIL
    for spec in (
        replace(SPEC, patterns=(replace(SPEC.patterns[0], pattern="baz"),)),
        replace(SPEC, patterns=(replace(SPEC.patterns[0], severity=Severity.INFO),)),
        replace(SPEC, patterns=(replace(SPEC.patterns[0], paths=("**/*.md",)),)),
    ):
        found = cached(project, spec)
        assert not found.cached
        assert same(found, plain(project, spec))
    assert cached(project).cached
    monkeypatch.setattr(denylist, "version", lambda _: "0.0.0")
    assert not cached(project).cached


def test_a_file_that_changed_since_it_was_listed_is_not_kept(project):
    project.write("a.txt", "foo\n")
    given_ = project.given()
    blobs = {"a.txt": "0" * 40}
    stale = replace(given_, blobs=blobs, findings=str(project.aside / "findings.db"))
    assert denylist.evaluate("g", SPEC, stale).findings_total == 1
    assert not denylist.evaluate("g", SPEC, stale).cached


def test_files_without_an_id_are_searched_every_time(project):
    project.write("a.txt", "foo\n")
    nameless = replace(project.given(), findings=str(project.aside / "findings.db"))
    for _ in range(2):
        result = denylist.evaluate("g", SPEC, nameless)
        assert (result.findings_total, result.cached) == (1, False)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 200])
def test_a_damaged_cache_is_no_cache(project, content):
    project.write("a.txt", "foo\n")
    (project.aside / "findings.db").write_bytes(content)
    assert cached(project).findings_total == 1
    assert cached(project).findings_total == 1


def test_a_cache_that_cannot_be_written_is_no_cache(project):
    project.write("a.txt", "foo\n")
    (project.aside / "findings.db").mkdir()
    assert cached(project).findings_total == 1


def test_no_text_of_a_file_is_kept(project):
    project.write("a.txt", "foo and what nobody else may read\n")
    cached(project)
    assert b"nobody" not in b"".join(path.read_bytes() for path in Path(project.aside).glob("findings.db*"))
    with sqlite3.connect(project.aside / "findings.db") as connection:
        assert connection.execute("SELECT count(*) FROM found").fetchone() == (1,)


def test_secrets_are_found_again_without_the_scanner(project, monkeypatch):
    project.write("a.txt", "nothing here\n")
    project.write("b.py", 'password = "' + "".join(chr(33 + 7 * n % 90) for n in range(20)).replace('"', "q") + '"\n')
    spec = GateSpec(check=Check.SECRETS)
    first = cached(project, spec, check=secrets)
    monkeypatch.setattr(secrets, "_scanner", lambda _: pytest.fail("the scanner was started"))
    again = cached(project, spec, check=secrets)
    assert again.cached
    assert same(first, again)
