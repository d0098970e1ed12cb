"""Control, the paper's ablation "w/o anchor-guided decoding": no threshold is relaxed. Source: DAWN, ablation study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Prediction
from dawn.rules.dawn import Dawn


@dataclass(frozen=True, slots=True)
class DawnNoAnchors(Dawn):
    """A control, the paper's first ablation: DAWN without anchors, so that nothing is induced; τ_induced is not read."""

    name: ClassVar[str] = "dawn-no-anchors"

    def anchors(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return np.zeros(canvas.length, dtype=bool)
