"""Faults that ask the orchestrator to stop, and a second orchestrator beside it."""

import signal
from collections.abc import Iterator
from functools import partial

import processes
from cases import Case, Facts, Fault
from sample import FINAL_KEY, PHASE
from trial import Ended, MissedError, Running, Trial

_CASES = 12
_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
_BUSY = 75


def calm(facts: Facts) -> Iterator[Case]:
    """Make no fault at all."""
    yield Case(title="nothing happens", act=_leave_alone)


def stop(facts: Facts, *, number: signal.Signals) -> Iterator[Case]:
    """Send a signal at a random moment, once or twice."""
    for place in range(_CASES):
        twice = place % 3 == 1
        act = partial(_stop, number=number, twice=twice, longest_s=facts.duration_s)
        yield Case(title=f"{number.name} {'twice' if twice else 'once'}", act=act)


def rivals(facts: Facts) -> Iterator[Case]:
    """Start a second orchestrator at once, or while the first one works."""
    yield Case(title="two at once", act=_two_at_once)
    for key in (f"{PHASE}/edit", f"{PHASE}/look-1", f"{PHASE}/daemons"):
        for again in (False, True):
            act = partial(_one_beside, key=key, again=again)
            yield Case(title=f"{'resume' if again else 'run-phase'} while {key} works", act=act)


def _leave_alone(trial: Trial) -> None:
    trial.run(*trial.first)


def _stop(trial: Trial, *, number: signal.Signals, twice: bool, longest_s: float) -> None:
    running = trial.start(*trial.first)
    processes.wait_for(running.has_ended, limit_s=trial.chance.uniform(0.05, 1.05 * longest_s))
    began = bool(trial.lines())
    running.process.send_signal(number)
    if twice:
        processes.wait_for(running.has_ended, limit_s=trial.chance.uniform(0.0, 0.2))
        running.process.send_signal(number)
    # Before the first step and after the last one the system ends the program; a shell shows that with the same code.
    ended = trial.ended(running, (_CODES[number], 0, -number), f"the run that got {number.name}")
    trial.missed = ended.code == 0
    if began and not trial.missed and not trial.has_finished():
        _check_stopped(trial, ended, twice=twice)
    trial.finish()


def _check_stopped(trial: Trial, ended: Ended, *, twice: bool) -> None:
    """A run that was stopped in order says so in its record, and its final step has run."""
    if not trial.record().interrupted:
        trial.note("exit-code", f"it ended with {ended.code} and recorded no interruption")
    if not twice and not any((line.what, line.key) == ("end", FINAL_KEY) for line in trial.lines()):
        trial.note("unfinished", f"it was stopped in order, and its final step did not run: {ended.last_lines}")


def _two_at_once(trial: Trial) -> None:
    both = [trial.start(*trial.first) for _ in range(2)]
    codes = sorted(trial.ended(one, (0, _BUSY), "one of two").code for one in both)
    if codes == [0, 0] and not _interleaved(trial):
        raise MissedError("the second orchestrator began after the first one had ended")
    if codes != [0, _BUSY]:
        trial.note("exit-code", f"two orchestrators ended with {codes} instead of one with {_BUSY}")
    trial.finish()


def _interleaved(trial: Trial) -> bool:
    """Tell whether two orchestrators worked at the same time, on one run or on two."""
    runs = [line.run for line in trial.lines()]
    return runs != sorted(runs) or len(trial.record().of("run.taken")) > 1


def _check_refused(trial: Trial, first: Running, second: Ended) -> None:
    if second.code == _BUSY:
        if str(first.pid) not in second.text:
            trial.note("exit-code", f"the second orchestrator does not name the first one: {second.last_lines}")
    elif first.has_ended() and not _interleaved(trial):
        raise MissedError("the second orchestrator began after the first one had ended")
    else:
        trial.note("exit-code", f"the second orchestrator ended with {second.code}: {second.last_lines}")


def _one_beside(trial: Trial, *, key: str, again: bool) -> None:
    first = trial.start(*trial.first)
    trial.missed = not trial.wait_for_line(first, "start", key)
    if not trial.missed:
        second = trial.start(*(("resume", "last") if again else trial.first))
        _check_refused(trial, first, second.wait())
    trial.ended(first, (0,), "the first orchestrator")
    trial.finish()


FAULTS = (
    Fault(name="calm", summary="no fault", cases=calm),
    Fault(name="term", summary="SIGTERM, once and twice", cases=partial(stop, number=signal.SIGTERM), timed=True),
    Fault(name="int", summary="SIGINT, once and twice", cases=partial(stop, number=signal.SIGINT), timed=True),
    Fault(name="rivals", summary="a second orchestrator", cases=rivals),
)
