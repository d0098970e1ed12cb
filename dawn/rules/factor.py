"""Factor (Fast-dLLM, arXiv 2505.22618): the more positions are taken at once, the surer each of them must be.

Confidences sorted descending, c_(1) ≥ c_(2) ≥ …; thr_1 = −1, thr_r = 1 − f / (r + 1); commit the longest prefix with
c_(r) ≥ thr_r. The published code accepts a first failure at the very last rank; this rule counts exactly.
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
class Factor(Settings):
    """Commits the most confident positions as long as each meets a bound that rises with its rank; reads no attention."""

    name: ClassVar[str] = "factor"
    factor: float = setting(1.0, Number("f: how far below 1 the bound of a rank may lie.", high=100.0, shown=(0, 4, 0.05)))

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        ranked = by_confidence(canvas.candidates, prediction.confidence)
        passes = prediction.confidence[ranked] >= bounds(len(ranked), self.factor)
        return Decision(prefix_selection(ranked, prefix_length(passes), Reason.BELOW))


def bounds(count: int, factor: float) -> np.ndarray:
    """[count] float32: thr_r of ranks 1 to `count`, ascending from the second on."""
    ranks = np.arange(1, count + 1)
    return np.where(ranks == 1, -1.0, 1 - factor / (ranks + 1)).astype(np.float32)
