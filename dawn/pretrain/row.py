"""A training row: token ids, which of them are masked, what the others are asked and, if not all is in view, who sees whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """A canvas, or, with `position` and `sees`, a row of another layout.

    ids [width] int64; masked [width] bool: the positions whose tokens the network is to predict; following [width] int64: the
    token to predict at a visible position because it comes next, -1 where none is asked; position [width] int and
    sees [width, width] bool, or None: positions 0 … width - 1, all in view.
    """

    ids: np.ndarray
    masked: np.ndarray
    following: np.ndarray
    position: np.ndarray | None = None
    sees: np.ndarray | None = None
