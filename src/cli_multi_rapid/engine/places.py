"""Where steps work: in the project's own folder, in the checkout that a run's steps share, or in one of their own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node, RunPlan, file_name
from cli_multi_rapid.engine.planner import Ready
from cli_multi_rapid.errors import WorktreeUnfit
from cli_multi_rapid.model.checkpoint import Checkpoint, Checkpoints
from cli_multi_rapid.model.phase import PhaseSpec, Workspace
from cli_multi_rapid.model.run import Status, StepResult
from cli_multi_rapid.model.words import few
from cli_multi_rapid.model.workspace import SHARED, Worktrees

Prepare = Callable[[PhaseSpec, str, str], Awaitable[str]]
"""Prepares a new checkout, given its phase, folder and name; returns what went wrong, if anything did."""

_T = TypeVar("_T")


@dataclass(eq=False, kw_only=True)
class Place:
    """A folder in which steps work, and what keeps its states.

    `fresh` is the last one while it is the present. `moved` tells that the engine itself has changed the files since.
    """

    name: str
    root: str
    checkpoints: Checkpoints | None
    fresh: Checkpoint | None = None
    moved: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)  # a call that was cancelled goes on in its thread

    @property
    def own(self) -> bool:
        """Tell whether nobody but steps of this run works here."""
        return bool(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What places are made with. `unfit` says why a phase cannot work in a worktree here, or nothing."""

    worktrees: Worktrees | None
    prepare: Prepare
    unfit: Callable[[PhaseSpec], str]


