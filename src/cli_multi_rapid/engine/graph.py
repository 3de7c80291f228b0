"""The graph of a run: its phases in order, and every step with what it needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cli_multi_rapid.model.actions import ACTIONS
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.phase import PhaseSpec, Scalar, Step, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step in the graph.

    `key` is `phase/step`; `needs` are keys of the same phase; `expressive` tells whether it has expressions at all,
    because building what they see costs more than running `true`. `paths` are globs of what it may change: its own
    `writes`, else what the phase permits; None where neither says anything. A step that works in a `worktree` and may
    run beside another one that writes has a checkout of its own: it is `apart`.
    """

    key: str
    phase: str
    step: Step
    needs: tuple[str, ...]
    expressive: bool
    paths: tuple[str, ...] | None = None
    final: bool = False
    worktree: bool = False
    apart: bool = False

    @property
    def writes(self) -> bool:
        """Tell whether the step may change the project."""
        return self.paths != ()

    @property
    def alone(self) -> bool:
        """Tell whether nothing may run beside the step, because it changes what others see."""
        return (self.writes and not self.apart) or (bool(self.step.uses) and ACTIONS[self.step.uses].alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run is to do: everything that the engine needs, taken from its snapshot."""

    phases: tuple[PhaseSpec, ...]
    inputs: Mapping[str, Mapping[str, Scalar]]
    gates: Mapping[str, GateSpec] = field(default_factory=dict)
    final_gates: tuple[str, ...] = ()
    level: Level = Level.STANDARD
    parallel: int = 1
    secrets: tuple[str, ...] = ()
    git: Mapping[str, object] = field(default_factory=dict)

    def phase(self, name: str) -> PhaseSpec:
        """Return the phase of that name."""
        return next(phase for phase in self.phases if phase.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All steps by key, in declared order; the steps of `finally` follow those of their phase.

    `parts` are the same steps by phase and by whether they are final.
    """

    nodes: Mapping[str, Node]
    parts: Mapping[tuple[str, bool], tuple[Node, ...]]

    def of(self, phase: str, *, final: bool) -> tuple[Node, ...]:
        """Return the main or the final steps of a phase."""
        return self.parts.get((phase, final), ())

    def find(self, key: str) -> Node | None:
        """Return the step of a key, which may be that of one combination of its matrix; None if there is none."""
        return self.nodes.get(key.partition("[")[0])

    def called(self, name: str) -> list[str]:
        """Return the keys of the steps that a person may mean: by the whole key, or by the id alone."""
        return [key for key in self.nodes if name in (key, key.partition("/")[2])]

    def node(self, key: str) -> Node:
        """Return the step of a key that is known to be in the graph."""
        return self.nodes[key.partition("[")[0]]


def file_name(key: str, number: int) -> str:
    """Return what files and folders of an attempt are called."""
    return f"{key.replace('/', '.').replace('[', '.').replace(']', '')}.{number}"


def build(phases: Iterable[PhaseSpec]) -> Graph:
    """Build the graph of checked phases. A step without `needs` needs the one before it."""
    parts: dict[tuple[str, bool], tuple[Node, ...]] = {}
    for phase in phases:
        parts[phase.name, False] = _part(phase, phase.steps, final=False)
        parts[phase.name, True] = _part(phase, phase.finally_, final=True)
    return Graph(nodes={node.key: node for part in parts.values() for node in part}, parts=parts)


def ordered(targets: Iterable[str], specs: Mapping[str, PhaseSpec]) -> tuple[PhaseSpec, ...]:
    """Return the targets and all phases that they need, each after those it needs."""
    done: dict[str, PhaseSpec] = {}

    def visit(name: str) -> None:
        if name not in done:
            for need in specs[name].needs:
                visit(need)
            done[name] = specs[name]

    for target in targets:
        visit(target)
    return tuple(done.values())


def _part(phase: PhaseSpec, steps: tuple[Step, ...], *, final: bool) -> tuple[Node, ...]:
    nodes: list[Node] = []
    before: tuple[str, ...] = ()
    for step in steps:
        nodes.append(
            Node(
                key=f"{phase.name}/{step.id}",
                phase=phase.name,
                step=step,
                needs=tuple(f"{phase.name}/{need}" for need in (before if step.needs is None else step.needs)),
                expressive=_expressive(step) or _expressive_env(phase.env),
                paths=_paths(phase, step),
                final=final,
                worktree=phase.workspace is Workspace.WORKTREE,
            )
        )
        before = (step.id,)
    return _parted(nodes)


def _paths(phase: PhaseSpec, step: Step) -> tuple[str, ...] | None:
    if step.approval is not None or (step.uses and not ACTIONS[step.uses].writes):
        return ()
    if step.writes is None and step.uses and ACTIONS[step.uses].paths:
        return ACTIONS[step.uses].paths
    return step.writes if step.writes is not None or phase.permissions is None else phase.permissions.write


def _parted(nodes: list[Node]) -> tuple[Node, ...]:
    """Say of the steps that write in a worktree which of them need a checkout of their own."""
    if not nodes or not nodes[0].worktree:
        return tuple(nodes)
    rests: dict[str, set[str]] = {}
    for node in nodes:
        rests[node.key] = {key for need in node.needs for key in (need, *rests.get(need, ()))}
    writers = [node for node in nodes if node.writes]

    def beside(node: Node) -> bool:
        others = (other for other in writers if other is not node)
        return any(node.key not in rests[other.key] and other.key not in rests[node.key] for other in others)

    return tuple(replace(node, apart=node.writes and (bool(node.step.matrix) or beside(node))) for node in nodes)


def _expressive(step: Step) -> bool:
    texts = (step.run,) if isinstance(step.run, str) else step.run
    return (
        bool(step.outputs)
        or bool(step.uses)
        or any("${{" in text for text in (*texts, *step.produces.values()))
        or _expressive_env(step.env)
    )


def _expressive_env(env: Mapping[str, Scalar]) -> bool:
    return any(isinstance(value, str) and "${{" in value for value in env.values())
