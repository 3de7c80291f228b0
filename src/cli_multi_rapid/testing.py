"""Fakes and builders for tests: runs without processes, disk or waiting. Public, for whoever extends the program.

The fakes keep the promises of the ports they stand for; the same behaviour suites run over them and the real ones.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli_multi_rapid.engine.approvals import Signer
from cli_multi_rapid.engine.executor import Executor
from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import RunPlan, build
from cli_multi_rapid.engine.runner import Runner
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import Person
from cli_multi_rapid.model.events import Event, Kind, NewEvent, payload_of
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.phase import Approval, PhaseSpec, Retry, Step
from cli_multi_rapid.model.ports import Store
from cli_multi_rapid.model.process import Command, Exit, OutputSink
from cli_multi_rapid.testing_memory import MemoryCheckpoints, MemoryStore

RUN_ID = "01JA2B3C4D5E6F7G8H9JKMNPQR"


# -- builders


def step(name: str, **settings: Any) -> Step:
    """Return a step that runs `true`; `settings` are fields of `Step`."""
    return Step(**({"id": name, "run": ("true",)} | settings))


def approval(name: str, **settings: Any) -> Step:
    """Return a step that waits for a person; `settings` are fields of `Approval`, and `needs`, `if_` and the like."""
    own: dict[str, Any] = {key: settings.pop(key) for key in tuple(settings) if key in Step.__dataclass_fields__}
    return Step(id=name, approval=Approval(**settings), **own)


def phase(name: str, *steps: Step | str, **settings: Any) -> PhaseSpec:
    """Return a phase of these steps; a name stands for a step that runs `true`."""
    made = tuple(step(one) if isinstance(one, str) else one for one in steps)
    return PhaseSpec(**({"schema": "cmr/phase@v1", "name": name, "steps": made} | settings))


def retry(attempts: int, **settings: Any) -> Retry:
    """Return a retry policy without pauses."""
    given: dict[str, Any] = {"attempts": attempts, "initial": "0s"}
    return Retry(**(given | settings))


def gate_result(name: str, status: GateStatus = GateStatus.PASS, *, level: Level = Level.STANDARD) -> GateResult:
    """Return what a gate could have decided."""
    return GateResult(id=name, check=Check.COMMAND.value, level=level, status=status)


def run_plan(*phases: PhaseSpec, **settings: Any) -> RunPlan:
    """Return a plan of these phases with the defaults of their inputs; every gate they name is defined."""
    names = [use if isinstance(use, str) else use.use for one in phases for use in one.gates]
    names += [name for one in phases for step in (*one.steps, *one.finally_) for name in step.accept]
    given: dict[str, Any] = {
        "phases": phases,
        "inputs": {one.name: {name: spec.default for name, spec in one.inputs.items()} for one in phases},
        "gates": {name: GateSpec(check=Check.COMMAND) for name in names},
        "parallel": 4,
    }
    return RunPlan(**(given | settings))


# -- children


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a scripted child does: the lines it says, the files it writes into $CMR_OUT, and how it ends.

    One that `hangs` ends when it is released or stopped; `turns` is how many turns of the event loop it lasts.
    """

    exit: Exit = field(default_factory=lambda: Exit(code=0))
    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    turns: int = 1


FAILS = Act(exit=Exit(code=1))
HANGS = Act(hangs=True)
TIMES_OUT = Act(exit=Exit(signal=15, timed_out=True))
MISSING = Act(exit=Exit(error="program not found: tool", missing=True))

Script = Act | Sequence[Act] | Callable[[Command], Act]
"""One act for every attempt, one for each (the last one repeats), or a function that chooses."""


