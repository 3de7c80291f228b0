"""Reading repositories without executing anything of them, and writing the tree of what is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.system import git_tree
from cli_multi_rapid.system.git import Repository, open_repository, walk_files
from cli_multi_rapid.system.git_process import GitFailed, GitTimeout, find_git

GIT = shutil.which("git") or "git"
IDENTITY = {"NAME": "Tester", "EMAIL": "tester@example.org"}


@pytest.fixture(autouse=True)
def plain_git(monkeypatch):
    """Keep the settings of whoever runs the tests out."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)


@pytest.fixture
def root(tmp_path) -> Path:
    """Return a new, empty repository on the branch `main`."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def index(tmp_path) -> Path:
    """Return where our index is kept: in a folder that does not exist yet."""
    return tmp_path / "state" / "index"


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run([GIT, *arguments], cwd=folder, input=given, capture_output=True, check=True).stdout


def commit(folder: Path, **files: str) -> str:
    for name, text in files.items():
        write(folder, name.replace("__", "."), text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")
    return git(folder, "rev-parse", "HEAD").decode().strip()


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(folder: Path) -> Repository:
    repository = open_repository(folder)
    assert repository is not None
    return repository


def content(folder: Path, tree: str) -> dict[str, tuple[str, bytes]]:
    """Return mode and bytes of every file in a tree."""
    found = {}
    for line in git(folder, "ls-tree", "-r", "-z", tree).split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, oid = facts.decode().split(" ")
            found[os.fsdecode(path)] = (mode, git(folder, "cat-file", "blob", oid))
    return found


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return everything a repository consists of except its objects, with times, to see whether it was touched."""
    found = {}
    for at in sorted(folder.rglob("*")):
        relative = at.relative_to(folder).as_posix()
        if at.is_file() and not at.is_symlink() and not relative.startswith(".git/objects/"):
            found[relative] = (at.stat().st_mtime_ns, at.read_bytes())
    return found


class TestOpening:
    def test_no_repository(self, tmp_path):
        assert open_repository(tmp_path) is None

    def test_no_git(self, root):
        assert open_repository(root, environ={"PATH": str(root)}) is None

    def test_a_folder_named_dot_git_that_is_none(self, tmp_path):
        (tmp_path / ".git").mkdir()
        assert open_repository(tmp_path) is None

    def test_unborn(self, root):
        assert opened(root).head() is None
        assert opened(root).branch() == "main"

    def test_head_and_branch(self, root):
        head = commit(root, a="1")
        git(root, "checkout", "-q", "-b", "work/on-it")
        assert opened(root).head() == head
        assert opened(root).branch() == "work/on-it"

    def test_detached(self, root):
        head = commit(root, a="1")
        git(root, "checkout", "-q", "--detach")
        assert opened(root).branch() is None
        assert opened(root).head() == head

    def test_the_callers_git_variables_do_not_lead_elsewhere(self, root, tmp_path, monkeypatch):
        head = commit(root, a="1")
        other = tmp_path / "other"
        other.mkdir()
        git(other, "init", "-q")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
        assert opened(root).head() == head
        assert opened(root).files() == ("a",)

    def test_another_users_repository_is_reported_in_words(self, root, monkeypatch):
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(GitFailed, match="belongs to another user") as refused:
            open_repository(root)
        assert "safe.directory" in refused.value.hint

    def test_files_moved_elsewhere_are_refused(self, root, tmp_path):
        commit(root, a="1")
        private = tmp_path / "private"
        write(private, "key", "private")
        git(root, "config", "core.worktree", str(private))
        with pytest.raises(GitFailed, match=r"core\.worktree"):
            open_repository(root)

    def test_damaged_configuration(self, root):
        (root / ".git" / "config").write_text("[core\n")
        with pytest.raises(GitFailed, match="bad config"):
            open_repository(root)

    def test_a_linked_worktree(self, root, tmp_path, index):
        commit(root, a="1")
        linked = tmp_path / "linked"
        git(root, "worktree", "add", "-q", "-b", "side", str(linked))
        write(linked, "b", "2")
        repository = opened(linked)
        assert repository.branch() == "side"
        assert repository.files() == ("a", "b")
        assert set(content(root, repository.write_tree(index).id)) == {"a", "b"}


