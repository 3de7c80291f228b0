"""Writing trees leaves repositories alone, and gets over damage."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cli_multi_rapid.errors import GitFailed, GitTimeout, StateUnwritable


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return everything a repository consists of except its objects, with times, to see whether it was touched."""
    found = {}
    for at in sorted(folder.rglob("*")):
        relative = at.relative_to(folder).as_posix()
        if at.is_file() and not at.is_symlink() and not relative.startswith(".git/objects/"):
            found[relative] = (at.stat().st_mtime_ns, at.read_bytes())
    return found


class TestUntouched:
    def test_nothing_but_objects_is_written(self, checkout, index, git, write, commit, opened):
        commit(checkout, a="1", b="2")
        write(checkout, "a", "3")
        git(checkout, "add", "a")
        write(checkout, "b", "22")
        write(checkout, "c", "new")
        before = snapshot(checkout)
        repository = opened(checkout)
        for _ in range(2):
            repository.write_tree(index)
            repository.files(), repository.head(), repository.branch()
        assert snapshot(checkout) == before
        assert [path.name for path in index.parent.iterdir()] == ["index"]

    def test_the_index_is_kept_and_saves_reading(self, checkout, index, git, write, opened):
        write(checkout, "a", "1")
        opened(checkout).write_tree(index)
        kept = index.read_bytes()
        opened(checkout).write_tree(index)
        assert index.read_bytes() == kept
        listed = git(checkout, "--git-dir=.git", "ls-files", "--debug")
        assert listed == b"", "the repository's own index stays empty"


class TestRecovery:
    def test_a_damaged_index_of_ours_is_made_anew(self, checkout, index, commit, opened):
        commit(checkout, a="1")
        tree = opened(checkout).write_tree(index).id
        for damage in (b"", b"DIRC", index.read_bytes()[:-7]):
            index.write_bytes(damage)
            assert opened(checkout).write_tree(index).id == tree

    def test_a_damaged_index_of_the_repository(self, checkout, index, write, commit, opened):
        commit(checkout, a="1")
        write(checkout, ".git/index", b"junk")
        with pytest.raises(GitFailed, match="git ls-files failed"):
            opened(checkout).write_tree(index)

    def test_objects_that_were_pruned_come_back(self, checkout, index, git, write, commit, content, opened):
        commit(checkout, a="1")
        write(checkout, "loose", "2")
        repository = opened(checkout)
        tree = repository.write_tree(index).id
        git(checkout, "gc", "-q", "--prune=now")
        with pytest.raises(subprocess.CalledProcessError):
            git(checkout, "cat-file", "-e", tree)
        assert repository.write_tree(index).id == tree
        assert content(checkout, tree)["loose"] == ("100644", b"2")

    def test_a_file_system_without_hard_links(self, checkout, index, monkeypatch, git, commit, opened):
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "link", refuse)
        commit(checkout, a="1")
        trees = {opened(checkout).write_tree(index).id for _ in range(2)}
        assert trees == {git(checkout, "rev-parse", "HEAD^{tree}").decode().strip()}

    def test_a_repository_without_its_exclude_file(self, checkout, index, commit, content, opened):
        shutil.rmtree(checkout / ".git" / "info")
        commit(checkout, a="1")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {"a"}

    def test_a_repository_made_anew(self, checkout, index, git, commit, content, opened):
        commit(checkout, a="1")
        opened(checkout).write_tree(index)
        (checkout / ".git").rename(checkout.parent / "old")
        git(checkout, "init", "-q")
        assert content(checkout, opened(checkout).write_tree(index).id) == {"a": ("100644", b"1")}

    def test_a_split_index(self, checkout, index, git, write, commit, content, opened):
        git(checkout, "config", "core.splitIndex", "true")
        commit(checkout, a="1")
        git(checkout, "update-index", "--split-index")
        assert list((checkout / ".git").glob("sharedindex.*"))
        write(checkout, "b", "2")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {"a", "b"}

    def test_a_lock_that_was_left_behind_does_not_matter(self, checkout, index, write, commit, content, opened):
        commit(checkout, a="1")
        write(checkout, ".git/index.lock", "")
        write(index.parent, "index.lock", "")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {"a"}

    def test_what_killed_calls_left_is_removed_when_old(self, checkout, index, write, opened):
        fresh, old = index.parent / ".tree-fresh", index.parent / ".tree-old"
        write(fresh, "index", "")
        write(old, "index", "")
        os.utime(old, (0, 0))
        opened(checkout).write_tree(index)
        assert fresh.exists()
        assert not old.exists()

    def test_an_unwritable_object_store(self, checkout, index, write, opened):
        write(checkout, "a", "1")
        repository = opened(checkout)
        shutil.rmtree(checkout / ".git" / "objects")
        write(checkout, ".git/objects", "a file")
        with pytest.raises(GitFailed, match="git ls-files failed"):
            repository.write_tree(index)

    def test_an_unwritable_state_folder(self, checkout, tmp_path, write, opened):
        write(tmp_path, "state", "a file")
        with pytest.raises(StateUnwritable, match="cannot be prepared"):
            opened(checkout).write_tree(tmp_path / "state" / "index")

    def test_git_that_never_answers(self, checkout, opened):
        os.mkfifo(checkout / ".gitignore")
        repository = opened(checkout)
        waiting = replace(repository.git, timeout_s=0.2)
        with pytest.raises(GitTimeout, match="did not end within") as late:
            waiting.names("ls-files", "-o", "--exclude-standard")
        assert "find . -type p" in late.value.hint
