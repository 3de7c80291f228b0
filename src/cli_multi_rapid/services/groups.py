"""Groups of runs of which only one is at work at a time, whatever project they are of."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.engine.expressions import ExpressionError, interpolate, to_string
from cli_multi_rapid.engine.graph import RunPlan
from cli_multi_rapid.errors import CmrError, InputInvalid, ProjectBusy
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.phase import OnConflict
from cli_multi_rapid.services.project import ensure_state_dir, state_base
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.lock import ProjectLock, acquire, holder
from cli_multi_rapid.system.store import open_store


@contextmanager
def grouped(
    project: Project, plan: RunPlan, run: str, *, warn: Callable[[str], None]
) -> Iterator[tuple[ProjectLock, ...]]:
    """Hold the locks of all groups of a run, which it waits for in the same order as everybody else.

    Raises:
        ProjectBusy: another run of a group is at work, and the phase says that this one is to fail then.
        InputInvalid: the name of a group cannot be evaluated with these inputs.
    """
    wanted: dict[str, OnConflict] = {}
    for spec in plan.phases:
        if spec.concurrency is not None:
            contexts: Mapping[str, object] = {
                "inputs": plan.inputs.get(spec.name, {}), "phase": {"name": spec.name, "title": spec.title},
                "git": dict(plan.git),
            }  # fmt: skip
            try:
                name = to_string(interpolate(spec.concurrency.group, contexts))
            except ExpressionError as broken:
                message = f"the group of phase {spec.name} cannot be named: {broken}"
                raise InputInvalid(message, hint="correct the input, or  concurrency: {group: ...}") from broken
            wanted[name] = spec.concurrency.on_conflict
    with ExitStack() as stack:
        locks = []
        for name, on_conflict in sorted(wanted.items()):
            lock = _acquired(project, name, on_conflict, warn=warn)
            stack.callback(lock.release)
            lock.name_run(run, log=str(project.log))
            locks.append(lock)
        yield tuple(locks)


def _acquired(project: Project, name: str, on_conflict: OnConflict, *, warn: Callable[[str], None]) -> ProjectLock:
    folder = ensure_state_dir(state_base(project.environ) / "groups")
    path = folder / sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    found = holder(path)
    if found is not None and on_conflict is OnConflict.QUEUE:
        warn(f"waiting for run {found.get('run') or '?'} of the group {name!r}")
    if found is not None and on_conflict is OnConflict.CANCEL:
        _cancel(found, name, warn=warn)
    try:
        return acquire(path, wait=on_conflict is not OnConflict.FAIL)
    except ProjectBusy as busy:
        other = holder(path) or {}
        raise ProjectBusy(
            f"run {other.get('run') or '?'} of the group {name!r} is at work (process {other.get('pid', '?')})",
            hint="wait for it, or write  on-conflict: queue",
        ) from busy  # fmt: skip


def _cancel(found: Mapping[str, object], name: str, *, warn: Callable[[str], None]) -> None:
    """Ask the run that holds a group to stop; its own project's log takes the wish."""
    run, log = str(found.get("run") or ""), str(found.get("log") or "")
    if not run or not log:
        return
    warn(f"asked run {run} of the group {name!r} to stop")
    try:
        store = open_store(Path(log))
        try:
            store.append(run, [forms.RUN_CANCEL.event({"by": f"a newer run of the group {name}"})])
        finally:
            store.close()
    except (CmrError, FileNotFoundError) as failed:
        warn(f"run {run} could not be asked to stop: {failed}")
