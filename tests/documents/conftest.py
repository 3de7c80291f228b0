"""Builders of recorded events, so that tests read like a run."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import RunView
from cli_multi_rapid.documents.words import Planned
from cli_multi_rapid.model.events import Event, Kind, payload_of
from cli_multi_rapid.model.gate import Evidence, Excuse, Finding, GateResult, GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.run import Artifact, Status, StepResult

RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"
START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m\u202e\x00\n{{ 7*7 }}" + "x" * 500
FETCHED = Path(__file__).resolve().parents[2] / ".cmr" / "test-data"
USER = dict(os.environ)  # npm's settings are in the user's home, which tests do not have


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


def judged(name: str = "coverage", status: GateStatus = GateStatus.PASS, **more: object) -> GateResult:
    """Return a gate's result at level standard."""
    return GateResult(**({"id": name, "check": "coverage", "level": Level.STANDARD, "status": status} | more))  # type: ignore[arg-type]


def _rich_run(record: Recorder, word: str) -> RunView:
    """Return a run with everything that a report shows, each text holding a word."""
    record.start(
        "phase1", job=word, inputs={"phase1": {"name": word}}, fingerprint="f00d", host=word, root=f"/{word}",
        branch=word, head="c" * 40, tree="e" * 40, version="1.2.3",
    )  # fmt: skip
    record.add(Kind.STEP_EXPANDED, "phase1/test", matrix=[{"python": word}])
    record.add(Kind.STEP_STARTED, "phase1/test[0]", attempt=1, command=word, log="1.log")
    record.add(Kind.STEP_RETRIED, "phase1/test[0]", attempt=1, status="failure", reason=word, wait_ms=1, duration_ms=2)
    record.step(
        "phase1/test[0]", status=Status.FAILURE, attempt=2, command=word, reason=word, fix=word, leftover=2,
        outputs={"value": word}, gates=(payload_of(judged("unit", GateStatus.FAIL, summary=word)),),
        artifacts={"file": Artifact(path=word, sha256="a" * 64, size=2_000_000)},
    )  # fmt: skip
    accepted = payload_of(judged("lint", GateStatus.FAIL, summary=word))
    record.step("phase1/notify", gates=(accepted,), outcome=Status.FAILURE, code=22, command=word)
    record.finish("phase1/publish", status=Status.SKIPPED, attempt=0, reason=word)
    finding = Finding(rule=word, message=word, path=word, line=48, column=12, fix=word, fingerprint="sha256:1")
    waiver = WaiverUse(
        rule=word, path=word, fingerprint="sha256:2", reason=word, approved_by=word, expires="2030-01-31T00:00:00Z",
    )  # fmt: skip
    late = replace(waiver, fingerprint="sha256:1", expires="2026-01-31T00:00:00Z", expired=True)
    waived = replace(finding, fingerprint="sha256:2", excused=Excuse.WAIVER)
    known = replace(finding, fingerprint="sha256:3", excused=Excuse.BASELINE, severity=Severity.INFO)
    record.gate(
        "phase1",
        judged(
            "style", GateStatus.FAIL, summary=word, findings=(finding, waived, known), findings_total=9, fix=word,
            tool=word, details={"note": word}, evidence=(Evidence(path=word, sha256="b" * 64),), observed=83.9,
            threshold=85.0, waivers=(waiver, late), cached=True, tool_version=word, started=record.events[-1].at,
        ),
    )  # fmt: skip
    record.gate("phase1", judged("types", GateStatus.FAIL, level=Level.ADVISORY, summary=word))
    record.gate("phase1", judged("tests", GateStatus.ERROR, summary=word, fix=word, started=word))
    record.gate("phase1", judged("docs", GateStatus.SKIPPED, summary=word))
    record.gate("", judged("secrets", GateStatus.WAIVED, findings=(waived,), findings_total=1, waivers=(waiver,)))
    record.end(Status.FAILURE, code=1)
    return view(record.events, alive=False, planned={"phase1": Planned(gates=("licences",))})


@pytest.fixture
def rich_run() -> Callable[[Recorder, str], RunView]:
    """Return what makes a run with everything that a report shows, each text holding a word."""
    return _rich_run


@pytest.fixture
def gate() -> Callable[..., GateResult]:
    """Return what makes a gate's result at level standard."""
    return judged


@pytest.fixture(scope="session")
def fetched() -> Callable[..., bytes]:
    """Return what reads a file of a package of npm, which is fetched once; the test is skipped where it cannot be."""

    def read(package: str, member: str, *, digest: str) -> bytes:
        kept = FETCHED / digest
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            content = _member(package, member)
            fresh = kept.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(content)
            fresh.replace(kept)
        content = kept.read_bytes()
        assert sha256(content).hexdigest() == digest, f"{member} of {package} is not the file that was looked at"
        return content

    return read


def _member(package: str, member: str) -> bytes:
    npm = shutil.which("npm", path=USER.get("PATH"))
    if npm is None:
        pytest.skip(f"{member} of {package} cannot be had: there is no npm")
    work = FETCHED / f"work.{os.getpid()}"
    work.mkdir(exist_ok=True)
    try:
        argv = (npm, "pack", "--silent", "--fetch-retries=0", "--fetch-timeout=20000", package)
        try:
            done = subprocess.run(argv, cwd=work, env=USER, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{package} cannot be had from npm in a minute")
        packed = next(work.glob("*.tgz"), None)
        if done.returncode or packed is None:
            pytest.skip(f"{package} cannot be had: npm ended with {done.returncode}")
        with tarfile.open(fileobj=io.BytesIO(packed.read_bytes())) as archive:
            file = archive.extractfile(member)
            assert file is not None
            return file.read()
    finally:
        shutil.rmtree(work)
