"""A training row: token ids, which of them are masked, what the others are asked, who sees whom, and what is shown later."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence of a batch.

    ids [width] int64; masked [width] bool: the positions whose tokens are hidden; asked [width] bool: those of them that the
    network is to predict; following [width] int64: the token to predict at a visible position because it comes next, -1 where
    none is asked; position [width] int; sees [width, width] bool: may the row's position attend to the column's?; veil: what
    is taken from the attention score of those it may not see, infinite unless a canvas is being opened (see `rows`).

    A row may be asked again with more in view, as a decoder would: block [width] int tells the asked positions that a decoder
    fills together; reveal [times, width] int: how many of a position's block are shown at each further time, those of which
    the network is most certain. Both are empty where a row is asked once.
    """

    ids: np.ndarray
    masked: np.ndarray
    following: np.ndarray
    position: np.ndarray
    sees: np.ndarray
    asked: np.ndarray
    veil: float = np.inf
    block: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    reveal: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))

    def bias(self) -> np.ndarray:
        """[width, width] float32: what is added to the scores of attention."""
        hidden = max(-self.veil, float(np.finfo(np.float32).min))
        return np.where(self.sees, 0.0, hidden).astype(np.float32)

    def shown(self, certain: np.ndarray, time: int) -> np.ndarray:
        """[width] bool: the asked positions shown at the further time `time`, by certainties [width] of the network."""
        asked = np.flatnonzero(self.asked)
        order = asked[np.lexsort((-certain[asked], self.block[asked]))]  # block by block, the most certain first
        starts = np.searchsorted(self.block[order], self.block[order])
        rank = np.zeros(len(self.ids), int)
        rank[order] = np.arange(len(order)) - starts
        return self.asked & (rank < self.reveal[time])


def revealing(random: np.random.Generator, block: np.ndarray, asked: np.ndarray, times: int) -> np.ndarray:
    """[times, width] int, ascending: how many of each block's asked positions are shown at each further time.

    Each time shows a uniform part of what is left. So most looks are at the two ends of a block's filling: at its beginning,
    where a decoder that commits many at once makes most of its choices, and at its end, where what is computed is left over.
    """
    count = np.bincount(block[asked], minlength=block.max() + 1)  # [blocks]
    left = np.cumprod(random.random((times, len(count))), axis=0)
    return np.ceil(count * (1 - left)).astype(int).clip(max=count - 1)[:, block]
