"""Margin order (Kim et al., arXiv 2502.06768): the quota of `original`, the largest p₁ − p₂ (best token, second best) first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import by_confidence
from dawn.rules.quota import Quota


@dataclass(frozen=True, slots=True)
class Margin(Quota):
    """Commits the positions whose best token leads the second best by most, as many as `original` would."""

    name: ClassVar[str] = "margin"

    @property
    def needs(self) -> Needs:
        return Needs(margin=True)

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return by_confidence(canvas.candidates, prediction.margin)
