"""Faults that kill the orchestrator while git works for it. Git then goes on by itself, at once or after a while."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import processes
from cases import Case, Facts, Fault
from sample import PHASE
from trial import KILLED, Trial

_WRITING = ("hash-object", "update-index", "write-tree", "commit-tree", "update-ref")
_RESTORING = ("checkout-index", *_WRITING)
_BETWEEN = """\
#!/bin/sh
case " $* " in *" {what} "*)
  echo >> "{calls}"
  if [ "$(wc -l < "{calls}")" -eq {at} ]; then
    changes=$(grep -c "^do " "{oracle}")
    kill -9 $PPID
    left={patience}
    while [ $left -gt 0 ] && [ "$(grep -c "^do " "{oracle}")" -eq "$changes" ]; do
      sleep 0.02
      left=$((left - 1))
    done
  fi
esac
exec "{git}" "$@"
"""
_PATIENCE = 100  # turns of a fiftieth of a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call of git that kills whoever made it: the `at`-th one of a command.

    Then git does its work at once, or `late`: when a step changes files again.
    """

    what: str
    at: int
    late: bool

    def __str__(self) -> str:
        return f"at git {self.what} number {self.at}, which works {'late' if self.late else 'at once'}"


def orphaned(facts: Facts) -> Iterator[Case]:
    """Kill it at a call of git, in the run or while the run is taken up again after a kill in a step."""
    for at, what, late in product((2,), _WRITING, (False, True)):
        call = Call(what=what, at=at, late=late)
        yield Case(title=f"{call} in a run", act=partial(_kill_at_call, call=call))
    for at, what, late in product((1, 2), _RESTORING, (False, True)):
        call = Call(what=what, at=at, late=late)
        yield Case(title=f"{call} in a resumption", act=partial(_kill_while_resuming, call=call))


def no_git() -> str:
    """Say that git is not there, or return nothing."""
    return "" if shutil.which("git") else "git is not installed"


def _kill_at_call(trial: Trial, *, call: Call) -> None:
    _die_at(trial, trial.first, call)
    trial.finish()


def _kill_while_resuming(trial: Trial, *, call: Call) -> None:
    running = trial.start(*trial.first)
    trial.wait_for_line(running, "do", f"{PHASE}/move", detail=2)
    processes.kill(running.pid)
    trial.ended(running, (KILLED, 0), "the run")
    _die_at(trial, ("resume", "last"), call)
    trial.finish()


def _die_at(trial: Trial, command: tuple[str, ...], call: Call) -> None:
    """Run the program with a git before the real one that kills whoever makes the call."""
    folder, calls = trial.folder / "between", trial.folder / "calls.txt"
    folder.mkdir()
    between = folder / "git"
    values = {"what": call.what, "at": call.at, "patience": _PATIENCE if call.late else 0}
    text = _BETWEEN.format(calls=calls, oracle=trial.oracle, git=shutil.which("git"), **values)
    between.write_text(text, encoding="utf-8")
    between.chmod(between.stat().st_mode | stat.S_IXUSR)
    path = trial.environ["PATH"]
    trial.environ["PATH"] = f"{folder}:{path}"
    running = trial.start(*command)
    trial.missed = trial.ended(running, (KILLED, 0), "the run").code == 0
    trial.environ["PATH"] = path


FAULTS = (Fault(name="git", summary="SIGKILL while git works and goes on by itself", cases=orphaned, unfit=no_git),)
