"""Where the edges into computed numbers come from, a row a graph, as an SVG that follows the reader's light or dark theme.

Two panels: the shares of edges that come from an operand of the equation, and from the same number where it stood before. In
each row the attention's share with its interval, and the controls' shares as marks of their own shape.
"""

from __future__ import annotations

from dawn.chart import Axis, grid, word
from dawn.operands import ATTENTION, AVERAGE, CHOOSERS, Report

WIDTH, ROW, TOP, BOTTOM = 760, 28, 92, 32
PANELS = {"edges_from_operands": (96, 400), "edges_from_origins": (446, 742)}  # where they begin and end, in pixels
NAMES = {"edges_from_operands": "from an operand of the equation", "edges_from_origins": "from the same number before it"}
LEGEND = {ATTENTION: "edges of the attention", "random": "random", "nearest": "nearest", "before": "nearest before"}
PLACES = (96, 268, 352, 440)  # of the legend's entries
SHAPES = {  # around 0, 0
    ATTENTION: '<circle r="5.5"/>',
    "random": '<path d="M-4 -4 4 4M-4 4 4 -4"/>',
    "nearest": '<rect x="-4" y="-4" width="8" height="8"/>',
    "before": '<path d="M4 -5 -5 0 4 5Z"/>',
}
STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #172036 }
.soft { fill: #55607a; font-size: 12px } .average { font-weight: 600 } .grid { stroke: #d9deea }
.range { stroke: #c2410c; stroke-width: 2 } .attention { fill: #c2410c }
.random, .nearest, .before { fill: none; stroke: #1d5fd1; stroke-width: 1.8 }
@media (prefers-color-scheme: dark) {
text { fill: #eef1fa } .soft { fill: #a3aec8 } .grid { stroke: #2c3653 }
.range { stroke: #ff9d66 } .attention { fill: #ff9d66 } .random, .nearest, .before { stroke: #6cb2ff } }
"""


def svg(found: Report) -> str:
    """The picture of a report."""
    height = TOP + ROW * len(found.graphs) + BOTTOM
    parts = [word("Edges into computed numbers that come …", 12, 18, "start", AVERAGE), *legend()]
    for share, ends in PANELS.items():
        axis = Axis.of(100 * highest(found, share), ends)
        parts += grid(axis, height, NAMES[share], " %", TOP)
        for index, figures in enumerate(found.graphs.values()):
            parts += row(figures.shares[share], TOP + ROW * (index + 0.5), axis)
    names = enumerate(found.graphs)
    parts += [word(name, 84, TOP + ROW * (i + 0.5) + 4, "end", AVERAGE if name == AVERAGE else "") for i, name in names]
    title = f"Where edges into {found.results} computed tokens come from, in {found.n} answers"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
        f"<title>{title}</title><style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def highest(found: Report, share: str) -> float:
    """The upper end of the highest interval in a panel; 1 % where there is none."""
    return max((one[2] for figures in found.graphs.values() for one in figures.shares[share].values() if one), default=0.01)


def legend() -> list[str]:
    """What the marks mean."""
    parts = []
    for (kind, name), x in zip(LEGEND.items(), PLACES, strict=True):
        parts += [mark(kind, x + 5, 42), word(name, x + 18, 46, "start", "soft")]
    return parts


def row(shares: dict, y: float, axis: Axis) -> list[str]:
    """A graph's marks: the controls, then the attention's on its interval; nothing where the graph has no edges."""
    parts = [mark(kind, axis(100 * shares[kind][0]), y) for kind in CHOOSERS[1:] if shares[kind]]
    if shares[ATTENTION]:
        value, low, high = (axis(100 * one) for one in shares[ATTENTION])
        parts.append(f'<line x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}" class="range"/>')
        parts.append(mark(ATTENTION, value, y))
    return parts


def mark(kind: str, x: float, y: float) -> str:
    return f'<g class="{kind}" transform="translate({x:.1f} {y:.1f})">{SHAPES[kind]}</g>'
