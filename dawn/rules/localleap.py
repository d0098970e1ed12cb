"""LocalLeap (arXiv 2510.07081): a lower threshold near positions that are certain.

    anchors  {i ∈ M : c_i ≥ high}
    commit   anchors ∪ {i ∈ M : c_i ≥ relaxed, |i − a| ≤ radius for some anchor a}, or the most confident one if that is empty

Not iterated within a step: what `relaxed` lets in is no anchor. A `relaxed` above `high` changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, threshold_selection
from dawn.selection import Commit, Decision, Reason, Refusal, Selection, Tier
from dawn.settings import Number, Settings, Whole, setting


@dataclass(frozen=True, slots=True)
class LocalLeap(Settings):
    """Commits every position at least as confident as `high`, and near those also the ones that reach `relaxed`."""

    name: ClassVar[str] = "localleap"
    high: float = setting(0.9, Number("Enough confidence to commit a position and make it an anchor."))
    relaxed: float = setting(0.75, Number("Enough confidence near an anchor."))
    radius: int = setting(4, Whole("W: how many positions away is near.", 0, 4096, (0, 32, 1)))

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        candidates = canvas.candidates
        confidence = prediction.confidence[candidates]  # [M]
        high = confidence >= self.high
        if not high.any():
            return Decision(threshold_selection(candidates, prediction.confidence, self.high))
        nearby = near(candidates, candidates[high], self.radius) & (confidence >= self.relaxed) & ~high
        committed = tuple(
            Commit(int(i), Tier.NEARBY if leapt else Tier.HIGH)
            for i, leapt, sure in zip(candidates, nearby, high, strict=True)
            if sure or leapt
        )
        refused = tuple(Refusal(int(i), Reason.BELOW) for i in candidates[~(high | nearby)])
        return Decision(Selection(committed, refused))


def near(positions: np.ndarray, anchors: np.ndarray, radius: int) -> np.ndarray:
    """[M] bool: within `radius` of the closest of `anchors`, both ascending, at least one anchor."""
    after = np.searchsorted(anchors, positions)
    right = np.abs(anchors[np.minimum(after, len(anchors) - 1)] - positions)
    left = np.abs(positions - anchors[np.maximum(after - 1, 0)])
    return np.minimum(left, right) <= radius