class TestFiles:
    def test_what_is_there_and_not_ignored(self, root):
        commit(root, tracked="1", gone="1", forced__log="1", __gitignore="*.tmp\n")
        write(root, ".gitignore", "*.tmp\n*.log\n")
        (root / "gone").unlink()
        write(root, "new/file", "2")
        write(root, "scratch.tmp", "3")
        (root / "link").symlink_to("tracked")
        assert opened(root).files() == (".gitignore", "forced.log", "link", "new/file", "tracked")

    def test_odd_names(self, root):
        names = sorted(
            ["new\nline", "tab\tname", '"quoted"', "umlaut-ü", os.fsdecode(b"latin-\xfc"), " space ", "-dash"]
        )
        for name in names:
            write(root, name, "1")
        assert opened(root).files() == tuple(names)
        commit(root)
        assert opened(root).files() == tuple(names)

    def test_a_conflict_is_listed_once(self, root):
        commit(root, a="1")
        git(root, "checkout", "-q", "-b", "other")
        commit(root, a="2")
        git(root, "checkout", "-q", "main")
        commit(root, a="3")
        subprocess.run([GIT, "merge", "-q", "other"], cwd=root, capture_output=True, check=False)
        assert opened(root).files() == ("a",)

    def test_a_project_below_the_top(self, root):
        commit(root, **{"sub/a": "1", "subject": "2", "top": "3", "__gitignore": "sub/*.tmp\n"})
        write(root, "sub/b", "2")
        write(root, "sub/c.tmp", "2")
        assert opened(root / "sub").files() == ("a", "b")

    def test_repositories_inside_are_left_out(self, root, tmp_path):
        make_submodule(root, tmp_path)
        write(root, "nested/inner", "1")
        git(root / "nested", "init", "-q")
        assert opened(root).files() == (".gitmodules",)


