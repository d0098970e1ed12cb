"""What every rule shares: its interface, the moment it decides in, and ranking by confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Needs, Prediction
from dawn.selection import Commit, Decision, Reason, Refusal, Selection, Tier


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in its block a step stands: steps taken in the block before it, and the masks it began with."""

    step_in_block: int
    masks_at_start: int


class Rule(Protocol):
    """A decision rule: a frozen dataclass whose fields are its settings. It never sees the model."""

    name: ClassVar[str]

    @property
    def needs(self) -> Needs: ...

    def decide(self, canvas: Canvas, prediction: Prediction, moment: Moment) -> Decision:
        """Commit a non-empty subset of `canvas.candidates` and give a reason for each of the rest."""
        ...


def by_confidence(positions: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """`positions` by descending confidence [L]; ties go to the lowest index."""
    return positions[np.argsort(-confidence[positions], kind="stable")]


def prefix_length(passes: np.ndarray) -> int:
    """How many of the first ranks pass, before the first of [M] bool that does not; at least 1."""
    return max(1, int(np.logical_and.accumulate(passes).sum()))


def prefix_selection(ranked: np.ndarray, count: int, reason: Reason) -> Selection:
    """The first `count` of ranked candidates; a single one is there because a step must commit one."""
    tier = Tier.RANKED if count > 1 else Tier.FORCED
    return uniform_selection(ranked, ranked[:count], tier, reason)


def threshold_selection(candidates: np.ndarray, confidence: np.ndarray, threshold: float) -> Selection:
    """{i : c_i ≥ threshold}, and the most confident candidate if that is empty."""
    chosen = candidates[confidence[candidates] >= threshold]
    tier = Tier.HIGH if len(chosen) else Tier.FORCED
    chosen = chosen if len(chosen) else by_confidence(candidates, confidence)[:1]
    return uniform_selection(candidates, chosen, tier, Reason.BELOW)


def uniform_selection(candidates: np.ndarray, chosen: np.ndarray, tier: Tier, reason: Reason) -> Selection:
    """A selection whose commits all have one tier and whose refusals all have one reason."""
    taken = set(chosen.tolist())
    committed = tuple(Commit(i, tier) for i in sorted(taken))
    refused = tuple(Refusal(i, reason) for i in candidates.tolist() if i not in taken)
    return Selection(committed, refused)
