"""DAPD: dependency-aware parallel decoding (arXiv 2603.12996), as a secondary note describes it.

    s_ij = (A_ij + A_ji) / 2 between masked positions i ≠ j     an edge if s_ij > τ
    order M by (Σ_j s_ij) · c_i descending                       scan it; take what no one taken is joined to
    fewer than half of the generated positions masked:           {i ∈ M : c_i > .9}, or the most confident one

Known from that note alone: the authors' τ was not found, so `edge` begins where DAWN's τ_edge does. They average the last
30 % of the layers; here the layers that the model's family averages for DAWN stand in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.graph import rows_of
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, by_confidence, uniform_selection
from dawn.selection import Commit, Decision, Reason, Refusal, Selection, Tier
from dawn.settings import Number, Settings, setting


@dataclass(frozen=True, slots=True)
class Dapd(Settings):
    """Commits masked positions that attend little to each other, the most connected first; late in a run the confident ones.

    Known from a secondary note: the authors' τ was not found.
    """

    name: ClassVar[str] = "dapd"
    edge: float = setting(0.07, Number("τ: symmetrised attention above this joins two masked positions."))
    high: float = setting(0.9, Number("Confidence to exceed once fewer than half of the positions are masked."))

    @property
    def needs(self) -> Needs:
        return Needs(attention=True)

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        generated = canvas.length - canvas.prompt_length
        late = 2 * int(canvas.masked.sum()) < generated
        return Decision(self.confident(canvas, prediction) if late else self.independent(canvas, prediction))

    def confident(self, canvas: Canvas, prediction: Prediction) -> Selection:
        """{i ∈ M : c_i > high}, or the most confident candidate."""
        candidates = canvas.candidates
        chosen = candidates[prediction.confidence[candidates] > self.high]
        tier = Tier.HIGH if len(chosen) else Tier.FORCED
        chosen = chosen if len(chosen) else by_confidence(candidates, prediction.confidence)[:1]
        return uniform_selection(candidates, chosen, tier, Reason.BELOW)

    def independent(self, canvas: Canvas, prediction: Prediction) -> Selection:
        """The greedy independent set of M in the order of connection times confidence."""
        candidates = canvas.candidates
        joined = symmetrised(rows_of(prediction.attention, candidates)[:, candidates])  # [M, M]
        score = joined.sum(axis=1) * prediction.confidence[candidates]
        taken: list[int] = []
        refused = []
        for index in np.argsort(-score, kind="stable"):
            blockers = [other for other in taken if joined[index, other] > self.edge]
            if blockers:
                weight = float(joined[index, blockers[0]])
                refused.append(Refusal(int(candidates[index]), Reason.DROPPED, int(candidates[blockers[0]]), weight))
            else:
                taken.append(int(index))
        committed = tuple(Commit(int(candidates[index]), Tier.CONFLICT_FREE) for index in sorted(taken))
        return Selection(committed, tuple(sorted(refused, key=lambda refusal: refusal.position)))


def symmetrised(weights: np.ndarray) -> np.ndarray:
    """[M, M] float32: the mean of both directions, 0 on the diagonal."""
    mean = (weights + weights.T) / 2
    np.fill_diagonal(mean, 0)
    return mean
