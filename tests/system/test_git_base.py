"""The base revision: commits, contents and authors in it, and how the present tree differs."""

import pytest

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.model.change import ChangedFile, ChangeKind
from cli_multi_rapid.system.git import open_repository
from cli_multi_rapid.system.git_base import (
    blobs,
    commit_of,
    contents,
    difference,
    is_shallow,
    line_authors,
    merge_base,
    tree_in,
)


class Repo:
    """A repository, and where our index of it is."""

    def __init__(self, root, git):
        self.root, self._git = root, git
        self.state = root.parent / "state"

    def git(self, *arguments):
        return self._git(self.root, *arguments).decode().strip()

    def write(self, path, content):
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "m")


@pytest.fixture
def base(checkout, git):
    """A repository with one commit of some files."""
    repo = Repo(checkout, git)
    repo.write("a.txt", "one\n@@ -1 +1 @@\ndiff --git x\n")
    repo.write("same.txt", "same\n")
    repo.write("moved.txt", "".join(f"{number}\n" for number in range(100)))
    repo.write("gone.txt", "x\ny\n")
    repo.write("b.bin", b"\0\1")
    repo.write("sub/in.txt", "in\n")
    repo.commit()
    return repo


def differs(repo, *, folder=""):
    repository = open_repository(repo.root / folder)
    assert repository is not None
    commit = commit_of(repository, "HEAD")
    return difference(repository, tree_in(repository, commit), repository.write_tree(repo.state / "index").id)


def test_every_kind_of_difference_has_its_lines(base):
    base.write("a.txt", "one\n@@ -9 +7 @@\ndiff --git x y\n+q\n")
    base.write("b.bin", b"\0\2")
    base.write("new\n\"'.txt", "n\n")
    base.git("mv", "moved.txt", "sub/to.txt")
    base.write("sub/to.txt", "first\n" + (base.root / "sub/to.txt").read_text())
    (base.root / "gone.txt").unlink()
    assert differs(base) == {
        "a.txt": ChangedFile(kind=ChangeKind.MODIFIED, before="a.txt", lines=frozenset({2, 3, 4}), removed=2),
        "b.bin": ChangedFile(kind=ChangeKind.MODIFIED, before="b.bin", binary=True),
        "new\n\"'.txt": ChangedFile(kind=ChangeKind.ADDED, lines=frozenset({1}), removed=0),
        "sub/to.txt": ChangedFile(kind=ChangeKind.RENAMED, before="moved.txt", lines=frozenset({1}), removed=0),
        "gone.txt": ChangedFile(kind=ChangeKind.DELETED, before="gone.txt", removed=2),
    }


def test_a_file_that_became_a_link_does_not_shift_the_others(base):
    (base.root / "a.txt").unlink()
    (base.root / "a.txt").symlink_to("same.txt")
    base.write("same.txt", "same\nmore\n")
    found = differs(base)
    assert found["a.txt"].kind is ChangeKind.MODIFIED
    assert found["same.txt"].lines == frozenset({2})


def test_an_unchanged_project_does_not_differ(base):
    assert differs(base) == {}


def test_a_project_in_a_folder_of_its_repository_has_paths_of_its_own(base):
    base.write("sub/in.txt", "in\nmore\n")
    base.write("a.txt", "other\n")
    assert list(differs(base, folder="sub")) == ["in.txt"]
    repository = open_repository(base.root / "sub")
    assert repository is not None
    commit = commit_of(repository, "HEAD")
    assert contents(repository, commit, ("in.txt", "a.txt")) == {"in.txt": b"in\n"}
    (base.root / "fresh").mkdir()
    base.write("fresh/f", "1\n")
    assert list(differs(base, folder="fresh")) == ["f"]


def test_contents_are_those_of_the_commit(base):
    base.write("a.txt", "changed")
    repository = open_repository(base.root)
    assert repository is not None
    commit = commit_of(repository, "HEAD")
    found = contents(repository, commit, ("missing", "a.txt", "sub", "b.bin", "missing"))
    assert found == {"a.txt": b"one\n@@ -1 +1 @@\ndiff --git x\n", "b.bin": b"\0\1"}


def test_blobs_are_those_of_regular_files(base):
    (base.root / "link").symlink_to("a.txt")
    repository = open_repository(base.root)
    assert repository is not None
    found = blobs(repository, repository.write_tree(base.state / "index").id)
    assert set(found) == {"a.txt", "same.txt", "moved.txt", "gone.txt", "b.bin", "sub/in.txt"}
    assert found["a.txt"] == base.git("hash-object", "a.txt")


def test_commits_and_their_ancestors(base):
    first = base.git("rev-parse", "HEAD")
    base.git("checkout", "-q", "-b", "side")
    base.write("a.txt", "side\n")
    base.commit()
    repository = open_repository(base.root)
    assert repository is not None
    assert merge_base(repository, commit_of(repository, "HEAD"), first) == first
    assert commit_of(repository, "nothing") == commit_of(repository, "--all") == ""
    base.git("checkout", "-q", "--orphan", "alone")
    base.commit()
    assert merge_base(repository, commit_of(repository, "HEAD"), first) == ""


def test_every_line_has_its_author(base):
    base.write("w.yaml", "one\ntwo\n")
    base.commit()
    base.write("w.yaml", "one\nTWO\n")
    base.git("add", "-A")
    base.git("commit", "-q", "-m", "m", "--author", "Other <O@example.org>")
    repository = open_repository(base.root)
    assert repository is not None
    authors = line_authors(repository, commit_of(repository, "HEAD"), "w.yaml")
    assert authors[1] == frozenset({"other", "o@example.org"})
    assert "o@example.org" not in authors[0]
    with pytest.raises(GitFailed):
        line_authors(repository, commit_of(repository, "HEAD"), "nothing.yaml")


def test_a_shallow_clone_says_so(base, tmp_path):
    base.write("a.txt", "2")
    base.commit()
    base.git("clone", "-q", "--depth", "1", f"file://{base.root}", str(tmp_path / "shallow"))
    for folder, shallow in ((tmp_path / "shallow", True), (base.root, False)):
        repository = open_repository(folder)
        assert repository is not None
        assert is_shallow(repository) is shallow
