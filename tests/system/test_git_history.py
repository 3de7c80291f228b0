"""What commits have added: everything that git itself lists, each with the first commit that has it."""

import os
import shutil
from pathlib import Path

import pytest

from cli_multi_rapid.errors import GitFailed, GitTimeout
from cli_multi_rapid.system import git_history
from cli_multi_rapid.system.git_history import Addition, Contents, additions, commit_count


@pytest.fixture
def merged(checkout, git, commit, write):
    """A history with a side branch, a merge that adds something of its own, a rename and a deletion."""
    ids = {"first": commit(checkout, a__txt="one\n", **{"sub/b": "b\n"})}
    git(checkout, "switch", "-q", "-c", "side")
    ids["side"] = commit(checkout, side__txt="side\n")
    git(checkout, "switch", "-q", "main")
    ids["main"] = commit(checkout, main__txt="main\n")
    git(checkout, "merge", "-q", "--no-ff", "--no-commit", "side")
    ids["merge"] = commit(checkout, evil__txt="only in the merge\n", a__txt="changed in the merge\n")
    git(checkout, "mv", "a.txt", "moved.txt")
    git(checkout, "rm", "-q", "side.txt")
    ids["last"] = commit(checkout)
    return checkout, ids


def blobs_of_git(git, root: Path) -> set[str]:
    listed = git(root, "rev-list", "--objects", "HEAD").decode().split("\n")
    names = "".join(f"{line.split(' ')[0]}\n" for line in listed if line)
    kinds = git(root, "cat-file", "--batch-check", given=names.encode()).decode().split("\n")
    return {line.split(" ")[0] for line in kinds if " blob " in line}


def test_every_content_of_the_history_is_named_with_its_first_commit(merged, git, opened):
    root, ids = merged
    found = list(additions(opened(root)))
    assert {one.blob for one in found} == blobs_of_git(git, root)
    firsts = {}
    for one in found:
        firsts.setdefault(one.blob, (one.path, one.commit))
    assert sorted(firsts.values()) == sorted([
        ("a.txt", ids["first"]), ("sub/b", ids["first"]), ("side.txt", ids["side"]), ("main.txt", ids["main"]),
        ("evil.txt", ids["merge"]), ("a.txt", ids["merge"]),
    ])  # fmt: skip
    assert ("moved.txt", ids["last"]) in {(one.path, one.commit) for one in found}
    assert commit_count(opened(root)) == 5


def test_an_octopus_merge_is_read(checkout, git, commit, opened):
    commit(checkout, a__txt="a\n")
    for name in ("one", "two"):
        git(checkout, "switch", "-q", "-c", name, "main")
        commit(checkout, **{name: f"{name}\n"})
    git(checkout, "switch", "-q", "main")
    commit(checkout, b__txt="b\n")
    git(checkout, "merge", "-q", "one", "two")
    git(checkout, "rm", "-q", "one")
    (checkout / "mine").write_text("of the merge\n")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "--amend", "--no-edit")
    assert {one.path for one in additions(opened(checkout))} == {"a.txt", "b.txt", "one", "two", "mine"}


def test_only_what_is_new_since_a_commit(merged, opened):
    root, ids = merged
    assert {one.path for one in additions(opened(root), since=ids["merge"])} == {"moved.txt"}
    assert commit_count(opened(root), since=ids["merge"]) == 1


def test_links_are_left_out_and_paths_may_hold_anything(checkout, git, commit, opened, write):
    (checkout / "link").symlink_to("a.txt")
    write(checkout, "new\nline :100644 \xe9", "x\n")
    commit(checkout, a__txt="a\n")
    assert {one.path for one in additions(opened(checkout))} == {"a.txt", "new\nline :100644 \xe9"}


def test_paths_outside_of_the_project_say_so(checkout, commit, opened):
    commit(checkout, **{"app/in": "in\n", "other/out": "out\n"})
    assert {one.path for one in additions(opened(checkout / "app"))} == {"in", ":/other/out"}


def test_grafts_and_replacements_hide_nothing(merged, git, opened):
    root, ids = merged
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/grafts").write_text(f"{ids['last']}\n")
    git(root, "replace", "--graft", ids["merge"])
    assert ids["first"] in {one.commit for one in additions(opened(root))}


def test_contents_are_read_one_by_one_up_to_a_limit(checkout, commit, opened):
    commit(checkout, small__txt="small\n", large__txt="x" * 3_000_000, empty="")
    repository = opened(checkout)
    blobs = {one.path: one.blob for one in additions(repository)}
    with Contents(repository) as contents:
        assert contents.read(blobs["large.txt"], limit_bytes=100) is None
        assert contents.read(blobs["small.txt"], limit_bytes=6) == b"small\n"
        assert contents.read(blobs["empty"], limit_bytes=6) == b""
        assert contents.read(blobs["large.txt"], limit_bytes=3_000_000) == b"x" * 3_000_000


def test_what_is_missing_is_an_error(checkout, commit, opened):
    commit(checkout, a__txt="a\n")
    repository = opened(checkout)
    (added,) = additions(repository)
    shutil.rmtree(checkout / ".git/objects" / added.blob[:2])
    with Contents(repository) as contents, pytest.raises(GitFailed, match="the history is incomplete"):
        contents.read(added.blob, limit_bytes=10)
    shutil.rmtree(checkout / ".git/objects" / added.commit[:2], ignore_errors=True)
    with pytest.raises(GitFailed, match="the history cannot be read"):
        list(additions(repository))


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_reading_that_takes_too_long_ends(checkout, commit, opened, tmp_path, monkeypatch):
    commit(checkout, a__txt="a\n")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(git_history, "_LISTING", ("hash-object", str(tmp_path / "pipe")))  # waits for ever
    monkeypatch.setattr(git_history, "_range", lambda _since: ())
    monkeypatch.setattr(git_history, "_LIMIT_S", 0.2)
    with pytest.raises(GitTimeout, match="took more than 0 minutes"):
        list(additions(opened(checkout)))


def test_nothing_is_left_running_when_the_reader_stops(merged, opened):
    root, _ = merged
    stream = additions(opened(root))
    assert isinstance(next(stream), Addition)
    stream.close()
