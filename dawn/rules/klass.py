"""KLASS (arXiv 2511.05664): commit what is confident and no longer changes from one forward pass to the next.

KL_i = Σ p^t (log(p^t + 1e-12) − log(p^{t−1} + 1e-12)), p^0 = 0      change of position i's distribution
ready = {i ∈ M : c_i > κ, the last h values of KL_i all < ε}         from step h of a block on
commit ready, or the quota by confidence if that is empty
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, by_confidence
from dawn.rules.quota import Quota
from dawn.selection import Commit, Decision, Reason, Refusal, Selection, Tier
from dawn.settings import Number, Whole, setting

LONGEST_HISTORY = 16


@dataclass(frozen=True, slots=True)
class Klass(Quota):
    """Commits positions above `kappa` whose distribution has moved less than `epsilon` for `history` steps, else the quota."""

    name: ClassVar[str] = "klass"
    kappa: float = setting(0.6, Number("κ: confidence that a position must exceed.", high=100.0))
    epsilon: float = setting(
        0.015, Number("ε: a position that changes by less than this is stable.", high=100.0, shown=(0, 0.2, 0.001))
    )
    history: int = setting(
        2, Whole("h: for how many forward passes it must be stable.", 1, LONGEST_HISTORY, (1, LONGEST_HISTORY, 1))
    )

    @property
    def needs(self) -> Needs:
        return Needs(kl=self.history)

    def ranked(self, canvas: Canvas, prediction: Prediction) -> np.ndarray:
        return by_confidence(canvas.candidates, prediction.confidence)

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        candidates = canvas.candidates
        confident = prediction.confidence[candidates] > self.kappa
        ready = confident & self.stable(candidates, prediction, moment)
        if not ready.any():
            return Quota.decide(self, canvas, prediction, moment)
        committed = tuple(Commit(int(i), Tier.STABLE) for i in candidates[ready])
        reasons = np.where(confident, Reason.UNSTABLE, Reason.BELOW)
        refused = tuple(Refusal(int(candidates[i]), reasons[i]) for i in np.flatnonzero(~ready))
        return Decision(Selection(committed, refused))

    def stable(self, candidates: np.ndarray, prediction: Prediction, moment: Moment) -> np.ndarray:
        """[M] bool: moved less than ε in each of the last h forward passes; nowhere before a block has had h of them."""
        if moment.step_in_block < self.history - 1:
            return np.zeros(len(candidates), dtype=bool)
        return (prediction.kl[-self.history :, candidates] < self.epsilon).all(axis=0)
