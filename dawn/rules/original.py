"""Low-confidence remasking (LLaDA, arXiv 2502.09992): a fixed number of tokens a step, the most confident first.

A block of m masks in S steps: step t commits ⌊m/S⌋ + 1[t < m mod S] tokens. S = m, the paper's "Original", is one token a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, by_confidence, uniform_selection
from dawn.selection import Decision, Reason, Tier
from dawn.thresholds import require_whole


@dataclass(frozen=True, slots=True)
class Original:
    """Commits the most confident positions up to a quota; `steps_per_block` 0 means one token a step. Reads no attention."""

    name: ClassVar[str] = "original"
    steps_per_block: int = 0

    def __post_init__(self):
        require_whole("steps_per_block", self.steps_per_block, 0, 4096)

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        candidates = canvas.candidates
        chosen = by_confidence(candidates, prediction.confidence)[: self.quota(moment)]
        return Decision(uniform_selection(candidates, chosen, Tier.QUOTA, Reason.OUTRANKED))

    def quota(self, moment: Moment) -> int:
        """How many tokens this step commits: at least one."""
        if not self.steps_per_block:
            return 1
        share, rest = divmod(moment.masks_at_start, self.steps_per_block)
        return max(1, share + (moment.step_in_block < rest))
