"""Phases and steps with what they need, as text, as Mermaid and as data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cli_multi_rapid.documents.text import GLYPHS, UNICODE, Symbols, cells, pad, printable
from cli_multi_rapid.model.run import Status

_COLOURS = {
    Status.SUCCESS: "fill:#e3f1e7,stroke:#1f6b3d,color:#123d23",
    Status.FAILURE: "fill:#fbe7e4,stroke:#a62b1f,color:#5c140c",
    Status.RUNNING: "fill:#e2edf8,stroke:#1f5c99,color:#0f3459",
    Status.SKIPPED: "fill:#f1efec,stroke:#8a847c,color:#57524b,stroke-dasharray:4 3",
    Status.INTERRUPTED: "fill:#fbf0d9,stroke:#8a5a00,color:#4d3200",
}
_SAME = {
    Status.ERROR: Status.FAILURE,
    Status.TIMEOUT: Status.FAILURE,
    Status.STUCK: Status.FAILURE,
    Status.CANCELLED: Status.INTERRUPTED,
    Status.WAITING: Status.INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One phase or step: its unique name, the names that it needs, and the group (phase) that it is drawn in.

    Without a `status` the node belongs to a plan that has not run. `label` is shown instead of the name.
    """

    name: str
    needs: tuple[str, ...] = ()
    status: Status | None = None
    group: str = ""
    label: str = ""

    @property
    def shown(self) -> str:
        """Return what people read, on one line."""
        return printable(self.label or self.name.removeprefix(f"{self.group}/"))


def graph(nodes: Sequence[Node], *, format: Literal["text", "mermaid", "json"], symbols: Symbols = UNICODE) -> str:  # noqa: A002  the flag's name
    """Return the graph of the nodes. Needs that name none of them are shown in text and left out of the drawing."""
    if format == "json":
        return json.dumps({"nodes": [_data(node) for node in nodes]}, ensure_ascii=False, indent=2)
    return _mermaid(nodes) if format == "mermaid" else _text(nodes, symbols)


def layers(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], ...]:
    """Return the nodes in layers, each needing only earlier ones. A circle is kept together, as the last layer."""
    places = {node.name: place for place, node in enumerate(nodes)}
    missing = [{places[need] for need in node.needs if need in places} for node in nodes]
    wanted_by: dict[int, list[int]] = {}
    for place, needs in enumerate(missing):
        for need in needs:
            wanted_by.setdefault(need, []).append(place)
    layer, found, left = [place for place, needs in enumerate(missing) if not needs], [], set(places.values())
    while layer:
        found.append(tuple(nodes[place] for place in layer))
        left.difference_update(layer)
        layer = sorted(_freed(layer, wanted_by, missing))
    circle = tuple(nodes[place] for place in sorted(left))
    return (*found, circle) if circle else tuple(found)


def _freed(done: Sequence[int], wanted_by: Mapping[int, Sequence[int]], missing: Sequence[set[int]]) -> Iterator[int]:
    """Take what is done off the needs of others, and yield those that now have all they need."""
    for place in done:
        for other in wanted_by.get(place, ()):
            missing[other].discard(place)
            if not missing[other]:
                yield other


def _data(node: Node) -> dict[str, object]:
    status = node.status.value if node.status else None
    return {"name": node.name, "label": node.label, "group": node.group, "needs": list(node.needs), "status": status}


def _text(nodes: Sequence[Node], symbols: Symbols) -> str:
    blocks = []
    for group, members in _groups(nodes).items():
        indent = "  " if group else ""
        width = max(cells(node.shown) for node in members)
        lines = [printable(group)] if group else []
        for number, layer in enumerate(layers(members), start=1):
            for place, node in enumerate(layer):
                head = f"{number:>3}" if place == 0 else "   "
                lines.append(f"{indent}{head}  {_line(node, width, symbols)}".rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _line(node: Node, width: int, symbols: Symbols) -> str:
    mark = (
        f"{symbols.mark(node.status)}{' ' * (symbols.width - cells(symbols.sign(node.status)))} " if node.status else ""
    )
    word = f"  {node.status.value}" if node.status else ""
    needs = ", ".join(printable(need.removeprefix(f"{node.group}/")) for need in node.needs)
    return f"{mark}{pad(node.shown, width)}{word}{'  needs ' + needs if needs else ''}"


def _groups(nodes: Sequence[Node]) -> Mapping[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(node.group, []).append(node)
    return found


def _mermaid(nodes: Sequence[Node]) -> str:
    ids = {node.name: f"n{number}" for number, node in enumerate(nodes, start=1)}
    lines = ["flowchart LR"]
    for number, (group, members) in enumerate(_groups(nodes).items(), start=1):
        if group:
            lines.append(f'  subgraph g{number}["{_quoted(group)}"]')
        lines += [f'    {ids[node.name]}["{_quoted(_label(node))}"]{_class(node)}' for node in members]
        if group:
            lines.append("  end")
    lines += [f"  {ids[need]} --> {ids[node.name]}" for node in nodes for need in node.needs if need in ids]
    used = {_SAME.get(node.status, node.status) for node in nodes if node.status}
    lines += [f"  classDef {status.value} {style}" for status, style in _COLOURS.items() if status in used]
    return "\n".join(lines)


def _label(node: Node) -> str:
    return f"{UNICODE.sign(node.status)} {node.shown}" if node.status else node.shown


def _class(node: Node) -> str:
    status = _SAME.get(node.status, node.status) if node.status else None
    return f":::{status.value}" if status in _COLOURS else ""


def _quoted(text: str) -> str:
    """Return the text for a quoted Mermaid label, where only entity codes are safe."""
    plain = " -_./,:()" + GLYPHS
    return "".join(char if char.isalnum() or char in plain else f"#{ord(char)};" for char in printable(text))
