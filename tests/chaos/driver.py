"""Runs the program with something changed from inside: killed at a commit, in one mode only, or with a protection off.

What is changed stands as JSON in the variable CHAOS_PLAN:
    kill     {"at": N, "when": "before" | "after", "of": "commit" | "finish"}: SIGKILL at the N-th commit, or at the
             N-th one that records the end of a step
    count    the path of a file that receives the number of commits when the program ends
    modes    the names of the ways in which a supervisor may be started
    without  the protection that is off: restore, sweep, lease, adoption, masking
"""

import dataclasses
import importlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

UNFIT = 99
"""The exit code that says that what was to be changed is not there."""


def main() -> int:
    plan = json.loads(os.environ["CHAOS_PLAN"])
    try:
        if plan.get("without"):
            WITHOUT[plan["without"]]()
        if plan.get("modes"):
            allow_modes(frozenset(plan["modes"]))
        counted = count_commits(plan.get("kill") or {})
    except (ImportError, AttributeError) as missing:
        print(f"driver: {missing}", file=sys.stderr)
        return UNFIT
    entry = importlib.import_module("cli_multi_rapid.cli.app").entry
    code = entry("cli-multi-rapid", arguments=sys.argv[1:])
    if plan.get("count"):
        Path(plan["count"]).write_text(str(counted["commit"]), encoding="utf-8")
    return code


def count_commits(kill: dict[str, object]) -> dict[str, int]:
    """Count the commits of the event log, and die at the one that is asked for."""
    store = importlib.import_module("cli_multi_rapid.system.store").SqliteStore
    counted = {"commit": 0, "finish": 0}

    def reached(when: str, kinds: set[str]) -> bool:
        of = kill.get("of", "commit")
        return kill.get("when") == when and of in kinds and counted[of] == kill["at"]

    def wrapped(original):
        def call(self, run, *arguments, **named):
            ends = any(event.kind == "step.finished" for event in (arguments[0] if arguments else ()))
            kinds = {"commit", "finish"} if ends else {"commit"}
            for kind in kinds:
                counted[kind] += 1
            if reached("before", kinds):
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(self, run, *arguments, **named)
            if reached("after", kinds):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in ("append", "take"):
        setattr(store, name, wrapped(getattr(store, name)))
    return counted


def allow_modes(names: frozenset[str]) -> None:
    """Leave only these ways to start a supervisor."""
    supervision = importlib.import_module("cli_multi_rapid.system.supervision")
    original = supervision.supervisor_modes
    supervision.supervisor_modes = lambda **given: tuple(mode for mode in original(**given) if mode.name in names)


def without_restore() -> None:
    """Put nothing back."""
    checkpoints = importlib.import_module("cli_multi_rapid.system.checkpoints")
    restored = importlib.import_module("cli_multi_rapid.model.checkpoint").Restored
    nothing = restored(**{one.name: () for one in dataclasses.fields(restored)})
    _replace(checkpoints.GitCheckpoints, "restore", lambda *_, **__: nothing)


def without_sweep() -> None:
    """Kill nothing that an interrupted attempt left, and see none of it."""
    for name in ("survivors", "process"):
        module = importlib.import_module(f"cli_multi_rapid.system.{name}")
        for function in ("kill_tagged", "kill_survivors"):
            if name == "survivors" or hasattr(module, function):
                _replace(module, function, lambda *_, **__: ([], []))


def without_lease() -> None:
    """Give every orchestrator a lock of its own, and let everybody append."""
    lock = importlib.import_module("cli_multi_rapid.system.lock")
    runs = importlib.import_module("cli_multi_rapid.services.runs")
    store = importlib.import_module("cli_multi_rapid.system.store").SqliteStore
    original, append = runs.acquire, store.append
    folder = Path(tempfile.mkdtemp(prefix="locks-"))

    def acquire(path, **named):
        return original(folder / str(path).replace("/", "_"), **named)

    def unfenced(self, run, events, *, fence=None):
        return append(self, run, events)

    _replace(runs, "acquire", acquire)
    _replace(lock, "acquire", acquire)
    _replace(store, "append", unfenced)


def without_adoption() -> None:
    """Read the log as if no step had ended when a run is taken up."""
    runs = importlib.import_module("cli_multi_rapid.services.runs")
    original = runs.fold

    def forgetful(run, events):
        return original(run, [event for event in events if event.kind not in ("step.finished", "phase.finished")])

    _replace(runs, "fold", forgetful)


def without_masking() -> None:
    """Hide nothing."""
    masker = importlib.import_module("cli_multi_rapid.system.redact").Masker
    original = masker.__init__
    _replace(masker, "__init__", lambda self, secrets: original(self, ()))


def _replace(owner: object, name: str, value: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name}")
    setattr(owner, name, value)


WITHOUT = {
    "restore": without_restore,
    "sweep": without_sweep,
    "lease": without_lease,
    "adoption": without_adoption,
    "masking": without_masking,
}

if __name__ == "__main__":
    sys.exit(main())
