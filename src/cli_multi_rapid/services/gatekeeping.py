"""Gates of a project, evaluated for the engine: the place where engine and gates meet."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.gates.runner import evaluate
from cli_multi_rapid.model.gate import GateResult, Level
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.services.project import cache_dir
from cli_multi_rapid.services.tree import tree_of
from cli_multi_rapid.services.wiring import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectGates:
    """Evaluates gates of a project; implements `model.ports.Gatekeeper`."""

    project: Project
    gates: Mapping[str, GateSpec]
    level: Level
    parallel: int
    env: Mapping[str, str]
    execute: Callable[[], Callable[[Command], Exit]]

    async def judge(
        self, wanted: Mapping[str, tuple[str, ...] | None], *, phase: str, work: str
    ) -> tuple[GateResult, ...]:
        """Evaluate the gates in threads; see `model.ports.Gatekeeper.judge`."""
        del phase
        execute = self.execute()
        return await asyncio.to_thread(self._judge, wanted, work, execute)

    def _judge(
        self, wanted: Mapping[str, tuple[str, ...] | None], work: str, execute: Callable[[Command], Exit]
    ) -> tuple[GateResult, ...]:
        tree = tree_of(self.project)
        cache = cache_dir(self.project.environ)

        def given(name: str) -> GateInput:
            scratch = Path(work) / name
            scratch.mkdir(parents=True, exist_ok=True)
            return GateInput(
                root=str(self.project.root), level=self.level, files=tree.files, tree=tree.id,
                evidence=wanted[name], env=self.env, work=str(scratch), cache=str(cache), execute=execute,
            )  # fmt: skip

        return evaluate({name: self.gates[name] for name in wanted}, given, parallel=self.parallel)
