"""The event log of a project on SQLite: append-only, hash-chained per run, fenced.

The commit of `append` is the commit point of whatever the events record. `synchronous=FULL` in WAL mode makes each
commit durable before it returns. `head` remembers the last event of each run, so that events missing at the end of a
chain are noticed too.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import Fenced, StateDamaged, StateUnwritable
from cli_multi_rapid.model.events import Event, Kind, NewEvent
from cli_multi_rapid.system.files import sync_folder

FORMAT = 1
_APPLICATION_ID = 0x434D5231  # "CMR1", so that a foreign database is recognised
_SCHEMA = f"""
BEGIN;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE head (
  run TEXT PRIMARY KEY, fence INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE event (
  run TEXT NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
  payload TEXT NOT NULL, at TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (run, seq), UNIQUE (run, step, attempt, kind)
) WITHOUT ROWID;
COMMIT;
"""
_PATIENCE_S = 30.0
_PUT_BACK = "put it back from a backup"


class SqliteStore:
    """A project's event log in one SQLite file. Not shared between threads; open one for each."""

    def __init__(self, connection: sqlite3.Connection, *, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._version = self._data_version()

    def take(self, run: str) -> int:
        """Take the lease of a run and return its new fencing number."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(
                "INSERT INTO head VALUES (?, 1, 0, '') ON CONFLICT (run) DO UPDATE SET fence = fence + 1", (run,)
            )
            return int(connection.execute("SELECT fence FROM head WHERE run = ?", (run,)).fetchone()[0])

    def append(self, run: str, events: Sequence[NewEvent], *, fence: int | None = None) -> tuple[Event, ...]:
        """Append events in one transaction and return the new ones; see `model.ports.Store.append`."""
        # A reader that upgrades to a writer later could fork the hash chain: the transaction begins as a writer.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            row = connection.execute("SELECT fence, seq, hash FROM head WHERE run = ?", (run,)).fetchone()
            newest, seq, prev = row or (0, 0, "")
            if fence is not None and (row is None or fence != newest):
                raise Fenced(f"run {run} was taken up by another orchestrator")
            added: list[Event] = []
            for new in events:
                event = chained(run, seq + 1, prev, new)
                if _insert(connection, event):
                    seq, prev = event.seq, event.hash
                    added.append(event)
            if added:
                connection.execute(
                    "INSERT INTO head VALUES (?, 0, ?, ?) "
                    "ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                    (run, seq, prev),
                )
            return tuple(added)

    def events(self, run: str, *, after: int = 0, limit: int = -1) -> tuple[Event, ...]:
        """Return the events of a run in order, those with a sequence number above `after`, at most `limit` of them."""
        rows = self._query("SELECT * FROM event WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?", (run, after, limit))
        return tuple(_event(row, self._path) for row in rows)

    def runs(self, *, limit: int | None = None) -> tuple[str, ...]:
        """Return the ids of runs that have events, newest first (run ids sort by time)."""
        sql = "SELECT run FROM head WHERE seq > 0 ORDER BY run DESC LIMIT ?"
        return tuple(str(row[0]) for row in self._query(sql, (-1 if limit is None else limit,)))

    def newest(self, kind: Kind) -> str | None:
        """Return the id of the newest run that has an event of a kind, or None."""
        rows = self._query("SELECT run FROM event WHERE kind = ? ORDER BY run DESC LIMIT 1", (kind.value,))
        return str(rows[0][0]) if rows else None

    def changed(self) -> bool:
        """Tell whether another connection has committed since the last call."""
        version = self._data_version()
        changed, self._version = version != self._version, version
        return changed

    def verify(self, run: str) -> int | None:
        """Return the sequence number of the first event of a run that is wrong or missing, or None if all are right.

        Unlike `verify_chain` this also notices that the last events are missing.
        """
        with self._transaction("BEGIN") as connection:
            events = self.events(run)
            head = connection.execute("SELECT seq, hash FROM head WHERE run = ?", (run,)).fetchone()
        wrong = verify_chain(events)
        if wrong is not None:
            return wrong
        last = (events[-1].seq, events[-1].hash) if events else (0, "")
        return None if last == (head or (0, "")) else last[0] + 1

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _data_version(self) -> int:
        return int(str(self._query("PRAGMA data_version", ())[0][0]))

    def _query(self, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with _translated(self._path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with _translated(self._path):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def open_store(path: Path, *, create: bool = False) -> SqliteStore:
    """Open the event log at `path`; with `create`, make it if there has never been one.

    A marker file beside it tells that there was a log, so that a missing one is noticed instead of read as "no runs".
    A damaged file is left as it is.

    Raises:
        StateDamaged: it is missing although it existed, empty, foreign or unreadable.
        StateUnwritable: it cannot be created or opened.
        FileNotFoundError: it does not exist and `create` is false.
    """
    marker = path.with_suffix(".marker")
    with _translated(path):
        size = path.stat().st_size if path.exists() else -1
    if size < 0 and not create and not marker.exists():
        raise FileNotFoundError(path)
    with _translated(path):
        if size == 0 or (size < 0 and marker.exists()):
            raise StateDamaged(
                f"the event log is {'missing' if size < 0 else 'empty'}, but runs were recorded",
                where=str(path),
                hint=f"put it back from a backup, or remove both {path.name} and {marker.name} to start anew",
            )
        if size < 0:
            _create(path)
        connection = _connected(path, path.absolute().as_uri(), writable=create)
        if create and not marker.exists():
            marker.touch(mode=0o600)
            sync_folder(path.parent)
        return SqliteStore(connection, path=path)


def verify_chain(events: Sequence[Event]) -> int | None:
    """Return the sequence number of the first event whose hash or place is wrong, or None if all are right.

    A chain by itself does not tell whether events are missing at its end; `SqliteStore.verify` does.
    """
    prev = ""
    for seq, event in enumerate(events, start=1):
        new = NewEvent(kind=event.kind, payload=event.payload, step=event.step, attempt=event.attempt)
        if event.seq != seq or event.prev != prev:
            return event.seq
        if chained(event.run, seq, prev, new, at=event.at).hash != event.hash:
            return event.seq
        prev = event.hash
    return None


def chained(run: str, seq: int, prev: str, new: NewEvent, *, at: str = "") -> Event:
    """Return an event as it follows, in the chain of its run, on the one with the hash `prev`; `at` defaults to now.

    Raises:
        ValueError, TypeError: the payload is not of plain JSON values.
    """
    at = at or datetime.now(UTC).isoformat(timespec="milliseconds")
    body = [run, seq, new.step, new.attempt, new.kind.value, new.payload, at]
    return Event(
        run=run, seq=seq, step=new.step, attempt=new.attempt, kind=new.kind, payload=new.payload, at=at, prev=prev,
        hash=sha256((prev + _canonical(body)).encode()).hexdigest(),
    )  # fmt: skip


def _create(path: Path) -> None:
    """Make an empty log under another name and link it into place, so that it is never seen half made."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection = sqlite3.connect(fresh, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        _link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _link(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)
    except FileExistsError:
        return  # somebody else was first
    except OSError:  # a file system without hard links
        if not path.exists():
            fresh.rename(path)
    sync_folder(path.parent)


def _connected(path: Path, uri: str, *, writable: bool) -> sqlite3.Connection:
    """Connect and check whose database it is. What is only read can also lie on a full or read-only disk."""
    connection = sqlite3.connect(f"{uri}?mode=rw", timeout=_PATIENCE_S, isolation_level=None, uri=True)
    try:
        return _checked(connection, path)
    except sqlite3.OperationalError as failed:
        connection.close()
        beside = path.with_name(f"{path.name}-wal")
        if writable or beside.exists() or _class(failed) not in _UNWRITABLE:
            raise
    except BaseException:
        connection.close()
        raise
    connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", isolation_level=None, uri=True)
    try:
        return _checked(connection, path)
    except BaseException:
        connection.close()
        raise


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application != _APPLICATION_ID:
        raise StateDamaged("the file is not an event log of this program", where=str(path), hint="move it away")
    if version != FORMAT:
        raise StateDamaged(
            f"the event log has format {version}, this version reads {FORMAT}",
            where=str(path),
            hint="use the version that wrote it",
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("SELECT 1 FROM head, event LIMIT 1")
    return connection


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _insert(connection: sqlite3.Connection, event: Event) -> bool:
    cursor = connection.execute(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step, attempt, kind) DO NOTHING",
        (
            event.run, event.seq, event.step, event.attempt, event.kind.value, _canonical(event.payload), event.at,
            event.prev, event.hash,
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


def _event(row: tuple[object, ...], path: Path) -> Event:
    run, seq, step, attempt, kind, payload, at, prev, digest = row
    try:
        values = json.loads(str(payload))
        if not isinstance(values, dict):
            raise TypeError("its payload is not an object")
        return Event(
            run=str(run), seq=int(str(seq)), step=str(step), attempt=int(str(attempt)), kind=Kind(str(kind)),
            payload=values, at=str(at), prev=str(prev), hash=str(digest),
        )  # fmt: skip
    except (ValueError, TypeError, RecursionError) as broken:
        message = f"event {seq} of run {run} cannot be read: {broken}"
        raise StateDamaged(message, where=str(path), hint=_PUT_BACK) from broken


_DAMAGED = frozenset((sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT))
_UNWRITABLE = frozenset((sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL))


def _class(failed: sqlite3.Error) -> int:
    """Return the class of an error, the low byte of its code; without a code Python could not read a value."""
    code: int = getattr(failed, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn errors of the disk and of SQLite into ours: a full or read-only disk the user can mend, damage is kept."""
    where = str(path)
    try:
        yield
    except OSError as failed:
        raise StateUnwritable(f"the event log cannot be opened: {failed.strerror}", where=where) from failed
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.NotSupportedError):
        raise  # a bug of ours, not of the file
    except sqlite3.DatabaseError as failed:
        if _class(failed) in _DAMAGED:
            raise StateDamaged(f"the event log is damaged: {failed}", where=where, hint=_PUT_BACK) from failed
        raise StateUnwritable(f"the event log cannot be written: {failed}", where=where) from failed
