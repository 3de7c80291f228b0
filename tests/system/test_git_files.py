"""Files of a commit: read from git's objects, whatever lies in the working folder."""

import pytest

from cli_multi_rapid.system.files import PathRefused
from cli_multi_rapid.system.git import open_repository
from cli_multi_rapid.system.git_base import commit_of, tags_of
from cli_multi_rapid.system.git_files import CommittedFiles


@pytest.fixture
def files(sandbox):
    sandbox.write("a/one.json", "committed")
    sandbox.write("a/new\nline", "odd")
    sandbox.write("a/b/deep", "")
    (sandbox.root / "a/link").symlink_to("one.json")
    (sandbox.root / "l").symlink_to("a")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-qm", "files")
    sandbox.write("a/one.json", "changed since")
    (sandbox.root / "a/later").write_text("x")
    repository = open_repository(sandbox.root)
    with CommittedFiles(repository, commit_of(repository, "HEAD")) as found:
        yield found


def test_names_and_contents(files):
    assert files.names("a") == ["b", "link", "new\nline", "one.json"]
    assert files.read("a/one.json", limit_bytes=9) == b"committed"
    assert files.read("a/new\nline", limit_bytes=9) == b"odd"
    assert files.read("a/b/deep", limit_bytes=9) == b""
    assert files.names("nothing") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a/link", "symbolic link"), ("l/one.json", "does not exist"), ("a/later", "does not exist"), ("a", "folder"),
        ("a/one.json", "larger"), ("/etc/passwd", "no path"),
        ("../a", "no path"), ("a/../l", "no path"), ("", "no path"),
        ("a//b", "no path"), ("a\0", "no path"), ("a" * 200_000, "no path"), ("-z", "does not exist"),
        (":(glob)**", "does not exist"),
    ],
)  # fmt: skip
def test_what_is_refused(files, path, said):
    with pytest.raises(PathRefused, match=said):
        files.read(path, limit_bytes=8)


def test_a_link_is_no_folder(files):
    with pytest.raises(PathRefused, match="symbolic link"):
        files.names("l")


def test_a_project_that_is_a_folder_of_its_repository(sandbox):
    sandbox.write("inner/x/f", "in")
    sandbox.write("x/f", "out")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-qm", "files")
    repository = open_repository(sandbox.root / "inner")
    with CommittedFiles(repository, commit_of(repository, "HEAD")) as files:
        assert files.names("x") == ["f"]
        assert files.read("x/f", limit_bytes=9) == b"in"


def test_tags_that_are_reachable(sandbox):
    sandbox.git("tag", "one")
    sandbox.git("checkout", "-q", "--orphan", "other")
    sandbox.git("commit", "-qm", "other", "--allow-empty")
    sandbox.git("tag", "-a", "two", "-m", "annotated")
    repository = open_repository(sandbox.root)
    assert tags_of(repository, "HEAD") == ["refs/tags/two"]
