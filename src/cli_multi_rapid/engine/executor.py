"""One attempt of one step: from its spec and the state to what is recorded of it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from signal import Signals

from cli_multi_rapid.engine.commands import SHELLS, shown, step_tool
from cli_multi_rapid.engine.contexts import Contexts
from cli_multi_rapid.engine.expressions import (
    ExpressionError,
    HashFiles,
    compile_expression,
    interpolate,
    split_template,
    to_string,
)
from cli_multi_rapid.engine.graph import Node
from cli_multi_rapid.errors import CmrError
from cli_multi_rapid.model.actions import Action, ActionInput
from cli_multi_rapid.model.events import Payload
from cli_multi_rapid.model.phase import Network, PhaseSpec, Scalar, duration_s
from cli_multi_rapid.model.process import Command, Exit, OutputSink, ProcessRunner
from cli_multi_rapid.model.run import Artifact, Status, StepResult
from cli_multi_rapid.system.files import PathRefused, digest_inside, read_inside
from cli_multi_rapid.system.redact import Masker

_RECORD_LIMIT_BYTES = 64 << 10
_FREE_TEXT = frozenset({"command", "reason", "fix", "outputs", "summary", "findings", "details", "warnings"})
_CONTENT_LIMIT_BYTES = 32 << 20
_NEEDS_UNSHARE = "run it where `unshare --net` works, or remove the line"
_GIVEN = ("inputs", "steps", "artifacts", "phase", "run", "git", "matrix")  # what an action sees of the contexts

Requirements = Callable[[tuple[str, ...]], Iterable[tuple[str, str]]]
"""Returns name and fix of everything that is required and missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt is to do: who it is, where it works, where its files go, and what its expressions see.

    `commit` is what the worktrees of the run have come to, `base` the one they began with; `undoes` are the outputs of
    the step that it takes back.
    """

    run: str
    node: Node
    key: str
    number: int
    root: str
    out: Path
    log: Path
    contexts: Contexts
    commit: str = ""
    base: str = ""
    undoes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs attempts in one project.

    `environ` is what steps inherit; `secrets` maps declared names to their values, which are hidden in all output.
    `actions` carry out `uses:`. `no_network` is what is put before a command so that it has none; None where the system
    has no such thing.
    """

    runner: ProcessRunner
    root: str
    environ: Mapping[str, str]
    secrets: Mapping[str, str]
    log_cap_bytes: int
    requirements: Requirements
    hash_files: HashFiles | None = None
    no_network: tuple[str, ...] | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)

    def argv(self, attempt: Attempt, phase: PhaseSpec) -> tuple[str, ...]:
        """Return the exact arguments of the command.

        Raises:
            ExpressionError: an expression in it cannot be evaluated.
            ValueError: a value would be taken for an option.
        """
        run = attempt.node.step.run
        if attempt.node.step.uses:
            return ("uses", attempt.node.step.uses)
        if isinstance(run, str):
            return (*SHELLS[attempt.node.step.shell or phase.defaults.shell], run)
        items: list[str] = []
        for item in run:
            value = self._text(item, attempt.contexts)
            if value.startswith("-") and item.startswith("${{") and "--" not in items:
                raise ValueError(f"the value {value!r} of {item} would be taken for an option")
            items.append(value)
        return tuple(items)

    def masked(self, payload: Payload) -> Payload:
        """Return a payload in whose free text no declared secret stands any more, in whatever form.

        What the engine itself goes on with (statuses, the values of a matrix) is left alone: it comes from the spec, or
        from outputs that were masked.
        """
        if not self.secrets:
            return payload
        masker = Masker(self.secrets.values())
        return {name: _masked(value, masker) if name in _FREE_TEXT else value for name, value in payload.items()}

    async def run(self, attempt: Attempt, phase: PhaseSpec, *, on_output: OutputSink | None = None) -> StepResult:
        """Run one attempt to its end and judge it; everything a step can do wrong becomes a result."""
        step = attempt.node.step
        missing = list(await asyncio.to_thread(self.requirements, step.requires)) if step.requires else []
        if missing:
            names = ", ".join(name for name, _ in missing)
            return StepResult.of(Status.ERROR, f"not installed: {names}", fix=missing[0][1])
        try:
            argv = self.argv(attempt, phase)
            env = self._env(attempt, phase)
        except ExpressionError as broken:
            return StepResult.of(Status.FAILURE, f"expression: {broken}")
        except ValueError as refused:
            return StepResult.of(
                Status.FAILURE, str(refused), fix="put '--' before it in the list, or pass it through env"
            )
        timeout = step.timeout or phase.defaults.timeout
        if step.uses:
            return await self._acted(attempt, env, limit=timeout)
        if phase.permissions is not None and phase.permissions.network is Network.NONE:
            if self.no_network is None:
                return StepResult.of(
                    Status.ERROR, "`network: none` cannot be enforced on this system", fix=_NEEDS_UNSHARE
                )
            argv = (*self.no_network, *argv)
        ended = await self.runner.run(
            Command(
                argv=argv, cwd=attempt.root, env=env, log=str(attempt.log), tag=f"{attempt.run}:{attempt.key}",
                timeout_s=duration_s(timeout), secrets=tuple(self.secrets.values()), cap_bytes=self.log_cap_bytes,
            ),
            on_output=on_output,
        )  # fmt: skip
        if step.produces or step.outputs:  # may read and hash large files: not on the event loop
            return await asyncio.to_thread(self._judged, attempt, ended, timeout=timeout)
        return self._judged(attempt, ended, timeout=timeout)

    async def _acted(self, attempt: Attempt, env: Mapping[str, str], *, limit: str) -> StepResult:
        """Carry a built-in action out."""
        step, begin = attempt.node.step, time.monotonic()
        contexts = {**attempt.contexts, "secrets": dict(self.secrets)}
        try:
            values = {name: self._value(value, contexts) for name, value in step.with_.items()}
        except ExpressionError as broken:
            return StepResult.of(Status.FAILURE, f"expression: {broken}")

        async def execute(command: Command) -> Exit:
            tag, secrets = f"{attempt.run}:{attempt.key}", tuple(self.secrets.values())
            return await self.runner.run(replace(command, tag=tag, secrets=secrets))

        visible = {name: attempt.contexts.get(name, {}) for name in _GIVEN}
        given = ActionInput(
            run=attempt.run, key=attempt.key, values=values, root=attempt.root, out=str(attempt.out), environ=env,
            commit=attempt.commit, base=attempt.base, undoes=attempt.undoes, contexts=visible, execute=execute,
        )  # fmt: skip
        try:
            done = await asyncio.wait_for(self.actions[step.uses](given), duration_s(limit))
        except TimeoutError:
            return StepResult.of(Status.TIMEOUT, f"took longer than {limit}")
        except CmrError as failed:
            return StepResult.of(Status.ERROR, str(failed), fix=failed.hint)
        reason = done.failed or done.skipped or done.unjudged
        said = done.said if reason in done.said else f"{done.said}\n{reason}".lstrip("\n")
        attempt.log.write_text(f"{Masker(self.secrets.values()).mask_text(said)}\n", "utf-8")
        ends = ((done.failed, Status.FAILURE), (done.skipped, Status.SKIPPED), (done.unjudged, Status.ERROR))
        status = next((status for why, status in ends if why), Status.SUCCESS)
        took_ms = round((time.monotonic() - begin) * 1000)
        return StepResult(
            status=status, outcome=status, reason=reason or done.summary, fix=done.fix, outputs=done.outputs,
            duration_ms=took_ms,
        )  # fmt: skip

    async def prepare(self, phase: PhaseSpec, root: str, log: Path, *, run: str) -> str:
        """Run the set-up of a phase in a new checkout; return what went wrong, or nothing."""
        setup = phase.setup
        argv = (*SHELLS[phase.defaults.shell], setup) if isinstance(setup, str) else setup
        ended = await self.runner.run(
            Command(
                argv=argv, cwd=root, env=self.environ, log=str(log), tag=f"{run}:{phase.name}/setup",
                timeout_s=duration_s(phase.defaults.timeout), secrets=tuple(self.secrets.values()),
                cap_bytes=self.log_cap_bytes,
            )
        )  # fmt: skip
        if ended.code == 0:
            return ""
        why = ended.error or (f"exit code {ended.code}" if ended.code is not None else "it was killed")
        return f"{shown(argv)}: {'it took too long' if ended.timed_out else why}; see {log}"

    def declared(self, attempt: Attempt, phase: PhaseSpec) -> dict[str, str]:
        """Return the environment variables that the spec gives an attempt.

        Raises:
            ExpressionError: an expression in one of them cannot be evaluated.
        """
        contexts = {**attempt.contexts, "secrets": dict(self.secrets)}
        given = {**phase.env, **attempt.node.step.env}
        return {name: self._scalar(value, contexts) for name, value in given.items()}

    def _env(self, attempt: Attempt, phase: PhaseSpec) -> dict[str, str]:
        env = {**self.environ, **self.declared(attempt, phase)}
        env.update(
            CMR_RUN=attempt.run,
            CMR_STEP=attempt.key,
            CMR_ATTEMPT=str(attempt.number),
            CMR_OUT=str(attempt.out),
            CMR_IDEMPOTENCY_KEY=sha256(f"{attempt.run}/{attempt.key}".encode()).hexdigest()[:32],
        )
        return env

    def _judged(self, attempt: Attempt, ended: Exit, *, timeout: str) -> StepResult:
        step = attempt.node.step
        facts = StepResult(
            status=Status.SUCCESS, outcome=Status.SUCCESS, code=ended.code, signal=ended.signal,
            duration_ms=ended.duration_ms, leftover=ended.leftover, truncated=ended.truncated,
        )  # fmt: skip
        if ended.error:
            fix = f"install {step_tool(step.run)}, or correct the command" if ended.missing else ""
            return _worse(facts, Status.ERROR, ended.error, fix=fix)
        if ended.timed_out:
            return _worse(facts, Status.TIMEOUT, f"took longer than {timeout}")
        if ended.signal is not None:
            return _worse(facts, Status.FAILURE, _signal_text(ended.signal))
        if ended.code not in step.ok_codes:
            allowed = ", ".join(str(code) for code in step.ok_codes)
            return _worse(facts, Status.FAILURE, f"exit code {ended.code} (success is {allowed})")
        return self._collected(attempt, facts)

    def _collected(self, attempt: Attempt, facts: StepResult) -> StepResult:
        made: dict[str, Artifact] = {}
        if attempt.node.step.produces and attempt.out.is_symlink():
            return _worse(facts, Status.FAILURE, "the step put a link in the place of its own folder")
        for name, relative in attempt.node.step.produces.items():
            try:
                path = self._text(relative, attempt.contexts)
                digest, size = digest_inside(attempt.out, path)
            except ExpressionError as broken:
                return _worse(facts, Status.FAILURE, f"artifact {name!r}: {broken}")
            except PathRefused as refused:
                return _worse(facts, Status.FAILURE, f"artifact {name!r} was not produced: {refused}")
            made[name] = Artifact(path=str(attempt.out / path), sha256=digest, size=size)
        facts = replace(facts, artifacts=made)
        try:
            return replace(facts, outputs=self._outputs(attempt, made))
        except ExpressionError as broken:
            return _worse(facts, Status.FAILURE, f"outputs: {broken}")
        except (OSError, ValueError) as refused:
            return _worse(facts, Status.FAILURE, f"outputs: {refused}")

    def _outputs(self, attempt: Attempt, made: Mapping[str, Artifact]) -> dict[str, object]:
        """Evaluate the outputs. In them `artifacts.NAME` is the content of what was produced, not its path."""
        step = attempt.node.step
        if not step.outputs:
            return {}
        paths = attempt.contexts["artifacts"]
        assert isinstance(paths, Mapping)
        wanted = {name.lower() for text in step.outputs.values() for name in _artifacts_in(text)}
        known = {name: path for name, path in {**paths, **made}.items() if name.lower() in wanted}
        contents = {name: _content(attempt, path) for name, path in known.items()}
        contexts = {**attempt.contexts, "artifacts": contents}
        values = {name: interpolate(text, contexts, hash_files=self.hash_files) for name, text in step.outputs.items()}
        check_size(values, "the outputs")
        return values

    def _value(self, value: Scalar, contexts: Mapping[str, object]) -> object:
        """Evaluate a value of `with:`; what is an expression as a whole keeps its type."""
        if not isinstance(value, str) or "${{" not in value:
            return value
        return interpolate(value, contexts, hash_files=self.hash_files)

    def _scalar(self, value: Scalar, contexts: Mapping[str, object]) -> str:
        return self._text(value, contexts) if isinstance(value, str) else to_string(value)

    def _text(self, template: str, contexts: Mapping[str, object]) -> str:
        """Fill a template in. Values are not interpolated again: data must not become code."""
        if "${{" not in template:
            return template
        return to_string(interpolate(template, contexts, hash_files=self.hash_files))


