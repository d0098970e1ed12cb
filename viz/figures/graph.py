"""The dependency graph of a step: as arcs along the sequence, and in the plane.

A line for each edge, its kind by colour and dash; halfway a triangle that points from what is read to what depends on it, the
larger the heavier, with the edge's numbers. Nodes have the mark of their tier or role; sinks are ringed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import networkx as nx
import numpy as np
from plotly import graph_objects as go

from dawn.decode import StepRecord
from dawn.trace import Trace
from viz import layouts, theme
from viz.figures.parts import COLOURS, dressed, labels, marker, step_of, tokens_at

EDGES = {  # kind → its words, colour and dash
    "other": ("depends on", COLOURS["faint"], "solid"),
    "conflict": ("in conflict with", COLOURS["conflict"], "dash"),
    "evidence": ("leans on the anchor", COLOURS["induced"], "solid"),
}
LABELS = {"other": "other dependency", "conflict": "conflict", "evidence": "leans on an anchor"}  # as the page names them
BULGE = 0.12  # of an edge in the plane, as a share of its length
ALONG = np.linspace(0, 1, 33)
BEZIER = np.stack([(1 - ALONG) ** 2, 2 * ALONG * (1 - ALONG), ALONG**2], axis=1)  # [33, 3]

Bend = Callable[[np.ndarray, np.ndarray], np.ndarray]  # starts [n, 2], ends [n, 2] → control points [n, 2]


def dependency_arcs(trace: Trace, step: int) -> go.Figure:
    """The graph along the sequence. An arc above the line is an edge to a later position, one below it to an earlier one.

    TraceError for a step that there is not, DawnError if the rule reads no graph.
    """
    record, graph = graph_of(trace, step)
    nodes = list(graph)
    places = dict(zip(nodes, ((x, 0.0) for x in layouts.along(record.canvas, nodes).tolist()), strict=True))
    figure = drawn(trace, record, graph, places, arc)
    taken, names = record.decision.selection.positions.tolist(), labels(trace, tokens_at(record))
    figure.update_xaxes(
        tickvals=[places[p][0] for p in taken], ticktext=[names[p] for p in taken], tickangle=-90, showgrid=False
    )
    return figure.update_yaxes(visible=False)


def dependency_plane(trace: Trace, step: int) -> go.Figure:
    """The graph in the plane, as `viz.layouts.plane` places it: the block on a ring, clockwise from the top.

    TraceError for a step that there is not, DawnError if the rule reads no graph.
    """
    record, graph = graph_of(trace, step)
    places = {node: (x, -y) for node, (x, y) in layouts.plane(graph, record.canvas).items()}  # y of a figure goes up
    figure = drawn(trace, record, graph, places, bulge)
    figure.update_layout(height=640)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False, scaleanchor="x")


def graph_of(trace: Trace, step: int) -> tuple[StepRecord, nx.DiGraph]:
    """A step and the graph that it was read from."""
    record = step_of(trace, step)
    return record, layouts.step_graph(record, record.decision, trace.setup.make_rule())


def arc(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Higher the farther, and below the line for what goes back."""
    return np.stack([(starts[:, 0] + ends[:, 0]) / 2, ends[:, 0] - starts[:, 0]], axis=1)


