"""Recorded payloads read back as typed values. What is absent gets its default; what is of a wrong type is damage."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from cli_multi_rapid.errors import StateDamaged
from cli_multi_rapid.model.gate import Evidence, Excuse, Finding, GateResult, GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.run import Artifact, Status

T = TypeVar("T")


class Record:
    """One recorded mapping, read key by key.

    Raises:
        StateDamaged: a value is not of the type that this program records.
    """

    __slots__ = ("_values", "_where")

    def __init__(self, values: object, where: str) -> None:
        self._where = where
        if not isinstance(values, Mapping):
            raise self._damaged("a mapping was expected")
        self._values: Mapping[object, object] = values

    def text(self, name: str) -> str:
        """Return a text; empty where it is absent."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._damaged(f"{name} is not text")
        return value

    def integer(self, name: str) -> int:
        """Return a whole number; 0 where it is absent."""
        return self.maybe_integer(name) or 0

    def maybe_integer(self, name: str) -> int | None:
        """Return a whole number, or None where it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._damaged(f"{name} is not a number")
        return int(value)

    def maybe_number(self, name: str) -> float | None:
        """Return a number, or None where it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._damaged(f"{name} is not a number")
        return value

    def flag(self, name: str) -> bool:
        """Return true where the value is true."""
        return self._values.get(name) is True

    def mapping(self, name: str) -> dict[str, object]:
        """Return a mapping; empty where it is absent."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._damaged(f"{name} is not a mapping")
        return Record(value, self._where).everything()

    def everything(self) -> dict[str, object]:
        """Return the whole mapping."""
        return {str(key): item for key, item in self._values.items()}

    def items(self, name: str) -> tuple[object, ...]:
        """Return a list; empty where it is absent."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise self._damaged(f"{name} is not a list")
        return tuple(value)

    def records(self, name: str) -> "tuple[Record, ...]":
        """Return a list of mappings."""
        return tuple(Record(item, self._where) for item in self.items(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(str(item) for item in self.items(name))

    def choice(self, name: str, read: Callable[[str], T]) -> T:
        """Return a required value of an enum."""
        value = self._values.get(name)
        try:
            return read(str(value.value if isinstance(value, Status | GateStatus | Level | Severity) else value))
        except ValueError as error:
            raise self._damaged(f"{name} is {value!r}") from error

    def _damaged(self, what: str) -> StateDamaged:
        return StateDamaged(f"a recorded event cannot be read: {what}", where=self._where)


def gate_result(values: object, where: str) -> GateResult:
    """Return the recorded result of a gate. A status that is not known is damage, never a pass."""
    record = Record(values, where)
    findings = tuple(_finding(one) for one in record.records("findings"))
    return GateResult(
        id=record.text("id"),
        check=record.text("check"),
        level=record.choice("level", Level),
        status=record.choice("status", GateStatus),
        summary=record.text("summary"),
        observed=record.maybe_number("observed"),
        threshold=record.maybe_number("threshold"),
        findings=findings,
        findings_total=max(record.integer("findings_total"), len(findings)),
        tool=record.text("tool"),
        tool_version=record.text("tool_version"),
        rules_digest=record.text("rules_digest"),
        tree=record.text("tree"),
        evidence=tuple(_evidence(one) for one in record.records("evidence")),
        all_findings=_evidence(Record(kept, where)) if (kept := record.mapping("all_findings")) else None,
        waivers=tuple(_waiver(one) for one in record.records("waivers")),
        cached=record.flag("cached"),
        details=record.mapping("details"),
        fix=record.text("fix"),
        started=record.text("started"),
        duration_ms=record.integer("duration_ms"),
    )


def artifacts(values: Mapping[str, object], where: str) -> dict[str, Artifact]:
    """Return the recorded artifacts of a step by name."""
    found = {}
    for name, value in values.items():
        record = Record(value, where)
        found[name] = Artifact(path=record.text("path"), sha256=record.text("sha256"), size=record.integer("size"))
    return found


def _evidence(record: Record) -> Evidence:
    return Evidence(path=record.text("path"), sha256=record.text("sha256"))


def _waiver(record: Record) -> WaiverUse:
    names = ("rule", "path", "fingerprint", "reason", "approved_by", "expires")
    rule, path, fingerprint, reason, approved_by, expires = map(record.text, names)
    return WaiverUse(
        rule=rule, path=path, fingerprint=fingerprint, reason=reason, approved_by=approved_by, expires=expires,
        expired=record.flag("expired"),
    )  # fmt: skip


def _finding(record: Record) -> Finding:
    return Finding(
        rule=record.text("rule"),
        message=record.text("message"),
        path=record.text("path"),
        line=record.integer("line"),
        column=record.integer("column"),
        severity=record.choice("severity", Severity),
        fingerprint=record.text("fingerprint"),
        fix=record.text("fix"),
        excused=record.choice("excused", Excuse) if record.text("excused") else None,
    )
