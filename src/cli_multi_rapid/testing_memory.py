"""The log of events and the kept states of a project in memory, for tests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from cli_multi_rapid.errors import Fenced
from cli_multi_rapid.model.checkpoint import Checkpoint, Restored
from cli_multi_rapid.model.events import Event, Kind, NewEvent
from cli_multi_rapid.system.globs import matches, reaches
from cli_multi_rapid.system.store import chained


@dataclass(slots=True)
class _Log:
    heads: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    known: dict[str, set[tuple[str, int, Kind]]] = field(default_factory=dict)
    commits: int = 0


class MemoryStore:
    """An event log in memory; implements `model.ports.Store`."""

    def __init__(self, log: _Log | None = None) -> None:
        self._log = log or _Log()
        self._own = 0
        self._seen = self._log.commits

    def beside(self) -> "MemoryStore":
        """Return another connection to the same log."""
        return MemoryStore(self._log)

    def as_of(self, run: str, seq: int) -> "MemoryStore":
        """Return a log of its own with the events of a run up to a sequence number, as a crash then would leave it."""
        kept = self._log.events[run][:seq]
        fence = max((event.attempt for event in kept if event.kind is Kind.RUN_TAKEN), default=0)
        last = (kept[-1].seq, kept[-1].hash) if kept else (0, "")
        known = {(event.step, event.attempt, event.kind) for event in kept}
        return MemoryStore(_Log(heads={run: (fence, *last)}, events={run: kept} if kept else {}, known={run: known}))

    def take(self, run: str) -> int:
        """Take the lease of a run and return its new fencing number."""
        fence, seq, prev = self._log.heads.get(run, (0, 0, ""))
        self._log.heads[run] = (fence + 1, seq, prev)
        self._committed()
        return fence + 1

    def append(self, run: str, events: Sequence[NewEvent], *, fence: int | None = None) -> tuple[Event, ...]:
        """Append events, all or none, and return the new ones; see `model.ports.Store.append`."""
        newest, seq, prev = self._log.heads.get(run, (0, 0, ""))
        if fence is not None and (run not in self._log.heads or fence != newest):
            raise Fenced(f"run {run} was taken up by another orchestrator")
        known = self._log.known.get(run, set())
        added: dict[tuple[str, int, Kind], Event] = {}
        for new in events:
            identity = (new.step, new.attempt, new.kind)
            if identity in known or identity in added:
                continue
            payload = json.loads(json.dumps(new.payload, allow_nan=False))
            plain = NewEvent(kind=new.kind, step=new.step, attempt=new.attempt, payload=payload)
            added[identity] = chained(run, seq + 1, prev, plain)
            seq, prev = added[identity].seq, added[identity].hash
        if added:
            self._log.events.setdefault(run, []).extend(added.values())
            self._log.known.setdefault(run, set()).update(added)
            self._log.heads[run] = (newest, seq, prev)
            self._committed()
        return tuple(added.values())

    def events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events of a run in order, those with a sequence number above `after`."""
        return tuple(event for event in self._log.events.get(run, ()) if event.seq > after)

    def runs(self, *, limit: int | None = None) -> tuple[str, ...]:
        """Return the ids of runs that have events, newest first."""
        return tuple(sorted(self._log.events, reverse=True)[:limit])

    def changed(self) -> bool:
        """Tell whether another connection has committed since the last call."""
        others = self._log.commits - self._own
        changed, self._seen = others != self._seen, others
        return changed

    def _committed(self) -> None:
        self._log.commits += 1
        self._own += 1


class MemoryCheckpoints:
    """A project in memory and its kept states; implements `model.checkpoint.Checkpoints`.

    `files` maps paths to contents, `times` to when they were changed; scripted children change both. `kept` are the
    labels of the states, in order. What begins with `foreign/` cannot be kept.
    """

    def __init__(self, **files: str) -> None:
        self.files = dict(files)
        self.times: dict[str, float] = {}
        self.kept: list[str] = []
        self._states: dict[str, dict[str, str]] = {}

    def tree(self) -> str:
        """Return the id of the present tree."""
        tree = json.dumps(self.files, sort_keys=True)
        self._states[tree] = dict(self.files)
        return tree

    def take(self, label: str) -> Checkpoint:
        """Keep the present state."""
        tree = self.tree()
        self.kept.append(label)
        commit = f"c{len(self.kept)}"
        self._states[commit] = dict(self.files)
        return Checkpoint(commit=commit, ref=f"refs/cmr/{label.replace(' ', '.')}", tree=tree)

    def restore(self, label: str, *, before: str, paths: Sequence[str] | None) -> Restored:
        """Put back what matches, the present state being kept first."""
        was, differing = self._states[before], self.changed(before, self.tree())
        wanted = tuple(path for path in differing if paths is None or matches(path, paths))
        if not wanted:
            return Restored(left=differing)
        kept = self.take(label).ref
        for path in wanted:
            self.files.pop(path, None)
        self.files.update({path: was[path] for path in wanted if path in was})
        return Restored(paths=wanted, kept=(kept,), left=tuple(path for path in differing if path not in wanted))

    def changed(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        was, now = self._states.get(before, {}), self._states.get(after, {})
        return tuple(sorted(path for path in {*was, *now} if was.get(path) != now.get(path)))

    def changed_at(self, path: str) -> float | None:
        """Return when a file was changed, if that is known."""
        return self.times.get(path)

    def refusal(self, paths: Sequence[str] | None) -> str:
        """Refuse what reaches into `foreign`."""
        foreign = any(path.startswith("foreign/") for path in self.files)
        return "foreign is a repository of its own" if foreign and (paths is None or reaches("foreign", paths)) else ""
