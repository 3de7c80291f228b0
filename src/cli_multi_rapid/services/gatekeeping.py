"""Gates of a project, evaluated for the engine: the place where engine and gates meet."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.assertions import Assertions
from cli_multi_rapid.gates.runner import evaluate
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit, ProcessRunner
from cli_multi_rapid.services.base import base_at, change_since, verdicts_of
from cli_multi_rapid.services.project import cache_dir, ensure_state_dir
from cli_multi_rapid.services.tree import files_in, opened, tree_id
from cli_multi_rapid.services.validators import validator_source
from cli_multi_rapid.services.wiring import Project

if TYPE_CHECKING:
    from cli_multi_rapid.model.change import Change
    from cli_multi_rapid.system.git import Repository

_STOPPED = Exit(error="the run was stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectGates:
    """Evaluates gates of a project in threads; implements `model.ports.Gatekeeper`.

    The commands of gates are children of the run like those of steps: supervised, tagged, their output masked.
    `base` is the commit that the project is compared with; with `changed_only`, checks that look at files look at those
    that differ from it. With `settles`, results say whether the project was the same before and after.
    """

    run: str
    project: Project
    gates: Mapping[str, GateSpec]
    level: Level
    parallel: int
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    children: ProcessRunner
    base: str = ""
    changed_only: bool = False
    settles: bool = False
    warn: Callable[[str], None] = lambda _: None
    _active: set["Future[Exit]"] = field(default_factory=set)
    _stopped: list[bool] = field(default_factory=list)
    _changes: "dict[str, Change]" = field(default_factory=dict)
    _looking: Lock = field(default_factory=Lock)

    async def judge(
        self, wanted: Mapping[str, tuple[str, ...] | None], *, phase: str, root: str, work: str
    ) -> tuple[GateResult, ...]:
        """Evaluate the gates; see `model.ports.Gatekeeper.judge`."""
        judged = replace(self.project, root=Path(root))
        return await asyncio.to_thread(self._judge, judged, wanted, phase, Path(work), asyncio.get_running_loop())

    def stop(self) -> None:
        """End the commands of the gates that are being judged."""
        self._stopped.append(True)
        for future in list(self._active):
            future.cancel()

    def _judge(
        self,
        project: Project,
        wanted: Mapping[str, tuple[str, ...] | None],
        phase: str,
        work: Path,
        loop: asyncio.AbstractEventLoop,
    ) -> tuple[GateResult, ...]:
        from cli_multi_rapid.system.git_base import blobs as blobs_of

        index = None if project.root == self.project.root else work / "index"
        repository = opened(project)
        tree, files = tree_id(project, repository, index=index), files_in(project, repository)
        verdicts = verdicts_of(repository, base_at(repository, self.base))
        blobs = blobs_of(repository, tree) if repository else {}
        for note in verdicts.notes:
            self.warn(note)
        change = partial(self._change, repository, tree)
        validator = partial(validator_source, project, repository, trusted_in=self.project, base=self.base)
        only = frozenset(found.touched) if self.changed_only and (found := change()) else None
        cache = ensure_state_dir(cache_dir(self.project.environ))

        def execute(command: Command) -> Exit:
            tag = f"{self.run}:{phase}/gate:{command.tag}"
            return self._execute(replace(command, secrets=self.secrets, tag=tag), loop)

        def given(name: str) -> GateInput:
            scratch = work / name
            scratch.mkdir(parents=True, exist_ok=True)
            return GateInput(
                root=str(project.root), level=self.level, files=files, tree=tree,
                evidence=wanted[name], env=self.env, work=str(scratch), cache=str(cache), execute=execute,
                findings=str(self.project.state / "findings.db"), policy=verdicts.policy,
                blobs=blobs, change=change, only=only, expressions=Assertions(), validator=validator,
                stopped=lambda: bool(self._stopped),
            )  # fmt: skip

        results = evaluate({name: self.gates[name] for name in wanted}, given, parallel=self.parallel)
        if not self.settles or not tree or tree_id(project, repository, index=index) != tree:
            return results
        return tuple(replace(one, details={**one.details, "settled": True}) for one in results)

    def _change(self, repository: "Repository | None", tree: str) -> "Change | None":
        with self._looking:
            if self.base and repository and tree not in self._changes:
                self._changes[tree] = change_since(repository, self.base, tree)
            return self._changes.get(tree)

    def _execute(self, command: Command, loop: asyncio.AbstractEventLoop) -> Exit:
        if self._stopped:
            return _STOPPED
        future = asyncio.run_coroutine_threadsafe(self.children.run(command), loop)
        self._active.add(future)
        try:
            return future.result()
        except CancelledError:
            return _STOPPED
        finally:
            self._active.discard(future)