class TestTree:
    def test_a_clean_checkout_is_the_committed_tree(self, root, index):
        commit(root, a="1", **{"b/c": "2"})
        written = opened(root).write_tree(index)
        assert written.id == git(root, "rev-parse", "HEAD^{tree}").decode().strip()
        assert written.warnings == ()

    def test_staged_unstaged_untracked_ignored_deleted_and_renamed(self, root, index):
        commit(root, staged="1", unstaged="1", gone="1", old="same", __gitignore="*.tmp\n")
        write(root, "staged", "2")
        git(root, "add", "staged")
        write(root, "unstaged", "22")
        write(root, "untracked/deep/file", "new")
        write(root, "ignored.tmp", "no")
        (root / "gone").unlink()
        (root / "old").rename(root / "renamed")
        tree = opened(root).write_tree(index).id
        assert {path: data for path, (_, data) in content(root, tree).items()} == {
            ".gitignore": b"*.tmp\n",
            "staged": b"2",
            "unstaged": b"22",
            "untracked/deep/file": b"new",
            "renamed": b"same",
        }

    def test_it_follows_every_change_and_comes_back(self, root, index):
        commit(root, a="1")
        first = opened(root).write_tree(index).id
        write(root, "a", "2")
        second = opened(root).write_tree(index).id
        write(root, "b", "2")
        third = opened(root).write_tree(index).id
        write(root, "a", "1")
        (root / "b").unlink()
        assert len({first, second, third}) == 3
        assert opened(root).write_tree(index).id == first

    def test_a_change_of_the_same_size_in_the_same_instant(self, root, index):
        path = write(root, "a", "1")
        git(root, "add", "a")
        trees = set()
        for number in range(10):
            path.write_text(str(number))
            trees.add(opened(root).write_tree(index).id)
        assert len(trees) == 10

    def test_a_copied_index_keeps_its_time(self, tmp_path):
        """Git looks into files that are not older than the index; a copy that seems newer would hide their changes."""
        source = write(tmp_path, "source", "index")
        os.utime(source, ns=(1, 1_000_000_001))
        git_tree._copy_with_times(source, tmp_path / "copy")
        assert (tmp_path / "copy").stat().st_mtime_ns == 1_000_000_001

    def test_it_does_not_depend_on_what_is_staged_or_came_before(self, root, index, tmp_path):
        commit(root, a="1")
        write(root, "b", "2")
        opened(root).write_tree(index)
        git(root, "add", "b")
        write(root, "a", "3")
        git(root, "add", "a")
        again = opened(root).write_tree(index).id
        assert again == opened(root).write_tree(tmp_path / "fresh").id
        git(root, "reset", "-q")
        assert opened(root).write_tree(index).id == again

    def test_a_file_that_becomes_ignored_leaves_unless_tracked(self, root, index, tmp_path):
        commit(root, tracked__log="1")
        write(root, "loose.log", "2")
        opened(root).write_tree(index)
        write(root, ".gitignore", "*.log\n")
        tree = opened(root).write_tree(index).id
        assert set(content(root, tree)) == {".gitignore", "tracked.log"}
        assert opened(root).write_tree(tmp_path / "fresh").id == tree

    def test_a_file_added_although_ignored(self, root, index):
        commit(root, __gitignore="*.log\n")
        opened(root).write_tree(index)
        write(root, "kept.log", "1")
        git(root, "add", "-f", "kept.log")
        assert set(content(root, opened(root).write_tree(index).id)) == {".gitignore", "kept.log"}
        git(root, "rm", "-q", "--cached", "kept.log")
        assert set(content(root, opened(root).write_tree(index).id)) == {".gitignore"}

    def test_private_excludes_count(self, root, index):
        write(root, ".git/info/exclude", "private\n")
        write(root, "elsewhere", "personal\n")
        git(root, "config", "core.excludesFile", str(root / "elsewhere"))
        for name in ("private", "personal", "public"):
            write(root, name, "1")
        assert set(content(root, opened(root).write_tree(index).id)) == {"elsewhere", "public"}

    def test_modes_and_links(self, root, index):
        write(root, "script", "#!/bin/sh\n").chmod(0o755)
        write(root, "plain", "1")
        (root / "link").symlink_to("../outside/\nodd")
        commit(root)
        repository = opened(root)
        assert {path: mode for path, (mode, _) in content(root, repository.write_tree(index).id).items()} == {
            "script": "100755",
            "plain": "100644",
            "link": "120000",
        }
        (root / "script").chmod(0o644)
        (root / "plain").chmod(0o755)
        (root / "link").unlink()
        (root / "link").symlink_to("plain")
        found = content(root, repository.write_tree(index).id)
        assert found == {"script": ("100644", b"#!/bin/sh\n"), "plain": ("100755", b"1"), "link": ("120000", b"plain")}

    def test_files_and_folders_that_change_places(self, root, index):
        commit(root, **{"file": "1", "folder/inner": "2", "linked/inner": "3"})
        repository = opened(root)
        repository.write_tree(index)
        (root / "file").unlink()
        write(root, "file/now", "folder")
        (root / "folder" / "inner").unlink()
        (root / "folder").rmdir()
        write(root, "folder", "file")
        (root / "linked").rename(root / "moved")
        (root / "linked").symlink_to("moved")
        assert {path: data for path, (_, data) in content(root, repository.write_tree(index).id).items()} == {
            "file/now": b"folder",
            "folder": b"file",
            "moved/inner": b"3",
            "linked": b"moved",
        }

    def test_a_touched_file_below_a_folder_that_became_a_link(self, root, index):
        commit(root, **{"linked/inner": "3"})
        repository = opened(root)
        repository.write_tree(index)
        (root / "linked").rename(root / "moved")
        (root / "linked").symlink_to("moved")
        write(root, "moved/inner", "changed")
        assert set(content(root, repository.write_tree(index).id)) == {"moved/inner", "linked"}

    def test_a_pipe_in_the_place_of_a_file(self, root, index):
        commit(root, a="1", b="2")
        (root / "a").unlink()
        os.mkfifo(root / "a")
        os.mkfifo(root / "loose")
        assert set(content(root, opened(root).write_tree(index).id)) == {"b"}
        assert opened(root).write_tree(index).warnings == ()

    def test_odd_names(self, root, index):
        names = {
            "new\nline",
            "cr\r",
            '"quoted"',
            "back\\slash",
            os.fsdecode(b"latin-\xfc"),
            "git~1",
            " ",
            "-x",
            ":(top)",
        }
        for name in names:
            write(root, name, name.encode("utf-8", "surrogateescape"))
        assert set(content(root, opened(root).write_tree(index).id)) == names

    def test_nothing_at_all(self, root, index):
        assert content(root, opened(root).write_tree(index).id) == {}

    def test_a_project_below_the_top(self, root, index):
        commit(root, **{"sub/a": "1", "top": "2", "subject": "3"})
        repository = opened(root / "sub")
        assert repository.prefix == "sub/"
        first = repository.write_tree(index).id
        assert first == git(root, "rev-parse", "HEAD:sub").decode().strip()
        write(root, "sub/deep/b", "3")
        write(root, "top", "other")
        second = repository.write_tree(index).id
        assert repository.changed_paths(first, second) == ("deep/b",)

    def test_an_empty_project_below_the_top(self, root, index):
        commit(root, top="1")
        (root / "sub").mkdir()
        assert content(root, opened(root / "sub").write_tree(index).id) == {}

    def test_changed_paths(self, root, index):
        commit(root, a="1", b="2", c="3")
        repository = opened(root)
        before = repository.write_tree(index).id
        write(root, "a", "changed")
        (root / "b").rename(root / "d\nd")
        (root / "c").chmod(0o755)
        after = repository.write_tree(index).id
        assert repository.changed_paths(before, after) == ("a", "b", "c", "d\nd")
        assert repository.changed_paths(before, before) == ()

    def test_a_sha256_repository(self, tmp_path, index):
        root = tmp_path / "wide"
        root.mkdir()
        git(root, "init", "-q", "--object-format=sha256")
        commit(root, a="1", b="2")
        write(root, "a", "3")
        (root / "b").unlink()
        tree = opened(root).write_tree(index).id
        assert len(tree) == 64
        assert content(root, tree) == {"a": ("100644", b"3")}


