"""One case: a project of its own, the program run on it, and what was found wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import processes
import sample
from driver import UNFIT
from leaks import new_secret
from oracle import Line, read_lines, starts
from record import Record, read_record

DRIVER = Path(__file__).with_name("driver.py")
KILLED = -signal.SIGKILL
LIMIT_S = 60.0
RESUMES = 3
_LEFT_OUT = ("CMR_", "COVERAGE_", "COV_", "GIT_", "PYTHON", "PYTEST_", "XDG_")


class NotRunError(Exception):
    """A fault cannot be made here, or a protection cannot be switched off; the message says why."""


class MissedError(Exception):
    """A fault came too late, and what followed cannot be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was not kept: its kind, and what was seen."""

    kind: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the program ended, and all that it printed."""

    code: int
    text: str

    @property
    def last_lines(self) -> str:
        """Return the end of what it printed, short enough for a sentence."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return " | ".join(lines[-3:])[-300:]


@dataclass(slots=True, kw_only=True)
class Running:
    """The program at work."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pid(self) -> int:
        """Return the number of the orchestrator, or of what stands before it."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Tell whether it has ended."""
        return self.process.poll() is not None

    def wait(self) -> Ended:
        """Wait for its end. One that takes far too long is killed."""
        try:
            code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return Ended(code=-999, text=f"it had not ended after {LIMIT_S:.0f} s\n{self._text()}")
        return Ended(code=code, text=self._text())

    def _text(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What had ended and what had begun when the program was interrupted."""

    ended: frozenset[tuple[str, str]]
    starts: Counter[tuple[str, str]]


@dataclass(slots=True, kw_only=True)
class Trial:
    """A case at work. `prefix` stands before every start of the program; `seen_state` is how its state is read."""

    folder: Path
    seed: str
    without: str = ""
    pause_s: float = 0.03
    prefix: tuple[str, ...] = ()
    edited: set[str] = field(default_factory=set)
    modes: tuple[str, ...] = ()
    violations: list[Violation] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    outputs: list[Path] = field(default_factory=list)
    missed: bool = False
    judged: bool = False
    seen_state: Path | None = None
    token: str = ""
    secret: str = field(default_factory=new_secret)
    chance: Random = field(init=False)
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.token = f"{os.getpid()}-{self.folder.name}"
        for name in ("home", "state", "tmp", "outputs"):
            (self.folder / name).mkdir(parents=True)
        self.environ = self._clean_environ()
        sample.build(self.project, pause_s=self.pause_s, environ=self.environ)

    @property
    def project(self) -> Path:
        """Return the folder of the sample project."""
        return self.folder / "project"

    @property
    def oracle(self) -> Path:
        """Return the file in which the steps note what they do."""
        return self.folder / "oracle.txt"

    @property
    def first(self) -> tuple[str, ...]:
        """Return the command that begins the run."""
        return ("run-phase", sample.PHASE, "--input", f"oracle={self.oracle}")

    # -- the program

    def start(self, *arguments: str, plan: Mapping[str, object] | None = None, before: Sequence[str] = ()) -> Running:
        """Start the program; `plan` is what the driver changes in it, `before` are words that stand before it."""
        changed = {**(plan or {}), "without": self.without, "modes": list(self.modes)}
        wanted = any(changed.values())
        program = ("-P", str(DRIVER)) if wanted else ("-P", "-m", "cli_multi_rapid")
        output = self.folder / "outputs" / f"{len(self.outputs)}.txt"
        self.outputs.append(output)
        with output.open("wb") as file:
            process = subprocess.Popen(
                (*self.prefix, *before, sys.executable, *program, *arguments, "-v"),
                cwd=self.project, env={**self.environ, "CHAOS_PLAN": json.dumps(changed)},
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        return Running(process=process, output=output)

    def ended(self, running: Running, allowed: Collection[int], doing: str) -> Ended:
        """Wait for the program, judge its exit code, and note what had ended by then."""
        found = running.wait()
        if found.code == UNFIT:
            raise NotRunError(found.last_lines)
        if found.code not in allowed and not (found.code == 1 and self.out_of_space()):
            wanted = ", ".join(map(str, sorted(allowed)))
            self.note("exit-code", f"{doing} ended with {found.code} instead of {wanted}: {found.last_lines}")
        self.snapshots.append(Snapshot(ended=frozenset(self.record().ended_steps()), starts=starts(self.lines())))
        return found

    def run(self, *arguments: str, allowed: Collection[int] = (0,), doing: str = "") -> Ended:
        """Run the program to its end."""
        return self.ended(self.start(*arguments), allowed, doing or arguments[0])

    def finish(self) -> list[Ended]:
        """Take the run up until it has ended, at most a few times; return how the program ended each time."""
        done: list[Ended] = []
        more: tuple[str, ...] = ()
        while not self.has_finished() and len(done) < RESUMES:
            command = ("resume", "last", *more) if self.record().runs else self.first
            done.append(self.run(*command, allowed=(0, 4)))
            more = ("--restore",) if done[-1].code == 4 else ()
        return done

    def has_finished(self) -> bool:
        """Tell whether the end of the run is recorded."""
        return self.record().finished is not None

    def out_of_space(self) -> bool:
        """Tell whether a step itself could not write: then the run has failed, and rightly so."""
        return any(line.what == "nospace" for line in self.lines())

    # -- what is known of it

    def record(self) -> Record:
        """Return what the program has recorded."""
        return read_record(self.seen_state or self.folder / "state")

    def lines(self) -> list[Line]:
        """Return what the steps have noted."""
        return read_lines(self.oracle)

    def note(self, kind: str, sentence: str) -> None:
        """Note that a promise was not kept."""
        self.violations.append(Violation(kind=kind, sentence=sentence.replace(str(self.folder), "…")))

    def wait_for_line(self, running: Running, what: str, key: str, *, detail: object = None, count: int = 1) -> bool:
        """Wait until a step has noted something; False when the program ended without it."""

        def noted() -> bool:
            found = [one for one in self.lines() if (one.what, one.key) == (what, key)]
            return len([one for one in found if detail is None or one.detail == detail]) >= count

        processes.wait_for(lambda: noted() or running.has_ended(), limit_s=LIMIT_S)
        return noted() and not running.has_ended()

    def clear(self, *, keep: bool) -> None:
        """End what is left of the case and remove its files."""
        processes.kill_all(self.token)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _clean_environ(self) -> dict[str, str]:
        """Return the environment of the program: nothing of the user's settings, and the mark of this case."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        for role in ("AUTHOR", "COMMITTER"):
            kept |= {f"GIT_{role}_NAME": "Chaos", f"GIT_{role}_EMAIL": "chaos@example.org"}
        return kept | {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "CMR_STATE_DIR": str(self.folder / "state"),
            "CMR_CACHE_DIR": str(self.folder / "cache"),
            "CMR_TRUST": "1",
            "CHAOS_SECRET": self.secret,
            "NO_COLOR": "1",
            processes.MARK: self.token,
        }
