"""Writing the tree of what is in a folder, exactly and in no other place."""

import os

import pytest

from cli_multi_rapid.system import git_places, git_tree


class TestTree:
    def test_a_clean_checkout_is_the_committed_tree(self, checkout, index, git, commit, opened):
        commit(checkout, a="1", **{"b/c": "2"})
        written = opened(checkout).write_tree(index)
        assert written.id == git(checkout, "rev-parse", "HEAD^{tree}").decode().strip()
        assert written.warnings == ()

    def test_staged_unstaged_untracked_ignored_deleted_and_renamed(
        self, checkout, index, git, write, commit, content, opened
    ):
        commit(checkout, staged="1", unstaged="1", gone="1", old="same", __gitignore="*.tmp\n")
        write(checkout, "staged", "2")
        git(checkout, "add", "staged")
        write(checkout, "unstaged", "22")
        write(checkout, "untracked/deep/file", "new")
        write(checkout, "ignored.tmp", "no")
        (checkout / "gone").unlink()
        (checkout / "old").rename(checkout / "renamed")
        tree = opened(checkout).write_tree(index).id
        assert {path: data for path, (_, data) in content(checkout, tree).items()} == {
            ".gitignore": b"*.tmp\n",
            "staged": b"2",
            "unstaged": b"22",
            "untracked/deep/file": b"new",
            "renamed": b"same",
        }

    def test_it_follows_every_change_and_comes_back(self, checkout, index, write, commit, opened):
        commit(checkout, a="1")
        first = opened(checkout).write_tree(index).id
        write(checkout, "a", "2")
        second = opened(checkout).write_tree(index).id
        write(checkout, "b", "2")
        third = opened(checkout).write_tree(index).id
        write(checkout, "a", "1")
        (checkout / "b").unlink()
        assert len({first, second, third}) == 3
        assert opened(checkout).write_tree(index).id == first

    def test_a_change_of_the_same_size_in_the_same_instant(self, checkout, index, git, write, opened):
        path = write(checkout, "a", "1")
        git(checkout, "add", "a")
        trees = set()
        for number in range(10):
            path.write_text(str(number))
            trees.add(opened(checkout).write_tree(index).id)
        assert len(trees) == 10

    def test_a_copied_index_keeps_its_time(self, tmp_path, write):
        """Git looks into files that are not older than the index; a copy that seems newer would hide their changes."""
        source = write(tmp_path, "source", "index")
        os.utime(source, ns=(1, 1_000_000_001))
        git_places.copy_with_times(source, tmp_path / "copy")
        assert (tmp_path / "copy").stat().st_mtime_ns == 1_000_000_001

    def test_it_does_not_depend_on_what_is_staged_or_came_before(
        self, checkout, index, tmp_path, git, write, commit, opened
    ):
        commit(checkout, a="1")
        write(checkout, "b", "2")
        opened(checkout).write_tree(index)
        git(checkout, "add", "b")
        write(checkout, "a", "3")
        git(checkout, "add", "a")
        again = opened(checkout).write_tree(index).id
        assert again == opened(checkout).write_tree(tmp_path / "fresh").id
        git(checkout, "reset", "-q")
        assert opened(checkout).write_tree(index).id == again

    def test_a_file_that_becomes_ignored_leaves_unless_tracked(
        self, checkout, index, tmp_path, write, commit, content, opened
    ):
        commit(checkout, tracked__log="1")
        write(checkout, "loose.log", "2")
        opened(checkout).write_tree(index)
        write(checkout, ".gitignore", "*.log\n")
        tree = opened(checkout).write_tree(index).id
        assert set(content(checkout, tree)) == {".gitignore", "tracked.log"}
        assert opened(checkout).write_tree(tmp_path / "fresh").id == tree

    def test_a_file_added_although_ignored(self, checkout, index, git, write, commit, content, opened):
        commit(checkout, __gitignore="*.log\n")
        opened(checkout).write_tree(index)
        write(checkout, "kept.log", "1")
        git(checkout, "add", "-f", "kept.log")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {".gitignore", "kept.log"}
        git(checkout, "rm", "-q", "--cached", "kept.log")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {".gitignore"}

    def test_private_excludes_count(self, checkout, index, git, write, content, opened):
        write(checkout, ".git/info/exclude", "private\n")
        write(checkout, "elsewhere", "personal\n")
        git(checkout, "config", "core.excludesFile", str(checkout / "elsewhere"))
        for name in ("private", "personal", "public"):
            write(checkout, name, "1")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {"elsewhere", "public"}

    def test_modes_and_links(self, checkout, index, write, commit, content, opened):
        write(checkout, "script", "#!/bin/sh\n").chmod(0o755)
        write(checkout, "plain", "1")
        (checkout / "link").symlink_to("../outside/\nodd")
        commit(checkout)
        repository = opened(checkout)
        assert {path: mode for path, (mode, _) in content(checkout, repository.write_tree(index).id).items()} == {
            "script": "100755",
            "plain": "100644",
            "link": "120000",
        }
        (checkout / "script").chmod(0o644)
        (checkout / "plain").chmod(0o755)
        (checkout / "link").unlink()
        (checkout / "link").symlink_to("plain")
        found = content(checkout, repository.write_tree(index).id)
        assert found == {"script": ("100644", b"#!/bin/sh\n"), "plain": ("100755", b"1"), "link": ("120000", b"plain")}

    def test_files_and_folders_that_change_places(self, checkout, index, write, commit, content, opened):
        commit(checkout, **{"file": "1", "folder/inner": "2", "linked/inner": "3"})
        repository = opened(checkout)
        repository.write_tree(index)
        (checkout / "file").unlink()
        write(checkout, "file/now", "folder")
        (checkout / "folder" / "inner").unlink()
        (checkout / "folder").rmdir()
        write(checkout, "folder", "file")
        (checkout / "linked").rename(checkout / "moved")
        (checkout / "linked").symlink_to("moved")
        assert {path: data for path, (_, data) in content(checkout, repository.write_tree(index).id).items()} == {
            "file/now": b"folder",
            "folder": b"file",
            "moved/inner": b"3",
            "linked": b"moved",
        }

    def test_a_touched_file_below_a_folder_that_became_a_link(self, checkout, index, write, commit, content, opened):
        commit(checkout, **{"linked/inner": "3"})
        repository = opened(checkout)
        repository.write_tree(index)
        (checkout / "linked").rename(checkout / "moved")
        (checkout / "linked").symlink_to("moved")
        write(checkout, "moved/inner", "changed")
        assert set(content(checkout, repository.write_tree(index).id)) == {"moved/inner", "linked"}

    def test_a_pipe_in_the_place_of_a_file(self, checkout, index, commit, content, opened):
        commit(checkout, a="1", b="2")
        (checkout / "a").unlink()
        os.mkfifo(checkout / "a")
        os.mkfifo(checkout / "loose")
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == {"b"}
        assert opened(checkout).write_tree(index).warnings == ()

    def test_odd_names(self, checkout, index, write, content, opened):
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
            write(checkout, name, name.encode("utf-8", "surrogateescape"))
        assert set(content(checkout, opened(checkout).write_tree(index).id)) == names

    def test_nothing_at_all(self, checkout, index, content, opened):
        assert content(checkout, opened(checkout).write_tree(index).id) == {}

    def test_a_project_below_the_top(self, checkout, index, git, write, commit, opened):
        commit(checkout, **{"sub/a": "1", "top": "2", "subject": "3"})
        repository = opened(checkout / "sub")
        assert repository.prefix == "sub/"
        first = repository.write_tree(index).id
        assert first == git(checkout, "rev-parse", "HEAD:sub").decode().strip()
        write(checkout, "sub/deep/b", "3")
        write(checkout, "top", "other")
        second = repository.write_tree(index).id
        assert repository.changed_paths(first, second) == ("deep/b",)

    def test_an_empty_project_below_the_top(self, checkout, index, commit, content, opened):
        commit(checkout, top="1")
        (checkout / "sub").mkdir()
        assert content(checkout, opened(checkout / "sub").write_tree(index).id) == {}

    def test_changed_paths(self, checkout, index, write, commit, opened):
        commit(checkout, a="1", b="2", c="3")
        repository = opened(checkout)
        before = repository.write_tree(index).id
        write(checkout, "a", "changed")
        (checkout / "b").rename(checkout / "d\nd")
        (checkout / "c").chmod(0o755)
        after = repository.write_tree(index).id
        assert repository.changed_paths(before, after) == ("a", "b", "c", "d\nd")
        assert repository.changed_paths(before, before) == ()

    def test_a_sha256_repository(self, tmp_path, index, git, write, commit, content, opened):
        checkout = tmp_path / "wide"
        checkout.mkdir()
        git(checkout, "init", "-q", "--object-format=sha256")
        commit(checkout, a="1", b="2")
        write(checkout, "a", "3")
        (checkout / "b").unlink()
        tree = opened(checkout).write_tree(index).id
        assert len(tree) == 64
        assert content(checkout, tree) == {"a": ("100644", b"3")}


