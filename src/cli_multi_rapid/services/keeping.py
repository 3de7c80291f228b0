"""The checkpoints of a run: which are kept, and what is done with those of a run that was interrupted."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import Graph, RunPlan
from cli_multi_rapid.engine.recovery import Choice, HalfDone, half_done, made_whole, renewed
from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.checkpoints import GitCheckpoints
from cli_multi_rapid.system.git import Repository, open_repository
from cli_multi_rapid.system.git_refs import Refs, forget, runs_with_refs
from cli_multi_rapid.system.lineage import TAG_NAME
from cli_multi_rapid.system.step_cache import FolderCache
from cli_multi_rapid.system.store import SqliteStore
from cli_multi_rapid.system.worktrees import GitWorktrees


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """The repository that a project lies in, and the checkpoints and worktrees of one run in it."""

    repository: Repository
    refs: Refs
    checkpoints: GitCheckpoints
    worktrees: GitWorktrees

    def forget_old(self, store: SqliteStore, *, keep_runs: int) -> None:
        """Let go of the checkpoints of all but the newest runs; runs that have not ended keep theirs."""
        newest = store.runs(limit=keep_runs)
        if len(newest) < keep_runs:
            return
        older = (runs_with_refs(self.repository) & set(store.runs())) - set(newest)
        unended = {run for run in older if not _has_ended(store, run)}
        forget(self.repository, keep=frozenset((*newest, *unended)))


def keeping_of(project: Project, run: str, plan: RunPlan) -> Keeping | None:
    """Return what keeps the states of a run, or None where there is no git repository.

    Nor is there any where the project is on a disk that can only be read: nothing can be kept, or changed.
    """
    # A git that outlives its orchestrator would go on writing files: marked, it is found and ended with the rest.
    environ = {**project.environ, TAG_NAME: f"{run}:git"}
    repository = open_repository(project.root, environ=environ)
    if repository is None or not (os.access(repository.places.objects, os.W_OK) or os.access(project.root, os.W_OK)):
        return None
    refs = Refs(repository, run)
    checkpoints = GitCheckpoints(
        repository, refs=refs, work=project.folder(run) / "checkpoints", kept=project.state / "index"
    )
    worktrees = GitWorktrees(
        repository, refs=refs, folder=project.folder(run) / "trees", environ=project.environ,
        links=tuple(dict.fromkeys(name for phase in plan.phases for name in phase.link)),
    )  # fmt: skip
    return Keeping(repository=repository, refs=refs, checkpoints=checkpoints, worktrees=worktrees)


def cache_of(project: Project, keeping: Keeping | None) -> FolderCache | None:
    """Return what keeps what steps did, or None outside of git: what a step depends on is not known there."""
    return FolderCache(project.state / "cache" / "steps", keeping.repository) if keeping else None


def prune_cache(project: Project, *, older_than_s: float) -> tuple[int, int]:
    """Remove cached steps that nobody has used for so long; return how many, and how many bytes they took."""
    repository = open_repository(project.root, environ=project.environ)
    if repository is None:
        return 0, 0
    return FolderCache(project.state / "cache" / "steps", repository).prune(older_than_s=older_than_s)


def settled(
    state: RunState, graph: Graph, keeping: Keeping | None, *, choice: Choice, warn: Callable[[str], None]
) -> Sequence[NewEvent]:
    """Take back what interrupted steps left half done; return the events that record it.

    Raises:
        StepHalfDone: somebody has to decide first.
        GitFailed: the state to go back to is gone.
    """
    events = []
    for found in half_done(state, graph):
        if found.place and keeping is not None:
            events.append(renewed(found, keeping.worktrees, commit=state.commit))
            continue
        if not found.before or keeping is None:
            _check_lost(found, keeping)
            if not state.cancelled:
                warn(f"{found.key} was interrupted; files that it had changed were not restored before it runs again")
            continue
        event = made_whole(found, keeping.checkpoints, choice=choice, tree=state.tree, cancelled=state.cancelled)
        if event is None and state.cancelled:
            warn(f"{found.key} was interrupted and will not run again; what it had changed is left as it is")
        if event is not None:
            events.append(event)
    return events


def _check_lost(found: HalfDone, keeping: Keeping | None) -> None:
    if found.before and keeping is None:
        raise GitFailed(
            f"the state before {found.key} was kept in a git repository that is gone",
            hint="put the repository back, or go on with what is there:  cli-multi-rapid resume --keep",
        )


def _has_ended(store: SqliteStore, run: str) -> bool:
    events = store.events(run)
    return any(event.kind is Kind.RUN_FINISHED for event in events) and fold(run, events).status.ended
