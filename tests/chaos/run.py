"""Try the program with faults and judge from outside what it did:  make chaos.

Each case is a project of its own and a run of twelve steps in which something goes wrong; afterwards the run is taken
up until it has ended. Exit code 1 says that a promise was not kept, 2 that the arguments are wrong.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import editing
import killing
import orphaned_git
import stopping
import storage
import table
from cases import Fault
from driver import WITHOUT
from processes import can_look
from running import Plan, run_all

FAULTS: tuple[Fault, ...] = (*stopping.FAULTS, *killing.FAULTS, *orphaned_git.FAULTS, *storage.FAULTS, *editing.FAULTS)
_SECONDS, _SHORT_SECONDS = 540.0, 12.0
_PAUSE_S, _SHORT_PAUSE_S = 0.03, 0.02
_SHOWN_BY = {
    "restore": ("middle",),
    "sweep": ("orphans",),
    "lease": ("rivals",),
    "adoption": ("middle",),
    "masking": ("calm",),
}
"""The faults that show soonest that a protection is off."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    if not can_look():
        print("not run: this system does not show the environment of processes below /proc")
        return 0
    os.umask(0o022)  # the modes of files are compared
    names = given.only or _SHOWN_BY.get(given.without, ())
    with tempfile.TemporaryDirectory(prefix="cmr-chaos-") as scratch:
        plan = Plan(
            faults=tuple(fault for fault in FAULTS if not names or fault.name in names),
            folder=Path(tempfile.mkdtemp(dir=given.folder)) if given.folder else Path(scratch),
            keep=given.folder is not None,
            seed=given.seed,
            case=given.case,
            seconds=given.seconds or (_SHORT_SECONDS if given.short else _SECONDS),
            at_least=1 if given.short else 0,
            pause_s=_SHORT_PAUSE_S if given.short else _PAUSE_S,
            workers=given.workers,
            without=given.without or "",
        )
        outcome = run_all(plan)
    print(table.text(outcome))
    if given.json is not None:
        given.json.write_text(json.dumps(table.data(outcome), indent=1) + "\n", encoding="utf-8")
    return 1 if outcome.count else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Try the program with faults and judge from outside what it did.")
    parser.add_argument("--seconds", type=float, help=f"begin no case after so long (default: {_SECONDS:.0f})")
    parser.add_argument("--short", action="store_true", help="try one case of each fault, more if there is time")
    parser.add_argument("--seed", type=int, default=1, help="decides the order of cases and all random moments")
    names = [fault.name for fault in FAULTS]
    listed = ", ".join(names)
    parser.add_argument("--only", choices=names, nargs="+", action="extend", metavar="FAULT", help=f"of {listed}")
    parser.add_argument("--case", type=int, help="try only the case of this number of each fault")
    parser.add_argument(
        "--without", choices=sorted(WITHOUT), help="switch a protection off, and stop at the first violation"
    )
    parser.add_argument("--workers", type=int, default=max(2, min(4, os.cpu_count() or 1)), help="cases at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there, too")
    parser.add_argument("--folder", type=Path, help="keep what every case leaves below this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