class TestBytes:
    """No conversion takes part: what is in the tree is what is on disk."""

    def test_line_ends_stay(self, checkout, index, git, write, commit, content, opened):
        write(checkout, ".gitattributes", "* text=auto\n*.sh eol=crlf\n")
        write(checkout, "clean", "a\r\nb\r\n")
        write(checkout, "run.sh", "a\r\n")
        commit(checkout)
        assert git(checkout, "show", "HEAD:clean") == b"a\nb\n"
        write(checkout, "new", "c\r\n")
        found = content(checkout, opened(checkout).write_tree(index).id)
        assert [found[name][1] for name in ("clean", "run.sh", "new")] == [b"a\r\nb\r\n", b"a\r\n", b"c\r\n"]

    def test_line_ends_stay_under_autocrlf(self, checkout, index, git, commit, content, opened):
        git(checkout, "config", "core.autocrlf", "true")
        commit(checkout, a="a\r\n")
        assert git(checkout, "show", "HEAD:a") == b"a\n"
        assert content(checkout, opened(checkout).write_tree(index).id)["a"][1] == b"a\r\n"

    def test_identifiers_and_encodings_stay(self, checkout, index, write, commit, content, opened):
        write(checkout, ".gitattributes", "*.id ident\n*.wide working-tree-encoding=UTF-16\n")
        wide = "text".encode("utf-16")
        write(checkout, "a.id", "$Id: 0123 $\n")
        write(checkout, "b.wide", wide)
        commit(checkout)
        found = content(checkout, opened(checkout).write_tree(index).id)
        assert found["a.id"][1] == b"$Id: 0123 $\n"
        assert found["b.wide"][1] == wide

    def test_what_git_was_told_to_overlook_counts(self, checkout, index, git, write, commit, content, opened):
        commit(checkout, assumed="1", skipped="1", absent="1")
        git(checkout, "update-index", "--assume-unchanged", "assumed")
        git(checkout, "update-index", "--skip-worktree", "skipped", "absent")
        write(checkout, "assumed", "edited")
        write(checkout, "skipped", "edited")
        (checkout / "absent").unlink()
        found = content(checkout, opened(checkout).write_tree(index).id)
        assert found["assumed"][1] == found["skipped"][1] == b"edited"
        assert found["absent"][1] == b"1", "a sparse checkout is not a deletion"

    def test_intended_and_conflicting_entries(self, checkout, index, git, write, commit, content, opened):
        commit(checkout, a="1")
        write(checkout, "intended", "text")
        git(checkout, "add", "-N", "intended")
        oid = git(checkout, "hash-object", "-w", "--stdin", given=b"side").decode().strip()
        git(checkout, "rm", "-q", "--cached", "a")
        git(checkout, "update-index", "--index-info", given=f"100644 {oid} 1\ta\n100644 {oid} 2\ta\n".encode())
        assert {path: data for path, (_, data) in content(checkout, opened(checkout).write_tree(index).id).items()} == {
            "a": b"1",
            "intended": b"text",
        }


