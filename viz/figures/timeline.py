"""A run over its steps: how many tokens each brought, by tier, and which positions."""

from __future__ import annotations

import numpy as np
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from dawn.trace import Trace
from viz import theme
from viz.figures.parts import dressed, fill, labels, marker


def timeline(trace: Trace) -> go.Figure:
    """Above, tokens per step, stacked by tier; below, every position at the step that wrote it. What was filled with
    end-of-text after the answer had ended is shown as such: no rule decided about it."""
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.35, 0.65], vertical_spacing=0.04)
    names = labels(trace, trace.final.tokens)
    for name, came in arrivals(trace).items():
        bar, dots = tier_marks(name, *np.array(came).T, trace.forwards, names)
        figure.add_trace(bar, 1, 1).add_trace(dots, 2, 1)
    figure.update_layout(barmode="stack")
    figure.update_yaxes(title_text="tokens", row=1, col=1)
    figure.update_yaxes(title_text="position", autorange="reversed", row=2, col=1)
    figure.update_xaxes(title_text="step", row=2, col=1)
    pace = trace.tokens_committed / trace.forwards
    return dressed(figure, f"{trace.tokens_committed} tokens in {trace.forwards} steps: {pace:.2f} tokens per step", 640)


def arrivals(trace: Trace) -> dict[str, list[tuple[int, int]]]:
    """Tier, or `filled` → (step from 0, position) of all that it brought; only what brought something, in the theme's order."""
    found = {name: [] for name in theme.TIERS}
    for step in trace.steps:
        for one in step.decision.selection.committed:
            found[one.tier.value].append((step.index, one.position))
        found["filled"] += [(step.index, position) for position in step.filled.tolist()]
    return {name: came for name, came in found.items() if came}


def tier_marks(name: str, steps: np.ndarray, positions: np.ndarray, total: int, names: list[str]) -> tuple[go.Bar, go.Scatter]:
    """A tier's bars over all steps, and its marks."""
    look, numbers = theme.TIERS[name], np.arange(1, total + 1)
    counts = np.bincount(steps, minlength=total)
    texts = [f"step {step}: {count} {look.label}" for step, count in zip(numbers, counts, strict=True)]
    bar = go.Bar(x=numbers, y=counts, name=look.label, legendgroup=name, marker=fill(look), hoverinfo="text", hovertext=texts)
    texts = [
        f"{names[position]}<br>step {step + 1}<br>{look.label}: {look.words}"
        for step, position in zip(steps, positions, strict=True)
    ]
    hover = {"hoverinfo": "text", "hovertext": texts, "showlegend": False}
    dots = go.Scatter(x=steps + 1, y=positions, mode="markers", name=look.label, legendgroup=name, marker=marker(name), **hover)
    return bar, dots
