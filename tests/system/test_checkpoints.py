"""States of a project, kept and put back: real git, real files, every kind of change."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from cli_multi_rapid.errors import Fenced, GitFailed
from cli_multi_rapid.system import checkpoints as module
from cli_multi_rapid.system import restoring
from cli_multi_rapid.system.checkpoints import GitCheckpoints
from cli_multi_rapid.system.git_refs import Refs, forget
from cli_multi_rapid.system.globs import reaches

RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"


@pytest.fixture
def keeper(checkout, tmp_path, opened):
    """Return a function that makes what keeps the states of one run, as an orchestrator that takes it up does."""

    def make(run=RUN, root=checkout):
        repository = opened(root)
        state = tmp_path / "state"
        return GitCheckpoints(repository, refs=Refs(repository, run), work=state / run, kept=state / "index")

    (tmp_path / "state").mkdir(exist_ok=True)
    return make


def everything(root):
    """Return type, mode and content of all that is in a folder, git's own folder left out."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for path in (Path(folder, name) for name in (*files, *folders)):
            mode = path.lstat().st_mode
            if path.is_symlink() or not path.is_dir():
                what = str(path.readlink()) if path.is_symlink() else path.read_bytes()
                found[str(path.relative_to(root))] = (stat.S_IFMT(mode), bool(mode & stat.S_IXUSR), what)
    return found


class TestTaking:
    def test_it_holds_head_what_is_staged_and_what_is_there(self, checkout, keeper, git, write, commit, content):
        head = commit(checkout, staged="1", unstaged="1")
        write(checkout, "staged", "2")
        git(checkout, "add", "staged")
        write(checkout, "staged", "3")
        write(checkout, "unstaged", "2")
        write(checkout, "untracked", "1")
        before = (checkout / ".git/index").read_bytes(), (checkout / ".git/HEAD").read_bytes()
        taken = keeper().take("p/fix before")
        assert ((checkout / ".git/index").read_bytes(), (checkout / ".git/HEAD").read_bytes()) == before
        assert taken.ref == f"refs/cmr/{RUN}/0001.p.fix.before"
        assert git(checkout, "rev-parse", taken.ref).decode().strip() == taken.commit
        files = {path: data for path, (_, data) in content(checkout, taken.commit).items()}
        assert files == {"staged": b"3", "unstaged": b"2", "untracked": b"1"}
        first, second = git(checkout, "rev-parse", f"{taken.commit}^1", f"{taken.commit}^2").decode().split()
        assert first == head
        assert content(checkout, second)["staged"][1] == b"2"
        assert git(checkout, "status", "--porcelain") == b"MM staged\n M unstaged\n?? untracked\n"

    def test_before_the_first_commit(self, checkout, keeper, write, content):
        write(checkout, "a", "1")
        assert content(checkout, keeper().take("x").commit) == {"a": ("100644", b"1")}

    def test_with_a_conflict_in_the_index(self, checkout, keeper, git, write, commit, content):
        commit(checkout, a="1")
        git(checkout, "checkout", "-q", "-b", "other")
        commit(checkout, a="2")
        git(checkout, "checkout", "-q", "main")
        commit(checkout, a="3")
        subprocess.run(["git", "merge", "other"], cwd=checkout, capture_output=True)
        assert b"<<<<" in content(checkout, keeper().take("x").commit)["a"][1]

    def test_the_same_state_is_kept_once(self, checkout, keeper, write, commit):
        commit(checkout, a="1")
        one = keeper()
        first = one.take("x")
        assert one.take("y") == first
        write(checkout, "a", "2")
        second = one.take("y")
        assert second.ref.endswith("0002.y")
        write(checkout, "a", "1")
        assert one.take("z").tree == first.tree

    def test_a_commit_in_between_is_a_new_state(self, checkout, keeper, git, write, commit):
        commit(checkout, a="1")
        one = keeper()
        write(checkout, "a", "2")
        first = one.take("x")
        head = commit(checkout)
        second = one.take("x")
        assert second.tree == first.tree
        assert git(checkout, "rev-parse", f"{second.commit}^1").decode().strip() == head

    def test_numbers_go_on_in_the_next_orchestrator(self, checkout, keeper, write):
        write(checkout, "a", "1")
        keeper().take("x")
        assert keeper().take("x").ref.endswith("0002.x")

    def test_an_orchestrator_that_lost_its_run_cannot_keep_anything(self, checkout, keeper, write):
        write(checkout, "a", "1")
        asleep, awake = keeper(), keeper()
        asleep.take("x")
        awake.take("x")
        write(checkout, "a", "2")
        awake.take("x")
        with pytest.raises(Fenced):
            asleep.take("x")

    def test_refs_are_durable(self, checkout, keeper, write):
        """The log must not outlive the commit that it names: git is told to sync objects and refs."""
        write(checkout, "a", "1")
        one = keeper()
        assert one._git.settings["core.fsync"] == "all"
        assert one._writer.own.settings["core.fsync"] == "objects"

    def test_hooks_and_filters_stay_asleep(self, checkout, keeper, git, write, tmp_path):
        canary = tmp_path / "canary"
        git(checkout, "config", "filter.x.clean", f"touch {canary}; cat")
        git(checkout, "config", "filter.x.smudge", f"touch {canary}; cat")
        write(checkout, ".gitattributes", "* filter=x\n")
        hook = write(checkout, ".git/hooks/reference-transaction", f"#!/bin/sh\ntouch {canary}\n")
        hook.chmod(0o755)
        write(checkout, "a", "1")
        one = keeper()
        first = one.take("x")
        write(checkout, "a", "2")
        assert one.restore("y", before=first.commit, paths=None).paths == ("a",)
        assert not canary.exists()


