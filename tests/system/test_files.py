"""Atomic writing, and reading that cannot be led out of its folder or made to wait."""

import os
import stat
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from cli_multi_rapid.system import files
from cli_multi_rapid.system.files import (
    PathRefused,
    digest_inside,
    read_inside,
    remove_inside,
    write_atomic,
    write_inside,
)


@pytest.fixture(params=["relative", "resolved"])
def form(request, monkeypatch):
    """Run with each of the two ways of opening: relative to a folder, and the one for systems without it."""
    if request.param == "resolved":
        monkeypatch.setattr(files, "_RELATIVE_OPEN", False)
    return request.param


def names(folder) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_bytes(b"content")
    (tmp_path / "secret").write_bytes(b"outside")
    return folder


class TestReading:
    @pytest.mark.parametrize("path", ["sub/file", "./sub/file", "sub//file", "sub/./file"])
    def test_reads(self, form, root, path):
        assert read_inside(root, path, limit_bytes=7) == b"content"

    def test_a_name_that_is_not_utf8(self, form, root):
        (root / os.fsdecode(b"\xff")).write_bytes(b"1")
        assert read_inside(root, os.fsdecode(b"\xff"), limit_bytes=7) == b"1"

    def test_the_folder_itself_may_be_a_link(self, form, root, tmp_path):
        (tmp_path / "link").symlink_to(root)
        assert read_inside(tmp_path / "link", "sub/file", limit_bytes=7) == b"content"

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("", "is empty"),
            ("/etc/passwd", "is absolute"),
            ("..", "contains '..'"),
            ("../secret", "contains '..'"),
            ("sub/../../secret", "contains '..'"),
            ("sub/..", "contains '..'"),
            ("sub/file\0", "contains a NUL character"),
            (".", "names a folder"),
            ("sub/file/", "names a folder"),
            ("x" * 300, "is too long"),
            ("\ud800", "is not a name that this system can have"),
        ],
    )
    def test_refused_by_its_form(self, form, root, path, reason):
        with pytest.raises(PathRefused) as refused:
            read_inside(root, path, limit_bytes=100)
        assert refused.value.reason == reason
        assert not refused.value.missing

    def test_missing(self, form, root):
        with pytest.raises(PathRefused, match="'sub/none' does not exist") as refused:
            read_inside(root, "sub/none", limit_bytes=100)
        assert refused.value.missing

    @pytest.mark.parametrize("path", ["link", "folder/secret", "inner", "sub/chain"])
    def test_links_are_not_followed_wherever_they_lead(self, form, root, path):
        (root / "link").symlink_to("../secret")
        (root / "folder").symlink_to("..")
        (root / "inner").symlink_to("sub/file")
        (root / "sub" / "chain").symlink_to("../sub/file")
        with pytest.raises(PathRefused, match="symbolic link"):
            read_inside(root, path, limit_bytes=100)

    @pytest.mark.parametrize("call", [lambda root, path: read_inside(root, path, limit_bytes=9), digest_inside])
    def test_what_is_no_file_is_refused_without_waiting(self, form, root, call):
        os.mkfifo(root / "pipe")
        with pytest.raises(PathRefused, match="is not a regular file"):
            call(root, "pipe")
        with pytest.raises(PathRefused, match=r"is not a regular file|names a folder|may not be read"):
            call(root, "sub")
        with pytest.raises(PathRefused, match="is not a regular file"):
            call("/dev", "zero")

    def test_limit(self, form, root):
        with pytest.raises(PathRefused, match="is larger than 6 bytes"):
            read_inside(root, "sub/file", limit_bytes=6)

    def test_marks_that_mean_something_on_windows_are_refused_by_its_form(self, root, monkeypatch):
        (root / "a\\b").write_bytes(b"1")
        assert read_inside(root, "a\\b", limit_bytes=1) == b"1"
        monkeypatch.setattr(files, "_RELATIVE_OPEN", False)
        for path in ("a\\b", "..\\secret", "C:secret", "file:stream"):
            with pytest.raises(PathRefused, match="backslash or a colon"):
                read_inside(root, path, limit_bytes=1)

    def test_a_link_swapped_in_at_any_moment_is_never_followed(self, root):
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                for target in ("sub", ".."):
                    (root / "next").symlink_to(target)
                    (root / "next").replace(root / "moving")

        (root / "moving").mkdir()
        (root / "moving").rmdir()
        thread = threading.Thread(target=swap)
        thread.start()
        try:
            for _ in range(300):
                with pytest.raises(PathRefused):
                    read_inside(root, "moving/secret", limit_bytes=100)
        finally:
            stop.set()
            thread.join()

    def test_no_descriptor_is_left_open(self, form, root):
        os.mkfifo(root / "pipe")
        before = len(names("/dev/fd"))
        for path in ("sub/file", "sub/none", "pipe", "sub", "../x"):
            try:
                digest_inside(root, path)
            except PathRefused:
                continue
        assert len(names("/dev/fd")) == before


