"""Everything in a repository that can name a program names one that leaves a canary."""

import os
import subprocess
from pathlib import Path

import pytest

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.system.git import open_repository
from cli_multi_rapid.system.git_process import find_git


class TestHostileClone:
    """Everything in a repository that can name a program names one that leaves a canary."""

    @pytest.fixture
    def canary(self, tmp_path) -> Path:
        return tmp_path / "executed"

    @pytest.fixture
    def trap(self, tmp_path, canary, write) -> Path:
        program = write(tmp_path, "trap", f'#!/bin/sh\necho "$0 $*" >> "{canary}"\ncat\n')
        program.chmod(0o755)
        return program

    @pytest.fixture
    def hostile(self, checkout, trap, git, write, commit) -> Path:
        commit(checkout, victim="original", other="1")
        write(checkout, ".gitattributes", "* filter=bad\n*.eq filter=a=b\n* diff=bad\n")
        for name in ("a.eq", "b.eq"):
            write(checkout, name, "1")
        git(checkout, "add", "-A")
        git(checkout, "commit", "-q", "-m", "attributes")
        settings = {
            "core.fsmonitor": trap, "core.pager": trap, "core.editor": trap, "core.sshCommand": trap,
            "core.alternateRefsCommand": trap, "core.gitProxy": trap, "core.askPass": trap, "credential.helper": trap,
            "diff.external": trap, "diff.bad.textconv": trap, "diff.bad.command": trap, "pager.ls-files": trap,
            "pager.diff-tree": trap, "filter.bad.clean": trap, "filter.bad.smudge": trap, "filter.bad.process": trap,
            "filter.bad.required": "true", "filter.a=b.clean": trap, "filter.a=b.required": "true",
            "gpg.program": trap, "uploadpack.packObjectsHook": trap, "alias.ls-files": f"!{trap}",
            "core.hooksPath": checkout / "hooks",
        }  # fmt: skip
        for name, value in settings.items():
            git(checkout, "config", name, str(value))
        for folder in (checkout / "hooks", checkout / ".git" / "hooks"):
            for hook in (
                "post-index-change",
                "reference-transaction",
                "pre-commit",
                "post-checkout",
                "fsmonitor-watchman",
            ):
                write(folder, hook, trap.read_bytes()).chmod(0o755)
        for folder in (checkout, checkout / "bin"):
            write(folder, "git", trap.read_bytes()).chmod(0o755)
        victim = checkout / "victim"
        found = victim.stat()
        victim.write_text("modified")  # same size: git has to look inside, through the filter
        os.utime(victim, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000))
        write(checkout, "b.eq", "2")
        return checkout

    def test_the_trap_works(self, hostile, canary):
        subprocess.run(["git", "status"], cwd=hostile, capture_output=True, check=False)
        assert "trap" in canary.read_text()

    def test_reading_executes_nothing(self, hostile, canary, index, monkeypatch, write, content, opened):
        monkeypatch.setenv(
            "PATH", os.pathsep.join(["", ".", "bin", str(hostile), str(hostile / "bin"), os.environ["PATH"]])
        )
        monkeypatch.chdir(hostile)
        repository = opened(hostile)
        assert repository.head()
        assert repository.branch() == "main"
        assert "victim" in repository.files()
        first = repository.write_tree(index)
        write(hostile, "victim", "once more")
        second = repository.write_tree(index)
        assert repository.changed_paths(first.id, second.id) == ("victim",)
        assert not canary.exists(), canary.read_text()
        assert content(hostile, second.id)["victim"][1] == b"once more"

    def test_a_partial_clone_fetches_nothing(self, checkout, tmp_path, trap, canary, index, git, write, commit, opened):
        commit(checkout, a="1", b="2")
        blob = git(checkout, "rev-parse", "HEAD:a").decode().strip()
        (checkout / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        trap.write_text(f'#!/bin/sh\n: > "{canary}"\n')
        git(checkout, "config", "remote.origin.url", f"ext::{trap}")
        git(checkout, "config", "remote.origin.promisor", "true")
        git(checkout, "config", "protocol.ext.allow", "always")
        git(checkout, "config", "extensions.partialClone", "origin")
        git(checkout, "config", "core.repositoryFormatVersion", "1")
        repository = opened(checkout)
        before = repository.write_tree(index).id
        write(checkout, "a", "changed")
        after = repository.write_tree(index).id
        assert repository.changed_paths(before, after) == ("a",)
        with pytest.raises(GitFailed):
            repository.changed_paths(before, "1" * 40)
        assert not canary.exists()
        subprocess.run(["git", "cat-file", "blob", blob], cwd=checkout, capture_output=True, check=False)
        assert canary.exists(), "the trap of this test does not work"

    def test_a_bare_repository_in_the_folder_is_not_entered(self, tmp_path, trap, canary, git):
        git(tmp_path, "init", "-q", "--bare", "clone")
        git(tmp_path / "clone", "config", "core.fsmonitor", str(trap))
        git(tmp_path / "clone", "config", "core.worktree", str(tmp_path))
        assert open_repository(tmp_path / "clone") is None
        assert not canary.exists()

    def test_git_is_never_taken_from_the_project(self, checkout, tmp_path, trap, write):
        (checkout / "bin").mkdir()
        (checkout / "bin" / "git").symlink_to(trap)
        (tmp_path / "links").mkdir()
        write(checkout, "git", trap.read_bytes()).chmod(0o755)
        (tmp_path / "links" / "git").symlink_to(checkout / "git")
        path = os.pathsep.join(["", ".", "bin", str(checkout / "bin"), str(tmp_path / "links")])
        assert find_git(path, checkout) is None
        (tmp_path / "good").mkdir()
        write(tmp_path / "good", "git", "").chmod(0o755)
        assert find_git(os.pathsep.join([path, str(tmp_path / "good")]), checkout) == str(tmp_path / "good" / "git")


@pytest.mark.parametrize("given", ["abc", "-1", "1e3", "9" * 20])
def test_settings_in_the_environment_that_git_itself_would_refuse(checkout, monkeypatch, given):
    monkeypatch.setenv("GIT_CONFIG_COUNT", given)
    with pytest.raises(GitFailed, match="GIT_CONFIG_COUNT"):
        open_repository(checkout)