class ScriptedRunner:
    """Plays children instead of running them; implements `model.ports.ProcessRunner`.

    `scripts` go by the key of a step, such as `phase1/lint`; all other children just succeed. `trace` records
    `start`, `end` and `stop` (cancelled) with the key, in order.
    """

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.commands: list[Command] = []
        self.trace: list[tuple[str, str]] = []
        self.closed = False
        self._scripts = dict(scripts or {})
        self._calls: Counter[str] = Counter()
        self._released: dict[str, asyncio.Event] = {}
        self._stir = asyncio.Event()

    async def run(self, command: Command, *, on_output: OutputSink | None = None) -> Exit:
        """Play one child to its end."""
        key = command.tag.partition(":")[2]
        act = self._act(key, command)
        self.commands.append(command)
        self._note("start", key)
        try:
            for line in act.lines if on_output else ():
                on_output(line)  # type: ignore[misc]  # there are no lines without it
            for name, text in act.files.items():
                Path(command.env["CMR_OUT"], name).write_text(text, encoding="utf-8")
            if act.hangs:
                await self._released.setdefault(key, asyncio.Event()).wait()
            for _ in range(act.turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._note("stop", key)
            raise
        self._note("end", key)
        return act.exit

    async def close(self) -> None:
        """Note that nothing can run any more."""
        self.closed = True

    def release(self, key: str) -> None:
        """Let a child that hangs come to its end, now or when it starts."""
        self._released.setdefault(key, asyncio.Event()).set()

    async def until(self, what: str, key: str, *, times: int = 1) -> None:
        """Wait until a child has come so far, for the n-th time."""
        while self.trace.count((what, key)) < times:
            self._stir.clear()
            await self._stir.wait()

    def started(self) -> list[str]:
        """Return the keys of all children in the order of their start, one for each attempt."""
        return [key for what, key in self.trace if what == "start"]

    def _note(self, what: str, key: str) -> None:
        self.trace.append((what, key))
        self._stir.set()

    def _act(self, key: str, command: Command) -> Act:
        script = self._scripts.get(key, Act())
        number = self._calls[key]
        self._calls[key] += 1
        if isinstance(script, Act):
            return script
        return script(command) if callable(script) else script[min(number, len(script) - 1)]


# -- gates and observers


class ScriptedGates:
    """Decides as told; implements `model.ports.Gatekeeper`. Gates it was told nothing of pass.

    `asked` records phase and wanted gates of every call. Gates in `hanging` are decided when they are stopped.
    """

    def __init__(
        self, verdicts: Mapping[str, GateStatus | GateResult] | None = None, *, hanging: Sequence[str] = ()
    ) -> None:
        self.asked: list[tuple[str, dict[str, tuple[str, ...] | None]]] = []
        self.entered = asyncio.Event()
        self._stopped = asyncio.Event()
        self._verdicts = dict(verdicts or {})
        self._hanging = frozenset(hanging)

    async def judge(
        self, wanted: Mapping[str, tuple[str, ...] | None], *, phase: str, root: str, work: str
    ) -> tuple[GateResult, ...]:
        """Return the verdicts in the given order."""
        del root, work
        self.asked.append((phase, dict(wanted)))
        self.entered.set()
        await asyncio.sleep(0)
        if self._hanging & set(wanted):
            await self._stopped.wait()
        return tuple(self._verdict(name) for name in wanted)

    def stop(self) -> None:
        """Let the hanging gates go."""
        self._stopped.set()

    def _verdict(self, name: str) -> GateResult:
        told = self._verdicts.get(name, GateStatus.PASS)
        return told if isinstance(told, GateResult) else gate_result(name, told)


class RecordingObserver:
    """Remembers what it sees; implements `model.ports.Observer`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lines: list[tuple[str, str]] = []
        self.ticks = 0
        self._stir = asyncio.Event()

    def event(self, event: Event) -> None:
        """Note an event."""
        self.events.append(event)
        self._stir.set()

    def output(self, step: str, line: str) -> None:
        """Note one line."""
        self.lines.append((step, line))

    def tick(self) -> None:
        """Count a tick."""
        self.ticks += 1

    async def until(self, kind: Kind, step: str = "") -> Event:
        """Wait for an event and return it, also if it has been seen before."""
        while True:
            for event in self.events:
                if event.kind is kind and event.step == step:
                    return event
            self._stir.clear()
            await self._stir.wait()


# -- runs


@dataclass(kw_only=True)
class Drill:
    """A run of a plan on fakes. `runner()` begins the run, or takes it up again if its log has events.

    `folder` receives what the scripted children write; `missing` maps requirements that are not there to what mends it.
    """

    plan: RunPlan
    folder: Path
    scripts: Mapping[str, Script] = field(default_factory=dict)
    gates: ScriptedGates = field(default_factory=ScriptedGates)
    store: Store = field(default_factory=MemoryStore)
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    checkpoints: MemoryCheckpoints | None = None
    starter: Person = field(default_factory=lambda: Person(user="starter"))
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    signer: Signer = lambda _text, _signature, _keys: ""

    def __post_init__(self) -> None:
        self.children = ScriptedRunner(self.scripts)
        self.observer = RecordingObserver()

    def runner(self) -> Runner:
        """Take the lease and return what drives the run."""
        fence = self.store.take(RUN_ID)
        begin = [] if self.store.events(RUN_ID) else [NewEvent(kind=Kind.RUN_STARTED, payload=self._snapshot())]
        taken = forms.RUN_TAKEN.event({"pid": 1, "host": "here"}, attempt=fence)
        self.store.append(RUN_ID, [*begin, taken], fence=fence)
        return Runner(
            store=self.store, fence=fence, plan=self.plan, graph=build(self.plan.phases), state=self.state(),
            executor=self.executor(), gatekeeper=self.gates, observer=self.observer, folder=self.folder,
            checkpoints=self.checkpoints, signer=self.signer,
        )  # fmt: skip

    def executor(self) -> Executor:
        """Return what runs the attempts; `hashFiles` gives the patterns back."""
        return Executor(
            runner=self.children, root=str(self.folder), environ=self.environ, secrets=self.secrets,
            log_cap_bytes=1 << 20, hash_files=lambda *patterns: " ".join(patterns),
            requirements=lambda wanted: [(name, self.missing[name]) for name in wanted if name in self.missing],
        )  # fmt: skip

    def state(self) -> RunState:
        """Return the state that the recorded events amount to."""
        return fold(RUN_ID, self.store.events(RUN_ID))

    def cancel(self) -> None:
        """Ask for the end of the run, as another process would."""
        assert isinstance(self.store, MemoryStore)
        self.store.beside().append(RUN_ID, [forms.RUN_CANCEL.event({"by": "somebody"})])

    def decide(self, key: str, decision: str = "approved", /, **facts: object) -> None:
        """Record a decision about a step that waits, as another process would; `facts` replace what is right."""
        assert isinstance(self.store, MemoryStore)
        wait = self.state().step(key).wait
        assert wait is not None
        right: dict[str, object] = {
            "decision": decision, "by": {"user": "somebody"}, "reason": "", "fingerprint": wait.fingerprint,
            "tree": wait.tree, "key": "", "signature": "",
        }  # fmt: skip
        event = NewEvent(kind=Kind.STEP_APPROVED, step=key, attempt=wait.number, payload=right | facts)
        self.store.beside().append(RUN_ID, [event])

    def drive(self) -> RunState:
        """Drive the run in an event loop of its own, as far as it goes."""
        return asyncio.run(self.runner().drive())

    def _snapshot(self) -> dict[str, object]:
        phases = [{"name": one.name, "title": one.title, "path": f"{one.name}.yaml"} for one in self.plan.phases]
        targets = [one.name for one in self.plan.phases]
        tree = self.checkpoints.tree() if self.checkpoints else ""
        return {
            "phases": phases, "targets": targets, "level": self.plan.level.value, "tree": tree, "fingerprint": "f" * 64,
            "by": payload_of(self.starter), "approvers": {name: list(one) for name, one in self.approvers.items()},
        }  # fmt: skip
