"""What a benchmark says: tables of times, ratios, and which aims were met."""

import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import compliance
import contracts
import secrets_recall
from checkpoints import CHANGES, Kept, table
from contenders import DBOS, FLOOR, OURS, PASS, PRE_COMMIT, START_UP
from measuring import Measured

CPU_MS = {"--help": 60.0, "status": 100.0, "health-check": 100.0}
STEP_RATIO = 2.5
PROCESS_RATIO = 1.0
KEPT_RATIO = 1.3
COMPLIANCE_SHARE = 1 / 5
LOAD_MS_PER_STEP = 90.0 / 500
NOISY = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One thing that is aimed at: the value must not be above the limit. Without a value it was not measured."""

    name: str
    value: float | None
    limit: float
    unit: str

    @property
    def verdict(self) -> str:
        """Return met, MISSED or not measured."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.limit else "MISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that one benchmark found. `sizes`: steps by phase; `load_ms`: reading a phase of `load_steps`.

    `kept` is what keeping states cost, `judged` what judging a project did, `searched` what was found in the
    corpus of secrets, `generated` what contracts cost, if that was measured.
    """

    measured: Measured
    sizes: Mapping[str, int]
    load_steps: int
    load_ms: float | None
    kept: Kept | None = None
    judged: compliance.Compared | None = None
    searched: secrets_recall.Found | None = None
    generated: contracts.Found | None = None
    machine: Mapping[str, str] = field(default_factory=dict)


def machine(*, folder: str) -> dict[str, str]:
    """Return what figures depend on: when, where, and with which versions."""
    packages = {name: _version(name) for name in ("cli-multi-rapid", "click", "dbos", "pre-commit")}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "load average": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "folder": f"{folder} ({_file_system(folder)})",
        "python": f"{platform.python_version()} ({sys.executable})",
        "sqlite": sqlite3.sqlite_version,
        **{name: found for name, found in packages.items() if found},
    }


def step_ms(outcome: Outcome, name: str) -> float | None:
    """Return what one more step costs: the slope between the two linear phases, as the median over the rounds."""
    few, many = (outcome.measured.samples.get((phase, name), []) for phase in ("few", "many"))
    steps = outcome.sizes["many"] - outcome.sizes["few"]
    slopes = [(more.wall_ms - less.wall_ms) / steps for less, more in zip(few, many, strict=False)]
    return median(slopes) if slopes else None


def aims(outcome: Outcome) -> list[Aim]:
    """Return what is aimed at, with what was found."""
    found = outcome.measured
    cpu = {name: found.least(START_UP, f"{OURS} {name}", cpu=True) for name in CPU_MS}
    rival = found.least(START_UP, PRE_COMMIT, cpu=True)
    quick = [
        Aim(name=f"{name}: processor time", value=value, limit=CPU_MS[name], unit="ms") for name, value in cpu.items()
    ]
    quick += [
        Aim(name=f"{name} / {PRE_COMMIT}", value=_ratio(value, rival), limit=PROCESS_RATIO, unit="x")
        for name, value in cpu.items()
    ]
    floor = _ratio(step_ms(outcome, OURS), step_ms(outcome, FLOOR))
    wholes = [
        Aim(
            name=f"{_title(outcome, phase)}: whole process / {DBOS}",
            value=_ratio(found.least(phase, OURS), found.least(phase, DBOS)), limit=PROCESS_RATIO, unit="x",
        )
        for phase in outcome.sizes
    ]  # fmt: skip
    load = Aim(
        name=f"reading a phase of {outcome.load_steps} steps", value=outcome.load_ms,
        limit=LOAD_MS_PER_STEP * outcome.load_steps, unit="ms",
    )  # fmt: skip
    kept = {changed: outcome.kept.ratio(changed) if outcome.kept else None for changed in CHANGES}
    states = [
        Aim(name=f"keeping a state, {changed} files changed / plumbing", value=value, limit=KEPT_RATIO, unit="x")
        for changed, value in kept.items()
    ]
    gates = [
        Aim(
            name=f"compliance, unchanged / {other}", limit=COMPLIANCE_SHARE, unit="x",
            value=outcome.judged.share(other, "unchanged") if outcome.judged else None,
        )
        for other in (compliance.SAME, compliance.USUAL)
    ]  # fmt: skip
    step = Aim(name="one step / floor", value=floor, limit=STEP_RATIO, unit="x")
    corpus = [
        Aim(name=name, value=value, limit=limit, unit="files")
        for name, (value, limit) in secrets_recall.aims(outcome.searched).items()
    ]
    made = [
        Aim(name=name, value=value, limit=limit, unit=unit)
        for name, (value, limit, unit) in contracts.aims(outcome.generated).items()
    ]
    return [*quick, step, *wholes, load, *states, *gates, *corpus, *made]


def text(outcome: Outcome) -> str:
    """Return the report that people read."""
    lines = [f"{name:<16} {value}" for name, value in outcome.machine.items()]
    lines += [f"{'noise':<16} {_noise(outcome.measured)}"]
    lines += ["", *_start_up_table(outcome.measured), "", *_phase_table(outcome), ""]
    lines += table(outcome.kept) if outcome.kept else ["keeping states: not measured"]
    lines += ["", *(compliance.table(outcome.judged) if outcome.judged else ["compliance: not measured"])]
    lines += ["", *(secrets_recall.table(outcome.searched) if outcome.searched else ["secrets: not measured"])]
    lines += ["", *(contracts.table(outcome.generated) if outcome.generated else ["contracts: not measured"])]
    lines += ["", *_aim_table(aims(outcome))]
    if outcome.measured.missing:
        lines += ["", *(f"not run: {name}: {why}" for name, why in outcome.measured.missing.items())]
    return "\n".join(lines)


def data(outcome: Outcome) -> dict[str, object]:
    """Return the report as plain data; all times are milliseconds."""
    found = outcome.measured
    return {
        "schema": "cmr/benchmark@v1",
        "machine": dict(outcome.machine),
        "steps": dict(outcome.sizes),
        "times": [
            {"group": group, "name": name, "samples": [asdict(sample) for sample in samples]}
            for (group, name), samples in found.samples.items()
        ],
        "step_ms": {name: step_ms(outcome, name) for name in found.names("few")},
        "kept": {"files": outcome.kept.files, "ours_ms": outcome.kept.ours, "plumbing_ms": outcome.kept.floor}
        if outcome.kept
        else None,
        "judged": [
            {"name": name, "situation": situation, "wall_ms": times}
            for (name, situation), times in (outcome.judged.times if outcome.judged else {}).items()
        ],
        "searched": secrets_recall.data(outcome.searched) if outcome.searched else None,
        "generated": contracts.data(outcome.generated) if outcome.generated else None,
        "load": {"steps": outcome.load_steps, "best_ms": outcome.load_ms},
        "aims": [{**asdict(aim), "verdict": aim.verdict} for aim in aims(outcome)],
        "not_run": dict(found.missing),
    }


def _start_up_table(found: Measured) -> list[str]:
    names = found.names(START_UP)
    if not names:
        return ["start-up: not measured"]
    base = found.least(START_UP, names[0], cpu=True)
    lines = [f"{'start-up (ms)':<30}{'cpu min':>9}{'median':>9}{'wall min':>10}{'median':>9}{'cpu ratio':>11}{'n':>5}"]
    for name in names:
        cpu = found.least(START_UP, name, cpu=True)
        cells = (cpu, found.median(START_UP, name, cpu=True))
        walls = (found.least(START_UP, name), found.median(START_UP, name))
        lines.append(
            f"{name:<30}{_number(cells[0]):>9}{_number(cells[1]):>9}{_number(walls[0]):>10}{_number(walls[1]):>9}"
            f"{_number(_ratio(cpu, base), 1):>11}{found.count(START_UP, name):>5}"
        )
    return lines


def _phase_table(outcome: Outcome) -> list[str]:
    found, phases = outcome.measured, list(outcome.sizes)
    names = found.names(phases[0])
    if not names:
        return ["phases: not measured"]
    heads = "".join(f"{_title(outcome, phase):>22}" for phase in phases)
    lines = [f"{'phases of `true` (ms, wall)':<30}{heads}{'a step':>10}{'/ floor':>9}{'n':>5}"]
    floor = step_ms(outcome, FLOOR)
    for name in names:
        cells = "".join(
            f"{_number(found.least(phase, name)):>12} med {_number(found.median(phase, name)):>5}" for phase in phases
        )
        step = step_ms(outcome, name)
        ratio = _number(_ratio(step, floor), 2)
        lines.append(f"{name:<30}{cells}{_number(step, 2):>10}{ratio:>9}{found.count('few', name):>5}")
    return lines


def _aim_table(found: Iterable[Aim]) -> list[str]:
    lines = [f"{'aims':<56}{'found':>10}{'at most':>10}"]
    for aim in found:
        digits = 2 if aim.unit in ("x", "us") else 0
        value = "-" if aim.value is None else f"{_number(aim.value, digits)} {aim.unit}"
        lines.append(f"{aim.name:<56}{value:>10}{_number(aim.limit, digits) + ' ' + aim.unit:>10}  {aim.verdict}")
    return lines


def _noise(found: Measured) -> str:
    """Return how much the same thing varied: on a busy machine what uses several processes looks worse than it is."""
    spread = _ratio(found.median(START_UP, PASS, cpu=True), found.least(START_UP, PASS, cpu=True))
    if spread is None:
        return "not measured"
    return f"{spread:.2f} x (median / least of {PASS}){'; a busy machine: ratios are rough' if spread > NOISY else ''}"


def _title(outcome: Outcome, phase: str) -> str:
    return f"fan-out {outcome.sizes[phase]}" if phase == "fan" else f"{outcome.sizes[phase]} steps"


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base is not None and base > 0 else None


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _file_system(folder: str) -> str:
    """Return the kind of file system of a folder: on tmpfs a commit costs nothing. Unknown outside of Linux."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as file:  # noqa: PTH123  no path of the project
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return "unknown file system"
    real = os.path.realpath(folder)
    within = [(point, kind) for point, kind in mounts if f"{real}/".startswith(f"{point.rstrip('/')}/")]
    return max(within, key=lambda mount: len(mount[0]))[1] if within else "unknown file system"
