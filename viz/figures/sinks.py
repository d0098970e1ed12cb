"""Sinks over a run: what every position received at every step, and where that was too much."""

from __future__ import annotations

import numpy as np
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from dawn.sinks import received_over_time
from dawn.trace import Trace
from viz.figures.parts import COLOURS, RAMP, dressed, labels, received_bars, sink_level


def sinks_over_time(trace: Trace) -> go.Figure:
    """Received attention [T, L] by step and position, a cross where the step removed a sink; above it the mean over the steps,
    with τ_sink for rules that have it. RuleError if no attention was recorded."""
    received, names = received_over_time(trace.steps), labels(trace, trace.final.tokens)
    steps, positions = removed(trace)
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.3, 0.7], vertical_spacing=0.03)
    for mark in received_bars(received.mean(axis=0), np.unique(positions), names, sink_level(trace)):
        figure.add_trace(mark, 1, 1)
    figure.add_trace(heat(received, names), 2, 1)
    if len(steps):
        figure.add_trace(crosses(steps, positions), 2, 1)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(title_text="mean", row=1, col=1)
    figure.update_yaxes(title_text="step", autorange="reversed", row=2, col=1)
    figure.update_xaxes(title_text="position", row=2, col=1)
    title = f"Received attention over {trace.forwards} steps: {len(np.unique(positions))} positions are a sink at some step"
    return dressed(figure, title, 640)


def removed(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """[n] steps from 0 and [n] positions of the sinks that each step's graph was freed of."""
    graphs = [step.decision.graph for step in trace.steps]
    found = [(index, sink) for index, graph in enumerate(graphs) if graph is not None for sink in graph.sinks.tolist()]
    steps, positions = np.array(found, dtype=int).reshape(-1, 2).T
    return steps, positions


def heat(received: np.ndarray, names: list[str]) -> go.Heatmap:
    """The map with texts."""
    texts = [
        [f"{name}<br>step {step}: received {value:.5f}" for name, value in zip(names, row, strict=True)]
        for step, row in enumerate(received, 1)
    ]
    steps, positions = (np.arange(size) for size in received.shape)
    bar = {"title": {"text": "received"}, "len": 0.7, "y": 0.35}
    return go.Heatmap(
        x=positions,
        y=steps + 1,
        z=received,
        zmin=0,
        colorscale=RAMP,
        colorbar=bar,
        hoverinfo="text",
        hovertext=texts,
        name="received",
    )


def crosses(steps: np.ndarray, positions: np.ndarray) -> go.Scatter:
    """Where a sink was removed."""
    style = {"symbol": "x-thin-open", "size": 6, "color": COLOURS["accent"], "line": {"width": 1.5}}
    return go.Scatter(x=positions, y=steps + 1, mode="markers", marker=style, name="a sink at that step", hoverinfo="skip")
