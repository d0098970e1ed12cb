"""DAWN: dependency-aware decoding (arXiv 2602.06953, Algorithm 1 and section 4).

    H = {i ∈ M : c_i ≥ τ_high}                                          high
    K = {j < e : j written, c_j ≥ τ_high}                               anchors, prompt included
    I = {i ∈ M : c_i ≥ τ_induced, an edge j → i for some j ∈ K}         induced
    C = {i ∈ M : c_i ≥ τ_low} \\ (H ∪ I ∪ F)                             F: in conflict with H ∪ I
    S = greedy independent set of C by descending confidence            conflict-free
    commit H ∪ I ∪ S, or the most confident position if that is empty   forced

i and j are in conflict if there is an edge between them in either direction. Variant `published` excludes less:
F = {i : an edge j → i for some j ∈ I ∩ H}.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.graph import DependencyGraph, build_graph
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, by_confidence
from dawn.selection import Commit, Decision, Reason, Refusal, Selection, Tier
from dawn.settings import Settings
from dawn.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Dawn(Settings):
    """Commits confident positions, positions induced by anchors, and a conflict-free set of the less confident ones."""

    name: ClassVar[str] = "dawn"
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def needs(self) -> Needs:
        return Needs(anchors=self.thresholds.anchor_confidence == "current", attention=True)

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        graph = self.graph(canvas, prediction)
        return Decision(select(self.step(graph, canvas, prediction), self.thresholds, self.low()), graph)

    def taken(self, graph: DependencyGraph, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        """[n] ascending: the positions that `decide` would commit with this graph, without the reasons."""
        step = self.step(graph, canvas, prediction)
        tiers = sort(step, self.thresholds, self.low())
        return step.candidates[tiers.chosen] if tiers.chosen.any() else step.candidates[[best(step)]]

    def step(self, graph: DependencyGraph, canvas: Canvas, prediction: Prediction) -> Step:
        """What a decision with this graph reads."""
        candidates = canvas.candidates
        weights = graph.matrix(candidates, canvas.length)  # [M, L]
        return Step(candidates, prediction.confidence[candidates], weights, self.anchors(canvas, prediction))

    def low(self) -> float:
        """The confidence from which a position may enter the conflict-free set."""
        return self.thresholds.low

    def graph(self, canvas: Canvas, prediction: Prediction) -> DependencyGraph:
        """The edges into the window's positions."""
        return build_graph(prediction.attention, canvas.window, self.thresholds)

    def anchors(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        """[L] bool: K, the written positions before the window's end that are certain enough to lean on."""
        at_commit = self.thresholds.anchor_confidence == "at_commit"
        confidence = canvas.committed_confidence if at_commit else prediction.confidence
        _, end = canvas.block_span(canvas.block)
        return ~canvas.masked & (np.arange(canvas.length) < end) & (confidence >= self.thresholds.high)


@dataclass(frozen=True)
class Step:
    """What a decision reads: candidates [M], their confidence [M], edge weights [M, L] (0: no edge), anchors [L] bool."""

    candidates: np.ndarray
    confidence: np.ndarray
    weights: np.ndarray
    anchors: np.ndarray

    @cached_property
    def between(self) -> np.ndarray:
        """[M, M] edge weight from column to row among the candidates."""
        return self.weights[:, self.candidates]

    @cached_property
    def conflicts(self) -> np.ndarray:
        """[M, M] symmetric: the heavier edge between two candidates, 0 where there is none."""
        return np.maximum(self.between, self.between.T)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Candidates by tier: high, induced, free [M] bool; able [M] bool: may enter the conflict-free set; blocking [M, M]: weight
    with which column blocks row; dropped_by: the member of the set that dropped a candidate."""

    high: np.ndarray
    induced: np.ndarray
    free: np.ndarray
    able: np.ndarray
    blocking: np.ndarray
    dropped_by: dict[int, int]

    @property
    def chosen(self) -> np.ndarray:
        """[M] bool"""
        return self.high | self.induced | self.free


def sort(step: Step, thresholds: Thresholds, low: float) -> Tiers:
    """The candidates of one step by tier; low: what the conflict-free set asks."""
    high = step.confidence >= thresholds.high
    leaning = (step.weights * step.anchors).any(axis=1)
    induced = (step.confidence >= thresholds.induced) & leaning
    first = high | induced  # U_anchor
    blocking = exclusion(step, first, induced & high, thresholds.variant)  # [M, M]
    able = (step.confidence >= low) & ~first
    free, dropped_by = independent_set(step, able & ~blocking.any(axis=1))
    return Tiers(high, induced, free, able, blocking, dropped_by)


def best(step: Step) -> int:
    """The index of the most confident candidate."""
    return int(by_confidence(np.arange(len(step.candidates)), step.confidence)[0])


def select(step: Step, thresholds: Thresholds, low: float) -> Selection:
    """The whole decision over one step's numbers; low: what the conflict-free set asks."""
    tiers = sort(step, thresholds, low)
    chosen = tiers.chosen
    if not chosen.any():
        forced = best(step)
        return Selection((Commit(int(step.candidates[forced]), Tier.FORCED),), below(step, np.arange(len(chosen)) != forced))
    committed = commits(step, tiers.high, tiers.induced, tiers.free)
    refused = refusals(step, ~chosen, tiers.able, tiers.blocking, tiers.dropped_by)
    return Selection(committed, refused)


def exclusion(step: Step, first: np.ndarray, high_and_induced: np.ndarray, variant: str) -> np.ndarray:
    """[M, M] weight with which column (already committed) blocks row, 0 where it does not."""
    if variant == "paper":
        return step.conflicts * first[None, :]
    return step.between * high_and_induced[None, :]


def independent_set(step: Step, able: np.ndarray) -> tuple[np.ndarray, dict[int, int]]:
    """Greedy by descending confidence: [M] bool members, and for each one dropped the member that dropped it."""
    adjacent = step.conflicts > 0
    left, members = able.copy(), np.zeros(len(able), dtype=bool)
    dropped_by: dict[int, int] = {}
    for index in by_confidence(np.flatnonzero(able), step.confidence).tolist():
        if not left[index]:
            continue
        left[index], members[index] = False, True
        neighbours = np.flatnonzero(adjacent[index] & left)
        left[neighbours] = False
        dropped_by |= dict.fromkeys(neighbours.tolist(), index)
    return members, dropped_by


def commits(step: Step, high: np.ndarray, induced: np.ndarray, free: np.ndarray) -> tuple[Commit, ...]:
    """The committed positions with their tiers, and the anchors behind the induced ones."""
    result = []
    for index in np.flatnonzero(high | induced | free).tolist():
        position = int(step.candidates[index])
        if high[index]:
            result.append(Commit(position, Tier.HIGH))
        elif induced[index]:
            result.append(Commit(position, Tier.INDUCED, evidence(step.weights[index] * step.anchors)))
        else:
            result.append(Commit(position, Tier.CONFLICT_FREE))
    return tuple(result)


def evidence(weights: np.ndarray) -> tuple[tuple[int, float], ...]:
    """The (anchor, weight) pairs of a row of weights [L], heaviest first."""
    anchors = by_confidence(np.flatnonzero(weights), weights)
    return tuple((int(anchor), float(weights[anchor])) for anchor in anchors)


def refusals(
    step: Step, refused: np.ndarray, able: np.ndarray, blocking: np.ndarray, dropped_by: dict[int, int]
) -> tuple[Refusal, ...]:
    """Each refused candidate with its reason; the blocker is the heaviest conflict, or the member that dropped it."""
    result = []
    for index in np.flatnonzero(refused).tolist():
        position = int(step.candidates[index])
        if index in dropped_by:
            blocker = dropped_by[index]
            result.append(
                Refusal(position, Reason.DROPPED, int(step.candidates[blocker]), float(step.conflicts[index, blocker]))
            )
        elif able[index]:
            blocker = int(blocking[index].argmax())
            result.append(Refusal(position, Reason.CONFLICT, int(step.candidates[blocker]), float(blocking[index, blocker])))
        else:
            result.append(Refusal(position, Reason.BELOW))
    return tuple(result)


def below(step: Step, chosen: np.ndarray) -> tuple[Refusal, ...]:
    """All of `chosen` [M] bool refused as below every threshold."""
    return tuple(Refusal(int(position), Reason.BELOW) for position in step.candidates[chosen])


__all__ = ["Dawn", "DependencyGraph", "Step", "select"]
