"""The graph of a step as networkx sees it, and the places of its nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.viz.synthetic import RULE, synthetic_trace
from viz import layouts

TRACE = synthetic_trace(96, 40)


def graph_of(record):
    return layouts.step_graph(record, record.decision, RULE)


@pytest.mark.parametrize("record", TRACE.steps[::9], ids=lambda record: f"step {record.index}")
def test_the_graph_has_the_records_edges_and_roles(record):
    graph, made = graph_of(record), record.decision
    edges = zip(made.graph.source.tolist(), made.graph.target.tolist(), made.graph.weight.tolist(), strict=True)
    assert {(j, i, w) for j, i, w in edges} == set(graph.edges(data="weight"))
    assert set(record.canvas.window.tolist()) <= set(graph)
    for commit in made.selection.committed:
        assert graph.nodes[commit.position]["role"] == graph.nodes[commit.position]["tier"] == commit.tier.value
        assert all(graph.nodes[anchor]["role"] == "anchor" for anchor, _ in commit.evidence)
    for refusal in made.selection.refused:
        assert graph.nodes[refusal.position]["role"] == "refused"
    assert [node for node in graph if graph.nodes[node]["sink"]] == sorted(made.graph.sinks.tolist())


def test_sinks_have_no_edges_out():
    for record in TRACE.steps[::9]:
        graph = graph_of(record)
        assert all(graph.out_degree(sink) == 0 for sink in record.decision.graph.sinks.tolist())


def test_along_keeps_the_order_and_gives_the_block_most_room():
    canvas = TRACE.steps[len(TRACE.steps) // 2].canvas
    places = layouts.along(canvas, range(canvas.length))
    start, end = canvas.block_span(canvas.block)
    assert (np.diff(places) > 0).all() and places[0] >= 0 and places[-1] <= 1
    assert places[end - 1] - places[start] > 0.5


def test_plane_is_within_the_picture_and_the_same_every_time():
    for record in TRACE.steps[::9]:
        graph = graph_of(record)
        places = layouts.plane(graph, record.canvas)
        assert set(places) == set(graph) and places == layouts.plane(graph, record.canvas)
        assert max(math.hypot(*place) for place in places.values()) <= layouts.OUTER + 1e-9


def test_plane_hardly_moves_from_step_to_step():
    moves = []
    for before, after in zip(TRACE.steps, TRACE.steps[1:], strict=False):
        if before.block != after.block:
            continue
        old, new = (layouts.plane(graph_of(record), record.canvas) for record in (before, after))
        moves += [math.dist(old[node], new[node]) for node in old.keys() & new.keys()]
    assert np.median(moves) < 0.25


def test_known_nodes_stay():
    record = TRACE.steps[4]
    graph = graph_of(record)
    known = {node: (0.25, -0.5) for node in list(graph)[:5]}
    places = layouts.plane(graph, record.canvas, known)
    assert all(places[node] == place for node, place in known.items())
