"""One picture a step: the canvas with its tiers, the dependency edges as arcs, all positions as a strip, counts and legend.

Light theme, 1280 × 720. Tokens stand where they stand in every step of the run; where they do not all fit, the lines around the
active block are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil

import networkx as nx
import numpy as np

from dawn.decode import StepRecord
from dawn.trace import Trace
from viz import layouts, payload, theme
from viz.exports.lettering import fitted, width
from viz.exports.shapes import Box, Cell, Curve, Dot, Shape, Words

SIZE = (1280, 720)
LEFT, RIGHT = 32, 1248
HEAD = 84  # heights: of the heading,
GRAPH = 196  # of the arcs,
STRIP = 40  # of all positions,
FOOT = 44  # of the legend
SIZES = (20, 18, 16, 14, 13)  # of type on the canvas: the largest in which all lines fit, or the last
LEADING, SPACE = 2.0, 3  # height of a line, in sizes of its type; pixels between tokens
WIDEST = 220
MOST_ARCS = 400
COLOURS = theme.colours("light")
GROUND = COLOURS["page"]
EDGES = {"evidence": COLOURS["induced"], "conflict": COLOURS["conflict"], "other": COLOURS["line"]}
BEFORE, NEVER = -1, 10**9  # in `came`: there before the run; not written in it


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a token stands: its line, left edge and width."""

    position: int
    line: int
    x: int
    width: int


