"""The advisory database of a project: where it is, how it becomes an index, and whether it is recent enough."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cli_multi_rapid.gates.advisories import Advisory, advisories_of, modified, packed, unpacked
from cli_multi_rapid.gates.evidence import EvidenceError, inside, shown
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.versions import Ecosystem
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.advisory_index import (
    FORMAT,
    AdvisoryIndex,
    IndexDamaged,
    Row,
    open_index,
    write_index,
)
from cli_multi_rapid.system.archives import ArchiveRefused, Member, files_below, members
from cli_multi_rapid.system.plain_yaml import read_plain

VARIABLE = "CMR_ADVISORY_DB"
_ENDINGS = (".json", ".yaml", ".yml")
INDEX_ENDINGS = (".sqlite", ".db")
_RULES = 1  # raised when records are read differently, so that what is kept is read again
_DOWNLOAD = f"download all.zip of your ecosystems from OSV, and give its path by {VARIABLE} or `database`"
_AHEAD = timedelta(days=1)
_building = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """How many advisories there are of one ecosystem, and when the newest was modified (UTC; None: it is not said)."""

    advisories: int
    newest: datetime | None


class AdvisoryDatabase:
    """An open advisory database."""

    def __init__(self, index: AdvisoryIndex, *, path: str) -> None:
        self.path = path
        self.digest = index.facts.get("digest", "")
        self.holdings = _holdings(index.facts)
        self._index = index

    def about(self, ecosystem: Ecosystem, name: str) -> Iterator[Advisory]:
        """Return the advisories about a package.

        Raises:
            EvidenceError: the database is damaged.
        """
        try:
            for id_, data in self._index.find(ecosystem.value, name):
                yield unpacked(data, id_=id_, ecosystem=ecosystem, name=name)
        except ValueError as problem:
            raise _broken(self.path, problem) from problem

    def check_age(self, ecosystem: Ecosystem, *, max_age: str, now: datetime) -> datetime:
        """Return when the newest advisory of an ecosystem was modified.

        Raises:
            EvidenceError: there is none, or it is too old, or of the future.
        """
        holding = self.holdings.get(ecosystem)
        if holding is None:
            raise EvidenceError(f"{self.path} has no advisory about packages of {ecosystem.value}", fix=_DOWNLOAD)
        if holding.newest is None:
            raise EvidenceError(f"{self.path} does not say how old it is", fix=_DOWNLOAD)
        if holding.newest > now + _AHEAD:
            raise EvidenceError(
                f"{self.path} is of the future: {_day(holding.newest)}", fix="check the clock of this machine"
            )
        if now - holding.newest > timedelta(seconds=duration_s(max_age)):
            raise EvidenceError(
                f"{self.path} is too old: its newest advisory about {ecosystem.value} is of {_day(holding.newest)}, "
                f"`max-age` is {max_age}",
                fix=_DOWNLOAD,
            )
        return holding.newest

    def close(self) -> None:
        """Close the database."""
        self._index.close()


def open_database(spec: GateSpec, given: GateInput) -> AdvisoryDatabase:
    """Open the database of a gate: that of `CMR_ADVISORY_DB`, of its `database`, else the folder in the cache.

    Raises:
        EvidenceError: there is none, or it is broken.
    """
    path, name = _source(spec, given)
    return open_source(path, name=name, cache=Path(given.cache, "advisory-index"))


def open_source(path: Path, *, name: str, cache: Path) -> AdvisoryDatabase:
    """Open a database; what was read of it before, and has not changed since, is in `cache`.

    Raises:
        EvidenceError: it is missing or broken.
    """
    try:
        if path.name.endswith(INDEX_ENDINGS):
            return AdvisoryDatabase(open_index(path, thorough=True), path=name)
        state = _state(path)
        prefix = sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:16]
        kept = cache / f"{prefix}-{state[:16]}.sqlite"
        with _building:
            return AdvisoryDatabase(_kept(kept) or _built(path, name, kept, prefix), path=name)
    except FileNotFoundError as problem:
        raise _absent(name) from problem
    except (OSError, IndexDamaged, ArchiveRefused) as problem:
        raise _broken(name, problem) from problem


def build(source: Path, target: Path, *, name: str) -> None:
    """Write the index of a database to a file, which is a database itself.

    Raises:
        EvidenceError: the source is missing, broken, or holds no advisory.
        OSError: the file cannot be written.
    """
    reading = _Reading(source, name)
    write_index(target, reading.rows(), reading.facts)


def _source(spec: GateSpec, given: GateInput) -> tuple[Path, str]:
    """Return the path of the database, and how it is shown."""
    if chosen := given.env.get(VARIABLE, ""):
        if not Path(chosen).is_absolute():
            raise EvidenceError(f"{VARIABLE} is no absolute path: {chosen}", fix="give the whole path")
        return Path(chosen).resolve(), chosen
    root = Path(given.root)
    if spec.database:
        path = root / spec.database
        if path.is_symlink() or not inside(root, path):
            raise EvidenceError(f"{spec.database} leads outside the project", fix=f"use {VARIABLE} for other places")
        return path, shown(root, path)
    path = Path(given.cache, "advisories")
    if not path.exists():
        raise EvidenceError("there is no advisory database", fix=_DOWNLOAD)
    return path, str(path)


def _state(path: Path) -> str:
    """Return what changes with every change of a database: names, sizes and times of its files, not their content."""
    found = files_below(path) if path.is_dir() else [(str(path), path.stat())]
    facts = [
        (one, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_mode) for one, state in found
    ]
    return sha256(json.dumps([FORMAT, _RULES, facts]).encode(errors="surrogateescape")).hexdigest()


def _kept(path: Path) -> AdvisoryIndex | None:
    with suppress(OSError, IndexDamaged):
        return open_index(path)
    return None


def _built(source: Path, name: str, target: Path, prefix: str) -> AdvisoryIndex:
    build(source, target, name=name)
    for old in target.parent.glob(f"{prefix}-*"):
        if old != target:
            with suppress(OSError):
                old.unlink()
    return open_index(target)


class _Reading:
    """Reads a source once, and knows afterwards what it was."""

    def __init__(self, source: Path, name: str) -> None:
        self._source = source
        self._name = name
        self._digest = sha256()
        self._counts: dict[Ecosystem, set[str]] = {}
        self._newest: dict[Ecosystem, float] = {}

    def rows(self) -> Iterator[Row]:
        """Return one row for each package of each advisory.

        Raises:
            EvidenceError: a file is none of OSV, or there is no advisory at all.
        """
        part = 0
        for part, advisory in enumerate(self._advisories(), start=1):
            yield Row(
                ecosystem=advisory.ecosystem.value, name=advisory.name, id=advisory.id, part=part,
                data=packed(advisory),
            )  # fmt: skip
        if not part:
            raise EvidenceError(f"{self._name} holds no advisory about packages of PyPI or npm", fix=_DOWNLOAD)

    def facts(self) -> Mapping[str, str]:
        """Return what is kept about the source."""
        holdings = {
            ecosystem.value: {"advisories": len(ids), "newest": self._newest[ecosystem]}
            for ecosystem, ids in sorted(self._counts.items())
        }
        return {"digest": self._digest.hexdigest(), "holdings": json.dumps(holdings)}

    def _advisories(self) -> Iterator[Advisory]:
        for member in self._members():
            where = f"{one_line(member.name, limit=120)} in {self._name}"
            record = _record(member, where)
            if record is None:
                continue
            at = _time(modified(record, where), member.changed_s)
            for advisory in advisories_of(record, where):
                self._counts.setdefault(advisory.ecosystem, set()).add(advisory.id)
                self._newest[advisory.ecosystem] = max(at, self._newest.get(advisory.ecosystem, 0.0))
                yield advisory

    def _members(self) -> Iterator[Member]:
        try:
            for member in members(self._source, _ENDINGS):
                self._digest.update(sha256(member.name.encode(errors="surrogateescape")).digest())
                self._digest.update(sha256(member.data).digest())
                yield member
        except FileNotFoundError as problem:
            raise _absent(self._name) from problem
        except (OSError, ArchiveRefused) as problem:
            raise _broken(self._name, problem) from problem


def _record(member: Member, where: str) -> Mapping[str, Any] | None:
    """Return the record that a file holds; None for a file that is something else, such as settings."""
    if not member.data.strip():
        raise EvidenceError(f"{where} is empty", fix=_DOWNLOAD)
    try:
        value = json.loads(member.data) if member.name.lower().endswith(".json") else read_plain(member.data)
    except (ValueError, RecursionError) as problem:
        raise EvidenceError(f"{where} cannot be read: {one_line(str(problem), limit=120)}", fix=_DOWNLOAD) from problem
    return value if isinstance(value, dict) and ("id" in value or "affected" in value) else None


def _time(text: str, otherwise_s: float) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return otherwise_s
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp()


def _holdings(facts: Mapping[str, str]) -> dict[Ecosystem, Holding]:
    """Return what there is of each ecosystem."""
    try:
        return {
            Ecosystem(name): Holding(
                advisories=int(values["advisories"]),
                newest=datetime.fromtimestamp(values["newest"], UTC) if values["newest"] else None,
            )
            for name, values in json.loads(facts["holdings"]).items()
        }
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, OSError) as problem:
        raise IndexDamaged("it does not say what it holds") from problem


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def _broken(name: str, problem: Exception) -> EvidenceError:
    return EvidenceError(f"the advisory database {name} cannot be used: {problem}", fix=_DOWNLOAD)


def _absent(name: str) -> EvidenceError:
    return EvidenceError(f"the advisory database {name} does not exist", fix=_DOWNLOAD)
