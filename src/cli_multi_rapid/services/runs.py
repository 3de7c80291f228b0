"""Starting, resuming, repeating and cancelling runs."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.approvals import Signer, check_recorded
from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import RunPlan, build
from cli_multi_rapid.engine.recovery import Choice
from cli_multi_rapid.errors import ProcessSurvived, RunFinished, RunStuck, StateDamaged
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import NAMESPACE
from cli_multi_rapid.model.events import NewEvent
from cli_multi_rapid.model.phase import Network, PhaseSpec
from cli_multi_rapid.model.ports import Observer
from cli_multi_rapid.model.run import DEATHS_ALLOWED, Status
from cli_multi_rapid.services.groups import grouped
from cli_multi_rapid.services.keeping import Keeping, cache_of, keeping_of, settled
from cli_multi_rapid.services.project import ensure_state_dir
from cli_multi_rapid.services.runids import new_run_id
from cli_multi_rapid.services.snapshot import base_commit, fingerprint_of, plan_of
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.services.worktrees import why_unfit
from cli_multi_rapid.system.lock import ProjectLock, acquire
from cli_multi_rapid.system.store import SqliteStore, open_store

if TYPE_CHECKING:
    from cli_multi_rapid.engine.runner import Runner
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted

INTERRUPTED = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143, "timeout": 124}
"""Exit code of a run that was stopped in order and can be resumed, by the reason."""

WAITS = 4
"""Exit code of a run that waits for a person."""

_RECENT = 50
_SAME = ("phases", "inputs", "gates_text", "final_gates", "level", "approvers", "to_branch", "changed_only", "history")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings of the engine that are not part of what a run is."""

    log_cap_bytes: int
    keep_runs: int
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """How runs are driven for somebody: within which limits, and who watches and is warned.

    With `wait` a project that another orchestrator holds is waited for instead of refused. `half_done` decides about
    changes of interrupted steps that do not say what they may change. Without `cache` every step runs.
    """

    limits: Limits
    observer: Observer
    warn: Callable[[str], None]
    wait: bool = False
    half_done: Choice = Choice.ASK
    cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How driving a run ended."""

    run: str
    status: Status
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is held while a run is driven: the open log and the locks, which the supervisor inherits."""

    project: Project
    session: Session
    store: SqliteStore
    locks: tuple[ProjectLock, ...]


def start(
    project: Project, record: "RunStarted", *, session: Session, alone: bool = True, take_up: bool = False,
    adopted: Sequence[NewEvent] = (),
) -> Ended:  # fmt: skip
    """Make a new run of a snapshot and drive it to its end; what is `adopted` need not run again.

    Only a run that changes nothing (gates alone) may do without being `alone` in the project. With `take_up` an
    interrupted run of the same is gone on with, if there is one.

    Raises:
        ProjectBusy: another orchestrator holds the project.
    """
    ensure_state_dir(project.state)
    with _held(project, session, alone=alone) as held:
        found = _interrupted_like(held.store, record) if take_up else None
        if found is not None:
            session.warn(f"going on with run {found}, which has not ended; --no-resume begins anew")
            return _taken_up(held, found)
        run = new_run_id(after=next(iter(held.store.runs(limit=1)), ""))
        plan = plan_of(record)
        with _named(held, run) as mine, grouped(project, plan, run, warn=session.warn) as groups:
            fence = held.store.take(run)
            begun = held.store.append(run, [forms.RUN_STARTED.event(record), *adopted, _taken(fence)], fence=fence)
            for event in begun:
                session.observer.event(event)
            whole = replace(mine, locks=(*mine.locks, *groups))
            return asyncio.run(_driven(whole, fold(run, begun), plan, keeping_of(project, run, plan), fence=fence))


def resume(project: Project, run: str, *, session: Session) -> Ended:
    """Take a run up that was interrupted, or waits: fold its events and go on with the first step that has not ended.

    What an interrupted step left half done is taken back first.

    Raises:
        StepHalfDone: an interrupted step does not say what it may change, and nobody has decided.
        GitFailed: the state that an interrupted step began with is gone.
        RunFinished: it has ended.
        RunStuck: it died again and again without progress.
        StateDamaged: its events are not those that were recorded.
        ProcessSurvived: a process of the interrupted attempt cannot be stopped.
        ProjectBusy: another orchestrator holds the project or the run.
    """
    with _held(project, session, alone=True) as held:
        return _taken_up(held, run)


