"""Confidence threshold (Fast-dLLM, arXiv 2505.22618): commit {i ∈ M : c_i ≥ τ}, or the most confident one if that is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.rules.base import Moment, threshold_selection
from dawn.selection import Decision
from dawn.settings import Number, Settings, setting


@dataclass(frozen=True, slots=True)
class Confidence(Settings):
    """Commits every position at least as confident as `high`; reads no attention."""

    name: ClassVar[str] = "confidence"
    high: float = setting(0.9, Number("Enough confidence to commit a position."))

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        return Decision(threshold_selection(canvas.candidates, prediction.confidence, self.high))
