"""A training row: token ids, which of them are masked, what the others are asked, and who sees whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence of a batch.

    ids [width] int64; masked [width] bool: the positions whose tokens are hidden; asked [width] bool: those of them that the
    network is to predict; following [width] int64: the
    token to predict at a visible position because it comes next, -1 where none is asked; position [width] int;
    sees [width, width] bool: may the row's position attend to the column's?; veil: what is taken from the attention score of
    those it may not see, infinite unless a canvas is being opened (see `rows`); reveal: how many of the asked positions are
    shown first, those of which the network is most certain.
    """

    ids: np.ndarray
    masked: np.ndarray
    following: np.ndarray
    position: np.ndarray
    sees: np.ndarray
    asked: np.ndarray
    veil: float = np.inf
    reveal: int = 0

    def bias(self) -> np.ndarray:
        """[width, width] float32: what is added to the scores of attention."""
        hidden = max(-self.veil, float(np.finfo(np.float32).min))
        return np.where(self.sees, 0.0, hidden).astype(np.float32)
