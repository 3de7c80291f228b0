"""The event log of a project on SQLite: append-only, hash-chained per run, fenced.

The commit of `append` is the commit point of whatever the events record. `synchronous=FULL` in WAL mode makes each
commit durable before it returns.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import Fenced, StateDamaged, StateUnwritable
from cli_multi_rapid.model.events import Event, Kind, NewEvent

FORMAT = 1
_APPLICATION_ID = 0x434D5231  # "CMR1", so that a foreign database is recognised
_SCHEMA = """
CREATE TABLE lease (run TEXT PRIMARY KEY, fence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
  run TEXT NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
  payload TEXT NOT NULL, at TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (run, seq), UNIQUE (run, step, attempt, kind)
) WITHOUT ROWID;
"""


class SqliteStore:
    """A project's event log in one SQLite file. Not shared between threads; open one for each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = self._data_version()

    def take(self, run: str) -> int:
        """Take the lease of a run and return its new fencing number."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO lease VALUES (?, 1) ON CONFLICT (run) DO UPDATE SET fence = fence + 1", (run,)
            )
            return int(connection.execute("SELECT fence FROM lease WHERE run = ?", (run,)).fetchone()[0])

    def append(self, run: str, events: Sequence[NewEvent], *, fence: int | None = None) -> tuple[Event, ...]:
        """Append events in one transaction and return the new ones; see `model.ports.Store.append`."""
        with self._transaction() as connection:
            if fence is not None:
                row = connection.execute("SELECT fence FROM lease WHERE run = ?", (run,)).fetchone()
                if row != (fence,):
                    raise Fenced(f"run {run} was taken up by another orchestrator")
            head = connection.execute(
                "SELECT seq, hash FROM event WHERE run = ? ORDER BY seq DESC LIMIT 1", (run,)
            ).fetchone()
            seq, prev = head or (0, "")
            added = []
            for new in events:
                event = _chained(run, seq + 1, prev, new)
                if _insert(connection, event):
                    seq, prev = event.seq, event.hash
                    added.append(event)
            return tuple(added)

    def events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events of a run in order, those with a sequence number above `after`."""
        rows = self._query("SELECT * FROM event WHERE run = ? AND seq > ? ORDER BY seq", (run, after))
        return tuple(_event(row) for row in rows)

    def runs(self, *, limit: int | None = None) -> tuple[str, ...]:
        """Return run ids, newest first (run ids sort by time)."""
        rows = self._query("SELECT run FROM lease ORDER BY run DESC LIMIT ?", (-1 if limit is None else limit,))
        return tuple(str(row[0]) for row in rows)

    def changed(self) -> bool:
        """Tell whether another connection has committed since the last call."""
        version = self._data_version()
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _data_version(self) -> int:
        return int(str(self._query("PRAGMA data_version", ())[0][0]))

    def _query(self, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with _translated():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")  # a reader that upgrades later could fork the hash chain
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def open_store(path: Path, *, create: bool = False) -> SqliteStore:
    """Open the event log at `path`.

    A marker file beside it tells that there was a log, so that a missing or emptied one is noticed instead of read as
    "no runs".

    Raises:
        StateDamaged: it is missing although it existed, empty, foreign or unreadable.
        StateUnwritable: it does not exist and could not be created.
        FileNotFoundError: it does not exist and `create` is false.
    """
    marker = path.with_suffix(".marker")
    size = path.stat().st_size if path.exists() else -1
    if size <= 0 and marker.exists():
        what = "is missing" if size < 0 else "is empty"
        raise StateDamaged(
            f"the event log {what}, but runs were recorded",
            where=str(path),
            hint=f"put it back from a backup, or remove {marker.name} beside it to start without the old runs",
        )
    if size < 0 and not create:
        raise FileNotFoundError(path)
    with _translated(path):
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        if size <= 0:
            _create(connection, path)
            marker.touch(mode=0o600)
        _check(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        return SqliteStore(connection)


def verify_chain(events: Sequence[Event]) -> int | None:
    """Return the sequence number of the first event whose hash or place is wrong, or None if all are right."""
    prev = ""
    for seq, event in enumerate(events, start=1):
        new = NewEvent(kind=event.kind, payload=event.payload, step=event.step, attempt=event.attempt)
        if (
            event.seq != seq
            or event.prev != prev
            or _chained(event.run, seq, prev, new, at=event.at).hash != event.hash
        ):
            return event.seq
        prev = event.hash
    return None


def _create(connection: sqlite3.Connection, path: Path) -> None:
    if os.name == "posix":
        path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN; PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {FORMAT}; {_SCHEMA} COMMIT;"
    )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _IDENTITY)
    if application != _APPLICATION_ID:
        raise StateDamaged("the file is not an event log of this program", where=str(path), hint="move it away")
    if version != FORMAT:
        raise StateDamaged(
            f"the event log has format {version}, this version reads {FORMAT}",
            where=str(path),
            hint="use the version that wrote it",
        )


_IDENTITY = ("application_id", "user_version")


def _chained(run: str, seq: int, prev: str, new: NewEvent, *, at: str = "") -> Event:
    at = at or datetime.now(UTC).isoformat(timespec="milliseconds")
    body = [run, seq, new.step, new.attempt, new.kind.value, new.payload, at]
    digest = sha256((prev + _canonical(body)).encode()).hexdigest()
    return Event(
        run=run, seq=seq, step=new.step, attempt=new.attempt, kind=new.kind, payload=new.payload, at=at, prev=prev,
        hash=digest,
    )  # fmt: skip


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _insert(connection: sqlite3.Connection, event: Event) -> bool:
    cursor = connection.execute(
        "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.run, event.seq, event.step, event.attempt, event.kind.value, _canonical(event.payload), event.at,
            event.prev, event.hash,
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


def _event(row: tuple[object, ...]) -> Event:
    run, seq, step, attempt, kind, payload, at, prev, digest = row
    try:
        return Event(
            run=str(run), seq=int(str(seq)), step=str(step), attempt=int(str(attempt)), kind=Kind(str(kind)),
            payload=json.loads(str(payload)), at=str(at), prev=str(prev), hash=str(digest),
        )  # fmt: skip
    except ValueError as broken:
        raise StateDamaged(f"event {seq} of run {run} cannot be read: {broken}") from broken


@contextmanager
def _translated(path: Path | None = None) -> Iterator[None]:
    """Turn errors of SQLite into ours: a full or read-only disk can be mended by the user, a damaged file is kept."""
    try:
        yield
    except sqlite3.OperationalError as failed:
        raise StateUnwritable(f"the event log cannot be written: {failed}", where=str(path or "")) from failed
    except sqlite3.DatabaseError as damaged:
        raise StateDamaged(f"the event log is damaged: {damaged}", where=str(path or "")) from damaged
