"""The picture of docs/architecture.md, drawn from the imports in the source: `python -m tests.map`, or with every other picture
`python -m tests.pictures`.

A box is a package, or a module that at least three others import; an arrow goes to what is imported, and is left out where a
longer way leads there.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise
from pathlib import Path

import networkx as nx

from tests.test_architecture import ROOT, imports, sources

FILE = ROOT / "docs" / "architecture.svg"
IMPORTERS = 3
ALWAYS = ("app", "dawn.cli")
WIDTH, HEIGHT, ROW, EDGE, TOP = 1000, 34, 70, 24, 8  # pixels: picture, box, distance of rows, margins
LETTER, PADDING = 7.6, 13
BANDS = {  # a folder, what is said of it, its ground and its lines
    "app": ("the door", "#fff7ed", "#c2410c"),
    "viz": ("viz: pictures of records, the page and the API", "#eef4ff", "#1d5fd1"),
    "dawn": ("dawn: the science, in NumPy", "#effaf4", "#0b7a55"),
}
TORCH = ("dawn.models", "dawn.pretrain")
SWEEPS = 24


def part_of(module: str, known: Iterable[str]) -> str | None:
    """The package or top module that a module belongs to; None for what is not the project's."""
    name = module
    while name and name not in known:
        name = name.rpartition(".")[0]
    return None if name in ("", "dawn", "viz") else ".".join(name.split(".")[:2])


def import_graph() -> nx.DiGraph:
    """Main parts of the project; an edge from what imports to what is imported."""
    files = sources(ROOT)
    graph = nx.DiGraph()
    for module, path in files.items():
        if one := part_of(module, files):
            graph.add_node(one)
            others = {part_of(name, files) for name in imports(module, path)}
            graph.add_edges_from((one, other) for other in sorted(others - {None, one}, key=str))
    packages = {".".join(module.split(".")[:2]) for module in files if module.count(".") >= 2}
    main = [one for one in graph if one in packages or one in ALWAYS or graph.in_degree(one) >= IMPORTERS]
    return without_cycles(graph.subgraph(sorted(main)).copy())


def without_cycles(graph: nx.DiGraph) -> nx.DiGraph:
    """Packages may import one another in part: such an edge is left out."""
    while not nx.is_directed_acyclic_graph(graph):
        graph.remove_edge(*nx.find_cycle(graph)[-1])
    return graph


def reduced(graph: nx.DiGraph) -> nx.DiGraph:
    """Without the edges that a longer way replaces."""
    return nx.transitive_reduction(graph)


def rows(graph: nx.DiGraph, folder: str) -> list[list[str]]:
    """A folder's parts in rows: each above all that it imports."""
    inside = graph.subgraph(sorted(one for one in graph if one.split(".")[0] == folder))
    depth: dict[str, int] = {}
    for one in reversed(list(nx.lexicographical_topological_sort(inside))):
        depth[one] = max((depth[other] + 1 for other in inside[one]), default=0)
    return [sorted(one for one in inside if depth[one] == level) for level in range(max(depth.values()), -1, -1)]


def ordered(levels: list[list[str]], graph: nx.DiGraph) -> list[list[str]]:
    """The rows with their boxes moved near those that they are joined to."""
    place = {one: (index + 1) / (len(level) + 1) for level in levels for index, one in enumerate(level)}
    for _ in range(SWEEPS):
        for level in levels:
            joined = {one: sorted(place[other] for other in nx.all_neighbors(graph, one)) or [place[one]] for one in level}
            middles = {one: round(sum(places) / len(places), 6) for one, places in joined.items()}
            level.sort(key=lambda one: (middles[one], one))
            place |= {one: (index + 1) / (len(level) + 1) for index, one in enumerate(level)}
    return levels


def width_of(one: str) -> float:
    return LETTER * len(one) + 2 * PADDING


def placed(levels: list[list[str]]) -> dict[str, tuple[float, float]]:
    """The middle of each box: rows from the top, boxes of a row with the same room between them."""
    where = {}
    for row, level in enumerate(levels):
        gap = (WIDTH - 2 * EDGE - sum(map(width_of, level))) / (len(level) + 1)
        left = EDGE + gap
        for one in level:
            where[one] = (left + width_of(one) / 2, TOP + 40 + row * ROW)
            left += width_of(one) + gap
    return where


def arrow(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    """A curve from the bottom of one box to the top of another."""
    (x, y), (u, v) = (start[0], start[1] + HEIGHT / 2), (end[0], end[1] - HEIGHT / 2 - 5)
    bend = max(18.0, (v - y) * 0.45)
    path = f"M{x:.1f} {y:.1f}C{x:.1f} {y + bend:.1f} {u:.1f} {v - bend:.1f} {u:.1f} {v:.1f}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-opacity=".5" marker-end="url(#head)"/>'


def box(one: str, middle: tuple[float, float]) -> str:
    """A part's name in its box; what may import PyTorch has a double line."""
    x, y, wide = middle[0] - width_of(one) / 2, middle[1] - HEIGHT / 2, width_of(one)
    colour = BANDS[one.split(".")[0]][2]
    line = f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{HEIGHT}" rx="7" fill="#fff" stroke="{colour}"/>'
    size = f'width="{wide - 6:.1f}" height="{HEIGHT - 6}" rx="5"'
    inner = f'<rect x="{x + 3:.1f}" y="{y + 3:.1f}" {size} fill="none" stroke="{colour}"/>'
    text = f'<text x="{middle[0]:.1f}" y="{middle[1] + 4.5:.1f}" text-anchor="middle">{escape(one)}</text>'
    return line + (inner if one in TORCH else "") + text


def band(folder: str, top: float, bottom: float) -> str:
    """The ground of a folder, and what is said of it."""
    words, ground, colour = BANDS[folder]
    ground = f'<rect x="6" y="{top:.1f}" width="{WIDTH - 12}" height="{bottom - top:.1f}" rx="10" fill="{ground}"/>'
    return f'{ground}<text x="18" y="{top + 18:.1f}" fill="{colour}" class="said">{escape(words)}</text>'


def svg() -> str:
    """The picture."""
    whole = import_graph()
    graph, levels, ends = reduced(whole), [], [0]
    for folder in BANDS:
        levels += rows(whole, folder)
        ends.append(len(levels))
    where = placed(ordered(levels, graph))
    height = 2 * TOP + len(levels) * ROW
    tops = [TOP + end * ROW for end in ends]
    grounds = [band(folder, top, bottom - 8) for folder, (top, bottom) in zip(BANDS, pairwise(tops), strict=True)]
    arrows = [arrow(where[a], where[b], BANDS[a.split(".")[0]][2]) for a, b in sorted(graph.edges)]
    boxes = [box(one, middle) for one, middle in sorted(where.items())]
    style = "text{font:13px ui-monospace,monospace;fill:#172036}.said{font:600 13px sans-serif}"
    head = '<marker id="head" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    head += '<path d="M0 1L7 4L0 7z" fill="#55607a"/></marker>'
    title = "Packages and main modules of DAWN Lab, and what imports what"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    parts = [opening, f"<style>{style}</style><defs>{head}</defs>{ground}", *grounds, *arrows, *boxes, "</svg>"]
    return "\n".join(parts) + "\n"


def draw(file: Path = FILE) -> None:
    """Write the picture."""
    file.write_text(svg(), encoding="utf-8")


if __name__ == "__main__":
    draw()
