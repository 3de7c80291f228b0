"""Measure whole processes: processor time and wall time, the contenders taking turns."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIMIT_S = 60.0


class BrokenError(Exception):
    """A contender failed; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A program to be measured: `group` is what it is compared in, `name` what tables call it."""

    group: str
    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One process: processor time (user and system, with the children that it waited for) and wall time."""

    cpu_ms: float
    wall_ms: float


@dataclass(slots=True, kw_only=True)
class Measured:
    """The samples of each contender, by group and name, and what could not be run and why."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def least(self, group: str, name: str, *, cpu: bool = False) -> float | None:
        """Return the least time in milliseconds, which is what noise has spoiled least; None if it did not run."""
        values = self._values(group, name, cpu=cpu)
        return min(values) if values else None

    def median(self, group: str, name: str, *, cpu: bool = False) -> float | None:
        """Return the median time in milliseconds; None if it did not run."""
        values = self._values(group, name, cpu=cpu)
        return statistics.median(values) if values else None

    def count(self, group: str, name: str) -> int:
        """Return how many samples there are."""
        return len(self.samples.get((group, name), ()))

    def names(self, group: str) -> list[str]:
        """Return the contenders of a group that ran, in the order of their turns."""
        return [name for of, name in self.samples if of == group]

    def _values(self, group: str, name: str, *, cpu: bool) -> list[float]:
        return [one.cpu_ms if cpu else one.wall_ms for one in self.samples.get((group, name), ())]


def measure(contender: Contender, output: Path) -> Sample:
    """Run a contender once; its output goes to a file.

    Raises:
        BrokenError: it failed or took longer than a minute.
    """
    with output.open("wb") as sink:
        start = time.perf_counter()
        process = subprocess.Popen(
            contender.argv, cwd=contender.cwd, env=dict(contender.env), stdin=subprocess.DEVNULL, stdout=sink,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        guard = threading.Timer(LIMIT_S, process.kill)
        guard.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BrokenError(f"exit code {process.returncode}: {_complaint(output)}")
    return Sample(cpu_ms=(usage.ru_utime + usage.ru_stime) * 1000, wall_ms=wall_s * 1000)


def interleave(
    contenders: Sequence[Contender], measured: Measured, *, rounds: int, seconds: float, output: Path
) -> None:
    """Let the contenders take turns, and add their samples to `measured`.

    One round before the first is not counted, unless there is to be only one: it compiles bytecode, makes databases
    and fills caches. No round is begun that would not end in time, but there is always one. A contender that fails is
    out, with its reason.
    """
    end = time.monotonic() + seconds
    playing = list(contenders)
    for number in range(0 if rounds > 1 else 1, rounds + 1):
        begin = time.monotonic()
        for contender in tuple(playing):
            try:
                sample = measure(contender, output)
            except (BrokenError, OSError) as broken:
                measured.missing[f"{contender.group}: {contender.name}"] = str(broken)
                measured.samples.pop((contender.group, contender.name), None)
                playing.remove(contender)
                continue
            if number:
                measured.samples.setdefault((contender.group, contender.name), []).append(sample)
        now = time.monotonic()
        if number and now + (now - begin) > end:
            return


def _complaint(output: Path) -> str:
    """Return the line that says what went wrong: the first that begins with `error`, else the last."""
    lines = output.read_text("utf-8", errors="replace").strip().splitlines()
    return next((line for line in lines if line.startswith("error")), lines[-1] if lines else "no output")
