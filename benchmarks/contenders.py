"""Who takes part: the project that is measured, the program itself, and its peers."""

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from measuring import Contender

OURS = "cli-multi-rapid"
FLOOR = "sqlite commit a step (floor)"
DBOS = "DBOS"
PASS = "python -c pass"
PRE_COMMIT = "pre-commit --version"
START_UP = "start-up"
FAN_WIDTH = os.cpu_count() or 1

_PEERS = Path(__file__).resolve().parent / "peers"
_DROPPED = ("CMR_", "GIT_", "COVERAGE_", "COV_CORE_", "PYTEST_")


def clean_environ(environ: Mapping[str, str], *, state: Path) -> dict[str, str]:
    """Return the environment of the contenders: bytecode is written, tests and git settings do not interfere."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_DROPPED)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    kept |= {name: environ[name] for name in ("CMR_CACHE_DIR",) if name in environ}  # it takes seconds to make anew
    nobody = {f"GIT_{role}_{what}": "benchmark" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return {**kept, **nobody, **nowhere, "CMR_STATE_DIR": str(state), "CMR_TRUST": "1", "CMR_PARALLEL": str(FAN_WIDTH)}


def phase_text(name: str, steps: int, *, beside: bool = False) -> str:
    """Return a phase of steps that run `true` and write nothing: one after the other, or all beside each other."""
    more = ", needs: [], writes: []" if beside else ", writes: []"
    lines = "".join(f'  - {{id: s{number}, run: ["true"]{more}}}\n' for number in range(steps))
    return f"schema: cmr/phase@v1\nname: {name}\nsteps:\n{lines}"


def write_project(root: Path, *, few: int, many: int, fan: int) -> None:
    """Write a project with the phases few, many, fan and one; those of the peer `make`, too."""
    phases = root / "workflows" / "phase_definitions"
    phases.mkdir(parents=True)
    (root / "config").mkdir()
    (root / "config" / "workflow-config.yaml").write_text("schema: cmr/config@v1\nproject: benchmark\n", "utf-8")
    for name, steps in (("one", 1), ("few", few), ("many", many)):
        (phases / f"{name}.yaml").write_text(phase_text(name, steps), "utf-8")
        (root / f"{name}.mk").write_text(_makefile(steps, beside=False), "utf-8")
    (phases / "fan.yaml").write_text(phase_text("fan", fan, beside=True), "utf-8")
    (root / "fan.mk").write_text(_makefile(fan, beside=True), "utf-8")


def start_up(root: Path, environ: Mapping[str, str]) -> list[Contender]:
    """Return our quick commands and what they are compared with."""
    programs: dict[str, tuple[str, ...] | None] = {
        PASS: (sys.executable, "-c", "pass"),
        "click hello": (sys.executable, str(_PEERS / "hello.py")),
        f"{OURS} --help": (*_program(), "--help"),
        f"{OURS} status": (*_program(), "status"),
        f"{OURS} health-check": (*_program(), "health-check"),
        "git status": _installed("git", "status"),
        PRE_COMMIT: _installed("pre-commit", "--version"),
    }
    return [
        Contender(group=START_UP, name=name, argv=argv, cwd=root, env=environ)
        for name, argv in programs.items()
        if argv is not None
    ]


def phases(root: Path, environ: Mapping[str, str], sizes: Mapping[str, int]) -> list[Contender]:
    """Return everybody who can run the steps of a phase; `sizes` maps each phase to its number of steps."""
    return [
        Contender(group=group, name=name, argv=argv, cwd=root, env=environ)
        for group, steps in sizes.items()
        for name, argv in _runners(root, group, steps).items()
    ]


def absent() -> dict[str, str]:
    """Return the peers that are not installed here."""
    wanted = {DBOS: find_spec("dbos"), "make": shutil.which("make"), PRE_COMMIT: _installed("pre-commit")}
    return {name: "not installed" for name, found in wanted.items() if found is None}


def recording(root: Path, environ: Mapping[str, str], *, runs: int) -> Contender:
    """Return what records that many runs, as the past that `status` reads."""
    argv = (sys.executable, str(_PEERS / "history.py"), str(runs), "one")
    return Contender(group="", name="recording runs", argv=argv, cwd=root, env=environ)


def _runners(root: Path, phase: str, steps: int) -> dict[str, tuple[str, ...]]:
    count, width = str(steps), str(FAN_WIDTH if phase == "fan" else 1)
    beside = root.parent
    runners = {
        "subprocess loop": (sys.executable, str(_PEERS / "loop.py"), count, width),
        FLOOR: (sys.executable, str(_PEERS / "commits.py"), str(beside / "floor.db"), count, width),
        OURS: (*_program(), "run-phase", phase),
    }
    if make := shutil.which("make"):
        runners["make"] = (make, "-s", "-j", width, "-f", f"{phase}.mk")
    if find_spec("dbos") is not None:
        runners[DBOS] = (sys.executable, str(_PEERS / "dbos_steps.py"), str(beside / "dbos.db"), count, width)
    return runners


def _program() -> tuple[str, ...]:
    return (sys.executable, "-m", "cli_multi_rapid")


def _installed(name: str, *arguments: str) -> tuple[str, ...] | None:
    """Return a command of the environment of this Python or of the system, if it is there."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    return (found, *arguments) if found else None


def _makefile(steps: int, *, beside: bool) -> str:
    names = [f"s{number}" for number in range(steps)]
    head = f".PHONY: all {' '.join(names)}\nall: {' '.join(names)}\n"
    before = ["", *names[:-1]]
    needs = {name: "" if beside else f" {need}" for name, need in zip(names, before, strict=True)}
    return head + "".join(f"{name}:{needs[name]}\n\t@true\n" for name in names)
