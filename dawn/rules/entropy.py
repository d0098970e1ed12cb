"""Entropy order (Dream, arXiv 2508.15487): the quota of `original`, the lowest entropy H_i = −Σ p log p first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import by_confidence
from dawn.rules.quota import Quota


@dataclass(frozen=True, slots=True)
class Entropy(Quota):
    """Commits the positions whose distribution is the least spread out, as many as `original` would."""

    name: ClassVar[str] = "entropy"

    @property
    def needs(self) -> Needs:
        return Needs(entropy=True)

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return by_confidence(canvas.candidates, -prediction.entropy)