class TestRestoring:
    def test_every_kind_of_change_comes_back(self, checkout, keeper, git, write, commit):
        commit(checkout, same="1", changed="1", gone="1", old="old", tool="#!/bin/sh\n", __gitignore="*.tmp\n")
        write(checkout, "crlf", b"a\r\nb\r\n")
        write(checkout, "binary", bytes(range(256)))
        (checkout / "link").symlink_to("same")
        (checkout / "dangling").symlink_to("nowhere")
        (checkout / os.fsdecode(b"latin-\xe9")).write_bytes(b"\xff\xfe")
        write(checkout, "line\nbreak", "odd")
        write(checkout, "folder/inner", "1")
        write(checkout, "file", "was a file")
        write(checkout, "kept.tmp", "ignored")
        (checkout / "tool").chmod(0o755)
        git(checkout, "add", "changed")
        write(checkout, "changed", "2")
        status = git(checkout, "status", "--porcelain", "-z")
        was = everything(checkout)
        one = keeper()
        before = one.take("before")

        write(checkout, "changed", "half")
        write(checkout, "new/deep/file", "half")
        write(checkout, "crlf", b"a\n")
        (checkout / "gone").unlink()
        (checkout / "old").rename(checkout / "renamed")
        (checkout / "tool").chmod(0o644)
        (checkout / "link").unlink()
        write(checkout, "link", "a file now")
        (checkout / "dangling").unlink()
        (checkout / "dangling").symlink_to("same")
        (checkout / os.fsdecode(b"latin-\xe9")).unlink()
        write(checkout, "line\nbreak", "half")
        (checkout / "folder/inner").unlink()
        (checkout / "folder").rmdir()
        write(checkout, "folder", "a file now")
        (checkout / "file").unlink()
        write(checkout, "file/now/a", "folder")
        half = everything(checkout)

        done = one.restore("interrupted", before=before.commit, paths=None)
        assert everything(checkout) == was
        assert git(checkout, "status", "--porcelain", "-z") == status
        assert len(done.kept) == 1
        assert done.left == ()
        assert set(done.paths) >= {"changed", "new/deep/file", "gone", "old", "renamed", "tool", "link", "crlf"}
        assert not (checkout / "new").exists()

        again = one.restore("back", before=done.kept[0], paths=None)
        assert everything(checkout) == half
        assert git(checkout, "rev-parse", again.kept[0])

    def test_nothing_to_do(self, checkout, keeper, write):
        write(checkout, "a", "1")
        one = keeper()
        before = one.take("x")
        assert one.restore("y", before=before.commit, paths=None) == module.Restored()

    def test_only_what_matches(self, checkout, keeper, write):
        for name in ("src/a", "src/b", "doc/a"):
            write(checkout, name, "1")
        one = keeper()
        before = one.take("x")
        for name in ("src/a", "doc/a", "src/new", "doc/new"):
            write(checkout, name, "2")
        done = one.restore("y", before=before.commit, paths=("src/**",))
        assert (done.paths, done.left) == (("src/a", "src/new"), ("doc/a", "doc/new"))
        assert (checkout / "doc/a").read_text() == "2"
        assert not (checkout / "src/new").exists()

    def test_the_folder_of_a_project_below_the_root(self, checkout, keeper, write, commit, git):
        commit(checkout, top="1", **{"sub/a": "1", "sub/config": "1"})
        one = keeper(root=checkout / "sub")
        before = one.take("x")
        write(checkout, "sub/a", "2")
        write(checkout, "top", "2")
        done = one.restore("y", before=before.commit, paths=("a",))
        assert done.paths == ("a",)
        assert (checkout / "sub/a").read_text() == "1"
        assert (checkout / "top").read_text() == "2"
        git(checkout / "sub", "restore", f"--source={done.kept[0]}", "a")
        assert (checkout / "sub/a").read_text() == "2"

    def test_what_the_step_itself_ignored(self, checkout, keeper, write):
        """A step that adds an ignore rule hides its files, and those that were there, from git."""
        write(checkout, "data/was", "1")
        write(checkout, ".gitignore", "")
        was = everything(checkout)
        one = keeper()
        before = one.take("x")
        write(checkout, ".gitignore", "data/\nout/\n")
        write(checkout, "data/was", "changed")
        write(checkout, "out/new", "half")
        done = one.restore("y", before=before.commit, paths=None)
        assert everything(checkout) == was
        kept = [subprocess.run(["git", "show", f"{ref}:{path}"], cwd=checkout, capture_output=True).stdout
                for ref in done.kept for path in ("data/was", "out/new")]  # fmt: skip
        assert b"changed" in kept
        assert b"half" in kept

    def test_an_ignored_file_in_the_place_of_a_folder_is_kept(self, checkout, keeper, write):
        write(checkout, "place/a", "1")
        write(checkout, ".gitignore", "place\n!place/\n")
        one = keeper()
        before = one.take("x")
        (checkout / "place/a").unlink()
        (checkout / "place").rmdir()
        write(checkout, "place", "in the way")
        done = one.restore("y", before=before.commit, paths=("place/**",))
        assert (checkout / "place/a").read_text() == "1"
        shown = subprocess.run(["git", "show", f"{done.kept[-1]}:place"], cwd=checkout, capture_output=True)
        assert shown.stdout == b"in the way"

    def test_a_folder_with_ignored_files_in_the_place_of_a_file_stays(self, checkout, keeper, write):
        write(checkout, "place", "1")
        write(checkout, ".gitignore", "*.o\n")
        one = keeper()
        before = one.take("x")
        (checkout / "place").unlink()
        write(checkout, "place/a.o", "ignored")
        with pytest.raises(GitFailed, match="place was a file and is now a folder"):
            one.restore("y", before=before.commit, paths=None)
        assert (checkout / "place/a.o").read_text() == "ignored"

    def test_a_link_in_the_place_of_a_folder_is_not_followed(self, checkout, keeper, write, tmp_path):
        write(checkout, "src/a", "1")
        outside = tmp_path / "outside"
        write(outside, "a", "not ours")
        one = keeper()
        before = one.take("x")
        (checkout / "src/a").unlink()
        (checkout / "src").rmdir()
        (checkout / "src").symlink_to(outside)
        one.restore("y", before=before.commit, paths=None)
        assert (outside / "a").read_text() == "not ours"
        assert (checkout / "src/a").read_text() == "1"
        assert not (checkout / "src").is_symlink()

    def test_a_change_in_the_last_instant_is_kept_too(self, checkout, keeper, write, monkeypatch):
        for name in ("a", "b", "c"):
            write(checkout, name, "1")
        one = keeper()
        before = one.take("x")
        write(checkout, "a", "half")
        write(checkout, "new", "half")
        (checkout / "c").unlink()
        real = restoring.Restorer.put_back

        def late(self, wanted):
            if wanted:
                write(checkout, "a", "a person's last word")
                write(checkout, "new", "and here")
                write(checkout, "c", "and there")
            monkeypatch.setattr(restoring.Restorer, "put_back", real)
            yield from real(self, wanted)

        monkeypatch.setattr(restoring.Restorer, "put_back", late)
        done = one.restore("y", before=before.commit, paths=None)
        assert (checkout / "a").read_text() == "1"
        assert not (checkout / "new").exists()
        kept = {
            (path, subprocess.run(["git", "show", f"{ref}:{path}"], cwd=checkout, capture_output=True).stdout)
            for ref in done.kept
            for path in ("a", "new", "c")
        }
        assert {("a", b"half"), ("a", b"a person's last word"), ("new", b"and here"), ("c", b"and there")} <= kept

    def test_killed_in_the_middle_it_is_done_by_the_next_one(self, checkout, keeper, write, monkeypatch):
        for number in range(5):
            write(checkout, f"f{number}", "1")
        was = everything(checkout)
        one = keeper()
        before = one.take("x")
        for number in range(5):
            write(checkout, f"f{number}", "half")
            write(checkout, f"new{number}", "half")
        real = restoring.Restorer._delete

        def dying(self, path):
            if path == "new3":
                raise KeyboardInterrupt
            real(self, path)

        monkeypatch.setattr(restoring.Restorer, "_delete", dying)
        with pytest.raises(KeyboardInterrupt):
            one.restore("y", before=before.commit, paths=None)
        monkeypatch.undo()
        done = keeper().restore("y", before=before.commit, paths=None)
        assert everything(checkout) == was
        assert done.kept[0].endswith("0003.y")

    def test_many_files(self, checkout, keeper, write, monkeypatch):
        monkeypatch.setattr(restoring, "_BATCH", 7)
        for number in range(30):
            write(checkout, f"d{number % 3}/f{number}", "1")
        was = everything(checkout)
        one = keeper()
        before = one.take("x")
        for number in range(30):
            (checkout / f"d{number % 3}/f{number}").unlink()
        one.restore("y", before=before.commit, paths=None)
        assert everything(checkout) == was

    def test_a_file_that_may_not_be_replaced(self, checkout, keeper, write):
        if os.geteuid() == 0:
            pytest.skip("the superuser may write everywhere")
        write(checkout, "d/a", "1")
        one = keeper()
        before = one.take("x")
        write(checkout, "d/b", "2")
        (checkout / "d").chmod(0o555)
        try:
            with pytest.raises(GitFailed, match="cannot be put back"):
                one.restore("y", before=before.commit, paths=None)
        finally:
            (checkout / "d").chmod(0o755)

    def test_what_changes_again_is_left_to_whoever_changes_it(self, checkout, keeper, write, monkeypatch):
        write(checkout, "a", "1")
        one = keeper()
        before = one.take("x")
        count = iter(range(100))
        real = GitCheckpoints._write

        def busy(self, *, also=frozenset()):
            write(checkout, "a", f"version {next(count)}")
            return real(self, also=also)

        monkeypatch.setattr(GitCheckpoints, "_write", busy)
        done = one.restore("y", before=before.commit, paths=None)
        assert (done.paths, done.left) == (("a",), ("a",))

    def test_what_somebody_makes_in_the_same_instant_again_and_again(self, checkout, keeper, write, monkeypatch):
        write(checkout, "a", "1")
        one = keeper()
        before = one.take("x")
        write(checkout, "a", "2")
        monkeypatch.setattr(restoring.Restorer, "_checked_out", lambda self, *paths: False)
        with pytest.raises(GitFailed, match="as fast as they are put back: a"):
            one.restore("y", before=before.commit, paths=None)


