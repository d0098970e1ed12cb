"""A step's graph as a file says what the record says."""

from __future__ import annotations

import io
import json

import networkx as nx
import pytest

from dawn.errors import DawnError
from dawn.replay import replay
from dawn.rules import Confidence, settings_of
from tests.viz.synthetic import RULE, synthetic_trace
from viz import layouts, payload
from viz.exports.graphs import file_of

TRACE = synthetic_trace(96, 40)
FACTS = payload.Facts.of(TRACE)


def read(file: dict) -> nx.DiGraph:
    """The graph of a file, its nodes as numbers."""
    if file["name"].endswith(".graphml"):
        return nx.read_graphml(io.BytesIO(file["text"].encode()), node_type=int)
    return nx.node_link_graph(json.loads(file["text"]), edges="edges")


@pytest.mark.parametrize("kind", ["graphml", "json"])
@pytest.mark.parametrize("index", [0, 6])
def test_a_file_holds_the_graph_exactly(kind, index):
    step = TRACE.steps[index]
    file, made = file_of(FACTS, step, step.decision, RULE, kind), step.decision.graph
    graph = read(file)
    assert file["name"] == f"graph-step-{index + 1}.{kind}"
    edges = zip(made.source.tolist(), made.target.tolist(), map(float, made.weight), strict=True)
    assert {(s, t): w for s, t, w in graph.edges(data="weight")} == {(s, t): w for s, t, w in edges}
    for commit in step.decision.selection.committed:
        assert graph.nodes[commit.position]["tier"] == commit.tier.value
    for refusal in step.decision.selection.refused:
        assert graph.nodes[refusal.position]["reason"] == refusal.reason.value
    position = int(step.canvas.candidates[0])
    assert graph.nodes[position]["confidence"] == float(step.prediction.confidence[position])
    assert graph.nodes[position]["token"] == payload.readable(TRACE.pieces[int(step.prediction.tokens[position])])
    assert json.loads(graph.graph["settings"]) == settings_of(RULE) and graph.graph["step"] == index + 1


def test_figures_are_those_of_the_graph():
    graph = nx.DiGraph([(1, 2), (3, 2), (2, 4), (7, 8)])
    graph.add_node(9)
    figures = layouts.figures(graph)
    assert (figures["nodes"], figures["edges"], figures["components"], figures["largest"]) == (7, 4, 2, 4)
    assert figures["in"] == [2, 2] and figures["out"][1] == 1 and figures["mean"] == 4 / 7
    assert layouts.figures(nx.DiGraph())["in"] == [None, 0]


def test_a_rule_without_a_graph_and_other_files_are_refused():
    step, rule = TRACE.steps[0], Confidence(0.5)
    with pytest.raises(DawnError, match="the rule confidence reads no dependency graph"):
        file_of(FACTS, step, replay(step, rule).decision, rule, "json")
    with pytest.raises(DawnError, match="written as graphml or json"):
        file_of(FACTS, step, step.decision, RULE, "csv")