class TestBytes:
    """No conversion takes part: what is in the tree is what is on disk."""

    def test_line_ends_stay(self, root, index):
        write(root, ".gitattributes", "* text=auto\n*.sh eol=crlf\n")
        write(root, "clean", "a\r\nb\r\n")
        write(root, "run.sh", "a\r\n")
        commit(root)
        assert git(root, "show", "HEAD:clean") == b"a\nb\n"
        write(root, "new", "c\r\n")
        found = content(root, opened(root).write_tree(index).id)
        assert [found[name][1] for name in ("clean", "run.sh", "new")] == [b"a\r\nb\r\n", b"a\r\n", b"c\r\n"]

    def test_line_ends_stay_under_autocrlf(self, root, index):
        git(root, "config", "core.autocrlf", "true")
        commit(root, a="a\r\n")
        assert git(root, "show", "HEAD:a") == b"a\n"
        assert content(root, opened(root).write_tree(index).id)["a"][1] == b"a\r\n"

    def test_identifiers_and_encodings_stay(self, root, index):
        write(root, ".gitattributes", "*.id ident\n*.wide working-tree-encoding=UTF-16\n")
        wide = "text".encode("utf-16")
        write(root, "a.id", "$Id: 0123 $\n")
        write(root, "b.wide", wide)
        commit(root)
        found = content(root, opened(root).write_tree(index).id)
        assert found["a.id"][1] == b"$Id: 0123 $\n"
        assert found["b.wide"][1] == wide

    def test_what_git_was_told_to_overlook_counts(self, root, index):
        commit(root, assumed="1", skipped="1", absent="1")
        git(root, "update-index", "--assume-unchanged", "assumed")
        git(root, "update-index", "--skip-worktree", "skipped", "absent")
        write(root, "assumed", "edited")
        write(root, "skipped", "edited")
        (root / "absent").unlink()
        found = content(root, opened(root).write_tree(index).id)
        assert found["assumed"][1] == found["skipped"][1] == b"edited"
        assert found["absent"][1] == b"1", "a sparse checkout is not a deletion"

    def test_intended_and_conflicting_entries(self, root, index):
        commit(root, a="1")
        write(root, "intended", "text")
        git(root, "add", "-N", "intended")
        oid = git(root, "hash-object", "-w", "--stdin", given=b"side").decode().strip()
        git(root, "rm", "-q", "--cached", "a")
        git(root, "update-index", "--index-info", given=f"100644 {oid} 1\ta\n100644 {oid} 2\ta\n".encode())
        assert {path: data for path, (_, data) in content(root, opened(root).write_tree(index).id).items()} == {
            "a": b"1",
            "intended": b"text",
        }


