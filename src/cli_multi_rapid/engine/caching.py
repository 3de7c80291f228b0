"""When a step need not run again: the key of all that it depends on, and what is done with what was kept under it."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.engine.executor import Attempt, Executor
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Node, RunPlan
from cli_multi_rapid.engine.places import Place
from cli_multi_rapid.model.caching import Cached, StepCache
from cli_multi_rapid.model.checkpoint import Checkpoints
from cli_multi_rapid.model.run import Artifact, Status, StepResult
from cli_multi_rapid.system.environment import find_program
from cli_multi_rapid.system.files import PathRefused, digest_inside
from cli_multi_rapid.system.globs import literal, matches

_FORMAT = 1


class Caching:
    """Uses the cache for the steps of one run. Without a `store` nothing is found and nothing is kept."""

    def __init__(self, store: StepCache | None, *, plan: RunPlan, state: RunState, executor: Executor) -> None:
        self._store = store
        self._plan = plan
        self._state = state
        self._executor = executor

    def usable(self, node: Node, place: Place) -> bool:
        """Tell whether a step may be taken from the cache: it says what it depends on, and git tells what that is."""
        return self._store is not None and node.step.cache is not None and place.checkpoints is not None

    async def key(self, attempt: Attempt, place: Place) -> tuple[str, str]:
        """Return the key of an attempt and the tree that it was made for; no key where it cannot be known."""
        checkpoints = place.checkpoints
        assert checkpoints is not None
        return await asyncio.to_thread(self._key, attempt, checkpoints)

    async def replayed(self, key: str, tree: str, attempt: Attempt, place: Place) -> StepResult | None:
        """Do again what is kept under a key: files, artifacts, output. None where nothing fits."""
        return await asyncio.to_thread(self._replayed, key, tree, attempt, place)

    async def keep(
        self, key: str, attempt: Attempt, place: Place, result: StepResult, changed: Sequence[str], *, tree: str
    ) -> None:
        """Keep what a step did under its key, if it succeeded and its outputs have no secret in them.

        Of a step that is not watched because it writes nothing, nothing is kept if the `tree` of its key is gone.
        """
        paths = attempt.node.paths
        kept_to = all(paths is None or matches(path, paths) for path in changed)
        fit = kept_to and result.outcome is Status.SUCCESS and not self._secret(result.outputs)
        if key and fit and self._store is not None:
            await asyncio.to_thread(self._keep, key, attempt, place, result, tuple(changed), tree=tree)

    # -- the key

    def _key(self, attempt: Attempt, checkpoints: Checkpoints) -> tuple[str, str]:
        step, phase = attempt.node.step, self._plan.phase(attempt.node.phase)
        assert step.cache is not None
        assert self._store is not None
        tree = checkpoints.tree()
        try:
            argv = self._executor.argv(attempt, phase)
            env = self._executor.declared(attempt, phase)
        except (ExpressionError, ValueError):
            return "", tree  # the attempt itself reports what is wrong
        files = self._store.inputs(tree)
        own = attempt.node.paths  # what it may change counts, too: what it leaves as it is is not seen as its work
        globs = None if own is None else (*step.cache.inputs, *own)
        wanted = {path: what for path, what in files.items() if globs is None or matches(path, globs)}
        parts = {
            "format": _FORMAT,
            "step": attempt.node.key,
            "argv": [self._plain(text, attempt) for text in argv],
            "env": {name: self._plain(text, attempt) for name, text in sorted(env.items())},
            "tools": list(_tools(argv, self._executor.environ.get("PATH", ""), attempt.root)),
            "files": wanted,
            "upstream": self._upstream(attempt.node),
            "produces": dict(step.produces),
            "outputs": dict(step.outputs),
            "ok": list(step.ok_codes),
            "writes": attempt.node.paths,
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(), tree

    def _plain(self, text: str, attempt: Attempt) -> str:
        """Return a text without what differs in every run: its folders get names, artifacts that of their content."""
        text = text.replace(str(attempt.out), "$CMR_OUT")
        for step in self._state.steps.values():
            for artifact in step.result.artifacts.values() if step.result else ():
                text = text.replace(artifact.path, f"sha256:{artifact.sha256}")
        return text.replace(attempt.root, "$ROOT").replace(attempt.run, "$RUN")

    def _upstream(self, node: Node) -> dict[str, object]:
        found: dict[str, object] = {}
        for need in node.needs:
            for key in self._state.step(need).instances or (need,):
                result = self._state.step(key).result
                if result is not None:
                    made = {name: artifact.sha256 for name, artifact in result.artifacts.items()}
                    found[key] = [result.outcome.value, result.outputs, made]
        return found

    # -- what is kept

    def _secret(self, outputs: Mapping[str, object]) -> bool:
        masked = self._executor.masked({"outputs": outputs})
        return json.dumps(masked["outputs"]) != json.dumps(outputs)

    def _replayed(self, key: str, tree: str, attempt: Attempt, place: Place) -> StepResult | None:
        assert self._store is not None
        cached = self._store.find(key) if key else None
        if cached is None or (self._judged(attempt.node) and (cached.changed or cached.tree != tree)):
            return None
        if cached.changed:
            assert place.checkpoints is not None
            globs = [literal(path) for path in cached.changed]
            place.checkpoints.restore(f"{attempt.key} replayed", before=cached.commit, paths=globs)
            place.fresh = None
        made: dict[str, Artifact] = {}
        for name, artifact in cached.artifacts.items():
            target = attempt.out / os.path.relpath(artifact.path, Path(cached.log).parent / "out")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artifact.path, target)
            made[name] = replace(artifact, path=str(target))
        if cached.log:
            shutil.copyfile(cached.log, attempt.log)
        return StepResult(
            status=Status.SUCCESS, outcome=Status.SUCCESS, code=None, outputs=dict(cached.outputs), artifacts=made,
            reason=f"cached: as in run {cached.run}, which had the same inputs", cached=True,
        )  # fmt: skip

    def _judged(self, node: Node) -> bool:
        """Tell whether gates may judge what a step produces: that must be evidence of the very tree."""
        produced = set(node.step.produces)
        for use in (*node.step.accept, *self._plan.phase(node.phase).gates) if produced else ():
            if not isinstance(use, str) and use.from_:
                return True
            name = use if isinstance(use, str) else use.use
            if name not in self._plan.gates or (self._plan.gates[name].artifact or name) in produced:
                return True
        return False

    def _keep(
        self, key: str, attempt: Attempt, place: Place, result: StepResult, changed: tuple[str, ...], *, tree: str
    ) -> None:
        assert self._store is not None
        assert place.checkpoints is not None
        left = result.tree or place.checkpoints.tree()
        if not result.tree and left != tree:
            return
        self._store.keep(
            key,
            Cached(
                run=self._state.id, tree=left, commit=result.after, changed=changed, outputs=result.outputs,
                artifacts=result.artifacts, log=str(attempt.log), duration_ms=result.duration_ms,
            ),
        )  # fmt: skip


def _tools(argv: Sequence[str], path: str, root: str) -> Iterable[Mapping[str, object]]:
    """Give the program of a command by what tells one version from another: one of the project by its content."""
    program = os.path.join(root, argv[0]) if "/" in argv[0] else find_program(argv[0], path)  # noqa: PTH118  text
    real = os.path.realpath(program) if program else ""
    home = os.path.realpath(root)
    if real.startswith(home + os.sep):  # each worktree has its own, with a time of its own
        with suppress(PathRefused):
            yield {"name": argv[0], "content": digest_inside(home, Path(real).relative_to(home).as_posix())}
        return
    try:
        found = os.stat(real)  # noqa: PTH116  text
    except OSError:
        return
    yield {"name": argv[0], "path": real, "size": found.st_size, "changed": found.st_mtime_ns}