class TestRefusing:
    def test_a_repository_inside(self, checkout, keeper, git, write):
        write(checkout, "a", "1")
        (checkout / "vendor/lib").mkdir(parents=True)
        git(checkout / "vendor/lib", "init", "-q")
        write(checkout, "vendor/lib/b", "1")
        one = keeper()
        assert "vendor/lib is a repository of its own" in one.refusal(None)
        assert "vendor/lib" in one.refusal(("vendor/**",))
        assert one.refusal(("src/**", "a")) == ""

    def test_a_submodule(self, checkout, keeper, add_submodule, write):
        write(checkout, "a", "1")
        add_submodule(checkout)
        assert "vendor is a repository of its own" in keeper().refusal(None)
        assert keeper().refusal(("src/**",)) == ""

    def test_files_of_lfs(self, checkout, keeper, write, commit):
        commit(checkout, __gitattributes="*.bin filter=lfs diff=lfs merge=lfs -text\n", **{"data/x.bin": "pointer"})
        one = keeper()
        assert one.refusal(None) == "data/x.bin belongs to Git LFS, whose files are in no checkpoint"
        assert one.refusal(("data/*",)) != ""
        assert one.refusal(("data/*.txt",)) == ""

    def test_nothing_to_refuse(self, checkout, keeper, write):
        write(checkout, "a", "1")
        assert keeper().refusal(None) == ""

    @pytest.mark.parametrize(
        ("folder", "glob", "expected"),
        [
            ("vendor/lib", "vendor/**", True), ("vendor/lib", "**", True), ("vendor/lib", "**/*.py", True),
            ("vendor/lib", "vendor/lib/a", True), ("vendor/lib", "vendor/*/a", True), ("vendor/lib", "vendor/", True),
            ("vendor/lib", "vendor/lib", False), ("vendor/lib", "vendor/*", False),
            ("vendor/lib", "vendor/o/**", False),
            ("vendor/lib", "src/**", False), ("vendor/lib", "*", False), ("vendor", "v?ndor/*", True),
            ("vendor", "", False),
        ],
    )  # fmt: skip
    def test_what_a_glob_reaches(self, folder, glob, expected):
        assert reaches(folder, (glob,)) is expected


class TestForgetting:
    def test_runs_that_are_not_kept(self, checkout, keeper, git, write, opened):
        for number, run in enumerate(("01A", "01B", "01C")):
            write(checkout, "a", str(number))
            keeper(run).take("x")
        assert forget(opened(checkout), keep=frozenset({"01B"})) == 2
        assert git(checkout, "for-each-ref", "--format=%(refname)").split() == [b"refs/cmr/01B/0001.x"]
        assert forget(opened(checkout), keep=frozenset({"01B"})) == 0


def test_when_a_file_was_changed(checkout, keeper, write):
    one = keeper()
    write(checkout, "d/a", "1")
    os.utime(checkout / "d/a", (1, 1))
    assert abs(one.changed_at("d/a") - os.lstat(checkout / "d/a").st_ctime) < 1e-6
    assert one.changed_at("d/gone") == os.lstat(checkout / "d").st_ctime
    assert one.changed_at("gone/too") == os.lstat(checkout).st_ctime