class TestLeftOut:
    def test_submodules_and_repositories_inside(self, root, tmp_path, index):
        make_submodule(root, tmp_path)
        write(root, "nested\x1b/inner", "1")
        git(root / "nested\x1b", "init", "-q")
        written = opened(root).write_tree(index)
        assert set(content(root, written.id)) == {".gitmodules"}
        assert written.warnings == (
            "nested\\x1b is a repository of its own and was left out",
            "vendor is a repository of its own and was left out",
        )

    def test_large_untracked_files(self, root, index, monkeypatch):
        monkeypatch.setattr(git_tree, "UNTRACKED_LIMIT_BYTES", 1000)
        commit(root, tracked="x" * 2000, small="x")
        write(root, "tracked", "y" * 2001)
        growing = write(root, "growing", "z")
        repository = opened(root)
        assert repository.write_tree(index).warnings == ()
        growing.write_text("z" * 2000)
        for _ in range(2):
            written = repository.write_tree(index)
            assert written.warnings == ("growing is not tracked, larger than 100 MB, and was left out",)
            assert set(content(root, written.id)) == {"tracked", "small"}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable_files(self, root, index):
        write(root, "locked", "1").chmod(0)
        assert opened(root).write_tree(index).warnings == ("locked may not be read and was left out",)


class TestUntouched:
    def test_nothing_but_objects_is_written(self, root, index):
        commit(root, a="1", b="2")
        write(root, "a", "3")
        git(root, "add", "a")
        write(root, "b", "22")
        write(root, "c", "new")
        before = snapshot(root)
        repository = opened(root)
        for _ in range(2):
            repository.write_tree(index)
            repository.files(), repository.head(), repository.branch()
        assert snapshot(root) == before
        assert [path.name for path in index.parent.iterdir()] == ["index"]

    def test_the_index_is_kept_and_saves_reading(self, root, index):
        write(root, "a", "1")
        opened(root).write_tree(index)
        kept = index.read_bytes()
        opened(root).write_tree(index)
        assert index.read_bytes() == kept
        listed = git(root, "--git-dir=.git", "ls-files", "--debug")
        assert listed == b"", "the repository's own index stays empty"