class Pictures:
    """The pictures of a run, by step."""

    def __init__(self, trace: Trace):
        self.trace, self.facts = trace, payload.Facts.of(trace)
        self.rule = trace.setup.make_rule()
        length, self.final = trace.canvas.length, trace.final.tokens
        self.came = np.where(trace.canvas.masked, NEVER, BEFORE).tolist()  # the step that wrote a position
        self.tier = [""] * length
        for step in trace.steps:
            self.remember(step)
        self.graphs = any(step.decision.graph is not None for step in trace.steps)
        self.room = SIZE[1] - HEAD - STRIP - FOOT - (GRAPH if self.graphs else 0)

    def remember(self, step: StepRecord) -> None:
        """What a step wrote."""
        tiers = {one.position: one.tier.value for one in step.decision.selection.committed}
        for position, tier in (tiers | dict.fromkeys(step.filled.tolist(), "filled")).items():
            self.came[position], self.tier[position] = step.index, tier

    def cells(self, index: int) -> tuple[Cell, ...]:
        """The picture of a step."""
        step = self.trace.steps[index]
        graph = [self.arcs(step)] if self.graphs else []
        return (self.head(step), *self.canvas(step), *graph, self.strip(step), self.legend(step))

    # ------------------------------------------------------------ heading, strip, legend
    def head(self, step: StepRecord) -> Cell:
        """The question, which step this is, and what it did."""
        trace, setup = self.trace, self.trace.setup
        taken, count = len(step.decision.selection.committed), f"Step {step.index + 1} of {trace.forwards}"
        written = sum(BEFORE < came <= step.index for came in self.came)
        made = f"{self.rule.name} · {payload.readable(setup.model)}"
        done = f"{step.index + 1} forward passes, {written} of {int(trace.canvas.masked.sum())} tokens, {taken} in this step"
        shapes = (
            Words(LEFT, 30, fitted(one_line(trace.prompt), 20, 930), 20, COLOURS["ink"]),
            Words(LEFT, 60, fitted(f"DAWN Lab · {made}", 14, 640), 14, COLOURS["soft"]),
            Words(RIGHT, 30, count, 24, COLOURS["accent"], "end"),
            Words(RIGHT, 60, done, 14, COLOURS["soft"], "end"),
        )
        return Cell(0, 0, SIZE[0], HEAD, GROUND, shapes)

    def strip(self, step: StepRecord) -> Cell:
        """Every position as a bar, coloured when it is written; bars too thin to be told apart are drawn as one."""
        top, length = SIZE[1] - FOOT - STRIP, self.trace.canvas.length
        pitch, ends = (RIGHT - LEFT) / length, step.canvas.window[[0, -1]] + [0, 1]
        colours = [self.bar(p, step.index) for p in range(length)]
        starts = [p for p in range(length) if pitch > 3 or p == 0 or colours[p] != colours[p - 1]]
        bars = [
            Box(LEFT + start * pitch, top + 8, (end - start) * pitch - (pitch > 3), 18, colours[start])
            for start, end in pairwise([*starts, length])
        ]
        left, right = (LEFT + ends * pitch).tolist()
        return Cell(0, top, SIZE[0], STRIP, GROUND, (*bars, Box(left, top + 30, right - left, 3, COLOURS["accent"])))

    def bar(self, position: int, index: int) -> str:
        """The colour of a position in the strip."""
        if self.came[position] > index:
            return COLOURS["mask"]
        return COLOURS[self.tier[position] or "written"]

    def legend(self, step: StepRecord) -> Cell:
        """The tiers of the run with their counts so far."""
        top, x, shapes = SIZE[1] - FOOT, LEFT, []
        for name in (one for one in theme.TIERS if one in self.tier):
            count = sum(tier == name and came <= step.index for tier, came in zip(self.tier, self.came, strict=True))
            text = f"{theme.TIERS[name].label} {count}"
            shapes += [Box(x, top + 14, 26, 16, COLOURS[name], radius=4), Words(x + 34, top + 22, text, 14, COLOURS["soft"])]
            x += 34 + width(f"{theme.TIERS[name].label} 0000", 14) + 22
        return Cell(0, top, SIZE[0], FOOT, GROUND, tuple(shapes))

    # ------------------------------------------------------------ the canvas
    @cached_property
    def type(self) -> tuple[int, list[list[Slot]]]:
        """The size of the type, and the slots of each line."""
        for size in SIZES:
            lines = self.lines(size)
            if len(lines) <= self.capacity(size):
                break
        return size, lines

    def capacity(self, size: int) -> int:
        return int(self.room // (size * LEADING))

    def lines(self, size: int) -> list[list[Slot]]:
        """All slots in reading order; the answer begins on a new line, and so does a block that does not fit."""
        lines, x = [[]], LEFT
        for position in range(self.trace.canvas.length):
            wide = self.slot_width(position, size)
            if x + wide > RIGHT or (position == self.trace.canvas.prompt_length and lines[-1]):
                lines.append([])
                x = LEFT
            lines[-1].append(Slot(position, len(lines) - 1, x, wide))
            x += wide + SPACE
        return lines

    def slot_width(self, position: int, size: int) -> int:
        """Room for what a position finally holds."""
        if self.came[position] == NEVER:
            return 2 * size
        text = fitted(self.piece(int(self.final[position])), size, WIDEST)
        return max(ceil(width(text, size)) + (4 if self.came[position] == BEFORE else 10), size // 2)

    def piece(self, token: int) -> str:
        return payload.piece(self.facts, token)

    def canvas(self, step: StepRecord) -> Iterator[Cell]:
        """The lines that are shown: a cell a token, and one for each line's ends."""
        size, lines = self.type
        shown, tall = self.capacity(size), round(size * LEADING)
        refused = {one.position: one for one in step.decision.selection.refused}
        first = min(max(0, self.line_of(step) - 1), max(0, len(lines) - shown))
        y = HEAD + max(0, self.room - tall * len(lines)) // 2
        for line in lines[first : first + shown]:
            for slot in line:
                shapes = tuple(self.token(slot, y, size, step, refused))
                yield Cell(slot.x, y, slot.width + SPACE, tall, GROUND, shapes)
            right = line[-1].x + line[-1].width + SPACE
            yield Cell(right, y, SIZE[0] - right, tall, GROUND)
            y += tall

    def line_of(self, step: StepRecord) -> int:
        """The line on which the active block begins."""
        start = int(step.canvas.window.min())
        return next(line[0].line for line in self.type[1] if line[-1].position >= start)

    def token(self, slot: Slot, y: float, size: int, step: StepRecord, refused: dict) -> Iterator[Shape]:
        """A position on the canvas: given, written before, written now, refused now, or still masked."""
        came, position, high = self.came[slot.position], slot.position, size * LEADING - 5
        fill, edge, ink = self.dress(position, step, refused)
        if fill or edge:
            yield Box(slot.x, y + 2, slot.width, high, fill, edge, 4)
        if BEFORE < came < step.index:
            yield Box(slot.x, y + high - 2, slot.width, 4, COLOURS[self.tier[position]])
        tokens = self.final if came <= step.index else step.prediction.tokens if position in refused else None
        if tokens is not None:
            text = fitted(self.piece(int(tokens[position])), size, slot.width - 2)
            yield Words(
                slot.x + slot.width / 2, y + 2 + high / 2, text, size, ink, "middle", min(width(text, size), slot.width)
            )

    def dress(self, position: int, step: StepRecord, refused: dict) -> tuple[str | None, str | None, str]:
        """Fill, outline and ink of a token."""
        came, tier = self.came[position], self.tier[position]
        if came == BEFORE:
            return None, None, COLOURS["soft"]
        if came == step.index:
            return COLOURS[tier], None, COLOURS["fresh"]
        if came < step.index:
            return COLOURS[f"{tier}-tint"], None, COLOURS["ink"]
        if position in refused:
            return None, COLOURS["conflict" if refused[position].blocker is not None else "faint"], COLOURS["faint"]
        return COLOURS["mask"], None, COLOURS["faint"]

    # ------------------------------------------------------------ the arcs
    def arcs(self, step: StepRecord) -> Cell:
        """The graph that the step was read from, its nodes along the text; an arc stands for an edge."""
        top = SIZE[1] - FOOT - STRIP - GRAPH
        base, ground = top + GRAPH - 34, COLOURS["panel"]
        if step.decision.graph is None:
            return Cell(0, top, SIZE[0], GRAPH, GROUND)
        graph = layouts.step_graph(step, step.decision, self.rule)
        nodes = list(graph.nodes)
        x = dict(zip(nodes, (LEFT + 12 + layouts.along(step.canvas, nodes) * (RIGHT - LEFT - 24)).tolist(), strict=True))
        kept = sorted(graph.edges(data="weight"), key=lambda edge: edge[2])[-MOST_ARCS:]
        shapes = [Box(LEFT, top + 6, RIGHT - LEFT, GRAPH - 12, ground, radius=8)]
        kind = layouts.edge_kinds(step.decision)
        shapes += [arc(x[source], x[target], base, top, EDGES[kind(source, target)]) for source, target, _ in kept]
        shapes += [node_dot(x[node], base, graph.nodes[node]["role"]) for node in nodes]
        shapes += [
            *self.names(step, graph, x, base),
            Words(LEFT + 14, top + 22, arc_words(graph, len(kept)), 13, COLOURS["soft"]),
        ]
        return Cell(0, top, SIZE[0], GRAPH, GROUND, tuple(shapes))

    def names(self, step: StepRecord, graph: nx.DiGraph, x: dict[int, float], base: float) -> Iterator[Words]:
        """The text of what was taken, below its node, as far as there is room."""
        free = float(LEFT)
        for position in sorted(one for one, role in graph.nodes(data="role") if role in theme.TIERS):
            text = fitted(self.piece(int(self.final[position])), 12, 90)
            wide = width(text, 12)
            if x[position] - wide / 2 > free and x[position] + wide / 2 < RIGHT:
                yield Words(x[position], base + 20, text, 12, COLOURS["ink"], "middle", wide)
                free = x[position] + wide / 2 + 6


def one_line(text: str) -> str:
    """Text as one line, invisible characters made visible."""
    return " ".join(map(payload.readable, text.split()))


def arc(source: float, target: float, base: float, top: float, colour: str) -> Curve:
    """An edge from a node to another, higher the farther they are apart."""
    rise = 24 + abs(target - source) / (RIGHT - LEFT) * 2 * (base - top - 60)
    return Curve((source, base), ((source + target) / 2, base - rise), (target, base), colour, 1.2)


def node_dot(x: float, y: float, role: str) -> Dot:
    """A node: full if taken, a ring if an anchor, hollow if refused, small if neither."""
    colour = COLOURS[role]
    if role in theme.TIERS:
        return Dot(x, y, 6, colour)
    return Dot(x, y, 4, COLOURS["raised"], colour) if role in ("anchor", "refused") else Dot(x, y, 2.5, colour)


def arc_words(graph: nx.DiGraph, drawn: int) -> str:
    """What the arcs are."""
    edges = graph.number_of_edges()
    shown = f"the {drawn} heaviest of {edges} edges" if drawn < edges else f"{edges} edge{'s' * (edges != 1)}"
    return f"Dependency graph: {shown}. Blue: leans on an anchor; red: between two candidates"
