"""Low-confidence remasking (LLaDA, arXiv 2502.09992): a fixed number of tokens a step, the most confident first.

The number is in `dawn.rules.quota`. As many steps as masks, the paper's "Original", is one token a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Prediction
from dawn.rules.base import by_confidence
from dawn.rules.quota import Quota


@dataclass(frozen=True, slots=True)
class Original(Quota):
    """Commits the most confident positions up to a quota; `steps_per_block` 0 means one token a step. Reads no attention."""

    name: ClassVar[str] = "original"

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return by_confidence(canvas.candidates, prediction.confidence)
