"""Builders of recorded events, so that tests read like a run."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

import pytest

from cli_multi_rapid.model.events import Event, Kind, payload_of
from cli_multi_rapid.model.gate import GateResult
from cli_multi_rapid.model.run import Artifact, Status, StepResult

RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"
START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


class Recorder:
    """Records events as the engine would, one second apart."""

    def __init__(self, run: str = RUN) -> None:
        self.run = run
        self.events: list[Event] = []
        self._seq = count(1)

    def add(self, kind: Kind, step: str = "", *, attempt: int = 0, **payload: object) -> Event:
        """Record one event."""
        seq = next(self._seq)
        at = (START + timedelta(seconds=seq - 1)).isoformat()
        event = Event(
            run=self.run, seq=seq, step=step, attempt=attempt, kind=kind, payload=payload, at=at, prev="",
            hash=sha256(f"{seq}".encode()).hexdigest(),
        )  # fmt: skip
        self.events.append(event)
        return event

    def start(self, *phases: str, **more: object) -> None:
        """Record the start of a run of these phases."""
        listed = [{"name": name, "title": "", "path": f"workflows/phase_definitions/{name}.yaml"} for name in phases]
        self.add(Kind.RUN_STARTED, **({"phases": listed, "targets": list(phases), "level": "standard"} | more))
        self.add(Kind.RUN_TAKEN, attempt=1, pid=1, host="here")
        for name in phases:
            self.add(Kind.PHASE_STARTED, name, title=f"Title of {name}")

    def step(
        self, key: str, *, status: Status = Status.SUCCESS, attempt: int = 1, command: str = "tool --flag",
        artifacts: dict[str, Artifact] | None = None, **result: object,
    ) -> None:  # fmt: skip
        """Record a step from its start to its end."""
        self.add(Kind.STEP_STARTED, key, attempt=attempt, command=command, log=f"{key.replace('/', '.')}.{attempt}.log")
        self.finish(key, status=status, attempt=attempt, artifacts=artifacts or {}, **result)

    def finish(self, key: str, *, status: Status, attempt: int = 1, **result: object) -> None:
        """Record the end of a step."""
        base = StepResult(status=status, outcome=status, duration_ms=400)
        self.add(Kind.STEP_FINISHED, key, attempt=attempt, **payload_of(replace(base, **result)))  # type: ignore[arg-type]

    def gate(self, phase: str, result: GateResult) -> None:
        """Record the result of a gate."""
        key = f"{phase}/gate:{result.id}" if phase else f"gate:{result.id}"
        self.add(Kind.GATE_FINISHED, key, attempt=1, **payload_of(result))

    def end(self, status: Status, *, phase: str = "phase1", code: int = 0, duration_ms: int = 134_000) -> None:
        """Record the end of a phase and of the run."""
        self.add(Kind.PHASE_FINISHED, phase, status=status.value, reason="", duration_ms=duration_ms)
        self.add(Kind.RUN_FINISHED, status=status.value, exit_code=code, reason="", duration_ms=duration_ms)


@pytest.fixture
def record() -> Iterator[Recorder]:
    """Return an empty record of a run."""
    yield Recorder()


@pytest.fixture
def recorder() -> Callable[[str], Recorder]:
    """Return what makes records of further runs."""
    return Recorder
