"""From graph and state to the steps that can start now. Pure."""

from bisect import insort
from collections import defaultdict
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


class Planner:
    """Knows which steps of a run can be looked at. Follows the state, so that each step costs the same in any graph."""

    def __init__(self, graph: Graph, state: RunState) -> None:
        self._nodes = graph.nodes
        self._state = state
        self._seen = 0
        self._parts = {part: _Part(nodes) for part, nodes in graph.parts.items()}

    def waiting(self, phase: str, *, final: bool) -> tuple[Node, ...]:
        """Return the steps of a phase that have not ended and whose needs all have, in declared order."""
        self._follow()
        part = self._parts[phase, final]
        return tuple(part.nodes[place] for place in part.waiting)

    def all_ended(self, phase: str, *, final: bool) -> bool:
        """Tell whether all main or all final steps of a phase have ended."""
        self._follow()
        return not self._parts[phase, final].left

    def _follow(self) -> None:
        ended = self._state.ended
        while self._seen < len(ended):
            node = self._nodes.get(ended[self._seen])
            self._seen += 1
            if node is not None:
                self._parts[node.phase, node.final].end(node.key)


class _Part:
    """The main or the final steps of one phase; `waiting` are their places in declared order."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.left = {node.key: place for place, node in enumerate(nodes)}
        self._open = {node.key: len(set(node.needs)) for node in nodes}
        self._dependents: dict[str, list[str]] = defaultdict(list)
        for node in nodes:
            for need in dict.fromkeys(node.needs):
                self._dependents[need].append(node.key)
        self.waiting = [place for place, node in enumerate(nodes) if not self._open[node.key]]

    def end(self, key: str) -> None:
        place = self.left.pop(key)
        if not self._open[key]:
            self.waiting.remove(place)
        for dependent in self._dependents[key]:
            self._open[dependent] -= 1
            if not self._open[dependent] and dependent in self.left:
                insort(self.waiting, self.left[dependent])


def startable(nodes: Iterable[Node], state: RunState, *, running: Sequence[Ready], parallel: int) -> list[Ready]:
    """Choose what starts now, in declared order.

    A step that changes what others see runs alone: it waits until nothing runs, and what comes after it waits too, so
    that it gets its turn. Steps that write nothing, or in a checkout of their own, run side by side, at most `parallel`
    of them.
    """
    chosen: list[Ready] = []
    busy = {ready.key for ready in running}
    if any(ready.node.alone for ready in running):
        return chosen
    for ready in _instances(nodes, state):
        if ready.key in busy:
            continue
        if len(running) + len(chosen) >= parallel:
            break
        if ready.node.alone:
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
