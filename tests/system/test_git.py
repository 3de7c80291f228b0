"""Reading repositories, and walking folders that are in none."""

import os
import subprocess
from dataclasses import replace

import pytest

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.system.git import open_repository, walk_files


class TestOpening:
    def test_no_repository(self, tmp_path):
        assert open_repository(tmp_path) is None

    def test_no_git(self, checkout):
        assert open_repository(checkout, environ={"PATH": str(checkout)}) is None

    def test_a_folder_named_dot_git_that_is_none(self, tmp_path):
        (tmp_path / ".git").mkdir()
        assert open_repository(tmp_path) is None

    def test_unborn(self, checkout, opened):
        assert opened(checkout).head() is None
        assert opened(checkout).branch() == "main"

    def test_head_and_branch(self, checkout, git, commit, opened):
        head = commit(checkout, a="1")
        git(checkout, "checkout", "-q", "-b", "work/on-it")
        assert opened(checkout).head() == head
        assert opened(checkout).branch() == "work/on-it"

    def test_detached(self, checkout, git, commit, opened):
        head = commit(checkout, a="1")
        git(checkout, "checkout", "-q", "--detach")
        assert opened(checkout).branch() is None
        assert opened(checkout).head() == head

    def test_whom_git_works_for_and_who_wrote_the_commit(self, checkout, git, commit, opened):
        assert (opened(checkout).user, opened(checkout).author()) == (("", ""), ("", ""))
        commit(checkout, a="1")
        git(checkout, "commit", "-q", "--amend", "--author", "Bob <bob@x>", "-m", "author Eve <eve@x> 1 +0000")
        for name, value in (("user.name", "Ann Ä"), ("user.email", "ann@x"), ("log.showSignature", "true")):
            git(checkout, "config", name, value)
        assert opened(checkout).user == ("Ann Ä", "ann@x")
        assert opened(checkout).author() == ("Bob", "bob@x")

    def test_the_callers_git_variables_do_not_lead_elsewhere(
        self, checkout, tmp_path, monkeypatch, git, commit, opened
    ):
        head = commit(checkout, a="1")
        other = tmp_path / "other"
        other.mkdir()
        git(other, "init", "-q")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
        assert opened(checkout).head() == head
        assert opened(checkout).files() == ("a",)

    def test_another_users_repository_is_reported_in_words(self, checkout, monkeypatch):
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(GitFailed, match="belongs to another user") as refused:
            open_repository(checkout)
        assert "safe.directory" in refused.value.hint

    def test_files_moved_elsewhere_are_refused(self, checkout, tmp_path, git, write, commit):
        commit(checkout, a="1")
        private = tmp_path / "private"
        write(private, "key", "private")
        git(checkout, "config", "core.worktree", str(private))
        with pytest.raises(GitFailed, match=r"core\.worktree"):
            open_repository(checkout)

    def test_damaged_configuration(self, checkout):
        (checkout / ".git" / "config").write_text("[core\n")
        with pytest.raises(GitFailed, match="bad config"):
            open_repository(checkout)

    def test_a_linked_worktree(self, checkout, tmp_path, index, git, write, commit, content, opened):
        commit(checkout, a="1")
        linked = tmp_path / "linked"
        git(checkout, "worktree", "add", "-q", "-b", "side", str(linked))
        write(linked, "b", "2")
        repository = opened(linked)
        assert repository.branch() == "side"
        assert repository.files() == ("a", "b")
        assert set(content(checkout, repository.write_tree(index).id)) == {"a", "b"}

    def test_a_folder_name_with_a_newline_is_refused(self, tmp_path, git):
        odd = tmp_path / "new\nline"
        odd.mkdir()
        git(odd, "init", "-q")
        with pytest.raises(GitFailed, match="newline"):
            open_repository(odd)

    def test_git_that_cannot_be_started(self, checkout, opened):
        with pytest.raises(GitFailed, match="could not be started"):
            replace(opened(checkout).git, program=str(checkout / "none")).ask("version")


class TestFiles:
    def test_what_is_there_and_not_ignored(self, checkout, write, commit, opened):
        commit(checkout, tracked="1", gone="1", forced__log="1", __gitignore="*.tmp\n")
        write(checkout, ".gitignore", "*.tmp\n*.log\n")
        (checkout / "gone").unlink()
        write(checkout, "new/file", "2")
        write(checkout, "scratch.tmp", "3")
        (checkout / "link").symlink_to("tracked")
        assert opened(checkout).files() == (".gitignore", "forced.log", "link", "new/file", "tracked")

    def test_odd_names(self, checkout, write, commit, opened):
        names = sorted(
            ["new\nline", "tab\tname", '"quoted"', "umlaut-ü", os.fsdecode(b"latin-\xfc"), " space ", "-dash"]
        )
        for name in names:
            write(checkout, name, "1")
        assert opened(checkout).files() == tuple(names)
        commit(checkout)
        assert opened(checkout).files() == tuple(names)

    def test_a_conflict_is_listed_once(self, checkout, git, commit, opened):
        commit(checkout, a="1")
        git(checkout, "checkout", "-q", "-b", "other")
        commit(checkout, a="2")
        git(checkout, "checkout", "-q", "main")
        commit(checkout, a="3")
        subprocess.run(["git", "merge", "-q", "other"], cwd=checkout, capture_output=True, check=False)
        assert opened(checkout).files() == ("a",)

    def test_a_project_below_the_top(self, checkout, write, commit, opened):
        commit(checkout, **{"sub/a": "1", "subject": "2", "top": "3", "__gitignore": "sub/*.tmp\n"})
        write(checkout, "sub/b", "2")
        write(checkout, "sub/c.tmp", "2")
        assert opened(checkout / "sub").files() == ("a", "b")

    def test_repositories_inside_are_left_out(self, checkout, tmp_path, git, write, opened, add_submodule):
        add_submodule(checkout)
        write(checkout, "nested/inner", "1")
        git(checkout / "nested", "init", "-q")
        assert opened(checkout).files() == (".gitmodules",)


class TestWalking:
    def test_skips_what_is_not_the_projects(self, tmp_path, write):
        for name in (
            "a.py", "src/b.py", ".github/c.yml", ".git/config", ".venv/d.py", "node_modules/e.js",
            "src/__pycache__/f.pyc",
            ".cmr/g", ".pytest_cache/h", "env/pyvenv.cfg", "env/lib/i.py", ".hidden",
        ):  # fmt: skip
            write(tmp_path, name, "1")
        (tmp_path / "outside").symlink_to("/")
        (tmp_path / "link").symlink_to("a.py")
        os.mkfifo(tmp_path / "pipe")
        assert walk_files(tmp_path) == (".github/c.yml", ".hidden", "a.py", "link", "outside", "src/b.py")

    def test_deep_folders(self, tmp_path, write):
        deep = "/".join(["d"] * 500)
        write(tmp_path, f"{deep}/file", "1")
        assert walk_files(tmp_path) == (f"{deep}/file",)
