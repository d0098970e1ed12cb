"""Entropy-bounded unmasking (Ben-Hamu et al., arXiv 2505.24857): as many tokens as an entropy budget allows.

Entropies sorted ascending, H_(1) ≤ H_(2) ≤ …; commit the longest prefix with Σ_{j<r} H_(j) ≤ γ; rank 1 always. The sum bounds
what the tokens of one step can tell about each other, and so the error of writing them independently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, by_confidence, prefix_length, prefix_selection
from dawn.selection import Decision, Reason
from dawn.settings import Number, Settings, setting


@dataclass(frozen=True, slots=True)
class EntropyBounded(Settings):
    """Commits the surest positions until the entropy of those before exceeds `gamma`; reads no attention."""

    name: ClassVar[str] = "eb"
    gamma: float = setting(
        0.15, Number("γ: the entropy, in nats, that those before may add up to.", high=1000.0, shown=(0, 3, 0.01))
    )

    @property
    def needs(self) -> Needs:
        return Needs(entropy=True)

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        ranked = by_confidence(canvas.candidates, -prediction.entropy)
        within = before(prediction.entropy[ranked]) <= self.gamma
        return Decision(prefix_selection(ranked, prefix_length(within), Reason.OUTRANKED))


def before(entropy: np.ndarray) -> np.ndarray:
    """[M] float32: Σ_{j<r} H_(j) of each rank, summed in float64."""
    total = np.cumsum(entropy, dtype=np.float64)
    return np.concatenate([[0.0], total[:-1]]).astype(np.float32)
