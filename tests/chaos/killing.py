"""Faults that kill the orchestrator with SIGKILL."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import processes
from cases import Case, Facts, Fault
from changes import WRITERS
from sample import PHASE, WITH_DAEMONS
from trial import KILLED, NotRunError, Running, Trial

_MOMENTS = 42
_SERIES = 20
_DEATHS_ALLOWED = 2  # one more without a step that ends, and the run rightly counts as stuck
STRACE = ("strace", "-f", "-qq", "-e", "trace=fdatasync,fsync")
_COULD_NOT_RUN = 3


def commits(facts: Facts) -> Iterator[Case]:
    """Kill it before and after every commit of the event log."""
    for at in range(1, facts.commits + 1):
        for when in ("before", "after"):
            kill = {"at": at, "when": when, "of": "commit"}
            yield Case(title=f"{when} commit {at}", act=partial(_kill_inside, kill=kill))


def syncs(facts: Facts) -> Iterator[Case]:
    """Kill whatever thread makes its K-th durable write, in the orchestrator and in what it starts."""
    for at in range(1, facts.syncs + 1):
        yield Case(title=f"at durable write {at}", act=partial(_kill_at_sync, at=at))


def moments(facts: Facts) -> Iterator[Case]:
    """Kill it at random moments."""
    for place in range(_MOMENTS):
        modes = ("group",) if place % 3 == 2 else ()
        act = partial(_kill_at_moment, longest_s=facts.duration_s, modes=modes)
        yield Case(title=f"at a random moment, {' '.join(modes) or 'any'} mode", act=act)


def middle(facts: Facts) -> Iterator[Case]:
    """Kill it after each change of each writing step."""
    for writer in WRITERS:
        for number in range(len(writer.changes)):
            act = partial(_kill_in_step, key=f"{PHASE}/{writer.name}", number=number)
            yield Case(title=f"after change {number + 1} of {writer.name}", act=act)


def series(facts: Facts) -> Iterator[Case]:
    """Kill it several times in a row, also while it takes the run up again."""
    for _ in range(_SERIES):
        yield Case(title="several times", act=partial(_kill_in_a_row, longest_s=facts.duration_s))


def orphans(facts: Facts) -> Iterator[Case]:
    """Kill orchestrator and supervisor at once where no namespace holds a step together; or the supervisor alone."""
    for number, modes in ((0, ("group",)), (0, ()), (1, ("group",)), (2, ())):
        title = f"at change {number + 1} of daemons, resumed with {' '.join(modes) or 'any mode'}"
        yield Case(title=title, act=partial(_kill_both, number=number, modes=modes))
    for modes in (("group",), ()):
        title = f"the supervisor alone, {' '.join(modes) or 'any'} mode"
        yield Case(title=title, act=partial(_kill_supervisor, modes=modes))


def count_syncs(trial: Trial) -> int:
    """Return the largest number of durable writes that one thread makes in a whole run.

    Raises:
        NotRunError: the calls cannot be traced here.
    """
    trace = trial.folder / "trace.txt"
    ended = trial.start(*trial.first, before=(*STRACE, "-o", str(trace))).wait()
    if not trace.exists() or ended.code != 0:
        raise NotRunError(f"strace does not work here: {ended.last_lines}")
    threads = Counter(line.split()[0] for line in trace.read_text(errors="replace").splitlines() if "sync(" in line)
    return max(threads.values(), default=0)


def cannot_trace() -> str:
    """Say why calls cannot be traced here, or return nothing if they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    with tempfile.TemporaryDirectory() as folder:
        code = f"import os; os.fsync(os.open({str(Path(folder, 'file'))!r}, os.O_CREAT | os.O_WRONLY))"
        traced = (*STRACE, "-o", "/dev/null", "-e", _injection(1), sys.executable, "-I", "-S", "-c", code)
        done = subprocess.run(traced, capture_output=True, text=True)
    if done.returncode in (KILLED, 128 + signal.SIGKILL):
        return ""
    return f"strace cannot inject signals here: {done.stderr.strip()[-120:] or 'it ended with'} {done.returncode}"


def _injection(at: int) -> str:
    return f"inject=fdatasync,fsync:signal=KILL:when={at}"


def _kill_inside(trial: Trial, *, kill: dict[str, object]) -> None:
    running = trial.start(*trial.first, plan={"kill": kill})
    trial.missed = trial.ended(running, (KILLED, 0), "the run").code == 0
    trial.finish()


