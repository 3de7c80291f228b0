"""Measure the program beside its peers, whole processes taking turns in one run, and print ratios:  `make bench`.

It always ends with exit code 0: a missed aim is said, not enforced, because times depend on the machine.
"""

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import checkpoints
import compliance
import contenders
import contracts
import reporting
import secrets_recall
from measuring import BrokenError, Contender, Measured, interleave, measure

PARTS = ("start-up", "phases", "load", "checkpoints", "compliance", "secrets", "contracts")
_LOADS = 15


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    if not hasattr(os, "wait4"):
        print("the benchmarks need os.wait4, which this system does not have")
        return 0
    compile_bytecode()
    with tempfile.TemporaryDirectory(prefix="cmr-bench-", dir=given.folder) as scratch:
        outcome = _measured(given, Path(scratch))
    print(reporting.text(outcome))
    if given.json is not None:
        given.json.write_text(json.dumps(reporting.data(outcome), indent=1) + "\n", "utf-8")
    return 0


def compile_bytecode() -> None:
    """Compile the program and the peers; what is left of libraries is compiled by the first round, not counted."""
    import cli_multi_rapid

    package = cli_multi_rapid.__file__
    assert package is not None
    for folder in (Path(package).parent, Path(__file__).resolve().parent):
        compileall.compile_dir(folder, quiet=2)


def load_ms(steps: int) -> float:
    """Return the best time in milliseconds that reading a phase of so many steps takes in this process."""
    from cli_multi_rapid.engine.loader import load_phase

    text = contenders.phase_text("long", steps)
    times: list[float] = []
    for _ in range(_LOADS):
        start = time.perf_counter()
        load_phase(text, "workflows/phase_definitions/long.yaml", gates=frozenset())
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the program beside its peers.")
    parser.add_argument("--quick", action="store_true", help="take at most 40 seconds instead of 3 minutes")
    parser.add_argument("--rounds", type=int, default=None, help="at most so many rounds of each part")
    parser.add_argument("--steps", type=int, default=100, help="steps of the long phase, at least 3 (default: 100)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples, ratios and aims there, too")
    parser.add_argument("--folder", type=Path, help="work below this folder (default: the system's temporary folder)")
    return parser


def _measured(given: argparse.Namespace, scratch: Path) -> reporting.Outcome:
    many = max(given.steps, 3)
    sizes = {"few": max(many // 10, 1), "many": many, "fan": max(many // 5, 2)}
    parts = given.only or [part for part in PARTS if part != "compliance" or not given.quick]
    root = scratch / "project"
    environ = contenders.clean_environ(os.environ, state=scratch / "state")
    contenders.write_project(root, few=sizes["few"], many=many, fan=sizes["fan"])
    _commit_all(root, environ)
    measured = Measured(missing=contenders.absent())
    output = scratch / "output.txt"
    rounds, budget_s = (given.rounds or 5, 30.0) if given.quick else (given.rounds or 25, 160.0)
    if "start-up" in parts:
        _record(contenders.recording(root, environ, runs=sizes["fan"]), measured, output)
        commands = contenders.start_up(root, environ)
        interleave(commands, measured, rounds=rounds, seconds=budget_s * 0.25, output=output)
    if "phases" in parts:
        everybody = contenders.phases(root, environ, sizes)
        interleave(everybody, measured, rounds=rounds, seconds=budget_s * 0.7, output=output)
    kept = None
    if "checkpoints" in parts:
        kept = checkpoints.measured(scratch, environ, files=20 * many, rounds=min(rounds, 15))
    judged = None
    if "compliance" in parts:
        rounds = min(rounds, 5)
        judged = compliance.compared(scratch, environ, files=20 * many, rounds=rounds, usual=not given.quick)
        measured.missing |= judged.missing
    generated = None
    if "contracts" in parts:
        count, calls = (min(10, many), 1) if given.quick else (50, 5)
        generated = contracts.measured(scratch, environ, contracts=count, rounds=min(rounds, 5), calls=calls)
        measured.missing |= generated.missing
    searched = secrets_recall.measured(scratch, quick=given.quick) if "secrets" in parts else None
    measured.missing |= searched.missing if searched else {}
    return reporting.Outcome(
        measured=measured,
        kept=kept,
        judged=judged,
        searched=searched,
        generated=generated,
        sizes=sizes,
        load_steps=5 * many,
        load_ms=load_ms(5 * many) if "load" in parts else None,
        machine=reporting.machine(folder=str(scratch.parent)),
    )


def _record(history: Contender, measured: Measured, output: Path) -> None:
    try:
        measure(history, output)
    except BrokenError as broken:
        measured.missing[history.name] = str(broken)


def _commit_all(root: Path, environ: dict[str, str]) -> None:
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(("git", *arguments), cwd=root, env=environ, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
