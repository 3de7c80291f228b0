"""Starting, resuming, repeating and cancelling runs."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import build
from cli_multi_rapid.errors import ProcessSurvived, RunFinished, RunStuck
from cli_multi_rapid.model.events import Kind, NewEvent, Payload
from cli_multi_rapid.model.ports import Observer, Store
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.model.run import DEATHS_ALLOWED, Status
from cli_multi_rapid.services.project import ensure_state_dir
from cli_multi_rapid.services.runids import new_run_id
from cli_multi_rapid.services.snapshot import plan_of
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.lock import ProjectLock, acquire
from cli_multi_rapid.system.store import open_store

INTERRUPTED = {"SIGINT": 130, "SIGTERM": 143, "timeout": 124}
"""Exit code of a run that was stopped in order and can be resumed, by the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings of the engine that are not part of what a run is."""

    log_cap_bytes: int
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How driving a run ended."""

    run: str
    status: Status
    exit_code: int


def start(project: Project, record: Payload, *, limits: Limits, observer: Observer, alone: bool = True) -> Ended:
    """Make a new run of a snapshot and drive it to its end.

    Only a run that changes nothing (gates alone) may do without being `alone` in the project.

    Raises:
        ProjectBusy: another orchestrator holds the project.
    """
    ensure_state_dir(project.state)
    with _held(project, alone=alone) as (lock, store):
        run = new_run_id()
        if lock is not None:
            lock.name_run(run)
        fence = store.take(run)
        begun = store.append(run, [NewEvent(kind=Kind.RUN_STARTED, payload=record), _taken(fence)], fence=fence)
        for event in begun:
            observer.event(event)
        return _drive(project, lock, store, fold(run, begun), fence=fence, limits=limits, observer=observer)


def resume(project: Project, run: str, *, limits: Limits, observer: Observer, warn: Callable[[str], None]) -> Ended:
    """Take an interrupted run up again: fold its events and go on with the first step that is not recorded as ended.

    `warn` is told of each step that was interrupted and may have left half-done changes.

    Raises:
        RunFinished: it has ended.
        RunStuck: it died again and again without progress.
        ProcessSurvived: a process of the interrupted attempt cannot be stopped.
        ProjectBusy: another orchestrator holds the project.
    """
    from cli_multi_rapid.system.survivors import kill_survivors

    with _held(project, alone=True) as (lock, store):
        assert lock is not None
        lock.name_run(run)
        events = store.events(run)
        state = fold(run, events)
        if state.status.ended:
            raise RunFinished(f"run {run} has ended: {state.status}", hint=f"cli-multi-rapid rerun {run}")
        if state.idle_takes >= DEATHS_ALLOWED:
            raise RunStuck(
                f"run {run} died {state.idle_takes} times without finishing a step",
                hint=f"see what happened:  cli-multi-rapid logs {run}   then:  cli-multi-rapid rerun {run}",
            )
        _, alive = kill_survivors(f"{run}:", wait_s=2.0)
        if alive:
            raise ProcessSurvived(f"process {alive[0].pid} of run {run} is still running", hint=f"kill {alive[0].pid}")
        for key in _maybe_half_done(state):
            warn(f"{key} was interrupted; files that it had changed were not restored before it runs again")
        fence = store.take(run)
        for event in events:
            observer.event(event)
        for event in store.append(run, [_taken(fence)], fence=fence):
            state.apply(event)
            observer.event(event)
        return _drive(project, lock, store, state, fence=fence, limits=limits, observer=observer)


def _maybe_half_done(state: RunState) -> list[str]:
    """Return the steps that were running when the orchestrator ended and had not promised to write nothing."""
    nodes = build(plan_of(state.started).phases).nodes
    running = [key for key, step in state.steps.items() if step.status is Status.RUNNING]
    return [key for key in running if nodes[key.partition("[")[0]].writes]


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
        store.append(run, [NewEvent(kind=Kind.RUN_CANCEL, payload={"by": getpass.getuser()})])
    finally:
        store.close()


@contextmanager
def _held(project: Project, *, alone: bool) -> Iterator[tuple[ProjectLock | None, Store]]:
    """Hold the project's lock, unless company is allowed, and its open log."""
    lock = acquire(project.lock) if alone else None
    try:
        store = open_store(project.log, create=True)
        try:
            yield lock, store
        finally:
            store.close()
    finally:
        if lock is not None:
            lock.release()


def _taken(fence: int) -> NewEvent:
    payload = {"pid": os.getpid(), "host": socket.gethostname()}
    return NewEvent(kind=Kind.RUN_TAKEN, attempt=fence, payload=payload)


def _drive(
    project: Project,
    lock: ProjectLock | None,
    store: Store,
    state: RunState,
    *,
    fence: int,
    limits: Limits,
    observer: Observer,
) -> Ended:
    return asyncio.run(_driven(project, lock, store, state, fence=fence, limits=limits, observer=observer))


async def _driven(
    project: Project,
    lock: ProjectLock | None,
    store: Store,
    state: RunState,
    *,
    fence: int,
    limits: Limits,
    observer: Observer,
) -> Ended:
    from cli_multi_rapid.engine.executor import Executor
    from cli_multi_rapid.engine.runner import Runner
    from cli_multi_rapid.services.gatekeeping import ProjectGates
    from cli_multi_rapid.services.surroundings import surroundings
    from cli_multi_rapid.services.tree import file_hasher
    from cli_multi_rapid.system.process import SupervisedRunner, blocking

    plan = plan_of(state.started)
    around = surroundings(project, plan.phases)
    children = SupervisedRunner(inherit_fds=(lock.descriptor,) if lock else ())
    loop = asyncio.get_running_loop()

    def executes() -> Callable[[Command], Exit]:
        return blocking(children, loop)

    runner = Runner(
        store=store,
        fence=fence,
        plan=plan,
        graph=build(plan.phases),
        state=state,
        executor=Executor(
            runner=children, root=str(project.root), environ=around.environ, secrets=around.secrets,
            log_cap_bytes=limits.log_cap_bytes, requirements=around.missing,
            hash_files=file_hasher(project),
        ),
        gatekeeper=ProjectGates(
            project=project, gates=plan.gates, level=plan.level, parallel=plan.parallel, env=around.environ,
            execute=executes,
        ),
        observer=observer,
        folder=_folder(project.folder(state.id)),
    )  # fmt: skip
    _obey_signals(loop, runner.interrupt)
    if limits.timeout_s is not None:
        loop.call_later(limits.timeout_s, runner.interrupt, "timeout")
    try:
        await runner.drive()
    finally:
        await children.close()
    return _ended(state)


def _folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _obey_signals(loop: asyncio.AbstractEventLoop, interrupt: Callable[[str], None]) -> None:
    """First signal: stop in order. Second one: stop now; the system kills the supervisor and all below it."""
    seen: list[str] = []

    def receive(number: signal.Signals) -> None:
        if seen:
            os._exit(INTERRUPTED[number.name])
        seen.append(number.name)
        interrupt(number.name)

    if os.name == "posix":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, receive, number)


def _ended(state: RunState) -> Ended:
    code = state.exit_code
    if code is None:
        code = INTERRUPTED.get(state.interrupted, 1)
    return Ended(run=state.id, status=state.status, exit_code=code)