class TestRecovery:
    def test_a_damaged_index_of_ours_is_made_anew(self, root, index):
        commit(root, a="1")
        tree = opened(root).write_tree(index).id
        for damage in (b"", b"DIRC", index.read_bytes()[:-7]):
            index.write_bytes(damage)
            assert opened(root).write_tree(index).id == tree

    def test_a_damaged_index_of_the_repository(self, root, index):
        commit(root, a="1")
        write(root, ".git/index", b"junk")
        with pytest.raises(GitFailed, match="git ls-files failed"):
            opened(root).write_tree(index)

    def test_objects_that_were_pruned_come_back(self, root, index):
        commit(root, a="1")
        write(root, "loose", "2")
        repository = opened(root)
        tree = repository.write_tree(index).id
        git(root, "gc", "-q", "--prune=now")
        with pytest.raises(subprocess.CalledProcessError):
            git(root, "cat-file", "-e", tree)
        assert repository.write_tree(index).id == tree
        assert content(root, tree)["loose"] == ("100644", b"2")

    def test_a_repository_made_anew(self, root, index):
        commit(root, a="1")
        opened(root).write_tree(index)
        (root / ".git").rename(root.parent / "old")
        git(root, "init", "-q")
        assert content(root, opened(root).write_tree(index).id) == {"a": ("100644", b"1")}

    def test_a_split_index(self, root, index):
        git(root, "config", "core.splitIndex", "true")
        commit(root, a="1")
        git(root, "update-index", "--split-index")
        assert list((root / ".git").glob("sharedindex.*"))
        write(root, "b", "2")
        assert set(content(root, opened(root).write_tree(index).id)) == {"a", "b"}

    def test_a_lock_that_was_left_behind_does_not_matter(self, root, index):
        commit(root, a="1")
        write(root, ".git/index.lock", "")
        write(index.parent, "index.lock", "")
        assert set(content(root, opened(root).write_tree(index).id)) == {"a"}

    def test_what_killed_calls_left_is_removed_when_old(self, root, index):
        fresh, old = index.parent / ".tree-fresh", index.parent / ".tree-old"
        write(fresh, "index", "")
        write(old, "index", "")
        os.utime(old, (0, 0))
        opened(root).write_tree(index)
        assert fresh.exists()
        assert not old.exists()

    def test_an_unwritable_object_store(self, root, index):
        write(root, "a", "1")
        repository = opened(root)
        shutil.rmtree(root / ".git" / "objects")
        write(root, ".git/objects", "a file")
        with pytest.raises(GitFailed, match="git ls-files failed"):
            repository.write_tree(index)

    def test_an_unwritable_state_folder(self, root, tmp_path):
        write(tmp_path, "state", "a file")
        with pytest.raises(StateUnwritable, match="cannot be prepared"):
            opened(root).write_tree(tmp_path / "state" / "index")

    def test_git_that_never_answers(self, root):
        os.mkfifo(root / ".gitignore")
        repository = opened(root)
        waiting = repository.git.__class__(
            program=repository.git.program, folder=str(root), environ=repository.git.environ, timeout_s=0.2
        )
        with pytest.raises(GitTimeout, match="did not end within") as late:
            waiting.names("ls-files", "-o", "--exclude-standard")
        assert "find . -type p" in late.value.hint


