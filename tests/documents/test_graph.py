"""Graphs as text, Mermaid and data."""

import json

from cli_multi_rapid.documents.graph import Node, graph, layers
from cli_multi_rapid.documents.text import ASCII
from cli_multi_rapid.model.run import Status

NODES = (
    Node(name="phase1/plan", group="phase1", status=Status.SUCCESS),
    Node(name="phase1/lint", group="phase1", needs=("phase1/plan",), status=Status.FAILURE),
    Node(name="phase1/test", group="phase1", needs=("phase1/plan",), status=Status.RUNNING),
    Node(name="phase1/join", group="phase1", needs=("phase1/lint", "phase1/test")),
    Node(name="phase2/ship", group="phase2", needs=("phase1/join",), status=Status.TIMEOUT),
)


def test_text_shows_layers_and_needs() -> None:
    assert graph(NODES, format="text").split("\n") == [
        "phase1",
        "    1  ✓ plan  success",
        "    2  ✗ lint  failure  needs plan",
        "       ● test  running  needs plan",
        "    3  join  needs lint, test",
        "",
        "phase2",
        "    1  ✗ ship  timeout  needs phase1/join",
    ]


def test_text_in_ascii_is_ascii() -> None:
    shown = graph(NODES, format="text", symbols=ASCII)
    assert shown.isascii()
    assert "[FAIL] lint" in shown


def test_phases_without_a_group_stand_at_the_margin() -> None:
    nodes = (Node(name="phase0"), Node(name="phase1", needs=("phase0",)))
    assert graph(nodes, format="text") == "  1  phase0\n  2  phase1  needs phase0"


def test_a_circle_ends() -> None:
    nodes = (Node(name="a"), Node(name="b", needs=("c",)), Node(name="c", needs=("b",)))
    assert [[node.name for node in layer] for layer in layers(nodes)] == [["a"], ["b", "c"]]
    assert "b  needs c" in graph(nodes, format="text")


def test_mermaid_draws_a_subgraph_for_each_phase_with_classes_for_statuses() -> None:
    lines = graph(NODES, format="mermaid").split("\n")
    assert lines[0] == "flowchart LR"
    assert '  subgraph g1["phase1"]' in lines
    assert '    n2["✗ lint"]:::failure' in lines
    assert '    n4["join"]' in lines
    assert '    n5["✗ ship"]:::failure' in lines
    assert "  n4 --> n5" in lines
    assert lines.count("  end") == 2
    assert [line.split()[1] for line in lines if line.startswith("  classDef")] == ["success", "failure", "running"]


def test_hostile_names_stay_inside_their_labels() -> None:
    name = 'x"]; click n1 "javascript:alert(1)"\n<script>\u202e`#'
    text = graph((Node(name=name, needs=("nobody",)),), format="mermaid")
    label = text.split('["', 1)[1].rpartition('"]')[0]
    assert not set(label) & set('"[]<>`\n\u202e;') - {";"}
    assert label.replace(";", "").count("#") == label.count("#")
    assert len(text.split("\n")) == 2
    assert "-->" not in text


def test_data_has_everything() -> None:
    data = json.loads(graph(NODES, format="json"))
    assert data["nodes"][1] == {
        "name": "phase1/lint",
        "label": "",
        "group": "phase1",
        "needs": ["phase1/plan"],
        "status": "failure",
    }
    assert data["nodes"][3]["status"] is None


def test_a_thousand_nodes() -> None:
    nodes = [Node(name=f"s{number}", needs=(f"s{number - 1}",) if number else ()) for number in range(1000)]
    assert len(layers(nodes)) == 1000
    assert graph(nodes, format="mermaid").count("-->") == 999


def test_no_nodes() -> None:
    assert graph((), format="text") == ""
    assert graph((), format="mermaid") == "flowchart LR"
