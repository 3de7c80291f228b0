"""Recorded payloads read back as typed values. What is absent gets its default; what is of a wrong type is damage.

Keys and types are those of `model.recorded`, which type checkers hold the callers to. Whether a log keeps to them is
seen here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cli_multi_rapid.errors import StateDamaged
from cli_multi_rapid.model.events import Event
from cli_multi_rapid.model.gate import Evidence, Excuse, Finding, GateResult, GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.run import Artifact

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded import gate_finished_v1_0 as gate
    from cli_multi_rapid.model.recorded.step_finished_v1_0 import Artifact as ArtifactRecord

T = TypeVar("T")
M = TypeVar("M", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Reader:
    """Takes recorded values at their word only if they are what their type says. `where` is what they were found in.

    Raises:
        StateDamaged: a value is not of the type that this program records.
    """

    where: str

    def text(self, value: str | None) -> str:
        """Return a text; empty where it is absent."""
        return self._of(value, str, "text") or ""

    def integer(self, value: float | None) -> int:
        """Return a whole number; 0 where it is absent."""
        return self.maybe_integer(value) or 0

    def maybe_integer(self, value: float | None) -> int | None:
        """Return a whole number, or None where it is absent."""
        number = self.maybe_number(value)
        return None if number is None else int(number)

    def maybe_number(self, value: float | None) -> float | None:
        """Return a number, or None where it is absent."""
        found: object = value
        if isinstance(found, bool):
            raise self.damaged(found, "a number")
        return self._of(value, (int, float), "a number")

    def flag(self, value: bool | None) -> bool:  # noqa: FBT001  what was recorded, not a switch
        """Return true where the value is true."""
        return value is True

    def mapping(self, value: Mapping[str, T] | None) -> dict[str, T]:
        """Return a mapping; empty where it is absent."""
        found = self._of(value, Mapping, "a mapping")
        return {} if found is None else {str(key): item for key, item in found.items()}

    def items(self, value: Sequence[T] | None) -> tuple[T, ...]:
        """Return a list; empty where it is absent."""
        return tuple(self._of(value, (list, tuple), "a list") or ())

    def record(self, value: M) -> M:
        """Return a mapping of known keys."""
        self._of(value, Mapping, "a mapping")
        return value

    def records(self, value: Iterable[M] | None) -> tuple[M, ...]:
        """Return a list of mappings of known keys."""
        return tuple(self.record(one) for one in self._of(value, (list, tuple), "a list") or ())

    def texts(self, value: Sequence[str] | None) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(str(item) for item in self.items(value))

    def choice(self, value: str | None, read: Callable[[str], T]) -> T:
        """Return a required value of an enum."""
        try:
            return read(str(value))
        except ValueError as error:
            raise self.damaged(value, "one of those that are known") from error

    def damaged(self, value: object, what: str) -> StateDamaged:
        """Return the error that a value is not what it has to be."""
        return StateDamaged(f"a recorded event cannot be read: {value!r:.80} is not {what}", where=self.where)

    def _of(self, value: T | None, kind: type | tuple[type, ...], what: str) -> T | None:
        if value is not None and not isinstance(value, kind):
            raise self.damaged(value, what)
        return value


def reader_of(event: Event) -> Reader:
    """Return what reads the payload of an event."""
    return Reader(f"run {event.run}, event {event.seq}")


def gate_result(record: "gate.GateFinished", read: Reader) -> GateResult:
    """Return the recorded result of a gate. A status that is not known is damage, never a pass."""
    findings = tuple(_finding(one, read) for one in read.records(read.record(record).get("findings")))
    kept = record.get("all_findings")
    return GateResult(
        id=read.text(record.get("id")),
        check=read.text(record.get("check")),
        level=read.choice(record.get("level"), Level),
        status=read.choice(record.get("status"), GateStatus),
        summary=read.text(record.get("summary")),
        observed=read.maybe_number(record.get("observed")),
        threshold=read.maybe_number(record.get("threshold")),
        findings=findings,
        findings_total=max(read.integer(record.get("findings_total")), len(findings)),
        tool=read.text(record.get("tool")),
        tool_version=read.text(record.get("tool_version")),
        rules_digest=read.text(record.get("rules_digest")),
        tree=read.text(record.get("tree")),
        evidence=tuple(_evidence(one, read) for one in read.records(record.get("evidence"))),
        all_findings=_evidence(read.record(kept), read) if kept else None,
        waivers=tuple(_waiver(one, read) for one in read.records(record.get("waivers"))),
        cached=read.flag(record.get("cached")),
        details=read.mapping(record.get("details")),
        fix=read.text(record.get("fix")),
        started=read.text(record.get("started")),
        duration_ms=read.integer(record.get("duration_ms")),
    )


def artifacts(values: "Mapping[str, ArtifactRecord]", read: Reader) -> dict[str, Artifact]:
    """Return the recorded artifacts of a step by name."""
    found = {}
    for name, value in values.items():
        record = read.record(value)
        path, sha256, size = record.get("path"), record.get("sha256"), record.get("size")
        found[name] = Artifact(path=read.text(path), sha256=read.text(sha256), size=read.integer(size))
    return found


def _evidence(record: "gate.Evidence", read: Reader) -> Evidence:
    return Evidence(path=read.text(record.get("path")), sha256=read.text(record.get("sha256")))


def _waiver(record: "gate.WaiverUse", read: Reader) -> WaiverUse:
    return WaiverUse(
        rule=read.text(record.get("rule")),
        path=read.text(record.get("path")),
        fingerprint=read.text(record.get("fingerprint")),
        reason=read.text(record.get("reason")),
        approved_by=read.text(record.get("approved_by")),
        expires=read.text(record.get("expires")),
        expired=read.flag(record.get("expired")),
    )


def _finding(record: "gate.Finding", read: Reader) -> Finding:
    return Finding(
        rule=read.text(record.get("rule")),
        message=read.text(record.get("message")),
        path=read.text(record.get("path")),
        line=read.integer(record.get("line")),
        column=read.integer(record.get("column")),
        severity=read.choice(record.get("severity"), Severity),
        fingerprint=read.text(record.get("fingerprint")),
        fix=read.text(record.get("fix")),
        excused=read.choice(record.get("excused"), Excuse) if record.get("excused") else None,
    )