class TestDigest:
    def test_large(self, form, root):
        data = os.urandom((1 << 20) + 5)
        (root / "large").write_bytes(data)
        assert digest_inside(root, "large") == (sha256(data).hexdigest(), len(data))


class TestWriting:
    def test_replaces_and_leaves_nothing_beside(self, tmp_path):
        target = tmp_path / "file"
        target.write_bytes(b"old")
        write_atomic(target, b"new")
        assert target.read_bytes() == b"new"
        assert names(tmp_path) == ["file"]

    def test_mode_under_the_umask(self, tmp_path):
        before = os.umask(0o022)
        try:
            write_atomic(tmp_path / "open", b"")
            write_atomic(tmp_path / "private", b"", mode=0o600)
            write_atomic(tmp_path / "shared", b"", mode=0o666)
        finally:
            os.umask(before)
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("open", "private", "shared")]
        assert modes == [0o644, 0o600, 0o644]

    def test_a_link_is_replaced_not_followed(self, tmp_path):
        (tmp_path / "target").write_bytes(b"kept")
        (tmp_path / "link").symlink_to("target")
        write_atomic(tmp_path / "link", b"new")
        assert (tmp_path / "target").read_bytes() == b"kept"
        assert not (tmp_path / "link").is_symlink()

    def test_the_longest_name(self, tmp_path):
        write_atomic(tmp_path / ("x" * 255), b"1")
        assert names(tmp_path) == ["x" * 255]

    def test_a_failure_keeps_the_old_file(self, tmp_path):
        target = tmp_path / "folder"
        target.mkdir()
        (target / "kept").write_bytes(b"1")
        with pytest.raises(OSError, match="irectory"):
            write_atomic(target, b"new")
        assert names(tmp_path) == ["folder"]

    def test_file_and_folder_are_made_durable(self, tmp_path, monkeypatch):
        synced = []
        real = os.fsync

        def record(descriptor: int) -> None:
            synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", record)
        write_atomic(tmp_path / "file", b"1")
        assert synced == ["file", "folder"]


@pytest.mark.parametrize("path", [
    ".git", ".git/config", ".GiT/config", "sub/.git/hooks/x", ".git./config", ".git /config", "git~1/config",
    "GIT~1/config", ".g\u200cit/config", ".git::$INDEX_ALLOCATION/config", "sub\\.git\\config",
])  # fmt: skip
def test_nothing_of_git_is_written(root, path):
    with pytest.raises(PathRefused, match="belongs to git"):
        write_inside(root, path, b"")
    with pytest.raises(PathRefused, match="belongs to git"):
        remove_inside(root, path)
    assert names(root) == ["sub"]


@pytest.mark.parametrize("path", [".gitignore", ".github/x", "sub/git", "a.git/x"])
def test_what_only_looks_like_git_is_written(root, path):
    write_inside(root, path, b"1")
    assert (root / path).read_bytes() == b"1"


def test_a_file_is_removed_and_its_absence_is_fine(root):
    write_inside(root, "sub/x/y", b"1")
    for _ in range(2):
        remove_inside(root, "sub/x/y")
        assert names(root / "sub/x") == []
    remove_inside(root, "no/such/folder")


def test_what_a_link_leads_to_is_not_removed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (root / "sub/folder").symlink_to(outside)
    for path in ("sub/folder/file", "../outside/file", "sub"):
        with pytest.raises(PathRefused):
            remove_inside(root, path)
    (root / "sub/link").symlink_to(outside / "file")
    remove_inside(root, "sub/link")
    assert (outside / "file").exists()
    assert not (root / "sub/link").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="limits of the size of a file are POSIX")
def test_a_full_disk_is_told_and_leaves_nothing(root):
    resource = pytest.importorskip("resource")
    (root / "kept").write_bytes(b"as before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(PathRefused, match="cannot be written"):
            write_inside(root, "kept", b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (root / "kept").read_bytes() == b"as before"
    assert not list(root.glob(".*.tmp"))