class TestLeftOut:
    def test_submodules_and_repositories_inside(
        self, checkout, tmp_path, index, git, write, content, opened, add_submodule
    ):
        add_submodule(checkout)
        write(checkout, "nested\x1b/inner", "1")
        git(checkout / "nested\x1b", "init", "-q")
        written = opened(checkout).write_tree(index)
        assert set(content(checkout, written.id)) == {".gitmodules"}
        assert written.warnings == (
            "nested\\x1b is a repository of its own and was left out",
            "vendor is a repository of its own and was left out",
        )

    def test_large_untracked_files(self, checkout, index, monkeypatch, write, commit, content, opened):
        monkeypatch.setattr(git_tree, "UNTRACKED_LIMIT_BYTES", 1000)
        commit(checkout, tracked="x" * 2000, small="x")
        write(checkout, "tracked", "y" * 2001)
        growing = write(checkout, "growing", "z")
        repository = opened(checkout)
        assert repository.write_tree(index).warnings == ()
        growing.write_text("z" * 2000)
        for _ in range(2):
            written = repository.write_tree(index)
            assert written.warnings == ("growing is not tracked, larger than 100 MB, and was left out",)
            assert set(content(checkout, written.id)) == {"tracked", "small"}

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
    def test_unreadable_files(self, checkout, index, write, opened):
        write(checkout, "locked", "1").chmod(0)
        assert opened(checkout).write_tree(index).warnings == ("locked may not be read and was left out",)
