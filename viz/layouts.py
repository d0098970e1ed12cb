"""A step's dependency graph as a networkx.DiGraph, and where its nodes stand: along the sequence, and in the plane.

Both layouts depend only on the step itself and on places fixed per position, so that a node hardly moves from step to step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import networkx as nx
import numpy as np

from dawn.canvas import Canvas
from dawn.decode import StepRecord
from dawn.errors import DawnError
from dawn.rules import Dawn, Rule
from dawn.selection import Decision

BEFORE_SHARE, AFTER_SHARE = 0.34, 0.08
INNER, OUTER = 1.0, 1.6
PULL = 0.1

Place = tuple[float, float]


def step_graph(record: StepRecord, decision: Decision, rule: Rule) -> nx.DiGraph:
    """The graph a decision was read from: edge j → i means "i depends on j".

    Nodes: the window's positions, every source of an edge, and the sinks. Node attributes: role (a tier, or refused, sink,
    anchor, later, written), tier ("" if not committed in this step), sink; edge attribute: weight.
    DawnError if the rule read no graph.
    """
    picture, graph = nx.DiGraph(), decision.graph
    if graph is None:
        raise DawnError(f"the rule {rule.name} reads no dependency graph")
    sinks = set(graph.sinks.tolist())
    tiers = {commit.position: commit.tier.value for commit in decision.selection.committed}
    roles = node_roles(record, decision, rule)
    for position in sorted({*record.canvas.window.tolist(), *graph.source.tolist(), *sinks}):
        picture.add_node(position, role=roles(position), tier=tiers.get(position, ""), sink=position in sinks)
    for source, target, weight in zip(graph.source.tolist(), graph.target.tolist(), graph.weight.tolist(), strict=True):
        picture.add_edge(source, target, weight=weight)
    return picture


def figures(graph: nx.DiGraph) -> dict:
    """Sizes and degrees: in-degree is on how many a position depends, out-degree how many depend on it. The node named with
    the largest is the first of those that share it; components: parts without an edge between them that hold more than one."""
    parts = [part for part in nx.weakly_connected_components(graph) if len(part) > 1]
    most_in, most_out = (
        max(degree, key=lambda one: one[1], default=(None, 0)) for degree in (graph.in_degree, graph.out_degree)
    )
    nodes, edges = graph.number_of_nodes(), graph.number_of_edges()
    return {
        "nodes": nodes,
        "edges": edges,
        "in": [most_in[0], most_in[1]],
        "out": [most_out[0], most_out[1]],
        "mean": edges / nodes if nodes else 0.0,
        "density": nx.density(graph) if nodes else 0.0,
        "components": len(parts),
        "largest": max(map(len, parts), default=0),
    }


def node_roles(record: StepRecord, decision: Decision, rule: Rule):
    """A function position → role. A column that is a sink serves nobody, so `sink` comes before `anchor`."""
    tiers = {commit.position: commit.tier.value for commit in decision.selection.committed}
    refused = {refusal.position for refusal in decision.selection.refused}
    sinks = set(decision.graph.sinks.tolist())
    anchors = rule.anchors(record.canvas, record.prediction) if isinstance(rule, Dawn) else np.zeros(record.canvas.length, bool)
    masked = record.canvas.masked

    def role(position: int) -> str:
        if position in tiers:
            return tiers[position]
        named = {"refused": position in refused, "sink": position in sinks, "anchor": anchors[position]}
        return next((name for name, holds in named.items() if holds), "later" if masked[position] else "written")

    return role


def edge_kinds(decision: Decision) -> Callable[[int, int], str]:
    """A function (source, target) → evidence: an anchor that a token leans on; conflict: between two candidates; else other."""
    selection = decision.selection
    leaning = {(anchor, one.position) for one in selection.committed for anchor, _ in one.evidence}
    candidates = {one.position for one in (*selection.committed, *selection.refused)}

    def kind(source: int, target: int) -> str:
        if (source, target) in leaning:
            return "evidence"
        return "conflict" if source in candidates and target in candidates else "other"

    return kind


def along(canvas: Canvas, positions) -> np.ndarray:
    """[n] places in [0, 1] along the sequence: the active block wide, what precedes and follows it narrow."""
    start, end = canvas.block_span(canvas.block)
    before = BEFORE_SHARE if start else 0.0
    after = AFTER_SHARE if end < canvas.length else 0.0
    stops = [0, start, end, canvas.length]
    return np.interp(np.asarray(positions, dtype=float) + 0.5, stops, [0.0, before, 1.0 - after, 1.0])


def homes(canvas: Canvas, positions) -> dict[int, Place]:
    """Where a position stands before any force: the active block on a ring, the rest on a wider one, both in reading order."""
    start, end = canvas.block_span(canvas.block)
    outside = max(1, canvas.length - (end - start))
    places = {}
    for position in positions:
        inside = start <= position < end
        share = (position - start) / (end - start) if inside else (position - (end - start) * (position >= end)) / outside
        angle, radius = 2 * math.pi * share - math.pi / 2, INNER if inside else OUTER
        places[position] = (radius * math.cos(angle), radius * math.sin(angle))
    return places


def plane(graph: nx.DiGraph, canvas: Canvas, known: dict[int, Place] | None = None) -> dict[int, Place]:
    """Node → (x, y) within ±OUTER. Nodes in `known` stay exactly where they are.

    Each node is drawn to its home and to its neighbours: x = (1 + λ·Laplacian)⁻¹ home. A small change of the graph is a small
    change of x, so steps can be told apart by looking; every place lies within the hull of the homes.
    """
    fixed = {node: place for node, place in (known or {}).items() if node in graph}
    home = homes(canvas, graph.nodes) | fixed
    weights = nx.to_numpy_array(graph.to_undirected(as_view=True), weight=None)  # [n, n] 0 or 1
    laplacian = np.diag(weights.sum(axis=1)) - weights
    settled = np.linalg.solve(np.eye(len(graph)) + PULL * laplacian, np.array([home[node] for node in graph]))
    return {node: (float(x), float(y)) for node, (x, y) in zip(graph, settled, strict=True)} | fixed
