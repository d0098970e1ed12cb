"""What the figures share: which step is meant, text that stays text, marks and bars in the theme's looks, the layout.

Plotly reads ticks, names and hover texts as a kind of HTML: what comes from a user or a model goes through `shown`.
"""

from __future__ import annotations

from html import escape
from numbers import Integral

import numpy as np
from plotly import graph_objects as go

from dawn.decode import StepRecord
from dawn.errors import TraceError
from dawn.rules import Dawn
from dawn.trace import Trace
from viz import payload, theme

COLOURS = theme.colours("light")
RAMP = [[share, colour] for share, colour in zip(np.linspace(0, 1, len(theme.RAMP["light"])), theme.RAMP["light"], strict=True)]
SYMBOLS = {  # a shape of the theme → Plotly's symbol
    "triangle": "triangle-up",
    "wedge": "triangle-down",
    "hexagon": "hexagon2",
    "bar": "line-ns-open",
    "ring": "circle-open",
    "hollow": "circle-open",
    "small": "circle",
    "times": "x-thin-open",
}
SIZES = {"small": 5, "hollow": 8}  # pixels; others: 11
PATTERNS = {"stripes": "/", "checks": "\\", "dots": ".", "cross": "x", "lines": "-", "bars": "|", "grid": "+"}  # else plain


def step_of(trace: Trace, step: int) -> StepRecord:
    """The step of an index from 0; TraceError if there is none."""
    if not isinstance(step, Integral) or not 0 <= step < trace.forwards:
        raise TraceError(f"the trace has steps 0 to {trace.forwards - 1}, not {step!r:.40}")
    return trace.steps[step]


def shown(facts: payload.Facts, token: int) -> str:
    """A token's readable text; what Plotly would take for markup, or for TeX where a page has MathJax, is escaped."""
    return escape(payload.piece(facts, token), quote=False).replace("$", "&#36;")


def labels(trace: Trace, tokens: np.ndarray) -> list[str]:
    """[L] position and text of each token id [L]."""
    facts = payload.Facts.of(trace)
    texts = {token: shown(facts, token) for token in set(tokens.tolist())}
    return [f"{position} {texts[token]}" for position, token in enumerate(tokens.tolist())]


def tokens_at(record: StepRecord) -> np.ndarray:
    """[L] token ids at a step: what is predicted for its candidates, elsewhere what stands there."""
    tokens, candidates = record.canvas.tokens.copy(), record.canvas.candidates
    tokens[candidates] = record.prediction.tokens[candidates]
    return tokens


def sink_level(trace: Trace) -> float | None:
    """The received attention above which a column is a sink; None for a rule that has no such threshold."""
    rule = trace.setup.make_rule()
    return rule.thresholds.sink_level(trace.canvas.length) if isinstance(rule, Dawn) else None


def marker(name: str) -> dict:
    """The mark of a tier or role."""
    look = (theme.TIERS | theme.ROLES)[name]
    line = {"color": COLOURS[name], "width": 3 if look.shape == "ring" else 1.5}
    symbol = SYMBOLS.get(look.shape, look.shape)
    return {"symbol": symbol, "size": SIZES.get(look.shape, 11), "color": COLOURS[name], "line": line}


def fill(look: theme.Look) -> dict:
    """The fill of a bar: colour and pattern of a look."""
    pattern = {"shape": PATTERNS.get(look.pattern, ""), "fillmode": "overlay", "fgcolor": COLOURS["fresh"], "size": 6}
    return {"color": look.light, "pattern": pattern}


def dressed(figure: go.Figure, title: str, height: int = 520) -> go.Figure:
    """The figure with title, ground and type."""
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0.02, "font": {"size": 16}},
        height=height,
        paper_bgcolor=COLOURS["page"],
        plot_bgcolor=COLOURS["panel"],
        font={"family": theme.FONT, "color": COLOURS["ink"], "size": 12},
        hoverlabel={"font": {"family": theme.MONO}, "align": "left"},
        legend={"traceorder": "normal"},
        hovermode="closest",
    )
    axes = {"gridcolor": COLOURS["line"], "zeroline": False, "automargin": True}
    return figure.update_xaxes(axes).update_yaxes(axes)


def received_bars(values: np.ndarray, sinks: np.ndarray, names: list[str], level: float | None) -> list[go.Bar | go.Scatter]:
    """Received attention [L] as bars, the sinks in their own look, and τ_sink as a line if there is a level."""
    others = np.setdiff1d(np.arange(len(values)), sinks)
    looks = {
        "received": (others, theme.Look("received attention", "", COLOURS["faint"], "")),
        "sink": (sinks, theme.Look("received by a sink", "", COLOURS["conflict"], "", "cross")),
    }
    drawn = [  # unless it is told, a bar is as wide as the sinks lie apart
        go.Bar(x=at, y=values[at], width=0.8, name=look.label, marker=fill(look), **hover(values, at, names))
        for at, look in looks.values()
        if len(at)
    ]
    if level is not None:
        drawn.append(level_line(level, len(values)))
    return drawn


def hover(values: np.ndarray, positions: np.ndarray, names: list[str]) -> dict:
    return {"hoverinfo": "text", "hovertext": [f"{names[p]}<br>received {values[p]:.5f}" for p in positions]}


def level_line(level: float, length: int) -> go.Scatter:
    """τ_sink over all positions."""
    line = {"color": COLOURS["accent"], "width": 1.5, "dash": "dash"}
    return go.Scatter(x=[-0.5, length - 0.5], y=[level, level], mode="lines", name=f"τ_sink = {level:.4g}", line=line)
