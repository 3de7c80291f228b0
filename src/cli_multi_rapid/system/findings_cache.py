"""What searching files gave, kept by their content in the state folder of a project.

A cache is only a help: whatever is wrong with it, there is none, and files are searched again.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE_S = 5.0
_UNUSED_S = 30 * 24 * 3600.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scope (id TEXT PRIMARY KEY, used REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS found (
  scope TEXT NOT NULL, path TEXT NOT NULL, content TEXT NOT NULL, findings TEXT NOT NULL, PRIMARY KEY (scope, path)
) WITHOUT ROWID;
"""


class FindingsCache:
    """Keeps one result a file for each `scope`: whatever, beside path and content, a result follows from."""

    def __init__(self, file: Path, scope: str) -> None:
        self._file = file
        self._scope = scope

    def known(self) -> dict[str, tuple[str, str]]:
        """Return the content (git's id of it) that each file had, and what was found in it."""
        with suppress(sqlite3.Error, OSError), self._opened() as connection:
            rows = connection.execute("SELECT path, content, findings FROM found WHERE scope = ?", (self._scope,))
            return {path: (content, findings) for path, content, findings in rows}
        return {}

    def keep(self, rows: Iterable[tuple[str, str, str]], *, gone: Iterable[str] = ()) -> None:
        """Keep results (path, content, findings), and forget files that are `gone` and scopes unused for a month."""
        with suppress(sqlite3.Error, OSError), self._opened() as connection, connection:
            now = time.time()
            connection.execute("INSERT OR REPLACE INTO scope VALUES (?, ?)", (self._scope, now))
            kept = ((self._scope, *row) for row in rows)
            connection.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", kept)
            forgotten = ((self._scope, path) for path in gone)
            connection.executemany("DELETE FROM found WHERE scope = ? AND path = ?", forgotten)
            unused = "SELECT id FROM scope WHERE used < ?"
            connection.execute(f"DELETE FROM found WHERE scope IN ({unused})", (now - _UNUSED_S,))  # noqa: S608
            connection.execute("DELETE FROM scope WHERE used < ?", (now - _UNUSED_S,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            connection = self._connected()
        except sqlite3.DatabaseError as damaged:
            if isinstance(damaged, sqlite3.OperationalError):
                raise  # it is busy, or the disk is full
            self._file.unlink(missing_ok=True)
            connection = self._connected()
        try:
            yield connection
        finally:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_PATIENCE_S)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # nothing is lost with it
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection
