import io
import os
import stat
import tarfile
import zipfile

import pytest

from cli_multi_rapid.system.archives import ArchiveRefused, Limits, members

WANTED = (".json",)
SMALL = Limits(files=4, file_bytes=1000, total_bytes=20_000)


def zipped(path, files, *, mode=0):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def tarred(path, files, *, kind=tarfile.REGTYPE, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.mtime = kind, 1_700_000_000
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            info.linkname = "elsewhere"
            archive.addfile(info, io.BytesIO(data))
    return path


def read(source, limits=None):
    return {one.name: one.data for one in members(source, WANTED, **({"limits": limits} if limits else {}))}


FILES = {"a.json": b"1", "deep/er/b.JSON": b"22", "c.txt": b"no", ".hidden.json": b"no", ".git/d.json": b"no"}
EXPECTED = {"a.json": b"1", "deep/er/b.JSON": b"22"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "folder"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_a_folder_a_zip_and_tars_hold_the_same(tmp_path, folder) -> None:
    assert read(folder) == EXPECTED
    assert read(zipped(tmp_path / "x.zip", FILES)) == EXPECTED
    for ending, mode in ((".tar.gz", "w:gz"), (".tgz", "w:gz"), (".tar.xz", "w:xz"), (".tar.bz2", "w:bz2")):
        assert read(tarred(tmp_path / f"x{ending}", FILES, mode=mode)) == EXPECTED


def test_archives_in_a_folder_are_read_too(tmp_path) -> None:
    zipped(tmp_path / "all.zip", {"a.json": b"1"})
    (tmp_path / "npm").mkdir()
    tarred(tmp_path / "npm" / "x.tar.gz", {"b.json": b"2"})
    assert read(tmp_path) == {"all.zip/a.json": b"1", "npm/x.tar.gz/b.json": b"2"}


def test_times_of_files(tmp_path) -> None:
    (one,) = members(zipped(tmp_path / "x.zip", {"a.json": b"1"}), WANTED)
    assert one.changed_s == 1_714_979_290
    (one,) = members(tarred(tmp_path / "x.tgz", {"a.json": b"1"}), WANTED)
    assert one.changed_s == 1_700_000_000


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tar.xz"])
def test_an_archive_cut_anywhere_is_refused(tmp_path, name) -> None:
    files = {f"{number}.json": os.urandom(300) for number in range(5)}
    made = tmp_path / name
    if name.endswith("zip"):
        zipped(made, files)
    else:
        tarred(made, files, mode=f"w:{name[-2:]}")
    whole = made.read_bytes()
    for length in range(0, len(whole) - 1, 61):
        made.write_bytes(whole[:length])
        with pytest.raises(ArchiveRefused):
            read(made)


@pytest.mark.parametrize("name", ["x.zip", "x.tgz"])
def test_a_flipped_bit_is_noticed(tmp_path, name) -> None:
    data = os.urandom(2000)
    made = zipped(tmp_path / name, {"a.json": data}) if name == "x.zip" else tarred(tmp_path / name, {"a.json": data})
    broken = bytearray(made.read_bytes())
    broken[1000] ^= 1
    made.write_bytes(broken)
    with pytest.raises(ArchiveRefused):
        read(made)


@pytest.mark.parametrize("name", ["../a.json", "/a.json", "x/../../a.json", "C:/a.json", "..\\a.json"])
def test_names_that_lead_outside_are_refused(tmp_path, name) -> None:
    with pytest.raises(ArchiveRefused, match="leads outside"):
        read(tarred(tmp_path / "x.tgz", {name: b"1"}))
    with pytest.raises(ArchiveRefused, match="leads outside"):
        read(zipped(tmp_path / "x.zip", {name: b"1"}))


def test_links_are_refused(tmp_path, folder) -> None:
    with pytest.raises(ArchiveRefused, match="a link"):
        read(zipped(tmp_path / "x.zip", {"a.json": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777))
    for kind in (tarfile.SYMTYPE, tarfile.CHRTYPE):
        with pytest.raises(ArchiveRefused, match="a link"):
            read(tarred(tmp_path / "x.tgz", {"a.json": b""}, kind=kind))
    (folder / "link.json").symlink_to("a.json")
    with pytest.raises(ArchiveRefused, match=r"link\.json in it is a link"):
        read(folder)
    (folder / "link.json").unlink()
    whole = zipped(tmp_path / "whole.zip", FILES)
    for name, target in (("linked.zip", whole), ("linked", tmp_path)):
        (folder / name).symlink_to(target)
        with pytest.raises(ArchiveRefused, match=f"{name} in it is a link"):
            read(folder)
        (folder / name).unlink()


def test_folders_inside_each_other_end(tmp_path) -> None:
    tmp_path.joinpath(*["d"] * 60).mkdir(parents=True)
    with pytest.raises(ArchiveRefused, match="inside each other"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.json": b"x" * 1001}, "larger than"),
        ({f"{number}.json": b"x" * 900 for number in range(4)} | {"x": b"x" * 30_000}, "more than"),
        ({f"{number}": b"" for number in range(5)}, "more than 4 files"),
    ],
)
def test_limits(tmp_path, files, message) -> None:
    with pytest.raises(ArchiveRefused, match=message):
        read(tarred(tmp_path / "x.tgz", files), SMALL)


def test_limits_of_a_zip_and_a_folder(tmp_path, folder) -> None:
    with pytest.raises(ArchiveRefused, match="larger than"):
        read(zipped(tmp_path / "x.zip", {"a.json": b"x" * 1001}), SMALL)
    (folder / "large.json").write_bytes(b"x" * 1001)
    with pytest.raises(ArchiveRefused, match="larger than"):
        read(folder, SMALL)
    # What is not wanted is never decompressed, so it does not count.
    assert read(zipped(tmp_path / "y.zip", {"a.json": b"1", "b": b"x" * 90_000}), SMALL) == {"a.json": b"1"}


def test_what_is_not_wanted_in_a_tar_is_passed_over_but_counts(tmp_path) -> None:
    made = tarred(tmp_path / "x.tgz", {"large": b"x" * 300_000, "a.json": b"1", "folder/b.json": b"2"})
    assert read(made) == {"a.json": b"1", "folder/b.json": b"2"}
    with pytest.raises(ArchiveRefused, match="more than"):
        read(made, SMALL)


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path) -> None:
    made = zipped(tmp_path / "x.zip", {"a.json": b"0" * 5000})
    data = made.read_bytes()
    assert data.count((5000).to_bytes(4, "little")) == 2
    made.write_bytes(data.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveRefused):
        read(made, SMALL)


def test_a_header_of_a_tar_that_takes_memory_is_refused(tmp_path) -> None:
    made = tmp_path / "x.tgz"
    with tarfile.open(made, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * 100_000}) as archive:
        archive.addfile(tarfile.TarInfo("a.json"))
    with pytest.raises(ArchiveRefused, match="more than"):
        read(made, SMALL)


@pytest.mark.parametrize("name", ["x.rar", "x.tar", "x"])
def test_other_kinds_are_refused(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ArchiveRefused, match="is none of"):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX files")
def test_a_pipe_does_not_block(tmp_path) -> None:
    os.mkfifo(tmp_path / "x.zip")
    with pytest.raises(ArchiveRefused):
        read(tmp_path / "x.zip")
    with pytest.raises(ArchiveRefused):
        read(tmp_path)


def test_a_missing_source(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "x.zip")
