"""The anatomy of a step: every set between the numbers of one forward pass and DAWN's selection, in the order in which the rule
makes them (arXiv 2602.06953, section 4 and Algorithm 1). The sets come out of `dawn.rules.dawn`; nothing is decided here.

Also a prediction with some numbers changed by hand, to ask what the rule would have decided then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dawn.canvas import Canvas
from dawn.errors import CanvasError, RuleError
from dawn.graph import DependencyGraph, build_graph, rows_of
from dawn.prediction import Prediction
from dawn.rules import Dawn, Moment
from dawn.rules.base import by_confidence
from dawn.rules.dawn import Step, Tiers, evidence, sort
from dawn.selection import Selection
from dawn.settings import require_number

STAGES = ("sinks", "edges", "high", "anchors", "conflicts", "independent set", "commit")
ROUNDING = 1e-4  # a softmax row, averaged in float32, may sum to a little more than 1

Edge = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """A candidate's turn in the greedy set: taken, or dropped `by` a member, over an edge of this weight."""

    position: int
    taken: bool
    by: int | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What each stage leaves; positions ascending. Edges are (source, target, weight), their targets masked: target depends on
    source.

    sinks: received [L] and the level above which a column is one. edges: those that stay, and those removed with their sink.
    high: H. anchors: K, all of them, and induced: I \\ H with the anchors that it leans on. conflicts: excluded maps a position
    of F that is at least τ_low sure to (blocker, weight); candidates: C; pairs: (i, j, weight), i < j, in conflict. independent
    set: C in its order. commit: forced, if nothing else is, and the selection with every reason.
    """

    received: np.ndarray
    level: float
    sinks: tuple[int, ...]
    edges: tuple[Edge, ...]
    removed: tuple[Edge, ...]
    high: tuple[int, ...]
    anchors: tuple[int, ...]
    induced: dict[int, tuple[tuple[int, float], ...]]
    excluded: dict[int, tuple[int, float]]
    candidates: tuple[int, ...]
    pairs: tuple[Edge, ...]
    order: tuple[Turn, ...]
    forced: int | None
    selection: Selection

    @property
    def first(self) -> tuple[int, ...]:
        """U_anchor: high and induced, committed whatever is between them."""
        return tuple(sorted({*self.high, *self.induced}))

    @property
    def free(self) -> tuple[int, ...]:
        """S: the members of the greedy independent set."""
        return tuple(sorted(turn.position for turn in self.order if turn.taken))

    @property
    def committed(self) -> tuple[int, ...]:
        """The union of the stages, or the forced position."""
        return tuple(sorted({*self.first, *self.free})) if self.forced is None else (self.forced,)


def anatomy(rule: Dawn, canvas: Canvas, prediction: Prediction) -> Anatomy:
    """The stages of one decision. RuleError for a rule without these stages, or a prediction without attention."""
    if not isinstance(rule, Dawn) or prediction.attention is None:
        raise RuleError("only a rule of the DAWN family, on a step with recorded attention, decides in these stages")
    graph = rule.graph(canvas, prediction)
    step = rule.step(graph, canvas, prediction)
    tiers = sort(step, rule.thresholds, rule.low())
    selection = rule.decide(canvas, prediction, Moment(0, len(step.candidates))).selection
    named, among = positions(step), tiers.able & ~tiers.blocking.any(axis=1)
    return Anatomy(
        received=prediction.attention.received,
        level=rule.thresholds.sink_level(canvas.length),
        sinks=tuple(graph.sinks.tolist()),
        edges=edges(graph, canvas),
        removed=removed(rule, graph, canvas, prediction),
        high=named(tiers.high),
        anchors=tuple(np.flatnonzero(step.anchors).tolist()),
        induced=leaning(step, tiers),
        excluded=exclusions(step, tiers),
        candidates=named(among),
        pairs=pairs(step),
        order=turns(step, tiers, among),
        forced=None if tiers.chosen.any() else int(selection.positions[0]),
        selection=selection,
    )


def positions(step: Step):
    """A function from [M] bool to the positions that it marks."""
    return lambda marked: tuple(step.candidates[marked].tolist())


def edges(graph: DependencyGraph, canvas: Canvas) -> tuple[Edge, ...]:
    """The edges into masked positions."""
    masked = canvas.masked[graph.target]
    ends = (graph.source[masked].tolist(), graph.target[masked].tolist(), graph.weight[masked].tolist())
    return tuple(zip(*ends, strict=True))


def removed(rule: Dawn, graph: DependencyGraph, canvas: Canvas, prediction: Prediction) -> tuple[Edge, ...]:
    """The edges into masked positions that there would be from the sinks."""
    whole = build_graph(prediction.attention, canvas.window, rule.thresholds, np.empty(0, dtype=np.int64))
    sinks = set(graph.sinks.tolist())
    return tuple(edge for edge in edges(whole, canvas) if edge[0] in sinks)


def leaning(step: Step, tiers: Tiers) -> dict[int, tuple[tuple[int, float], ...]]:
    """The induced positions that are not high, each with the anchors that it leans on, heaviest first."""
    rows = np.flatnonzero(tiers.induced & ~tiers.high).tolist()
    return {int(step.candidates[row]): evidence(step.weights[row] * step.anchors) for row in rows}


def exclusions(step: Step, tiers: Tiers) -> dict[int, tuple[int, float]]:
    """The positions that only a conflict with a committed one keeps out: its heaviest blocker and the weight."""
    rows = np.flatnonzero(tiers.able & tiers.blocking.any(axis=1)).tolist()
    heaviest = {row: int(tiers.blocking[row].argmax()) for row in rows}
    return {
        int(step.candidates[row]): (int(step.candidates[by]), float(tiers.blocking[row, by])) for row, by in heaviest.items()
    }


def pairs(step: Step) -> tuple[Edge, ...]:
    """Every two masked positions with an edge between them, and the heavier one's weight."""
    rows, columns = np.nonzero(np.triu(step.conflicts))
    named = step.candidates
    return tuple((int(named[i]), int(named[j]), float(step.conflicts[i, j])) for i, j in zip(rows, columns, strict=True))