def cancel(project: Project, run: str) -> None:
    """Ask a run to stop. Whoever works on it ends its steps; if nobody does, it ends when it is resumed.

    Raises:
        RunFinished: it has ended.
    """
    import getpass

    store = open_store(project.log)
    try:
        if fold(run, store.events(run)).status.ended:
            raise RunFinished(f"run {run} has ended", hint=f"cli-multi-rapid status {run}")
        store.append(run, [forms.RUN_CANCEL.event({"by": getpass.getuser()})])
    finally:
        store.close()


def check_unaltered(store: SqliteStore, project: Project, run: str) -> None:
    """Check that the events of a run are those that were recorded, and its fingerprint that of its snapshot.

    Raises:
        StateDamaged: they are not.
    """
    wrong = store.verify(run)
    first = store.events(run, limit=1)
    record = forms.RUN_STARTED.payload(first[0]) if first else None
    if wrong is None and record is not None and record.get("fingerprint") != fingerprint_of(record):
        wrong = first[0].seq
    if wrong is not None:
        raise StateDamaged(
            f"event {wrong} of run {run} is not what was recorded", where=str(project.log),
            hint="put the log back from a backup; a run with altered events does not go on",
        )  # fmt: skip


def _taken_up(held: _Held, run: str) -> Ended:
    """Go on with a run: lease first, then nothing of the old attempt may live, and only then its events are read."""
    with _named(held, run) as mine:
        fence = held.store.take(run)
        _end_survivors(run)
        check_unaltered(held.store, held.project, run)
        events = held.store.events(run)
        state = fold(run, events)
        _check_unended(state)
        _check_decisions(held.project, state)
        plan = plan_of(state.started)
        keeping = keeping_of(held.project, run, plan)
        with grouped(held.project, plan, run, warn=held.session.warn) as groups:
            repairs = settled(state, build(plan.phases), keeping, choice=held.session.half_done, warn=held.session.warn)
            for event in (*events, *held.store.append(run, [*repairs, _taken(fence)], fence=fence)):
                held.session.observer.event(event)
                if event.seq > len(events):
                    state.apply(event)
            whole = replace(mine, locks=(*mine.locks, *groups))
            return asyncio.run(_driven(whole, state, plan, keeping, fence=fence))


def _check_decisions(project: Project, state: RunState) -> None:
    """Check what was decided while nobody worked on a run, before it counts as taken up."""
    for key, step in state.steps.items():
        if step.wait and step.decision and step.result is None and not state.cancelled:
            check_recorded(state, key, step.wait, step.decision, signer=_signer(project))


def _check_unended(state: RunState) -> None:
    if state.status.ended:
        raise RunFinished(f"run {state.id} has ended: {state.status}", hint=f"cli-multi-rapid rerun {state.id}")
    if state.idle_takes >= DEATHS_ALLOWED and not state.cancelled:
        raise RunStuck(
            f"run {state.id} died {state.idle_takes} times without finishing a step",
            hint=f"see what happened:  cli-multi-rapid logs {state.id}   then:  cli-multi-rapid rerun {state.id}",
        )


def _end_survivors(run: str) -> None:
    from cli_multi_rapid.system.survivors import kill_survivors

    _, alive = kill_survivors(f"{run}:", wait_s=2.0)
    if alive:
        raise ProcessSurvived(f"process {alive[0].pid} of run {run} is still running", hint=f"kill {alive[0].pid}")


def _interrupted_like(store: SqliteStore, record: "RunStarted") -> str | None:
    """Return the newest run of these targets if it has not ended and is of the same specs, inputs and gates."""
    for run in store.runs(limit=_RECENT):
        first = store.events(run, limit=1)
        if not first or first[0].payload.get("targets") != record["targets"]:
            continue
        if any((first[0].payload.get(name) or "") != (record.get(name) or "") for name in _SAME):
            return None
        state = fold(run, store.events(run))
        return None if state.status.ended or state.cancelled else run
    return None


@contextmanager
def _held(project: Project, session: Session, *, alone: bool) -> Iterator[_Held]:
    """Hold the project's lock, unless company is allowed, and its open log."""
    lock = acquire(project.lock, wait=session.wait) if alone else None
    try:
        store = open_store(project.log, create=True)
        try:
            yield _Held(project=project, session=session, store=store, locks=(lock,) if lock else ())
        finally:
            store.close()
    finally:
        if lock is not None:
            lock.release()