class TestHostileClone:
    """Everything in a repository that can name a program names one that leaves a canary."""

    @pytest.fixture
    def canary(self, tmp_path) -> Path:
        return tmp_path / "executed"

    @pytest.fixture
    def trap(self, tmp_path, canary) -> Path:
        program = write(tmp_path, "trap", f'#!/bin/sh\necho "$0 $*" >> "{canary}"\ncat\n')
        program.chmod(0o755)
        return program

    @pytest.fixture
    def hostile(self, root, trap) -> Path:
        commit(root, victim="original", other="1")
        write(root, ".gitattributes", "* filter=bad\n*.eq filter=a=b\n* diff=bad\n")
        for name in ("a.eq", "b.eq"):
            write(root, name, "1")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "attributes")
        settings = {
            "core.fsmonitor": trap, "core.pager": trap, "core.editor": trap, "core.sshCommand": trap,
            "core.alternateRefsCommand": trap, "core.gitProxy": trap, "core.askPass": trap, "credential.helper": trap,
            "diff.external": trap, "diff.bad.textconv": trap, "diff.bad.command": trap, "pager.ls-files": trap,
            "pager.diff-tree": trap, "filter.bad.clean": trap, "filter.bad.smudge": trap, "filter.bad.process": trap,
            "filter.bad.required": "true", "filter.a=b.clean": trap, "filter.a=b.required": "true",
            "gpg.program": trap, "uploadpack.packObjectsHook": trap, "alias.ls-files": f"!{trap}",
            "core.hooksPath": root / "hooks",
        }  # fmt: skip
        for name, value in settings.items():
            git(root, "config", name, str(value))
        for folder in (root / "hooks", root / ".git" / "hooks"):
            for hook in (
                "post-index-change",
                "reference-transaction",
                "pre-commit",
                "post-checkout",
                "fsmonitor-watchman",
            ):
                write(folder, hook, trap.read_bytes()).chmod(0o755)
        for folder in (root, root / "bin"):
            write(folder, "git", trap.read_bytes()).chmod(0o755)
        victim = root / "victim"
        found = victim.stat()
        victim.write_text("modified")  # same size: git has to look inside, through the filter
        os.utime(victim, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000))
        write(root, "b.eq", "2")
        return root

    def test_the_trap_works(self, hostile, canary):
        subprocess.run([GIT, "status"], cwd=hostile, capture_output=True, check=False)
        assert "trap" in canary.read_text()

    def test_reading_executes_nothing(self, hostile, canary, index, monkeypatch):
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

    def test_a_partial_clone_fetches_nothing(self, root, tmp_path, trap, canary, index):
        commit(root, a="1", b="2")
        blob = git(root, "rev-parse", "HEAD:a").decode().strip()
        (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        trap.write_text(f'#!/bin/sh\n: > "{canary}"\n')
        git(root, "config", "remote.origin.url", f"ext::{trap}")
        git(root, "config", "remote.origin.promisor", "true")
        git(root, "config", "protocol.ext.allow", "always")
        git(root, "config", "extensions.partialClone", "origin")
        git(root, "config", "core.repositoryFormatVersion", "1")
        repository = opened(root)
        before = repository.write_tree(index).id
        write(root, "a", "changed")
        after = repository.write_tree(index).id
        assert repository.changed_paths(before, after) == ("a",)
        with pytest.raises(GitFailed):
            repository.changed_paths(before, "1" * 40)
        assert not canary.exists()
        subprocess.run([GIT, "cat-file", "blob", blob], cwd=root, capture_output=True, check=False)
        assert canary.exists(), "the trap of this test does not work"

    def test_a_bare_repository_in_the_folder_is_not_entered(self, tmp_path, trap, canary):
        git(tmp_path, "init", "-q", "--bare", "clone")
        git(tmp_path / "clone", "config", "core.fsmonitor", str(trap))
        git(tmp_path / "clone", "config", "core.worktree", str(tmp_path))
        assert open_repository(tmp_path / "clone") is None
        assert not canary.exists()

    def test_git_is_never_taken_from_the_project(self, root, tmp_path, trap):
        (root / "bin").mkdir()
        (root / "bin" / "git").symlink_to(trap)
        (tmp_path / "links").mkdir()
        write(root, "git", trap.read_bytes()).chmod(0o755)
        (tmp_path / "links" / "git").symlink_to(root / "git")
        path = os.pathsep.join(["", ".", "bin", str(root / "bin"), str(tmp_path / "links")])
        assert find_git(path, root) is None
        (tmp_path / "good").mkdir()
        write(tmp_path / "good", "git", "").chmod(0o755)
        assert find_git(os.pathsep.join([path, str(tmp_path / "good")]), root) == str(tmp_path / "good" / "git")


class TestWalking:
    def test_skips_what_is_not_the_projects(self, tmp_path):
        for name in (
            "a.py", "src/b.py", ".github/c.yml", ".git/config", ".venv/d.py", "node_modules/e.js", "src/__pycache__/f.pyc",
            ".cmr/g", ".pytest_cache/h", "env/pyvenv.cfg", "env/lib/i.py", ".hidden",
        ):  # fmt: skip
            write(tmp_path, name, "1")
        (tmp_path / "outside").symlink_to("/")
        (tmp_path / "link").symlink_to("a.py")
        os.mkfifo(tmp_path / "pipe")
        assert walk_files(tmp_path) == (".github/c.yml", ".hidden", "a.py", "link", "outside", "src/b.py")

    def test_deep_folders(self, tmp_path):
        deep = "/".join(["d"] * 500)
        write(tmp_path, f"{deep}/file", "1")
        assert walk_files(tmp_path) == (f"{deep}/file",)


def make_submodule(root: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    commit(library, inner="1")
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor")
    commit(root)
