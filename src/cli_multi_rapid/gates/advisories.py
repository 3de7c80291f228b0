"""Advisories in the OSV format (JSON, or YAML as PyPA writes it): which versions of which packages they are about.

What cannot be decided is not passed over: an advisory that names a package without saying which versions, or says it in
a form that cannot be compared, counts as one about all of them, and the finding says so.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli_multi_rapid.gates.cvss import base_score, severity_of
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.versions import Ecosystem, Version, name_of, spelled, version_of
from cli_multi_rapid.model.gate import Severity

_ECOSYSTEMS = {one.value.lower(): one for one in Ecosystem}
_WORDS = {
    "critical": Severity.HIGH,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
}
_MAX_VALUES = 100_000
_MAX_LENGTH = 1_000
_NOTHING = ("", "null", "~")
# Where several happen at the same version, one that takes it out comes before one that takes it in again.
_ORDER = ("fixed", "introduced", "last_affected", "limit")
_AGAIN = "download the database again"
Event = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """What one advisory says about one package. `severity` is None where it says none.

    `versions` are spelled as `versions.spelled` does. `ranges` are lists of events such as (introduced, 1.0).
    """

    id: str
    ecosystem: Ecosystem
    name: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: Severity | None = None
    versions: tuple[str, ...] = ()
    ranges: tuple[tuple[Event, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An advisory that is about a version. `fixed` is the next version that is not affected, if there is one yet.

    `certain` is false where the advisory does not say in a comparable form which versions are affected.
    """

    advisory: Advisory
    fixed: Version | None = None
    certain: bool = True


def advisories_of(record: Mapping[str, Any], where: str) -> list[Advisory]:
    """Return what an OSV record says about packages of the ecosystems we know; nothing if it was withdrawn.

    Raises:
        EvidenceError: it is not of the form of OSV.
    """
    read = _Reader(where)
    id_ = one_line(read.text(record, "id")[:_MAX_LENGTH], limit=100)
    if not id_:
        raise read.malformed("it has no id")
    if read.text(record, "withdrawn") not in _NOTHING:
        return []
    aliases = tuple(one_line(one[:_MAX_LENGTH], limit=100) for one in read.texts(record, "aliases"))
    summary = one_line((read.text(record, "summary") or read.text(record, "details"))[:_MAX_LENGTH], limit=200)
    whole = _severity(record, read)
    found = []
    for affected in read.maps(record, "affected"):
        package = affected.get("package")
        if not isinstance(package, dict):
            continue  # about a repository, not about a package
        ecosystem = _ECOSYSTEMS.get(read.text(package, "ecosystem").partition(":")[0].lower())
        name = read.text(package, "name")
        if not name:
            raise read.malformed("a package has no name")
        if ecosystem is not None:
            found.append(
                Advisory(
                    id=id_,
                    ecosystem=ecosystem,
                    name=name_of(ecosystem, name),
                    aliases=aliases,
                    summary=summary,
                    severity=_severity(affected, read) or whole,
                    versions=tuple(spelled(ecosystem, one) for one in read.texts(affected, "versions")),
                    ranges=tuple(_ranges(affected, read)),
                )
            )
    return found


def modified(record: Mapping[str, Any], where: str) -> str:
    """Return when a record was modified last, as it is written; empty where it does not say."""
    return _Reader(where).text(record, "modified")


def packed(advisory: Advisory) -> str:
    """Return an advisory as text, without what stands in its row of the index."""
    severity = advisory.severity.value if advisory.severity else ""
    values = [advisory.aliases, advisory.summary, severity, advisory.versions, advisory.ranges]
    return json.dumps(values, separators=(",", ":"))


def unpacked(data: str, *, id_: str, ecosystem: Ecosystem, name: str) -> Advisory:
    """Return an advisory from its text.

    Raises:
        ValueError: the text was not written by `packed`.
    """
    aliases, summary, severity, versions, ranges = json.loads(data)
    return Advisory(
        id=id_,
        ecosystem=ecosystem,
        name=name,
        aliases=tuple(aliases),
        summary=summary,
        severity=Severity(severity) if severity else None,
        versions=tuple(versions),
        ranges=tuple(tuple((kind, text) for kind, text in events) for events in ranges),
    )


