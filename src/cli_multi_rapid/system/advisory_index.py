"""Advisories by package in one SQLite file: written whole or not at all, then only read."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
_APPLICATION_ID = 0x434D5241  # "CMRA", so that a foreign database is recognised
_AFFECTED = (
    "CREATE TABLE affected (ecosystem TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, part INTEGER NOT NULL, "
    "data TEXT NOT NULL, PRIMARY KEY (ecosystem, name, id, part)) WITHOUT ROWID"
)
_FACT = "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_TABLES = (_AFFECTED, _FACT)
_FIND = "SELECT id, data FROM affected WHERE ecosystem = ? AND name = ? ORDER BY id, part"


class IndexDamaged(ValueError):
    """The file is no index of advisories, one of another version, or a damaged one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one advisory says of one package: `data` is text that only its writer understands.

    `part` is different for every row.
    """

    ecosystem: str
    name: str
    id: str
    part: int
    data: str


class AdvisoryIndex:
    """An index that is open for reading. Not shared between threads."""

    def __init__(self, connection: sqlite3.Connection, facts: Mapping[str, str]) -> None:
        self._connection = connection
        self.facts = facts

    def find(self, ecosystem: str, name: str) -> Iterator[tuple[str, str]]:
        """Return id and data of every advisory about a package.

        Raises:
            IndexDamaged: the file is damaged.
        """
        try:
            yield from self._connection.execute(_FIND, (ecosystem, name))
        except sqlite3.Error as problem:
            raise IndexDamaged(f"it is damaged: {problem}") from problem

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def open_index(path: Path, *, thorough: bool = False) -> AdvisoryIndex:
    """Open an index. `thorough` reads all of it to see that it is whole.

    Raises:
        IndexDamaged: it is none, not whole, or of another version.
        OSError: it is missing or cannot be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise IndexDamaged("it is no regular file")
    # Immutable: no lock and no journal of a file that never changes, and none that lies beside it is played back.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        _check(connection, size_bytes=found.st_size, thorough=thorough)
        return AdvisoryIndex(connection, dict(connection.execute("SELECT name, value FROM fact")))
    except sqlite3.Error as problem:
        connection.close()
        raise IndexDamaged(f"it is no index of advisories, or damaged: {problem}") from problem
    except IndexDamaged:
        connection.close()
        raise


def write_index(path: Path, rows: Iterable[Row], facts: Callable[[], Mapping[str, str]]) -> None:
    """Write an index; `facts` is asked when all rows are written.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with closing(sqlite3.connect(fresh)) as connection, connection:
            _fill(connection, rows, facts)
        fresh.replace(path)
    except sqlite3.Error as problem:
        raise OSError(f"{path} cannot be written: {problem}") from problem
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, rows: Iterable[Row], facts: Callable[[], Mapping[str, str]]) -> None:
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    for table in _TABLES:
        connection.execute(table)
    values = ((row.ecosystem, row.name, row.id, row.part, row.data) for row in rows)
    connection.executemany("INSERT INTO affected VALUES (?, ?, ?, ?, ?)", values)
    connection.executemany("INSERT INTO fact VALUES (?, ?)", facts().items())


def _check(connection: sqlite3.Connection, *, size_bytes: int, thorough: bool) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")

    def one(question: str) -> object:
        return connection.execute(question).fetchone()[0]

    if one("PRAGMA application_id") != _APPLICATION_ID:
        raise IndexDamaged("it is no index of advisories")
    if one("PRAGMA user_version") != FORMAT:
        raise IndexDamaged("it was written by another version of this program")
    if int(str(one("PRAGMA page_size"))) * int(str(one("PRAGMA page_count"))) != size_bytes:
        raise IndexDamaged("it is not whole")
    if sorted(sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")) != sorted(_TABLES):
        raise IndexDamaged("it has other tables than an index of advisories")
    if thorough and one("PRAGMA quick_check(1)") != "ok":
        raise IndexDamaged("it is damaged")
