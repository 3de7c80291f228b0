"""Gates of a project, evaluated for the engine: the place where engine and gates meet."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli_multi_rapid.gates.runner import evaluate
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit, ProcessRunner
from cli_multi_rapid.services.project import cache_dir, ensure_state_dir
from cli_multi_rapid.services.tree import files_of, tree_of
from cli_multi_rapid.services.wiring import Project

_STOPPED = Exit(error="the run was stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectGates:
    """Evaluates gates of a project in threads; implements `model.ports.Gatekeeper`.

    The commands of gates are children of the run like those of steps: supervised, tagged, their output masked.
    """

    run: str
    project: Project
    gates: Mapping[str, GateSpec]
    level: Level
    parallel: int
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    children: ProcessRunner
    _active: set["Future[Exit]"] = field(default_factory=set)
    _stopped: list[bool] = field(default_factory=list)

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
        index = None if project.root == self.project.root else work / "index"
        tree, files = tree_of(project, index=index).id, files_of(project)
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
            )  # fmt: skip

        return evaluate({name: self.gates[name] for name in wanted}, given, parallel=self.parallel)

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