def turns(step: Step, tiers: Tiers, among: np.ndarray) -> tuple[Turn, ...]:
    """The candidates [M] bool by descending confidence, and what became of each."""
    found = []
    for row in by_confidence(np.flatnonzero(among), step.confidence).tolist():
        by, position = tiers.dropped_by.get(row), int(step.candidates[row])
        lost = () if by is None else (int(step.candidates[by]), float(step.conflicts[row, by]))
        found.append(Turn(position, bool(tiers.free[row]), *lost))
    return tuple(found)


def changed(
    rule: Dawn,
    canvas: Canvas,
    prediction: Prediction,
    confidence: Mapping[int, float],
    weights: Mapping[tuple[int, int], float],
) -> Prediction:
    """The prediction with other confidences by position, and other attention by (dependent position, source). What a column
    receives follows. ThresholdError for what is no share, CanvasError for a place that the decision does not read."""
    _, end = canvas.block_span(canvas.block)
    sure, seen = prediction.confidence.copy(), prediction.attention
    for position, value in confidence.items():
        require_number(f"the confidence of position {position}", value, 0, 1)
        require_place(position, range(end))
        sure[position] = value
    rows, received, touched = seen.weights.copy(), seen.received.copy(), set()
    for (target, source), value in weights.items():
        require_number(f"the attention from {target} to {source}", value, 0, 1)
        require_place(target, canvas.window.tolist())
        require_place(source, range(canvas.length))
        row = row_of(rule, prediction, target)
        received[source] += (value - rows[row, source]) / canvas.length
        rows[row, source] = value
        touched.add(row)
    require_rows(rows, seen.rows, touched)
    return replace(prediction, confidence=sure, attention=replace(seen, weights=rows, received=received))


def row_of(rule: Dawn, prediction: Prediction, target: int) -> int:
    """Which recorded attention row speaks for a position."""
    query = max(target - (rule.thresholds.attention_row == "predictor"), 0)
    rows_of(prediction.attention, np.array([query]))  # refuses a row that was not recorded
    return int(np.searchsorted(prediction.attention.rows, query))


def require_place(position: int, places) -> None:
    """Refuse a position that is not among the places."""
    if position not in places:
        raise CanvasError(f"position {position} cannot be changed here: this step does not read it")


def require_rows(weights: np.ndarray, queries: np.ndarray, touched: set[int]) -> None:
    """Refuse attention rows [R, L] that sum to more than 1."""
    for row in sorted(touched):
        total = float(weights[row].sum())
        if total > 1 + ROUNDING:
            found = f"row {queries[row]} would sum to {total:.2f}"
            raise CanvasError(f"a row of attention sums to at most 1, and {found}: lower another weight of it first")