class Places:
    """The places of one run. `commit` is what its steps in worktrees have come to; further ones begin with that."""

    def __init__(self, plan: RunPlan, graph: Graph, state: RunState, *, here: Place, means: Means) -> None:
        self.here = here
        self.commit = state.commit
        self._plan = plan
        self._state = state
        self._means = means
        self._shared: Place | None = None
        self._at = ""
        self._bases: dict[str, str] = {}
        self._prepared: set[str] = set()
        self._first_seen: dict[str, str] = {}
        self._order = {key: number for number, key in enumerate(graph.nodes)}
        self._apart: dict[str, tuple[int, int]] = {}
        self._turns = asyncio.Condition()

    def known(self) -> Sequence[Place]:
        """Return the places that several steps share, as far as they are open."""
        return (self.here, *([self._shared] if self._shared else []))

    def may_start(self, node: Node, running: Collection[Ready]) -> bool:
        """Tell whether a step sees what it is to see: the shared checkout moves on only while nobody works in it."""
        if not node.worktree or node.apart or self._at == self.commit:
            return True
        return not any(one.node.worktree and not one.node.apart for one in running)

    def note_ready(self, nodes: Collection[Node]) -> None:
        """Remember with which commit steps that run beside each other begin: the one of the time when they could.

        So what comes of them does not depend on how many run at a time.
        """
        for node in nodes:
            if node.apart:
                self._first_seen.setdefault(node.key, self.commit)

    async def of(self, start: Ready) -> Place:
        """Return where a step is to work, made and brought up to date.

        Raises:
            WorktreeUnfit: its phase cannot work in a worktree here.
        """
        if not start.node.worktree:
            return self.here
        phase = self._plan.phase(start.node.phase)
        if not start.node.apart:
            return await self.shared(phase)
        number = self._state.step(start.key).attempt + 1
        base = self._state.step(start.node.key).base or self._first_seen.get(start.node.key) or self.commit
        place = await self._opened(phase, file_name(start.key, number), base)
        self._apart[start.key] = self._rank(start)
        return place

    async def shared(self, phase: PhaseSpec) -> Place:
        """Return the checkout that steps share, at the commit that the run has come to.

        Raises:
            WorktreeUnfit: the phase cannot work in a worktree here.
        """
        if self._shared is None:
            self._shared = await self._opened(phase, SHARED, self.commit)
        elif phase.name not in self._prepared:
            self._check_fit(phase)
            self._shared.fresh, self._shared.moved = None, True
            await self._prepare(phase, self._shared)
        if self._at != self.commit:
            commit = self.commit
            await self._call(lambda one: one.renew(SHARED, commit))
            self._at, self._shared.fresh, self._shared.moved = commit, None, True
        return self._shared

    async def root_of(self, phase: str) -> str:
        """Return the folder that the gates of a phase judge; those of the whole project judge its own."""
        spec = self._plan.phase(phase) if phase else None
        if spec is None or spec.workspace is Workspace.IN_PLACE:
            return self.here.root
        return (await self.shared(spec)).root

    async def settle(
        self, start: Ready, place: Place, before: Checkpoint, result: StepResult, changed: Sequence[str]
    ) -> StepResult:
        """Make what an attempt in a worktree changed part of what the run has come to, or take it back.

        Changes of steps that ran beside each other are joined in the order in which the steps are declared.
        """
        if not place.own or not changed:
            return result
        if result.status.bad:
            return await self._taken_back(start, place, before, result)
        spec, paths = self._plan.phase(start.node.phase), tuple(changed)
        title = start.node.step.title or "changes of this step"
        message = f"{spec.name}/{start.node.step.id}: {title}\n\nrun {self._state.id}\n"
        onto = self._bases[place.name]
        made = await self._call(lambda one: one.commit(place.name, onto=onto, paths=paths, message=message))
        if start.node.apart:
            joined = await self._joined(start, made, message, result)
            return await self._taken_back(start, place, before, joined) if joined.outcome.bad else joined
        self.commit = self._at = self._bases[place.name] = made
        return await self._recorded(start, result)

    async def keep(self, label: str) -> Checkpoint | None:
        """Make a ref to what the run has come to; None where there is nothing."""
        commit = self.commit
        if self._means.worktrees is None or not commit:
            return None
        ref = await self._call(lambda one: one.keep(label, commit))
        return Checkpoint(commit=commit, ref=ref, tree=commit)

    async def back_before(self, commit: str) -> str:
        """Let the run have come only to what was there before a commit; return that."""
        self.commit = await self._call(lambda one: one.before(commit))
        return self.commit

    async def leave(self, start: Ready, place: Place) -> None:
        """Give up the checkout that a step had for itself."""
        if start.node.apart and place.own:
            await self._call(lambda one: one.close(place.name))

    async def pass_turn(self, keys: Collection[str]) -> None:
        """Let those join that come after these steps, once it is recorded what became of them."""
        async with self._turns:
            for key in keys:
                self._apart.pop(key, None)
            self._turns.notify_all()

    def hold_turns(self, keys: Collection[str]) -> bool:
        """Tell whether others may wait for the turns of these steps."""
        return any(key in self._apart for key in keys)

    def behind(self, node: Node) -> Place | None:
        """Return the shared checkout, if a step that begins there makes it move on."""
        return self._shared if node.worktree and not node.apart and self._at != self.commit else None

    async def close(self) -> list[str]:
        """Remove all checkouts of the run; return the refs of what they held and no step had recorded."""
        if self._means.worktrees is None:
            return []
        names = await self._call(lambda one: tuple(one.names()))
        refs = [await self._call(lambda one, name=name: one.close(name)) for name in names]  # type: ignore[misc]
        self._shared = None
        return [ref for ref in refs if ref]

    # -- parts

    async def _opened(self, phase: PhaseSpec, name: str, commit: str) -> Place:
        self._check_fit(phase)
        checkout = await self._call(lambda one: one.open(name, commit))
        self._bases[name] = commit
        place = Place(name=name, root=checkout.root, checkpoints=checkout.checkpoints)
        await self._prepare(phase, place)
        if checkout.fresh and name == SHARED:
            self._at = commit
        return place

    async def _prepare(self, phase: PhaseSpec, place: Place) -> None:
        """Run what prepares a checkout for a phase: each time, because one that was killed may have been half done."""
        if phase.setup and (wrong := await self._means.prepare(phase, place.root, place.name)):
            await self._call(lambda one: one.close(place.name))
            self._shared = None if place is self._shared else self._shared
            raise WorktreeUnfit(f"the checkout could not be prepared: {wrong}")
        if place.name == SHARED:
            self._prepared.add(phase.name)

    def _check_fit(self, phase: PhaseSpec) -> None:
        if self._means.worktrees is None:
            raise WorktreeUnfit("a worktree needs a git repository")
        if not self.commit:
            raise WorktreeUnfit("a worktree needs a commit, and there is none yet")
        if why := self._means.unfit(phase):
            raise WorktreeUnfit(why)

    async def _taken_back(self, start: Ready, place: Place, before: Checkpoint, result: StepResult) -> StepResult:
        checkpoints, label = place.checkpoints, f"{start.key} failed attempt {self._state.step(start.key).attempt}"
        assert checkpoints is not None
        done = await asyncio.to_thread(checkpoints.restore, label, before=before.commit, paths=None)
        place.fresh = None
        said = f"it failed, so its changes do not count; they are kept:  git diff {done.kept[-1]}" if done.kept else ""
        return replace(result, tree=before.tree, warnings=(*result.warnings, *([said] if said else [])))

    async def _joined(self, start: Ready, made: str, message: str, result: StepResult) -> StepResult:
        mine = self._apart[start.key]
        async with self._turns:
            await self._turns.wait_for(lambda: min(self._apart.values()) == mine)
        ours = self.commit
        merged = await self._call(lambda one: one.merge(ours, made, message=message))
        if merged.conflicts:
            ref = await self._call(lambda one: one.keep(f"{start.key} conflict", made))
            return replace(
                result, status=Status.FAILURE, outcome=Status.FAILURE,
                reason=f"conflicts with what steps before it changed: {few(merged.conflicts)}",
                fix=f"its own changes are kept:  git diff {ref}~ {ref}",
            )  # fmt: skip
        self.commit = merged.commit
        return await self._recorded(start, result)

    async def _recorded(self, start: Ready, result: StepResult) -> StepResult:
        commit = self.commit
        await self._call(lambda one: one.keep(f"{start.key} commit", commit))
        return replace(result, commit=commit)

    def _rank(self, start: Ready) -> tuple[int, int]:
        parts = self._state.step(start.node.key).instances or (start.key,)
        return self._order[start.node.key], parts.index(start.key)

    async def _call(self, act: Callable[[Worktrees], _T]) -> _T:
        worktrees = self._means.worktrees
        assert worktrees is not None
        return await asyncio.to_thread(act, worktrees)
