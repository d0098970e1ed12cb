"""What one forward pass says about a canvas, and the protocol of whatever makes it. Plain numpy on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from dawn.canvas import Canvas


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule or a viewer asks of a forward pass. A denoiser pays for nothing that is not asked for.

    anchors: confidence of every position before the window's end, not of the masked ones alone.
    attention: received attention and the window's rows. alternatives: that many most likely tokens per window position.
    entropy, margin: of the distribution at every masked position of the window. kl: that many last changes of it.
    """

    anchors: bool = False
    attention: bool = False
    alternatives: int = 0
    entropy: bool = False
    margin: bool = False
    kl: int = 0

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.anchors or other.anchors,
            self.attention or other.attention,
            max(self.alternatives, other.alternatives),
            self.entropy or other.entropy,
            self.margin or other.margin,
            max(self.kl, other.kl),
        )


EVERYTHING = Needs(anchors=True, attention=True, alternatives=5, entropy=True, margin=True)


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention averaged over heads and layers. rows [R]: query positions, ascending; weights [R, L]: row = query,
    column = key, each row sums to at most 1; received [L]: mean over all queries of the canvas."""

    rows: np.ndarray
    weights: np.ndarray
    received: np.ndarray


@dataclass(frozen=True, slots=True)
class Prediction:
    """tokens [L] int32 and confidence [L] float32 (NaN where nobody asked); attention or None; alternatives: token ids [W, k]
    int32 and their probabilities [W, k] float32 for the window's positions, descending; seconds spent in the forward pass
    and in collecting attention; entropy [L] float32 (in nats) and margin [L] float32, the lead of the most likely token over
    the second, each NaN where nobody asked, or None; kl [h, L] float32: divergence from one forward pass of the run to the
    next, the newest last, NaN where unknown, or None."""

    tokens: np.ndarray
    confidence: np.ndarray
    attention: Attention | None = None
    alternatives: tuple[np.ndarray, np.ndarray] | None = None
    seconds: tuple[float, float] = field(default=(0.0, 0.0))
    entropy: np.ndarray | None = None
    margin: np.ndarray | None = None
    kl: np.ndarray | None = None


def attention_rows(window: np.ndarray) -> np.ndarray:
    """[R] the rows worth keeping: the window's and those just before them, which predict them in shifted models."""
    wanted = np.zeros(window[-1] + 1, dtype=bool)
    wanted[window] = wanted[np.maximum(window - 1, 0)] = True
    return np.flatnonzero(wanted)


class Denoiser(Protocol):
    """A model seen from the decoder: ids in, a Prediction out."""

    mask_id: int
    end_ids: tuple[int, ...]

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        """One forward pass over the canvas. `temperature` 0 is greedy; otherwise tokens are sampled with Gumbel noise."""
        ...
