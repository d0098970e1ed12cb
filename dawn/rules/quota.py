"""What the rules share that commit a fixed number of tokens a step, each by its own ranking.

A block of m masks in S steps: step t commits the first ⌊m/S⌋ + 1[t < m mod S] of the ranking (LLaDA, arXiv 2502.09992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, uniform_selection
from dawn.selection import Decision, Reason, Tier
from dawn.settings import Settings, Whole, setting


@dataclass(frozen=True, slots=True)
class Quota(Settings):
    """A rule that commits the first of a ranking; `steps_per_block` 0 means one token a step. Subclasses rank."""

    steps_per_block: int = setting(0, Whole("S: steps a block is decoded in; 0: one token a step.", 0, 4096, (0, 64, 1)))

    @property
    def needs(self) -> Needs:
        return Needs()

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        """[M] the candidates, the one to commit first in front."""
        raise NotImplementedError

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        chosen = self.ranked(canvas, prediction)[: self.quota(moment)]
        return Decision(uniform_selection(canvas.candidates, chosen, Tier.QUOTA, Reason.OUTRANKED))

    def quota(self, moment: Moment) -> int:
        """How many tokens this step commits: at least one."""
        if not self.steps_per_block:
            return 1
        share, rest = divmod(moment.masks_at_start, self.steps_per_block)
        return max(1, share + (moment.step_in_block < rest))
