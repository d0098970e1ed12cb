"""Random order (random remasking of LLaDA, arXiv 2502.09992): the quota of `original`, positions drawn at random. A control.

The order follows from `seed` and the number of masks on the canvas, so a recorded step replays to the same choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Prediction
from dawn.rules.quota import Quota
from dawn.settings import Whole, setting

LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Random(Quota):
    """Commits positions drawn at random, as many as `original` would: what any order by certainty must beat."""

    name: ClassVar[str] = "random"
    seed: int = setting(0, Whole("Seed of what the rule draws at random.", 0, LARGEST_SEED, (0, 100, 1)))

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return np.random.default_rng([self.seed, int(canvas.masked.sum())]).permutation(canvas.candidates)