@contextmanager
def _named(held: _Held, run: str) -> Iterator[_Held]:
    """Hold the lock of a run, too, by which everybody sees that somebody works on it."""
    _folder(held.project.folder(run))
    lock = acquire(held.project.run_lock(run))
    try:
        locks = (*held.locks, lock)
        for one in locks:
            one.name_run(run)
        yield replace(held, locks=locks)
    finally:
        lock.release()


def _taken(fence: int) -> NewEvent:
    return forms.RUN_TAKEN.event({"pid": os.getpid(), "host": socket.gethostname()}, attempt=fence)


async def _driven(held: _Held, state: RunState, plan: RunPlan, keeping: Keeping | None, *, fence: int) -> Ended:
    from cli_multi_rapid.engine.executor import Executor
    from cli_multi_rapid.engine.runner import Runner
    from cli_multi_rapid.services.actions import actions_of
    from cli_multi_rapid.services.gatekeeping import ProjectGates
    from cli_multi_rapid.services.surroundings import surroundings
    from cli_multi_rapid.services.tree import file_hasher
    from cli_multi_rapid.system.network import without_network
    from cli_multi_rapid.system.process import SupervisedRunner

    project, limits = held.project, held.session.limits
    around = surroundings(project, plan.secrets)
    children = SupervisedRunner(inherit_fds=tuple(lock.descriptor for lock in held.locks))
    loop = asyncio.get_running_loop()
    runner = Runner(
        store=held.store,
        fence=fence,
        plan=plan,
        graph=build(plan.phases),
        state=state,
        executor=Executor(
            runner=children, root=str(project.root), environ=around.environ, secrets=around.secrets,
            log_cap_bytes=limits.log_cap_bytes, requirements=around.missing, hash_files=file_hasher(project),
            no_network=without_network() if any(_offline(phase) for phase in plan.phases) else None,
            actions=actions_of(project, keeping, branch=state.started.get("to_branch", "")),
        ),
        gatekeeper=ProjectGates(
            run=state.id, project=project, gates=plan.gates, level=plan.level, parallel=plan.parallel,
            env=around.environ, secrets=tuple(around.secrets.values()), children=children,
            base=base_commit(state.started), changed_only=state.started.get("changed_only", False),
            settles=bool(state.started.get("request")), warn=held.session.warn,
        ),
        observer=held.session.observer,
        folder=project.folder(state.id),
        checkpoints=keeping.checkpoints if keeping else None,
        worktrees=keeping.worktrees if keeping else None,
        unfit=lambda phase: why_unfit(project, phase, around),
        cache=cache_of(project, keeping) if held.session.cache else None,
        signer=_signer(project),
    )  # fmt: skip
    _obey_signals(loop, runner)
    if limits.timeout_s is not None:
        loop.call_later(limits.timeout_s, runner.interrupt, "timeout")
    try:
        await runner.drive()
    finally:
        await children.close()
    if keeping is not None and state.status.ended:
        keeping.forget_old(held.store, keep_runs=limits.keep_runs)
    return _ended(state)


def _signer(project: Project) -> Signer:
    from cli_multi_rapid.system.signatures import Signatures

    return Signatures(NAMESPACE, environ=project.environ, avoid=project.root).signer


def _offline(phase: PhaseSpec) -> bool:
    return phase.permissions is not None and phase.permissions.network is Network.NONE


def _folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _obey_signals(loop: asyncio.AbstractEventLoop, runner: "Runner") -> None:
    """First signal: stop in order. Second one: record that and stop now; the system kills what is below."""
    seen: list[str] = []

    def receive(number: signal.Signals) -> None:
        if seen:
            try:
                runner.abandon(number.name)
            finally:
                os._exit(INTERRUPTED[number.name])
        seen.append(number.name)
        runner.interrupt(number.name)

    if os.name == "posix":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, receive, number)


def _ended(state: RunState) -> Ended:
    code = state.exit_code
    if code is None:
        code = WAITS if state.status is Status.WAITING else INTERRUPTED.get(state.interrupted, 1)
    return Ended(run=state.id, status=state.status, exit_code=code)
