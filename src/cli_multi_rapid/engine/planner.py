"""From graph and state to the steps that can start now. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.engine.graph import Graph, Node
from cli_multi_rapid.model.run import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A step, or one combination of its matrix, that can start."""

    key: str
    node: Node


def waiting(graph: Graph, state: RunState, *, final: bool, phase: str) -> tuple[Node, ...]:
    """Return the steps of a phase that have not ended and whose needs all have, in declared order."""
    return tuple(
        node
        for node in graph.of(phase, final=final)
        if not state.step(node.key).status.ended and all(state.step(need).status.ended for need in node.needs)
    )


def startable(nodes: Iterable[Node], state: RunState, *, running: Sequence[Ready], parallel: int) -> list[Ready]:
    """Choose what starts now, in declared order.

    A step that may change the project runs alone: it waits until nothing runs, and what comes after it waits too, so
    that it gets its turn. Steps that write nothing run side by side, at most `parallel` of them.
    """
    chosen: list[Ready] = []
    busy = {ready.key for ready in running}
    if any(ready.node.writes for ready in running):
        return chosen
    for ready in _instances(nodes, state):
        if ready.key in busy:
            continue
        if len(running) + len(chosen) >= parallel:
            break
        if ready.node.writes:
            if not running and not chosen:
                chosen.append(ready)
            break
        chosen.append(ready)
    return chosen


def _instances(nodes: Iterable[Node], state: RunState) -> Iterable[Ready]:
    for node in nodes:
        for key in state.step(node.key).instances or (node.key,):
            if not state.step(key).status.ended:
                yield Ready(key=key, node=node)


def roll_up(statuses: Iterable[Status]) -> Status:
    """Return the status of a whole from those of its parts: cancelled, then failed, then not able to run."""
    found = set(statuses)
    if Status.CANCELLED in found:
        return Status.CANCELLED
    if found & {Status.FAILURE, Status.TIMEOUT}:
        return Status.FAILURE
    return Status.ERROR if Status.ERROR in found else Status.SUCCESS