def check_size(values: object, what: str) -> None:
    """Check that values can be recorded in the log.

    Raises:
        ValueError: they take more than 64 KiB, or JSON, and so the log, cannot hold them (NaN, infinity).
    """
    if len(json.dumps(values, allow_nan=False)) > _RECORD_LIMIT_BYTES:
        raise ValueError(f"{what} take more than {_RECORD_LIMIT_BYTES} bytes; produce an artifact instead")


def _artifacts_in(text: str) -> Iterable[str]:
    for name in _references(text):
        if name[0] == "artifacts" and len(name) > 1:
            yield name[1]


def _references(text: str) -> Iterable[tuple[str, ...]]:
    for part in split_template(text):
        if part.kind == "expression":
            yield from compile_expression(part.text).references


def _content(attempt: Attempt, made: object) -> object:
    """Return the text of an artifact, of this attempt or an earlier step; of a matrix step the texts of all."""
    if isinstance(made, list):
        return [_content(attempt, one) for one in made]
    path = Path(made.path if isinstance(made, Artifact) else str(made))
    folder = attempt.out if isinstance(made, Artifact) else path.parent
    data = read_inside(folder, path.relative_to(folder).as_posix(), limit_bytes=_CONTENT_LIMIT_BYTES)
    return data.decode("utf-8", errors="replace")


def _masked(value: object, masker: Masker) -> object:
    if isinstance(value, str):
        return masker.mask_text(value)
    if isinstance(value, Mapping):
        return {masker.mask_text(str(name)): _masked(inner, masker) for name, inner in value.items()}
    return [_masked(inner, masker) for inner in value] if isinstance(value, list | tuple) else value


def _worse(facts: StepResult, status: Status, reason: str, *, fix: str = "") -> StepResult:
    return replace(facts, status=status, outcome=status, reason=reason, fix=fix)


def _signal_text(number: int) -> str:
    name = Signals(number).name if number in {item.value for item in Signals} else str(number)
    return f"killed by {name} ({number})" + (", maybe out of memory" if name == "SIGKILL" else "")