def _kill_at_sync(trial: Trial, *, at: int) -> None:
    running = trial.start(*trial.first, before=(*STRACE, "-o", "/dev/null", "-e", _injection(at)))
    allowed = (KILLED, 128 + signal.SIGKILL, _COULD_NOT_RUN, 0)  # it is git that may have been killed
    trial.missed = trial.ended(running, allowed, "the run").code == 0
    trial.finish()


def _kill_at_moment(trial: Trial, *, longest_s: float, modes: tuple[str, ...]) -> None:
    trial.modes = modes
    trial.missed = not _kill_after(trial, trial.chance.uniform(0.02, 1.05 * longest_s), trial.first)
    trial.finish()


def _kill_after(trial: Trial, seconds: float, command: tuple[str, ...]) -> bool:
    """Kill the program some time after its start; tell whether it was still there."""
    running = trial.start(*command)
    processes.wait_for(running.has_ended, limit_s=seconds)
    running.process.kill()
    return trial.ended(running, (KILLED, 0), "the run").code == KILLED


def _kill_in_step(trial: Trial, *, key: str, number: int) -> None:
    running = trial.start(*trial.first)
    trial.wait_for_line(running, "do", key, detail=number)
    processes.wait_for(running.has_ended, limit_s=trial.pause_s / 2)  # the change itself is done meanwhile
    running.process.kill()
    trial.missed = trial.ended(running, (KILLED, 0), "the run").code == 0
    trial.finish()


def _kill_in_a_row(trial: Trial, *, longest_s: float) -> None:
    count = 0
    for _ in range(trial.chance.randint(3, 5)):
        record = trial.record()
        if record.finished is not None:
            break
        command = ("resume", "last") if record.runs else trial.first
        if record.deaths_without_progress >= _DEATHS_ALLOWED:
            kill = {"at": trial.chance.randint(1, 2), "when": "after", "of": "finish"}
            running = trial.start(*command, plan={"kill": kill})
            count += trial.ended(running, (KILLED, 0), "the resumed run").code == KILLED
        else:
            count += _kill_after(trial, trial.chance.uniform(0.02, 0.7 * longest_s), command)
    trial.missed = count < 2
    trial.finish()


def _kill_both(trial: Trial, *, number: int, modes: tuple[str, ...]) -> None:
    trial.modes = ("group",)
    running = trial.start(*trial.first)
    trial.wait_for_line(running, "child", WITH_DAEMONS, count=2)
    trial.wait_for_line(running, "do", WITH_DAEMONS, detail=number)
    if not _stop_both(running):
        _require_late(trial)
    trial.ended(running, (KILLED, 0) if trial.missed else (KILLED,), "the run")
    trial.modes = modes
    trial.finish()


def _kill_supervisor(trial: Trial, *, modes: tuple[str, ...]) -> None:
    trial.modes = modes
    running = trial.start(*trial.first)
    trial.wait_for_line(running, "do", WITH_DAEMONS, detail=0)
    supervisor = processes.supervisor_of(running.pid)
    if supervisor is None:
        _require_late(trial)
    else:
        processes.kill(supervisor)
    trial.ended(running, (0,) if trial.missed else (_COULD_NOT_RUN,), "the run without its supervisor")
    trial.finish()


def _require_late(trial: Trial) -> None:
    """Note that the run had no supervisor any more, because its last steps had ended; else the case cannot be made."""
    if all(step != WITH_DAEMONS for _, step in trial.record().ended_steps()):
        raise NotRunError("the supervisor was not found")
    trial.missed = True


def _stop_both(running: Running) -> bool:
    """Kill supervisor and orchestrator so that neither can do anything about the death of the other."""
    processes.kill(running.pid, signal.SIGSTOP)
    processes.wait_for(lambda: processes.state_of(running.pid) in ("T", "Z", ""), limit_s=2)
    supervisor = processes.supervisor_of(running.pid)
    if supervisor is not None:
        processes.kill(supervisor)
    running.process.kill()
    return supervisor is not None


FAULTS = (
    Fault(name="commits", summary="SIGKILL before and after every commit of the event log", cases=commits, timed=True),
    Fault(name="syncs", summary="SIGKILL at every durable write", cases=syncs, unfit=cannot_trace, traced=True),
    Fault(name="moments", summary="SIGKILL at random moments", cases=moments, timed=True),
    Fault(name="middle", summary="SIGKILL in the middle of writing steps", cases=middle),
    Fault(name="series", summary="several SIGKILLs in a row", cases=series, timed=True),
    Fault(name="orphans", summary="SIGKILL of orchestrator and supervisor, or of the supervisor", cases=orphans),
)