def bulge(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A little to the left of the way, so that two opposite edges are two lines."""
    way = ends - starts
    return (starts + ends) / 2 + BULGE * np.stack([-way[:, 1], way[:, 0]], axis=1)


def drawn(trace: Trace, record: StepRecord, graph: nx.DiGraph, places: dict[int, layouts.Place], bend: Bend) -> go.Figure:
    """Edges, then nodes, then the rings of the sinks."""
    names = labels(trace, tokens_at(record))
    marks = [*edges(record, graph, places, bend, names), *nodes(record, graph, places, names), *rings(graph, places)]
    count = graph.number_of_edges()
    title = f"Dependency graph of step {record.index + 1} of {trace.forwards}: {count} edge{'s' * (count != 1)}"
    return dressed(go.Figure(marks), title)


def edges(
    record: StepRecord, graph: nx.DiGraph, places: dict[int, layouts.Place], bend: Bend, names: list[str]
) -> Iterator[go.Scatter]:
    """For each kind of edge that occurs its lines, and its triangles with source, target and weight as customdata."""
    kind = layouts.edge_kinds(record.decision)
    for name, (words, colour, dash) in EDGES.items():
        found = [edge for edge in graph.edges(data="weight") if kind(*edge[:2]) == name]
        if found:
            starts, ends = (np.array([places[edge[side]] for edge in found]) for side in (0, 1))
            corners = np.stack([starts, bend(starts, ends), ends], axis=1)  # [n, 3, 2]
            yield lines(corners, name, colour, dash)
            texts = [f"{names[target]}<br>{words} {names[source]}<br>weight {weight:.5f}" for source, target, weight in found]
            yield triangles(corners, found, name, colour, texts)


def lines(corners: np.ndarray, name: str, colour: str, dash: str) -> go.Scatter:
    """Bézier curves over corners [n, 3, 2] as one trace; NaN parts them."""
    points = np.pad(BEZIER @ corners, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan).reshape(-1, 2)
    style = {"color": colour, "width": 1.2, "dash": dash}
    opacity = 0.35 if name == "other" else 0.9
    x, y = points.T
    return go.Scatter(
        x=x, y=y, mode="lines", line=style, opacity=opacity, name=LABELS[name], legendgroup=name, hoverinfo="skip"
    )


def triangles(corners: np.ndarray, found: list, name: str, colour: str, texts: list[str]) -> go.Scatter:
    """The middles of the curves, where they run as straight as from start to end."""
    middle, way = BEZIER[len(ALONG) // 2] @ corners, corners[:, 2] - corners[:, 0]
    weights = np.array([weight for *_, weight in found])
    style = {
        "symbol": "triangle-up",
        "angle": np.degrees(np.arctan2(way[:, 0], way[:, 1])),  # clockwise from up
        "size": 4 + 8 * np.sqrt(weights),
        "color": colour,
    }
    hover = {"hoverinfo": "text", "hovertext": texts, "customdata": [list(edge) for edge in found], "legendgroup": name}
    x, y = middle.T
    return go.Scatter(x=x, y=y, mode="markers", marker=style, name=LABELS[name], showlegend=False, **hover)


def nodes(record: StepRecord, graph: nx.DiGraph, places: dict[int, layouts.Place], names: list[str]) -> Iterator[go.Scatter]:
    """The nodes of each tier and role that occurs, with their positions as customdata."""
    reasons = {one.position: f", {one.reason.value}" for one in record.decision.selection.refused}
    confidence = record.prediction.confidence
    for role, look in (theme.TIERS | theme.ROLES).items():
        found = [node for node, named in graph.nodes(data="role") if named == role]
        if found:
            x, y = zip(*(places[node] for node in found), strict=True)
            texts = [
                f"{names[node]}<br>{look.label}: {look.words}{reasons.get(node, '')}<br>{certainty(confidence[node])}"
                for node in found
            ]
            hover = {"hoverinfo": "text", "hovertext": texts, "customdata": found}
            yield go.Scatter(x=x, y=y, mode="markers", marker=marker(role), name=look.label, **hover)


def certainty(confidence: float) -> str:
    """A confidence in words; NaN where nobody asked."""
    return f"confidence {confidence:.4f}" if confidence == confidence else "confidence not asked for"


def rings(graph: nx.DiGraph, places: dict[int, layouts.Place]) -> Iterator[go.Scatter]:
    """A ring around every sink, whatever its role."""
    found = [node for node, is_sink in graph.nodes(data="sink") if is_sink]
    if found:
        x, y = zip(*(places[node] for node in found), strict=True)
        style = {"symbol": "circle-open", "size": 18, "color": COLOURS["conflict"], "line": {"width": 2}}
        yield go.Scatter(x=x, y=y, mode="markers", marker=style, name="sink: edges removed", customdata=found, hoverinfo="skip")