def hit(advisory: Advisory, version: Version) -> Hit | None:
    """Return what an advisory says about a version of its package, or None if that is not affected.

    Affected is a version that is listed, or that lies in a range: OSV's own rule. A range that cannot be compared
    counts only where no versions are listed.
    """
    inside = [_in_range(events, version, advisory.ecosystem) for events in advisory.ranges]
    listed = spelled(advisory.ecosystem, version.text) in advisory.versions
    if listed or True in [one.affected for one in inside]:
        fixes = [one.fixed for one in inside if one.fixed is not None]
        return Hit(advisory=advisory, fixed=min(fixes, default=None))
    undecided = not inside or None in [one.affected for one in inside]
    return Hit(advisory=advisory, certain=False) if undecided and not advisory.versions else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Whether a version lies in a range (None: cannot be said), and the first fix after it."""

    affected: bool | None
    fixed: Version | None = None


@dataclass(slots=True)
class _Bounds:
    events: list[tuple[Version | None, str]] = field(default_factory=list)
    limits: list[Version] = field(default_factory=list)


def _in_range(events: Sequence[Event], version: Version, ecosystem: Ecosystem) -> _Place:
    bounds = _bounds(events, ecosystem)
    if bounds is None:
        return _Place(None)
    if bounds.limits and not any(version < limit for limit in bounds.limits):
        return _Place(affected=False)
    affected = not any(kind == "introduced" for _, kind in bounds.events)
    fixed = None
    for at, kind in bounds.events:
        if kind == "introduced":
            affected = affected or at is None or version >= at
        elif at is not None and (version > at or (version == at and kind == "fixed")):
            affected = False
        elif kind == "fixed":
            fixed = fixed or at
    return _Place(affected, fixed)


def _bounds(events: Sequence[Event], ecosystem: Ecosystem) -> _Bounds | None:
    """Return the events of a range in the order of their versions, or None where one cannot be compared.

    `None` as a version stands for the beginning, before every version.
    """
    made = _Bounds()
    for kind, text in events:
        at = version_of(ecosystem, text)
        if kind == "limit":
            if text != "*" and at is not None:
                made.limits.append(at)
            continue
        if kind == "introduced" and text == "0":
            made.events.append((None, kind))
        elif at is None:
            return None
        else:
            made.events.append((at, kind))
    begin = [one for one in made.events if one[0] is None]
    later = [(at, kind) for at, kind in made.events if at is not None]
    later.sort(key=lambda one: (one[0], _ORDER.index(one[1])))
    made.events = [*begin, *later]
    return made


def _ranges(affected: Mapping[str, Any], read: "_Reader") -> Iterator[tuple[Event, ...]]:
    for one in read.maps(affected, "ranges"):
        if read.text(one, "type").upper() == "GIT":
            continue
        events = [
            (kind, read.text(event, kind)) for event in read.maps(one, "events") for kind in _ORDER if kind in event
        ]
        if events:
            yield tuple(events)


def _severity(holder: Mapping[str, Any], read: "_Reader") -> Severity | None:
    """Return the severity that a database or the author gives in a word, else that of the CVSS 3 vector, if any."""
    for key in ("database_specific", "ecosystem_specific"):
        specific = holder.get(key)
        word = specific.get("severity") if isinstance(specific, dict) else None
        if isinstance(word, str) and word.lower() in _WORDS:
            return _WORDS[word.lower()]
    scores = [base_score(read.text(one, "score")) for one in read.maps(holder, "severity")]
    known = [score for score in scores if score is not None]
    return severity_of(max(known)) if known else None


class _Reader:
    """Reads the parts of one record. All its lists together have at most 100,000 values: YAML can repeat a list."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = _MAX_VALUES

    def text(self, holder: Mapping[str, Any], key: str) -> str:
        value = holder.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.malformed(f"{key!r} is not text")
        return value

    def texts(self, holder: Mapping[str, Any], key: str) -> list[str]:
        values = self._list(holder, key)
        if not all(isinstance(one, str) for one in values):
            raise self.malformed(f"{key!r} holds something other than text")
        return values

    def maps(self, holder: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        values = self._list(holder, key)
        if not all(isinstance(one, dict) for one in values):
            raise self.malformed(f"{key!r} holds something other than objects")
        return values

    def malformed(self, why: str) -> EvidenceError:
        return EvidenceError(f"{self._where} is no advisory in the OSV format: {why}", fix=_AGAIN)

    def _list(self, holder: Mapping[str, Any], key: str) -> list[Any]:
        value = holder.get(key)
        if value is None or value in _NOTHING:  # YAML without types writes nothing as text
            return []
        if not isinstance(value, list):
            raise self.malformed(f"{key!r} is not a list")
        self._left -= len(value)
        if self._left < 0:
            raise self.malformed(f"it has more than {_MAX_VALUES:,} values")
        return value
