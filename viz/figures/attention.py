"""The attention that a step was read from: the window's rows, and what every position received, with τ_sink."""

from __future__ import annotations

import numpy as np
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from dawn.graph import rows_of
from dawn.sinks import received_over_time
from dawn.trace import Trace
from viz.figures.parts import COLOURS, RAMP, dressed, labels, received_bars, sink_level, step_of, tokens_at

FAINTEST = 1e-6  # the least that the strongest colour stands for


def attention_map(trace: Trace, step: int) -> go.Figure:
    """Rows of the window [W, L]: who looks, and at whom. Above it received attention [L], with τ_sink for rules that have it.

    The strongest colour stands for the largest attention outside the sinks' columns, which are framed.
    TraceError for a step that there is not, RuleError if no attention was recorded.
    """
    record = step_of(trace, step)
    received, window = received_over_time((record,))[0], record.canvas.window
    weights, names = rows_of(record.prediction.attention, window), labels(trace, tokens_at(record))
    graph = record.decision.graph
    sinks = graph.sinks if graph is not None else np.empty(0, dtype=int)
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.25, 0.75], vertical_spacing=0.03)
    for mark in received_bars(received, sinks, names, sink_level(trace)):
        figure.add_trace(mark, 1, 1)
    figure.add_trace(rows(weights, window, names, sinks), 2, 1)
    figure.update_layout(shapes=frames(sinks), barmode="overlay")
    figure.update_yaxes(type="category", autorange="reversed", title_text="from", row=2, col=1)
    figure.update_xaxes(title_text="to position", row=2, col=1)
    title = f"Attention at step {step + 1} of {trace.forwards}: rows of the window, and what each position receives"
    return dressed(figure, title, 640)


def rows(weights: np.ndarray, window: np.ndarray, names: list[str], sinks: np.ndarray) -> go.Heatmap:
    """The rows as a map with texts."""
    texts = [
        [f"{names[query]}<br>looks at {name}<br>attention {weight:.5f}" for name, weight in zip(names, row, strict=True)]
        for query, row in zip(window, weights, strict=True)
    ]
    top = float(np.delete(weights, sinks, axis=1).max(initial=FAINTEST))
    bar = {"title": {"text": "attention"}, "len": 0.7, "y": 0.35}
    return go.Heatmap(
        x=np.arange(weights.shape[1]),
        y=[names[query] for query in window],
        z=weights,
        zmin=0,
        zmax=top,
        colorscale=RAMP,
        colorbar=bar,
        hoverinfo="text",
        hovertext=texts,
        name="attention",
    )


def frames(sinks: np.ndarray) -> list[dict]:
    """A frame around each sink's column of the map."""
    style = {"type": "rect", "xref": "x2", "yref": "y2 domain", "y0": 0, "y1": 1}
    line = {"color": COLOURS["conflict"], "width": 1.5, "dash": "dot"}
    return [style | {"x0": sink - 0.5, "x1": sink + 0.5, "line": line} for sink in sinks.tolist()]
