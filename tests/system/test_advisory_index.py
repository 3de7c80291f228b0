import os
import sqlite3

import pytest

from cli_multi_rapid.system.advisory_index import IndexDamaged, Row, open_index, write_index


def row(name: str, number: int, data: str = "d") -> Row:
    return Row(ecosystem="PyPI", name=name, id=f"A-{number}", part=number, data=data)


@pytest.fixture
def index(tmp_path):
    path = tmp_path / "made" / "x.sqlite"
    write_index(path, [row(f"p{number % 50}", number, "d" * 400) for number in range(500)], lambda: {"a": "b"})
    return path


def test_what_was_written_is_found(index) -> None:
    opened = open_index(index, thorough=True)
    assert [id_ for id_, _ in opened.find("PyPI", "p3")] == sorted(f"A-{number}" for number in range(3, 500, 50))
    assert list(opened.find("npm", "p3")) == []
    assert opened.facts == {"a": "b"}
    opened.close()
    assert [one.name for one in index.parent.iterdir()] == ["x.sqlite"]


def test_a_failure_on_the_way_leaves_nothing_behind(tmp_path) -> None:
    def rows():
        yield row("a", 1)
        raise ValueError("broken source")

    with pytest.raises(ValueError, match="broken source"):
        write_index(tmp_path / "x.sqlite", rows(), dict)
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_cut_is_refused(index) -> None:
    whole = index.read_bytes()
    for length in (0, 50, 4096, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        index.write_bytes(whole[:length])
        with pytest.raises(IndexDamaged):
            open_index(index)


def test_a_damaged_page_is_found_when_looked_at_thoroughly(index) -> None:
    data = bytearray(index.read_bytes())
    data[8192:12288] = os.urandom(4096)
    index.write_bytes(data)
    with pytest.raises(IndexDamaged):
        open_index(index, thorough=True)
    try:
        opened = open_index(index)
    except IndexDamaged:
        return
    with pytest.raises(IndexDamaged):  # never fewer advisories without a word
        for number in range(50):
            assert len(list(opened.find("PyPI", f"p{number}"))) == 10
    opened.close()


@pytest.mark.parametrize("script", ["CREATE TABLE x (y)", "CREATE TRIGGER t AFTER INSERT ON fact BEGIN SELECT 1; END",
                                    "PRAGMA application_id = 1", "PRAGMA user_version = 99"])  # fmt: skip
def test_a_foreign_database_is_refused(index, script) -> None:
    with sqlite3.connect(index) as connection:
        connection.execute(script)
    connection.close()
    with pytest.raises(IndexDamaged):
        open_index(index)


def test_what_is_no_file_is_refused(tmp_path) -> None:
    with pytest.raises(IndexDamaged):
        open_index(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_index(tmp_path / "gone")
    with pytest.raises(OSError, match=r"x\.sqlite"):
        (tmp_path / "x.sqlite").mkdir()
        (tmp_path / "x.sqlite" / "full").touch()
        write_index(tmp_path / "x.sqlite", [], dict)
