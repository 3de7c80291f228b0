"""What the program recorded, read from its event log without the program."""

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event."""

    run: str
    seq: int
    step: str
    attempt: int
    kind: str
    payload: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The events of a project, in order."""

    events: tuple[Recorded, ...] = ()

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the runs that were begun, oldest first."""
        return tuple(event.run for event in self.events if event.kind == "run.started")

    @property
    def finished(self) -> dict[str, object] | None:
        """Return how the newest run ended, if it has."""
        found = self.of("run.finished")
        return found[-1].payload if found else None

    @property
    def interrupted(self) -> bool:
        """Tell whether the newest run was stopped in order since it was last taken up."""
        kinds = [event.kind for event in self.newest() if event.kind in ("run.taken", "run.interrupted")]
        return kinds[-1:] == ["run.interrupted"]

    @property
    def deaths_without_progress(self) -> int:
        """Return how often the newest run was taken up since a step ended or it was stopped in order."""
        count = 0
        for event in self.newest():
            if event.kind in ("step.finished", "run.interrupted"):
                count = 0
            elif event.kind == "run.taken":
                count += 1
        return count

    def newest(self) -> tuple[Recorded, ...]:
        """Return the events of the newest run."""
        last = self.runs[-1] if self.runs else ""
        return tuple(event for event in self.events if event.run == last)

    def of(self, kind: str) -> list[Recorded]:
        """Return the events of one kind of the newest run."""
        return [event for event in self.newest() if event.kind == kind]

    def ended_steps(self) -> Counter[tuple[str, str]]:
        """Count the ends (run, key) that are recorded."""
        return Counter((event.run, event.step) for event in self.events if event.kind == "step.finished")


def read_record(state: Path) -> Record:
    """Return what is recorded below a state folder. The log is copied first, so that reading it changes nothing."""
    found = sorted(state.glob("*/events.db"))
    if not found:
        return Record()
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        copy = Path(folder, "events.db")
        for suffix in ("", "-wal"):
            beside = Path(f"{found[0]}{suffix}")
            if beside.exists():
                shutil.copyfile(beside, f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as connection:
            rows = connection.execute("SELECT run, seq, step, attempt, kind, payload FROM event ORDER BY run, seq")
            return Record(events=tuple(_event(row) for row in rows))


def _event(row: tuple[str, int, str, int, str, str]) -> Recorded:
    run, seq, step, attempt, kind, payload = row
    return Recorded(run=run, seq=seq, step=step, attempt=attempt, kind=kind, payload=json.loads(payload))
