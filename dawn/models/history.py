"""What KLASS needs of the past: how far each masked position's distribution moved between forward passes of one run.

Kept are the last distributions of the window's masked positions and of the next block that holds masks, whose history
begins before it is decoded: no others are ever compared, so nothing is lost and [L, V] is never held.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch

from dawn.canvas import Canvas

TINY = 1e-12


def tracked(canvas: Canvas) -> np.ndarray:
    """[n] the masked positions of the window and of the next block that holds masks, ascending."""
    masks = np.flatnonzero(canvas.masked)
    _, end = canvas.block_span(canvas.block)
    later = masks[masks >= end]
    if len(later):
        _, end = canvas.block_span((later[0] - canvas.prompt_length) // canvas.block_length)
    return masks[masks < end]


class History:
    """The distributions [n, V] of one run's last forward pass, and the changes [L] before it."""

    def __init__(self):
        self.positions, self.shares, self.changes = None, None, []

    def advance(self, length: int, positions: np.ndarray, shares: torch.Tensor, count: int) -> torch.Tensor:
        """Remember shares [n, V] at `positions`; the last `count` changes as [count, L] float32, NaN where unknown."""
        unknown = torch.full((length,), float("nan"), device=shares.device)
        shared = positions if self.positions is None else np.intersect1d(positions, self.positions)
        now = shares[rows_of(positions, shared, shares)]
        before = torch.zeros_like(now) if self.positions is None else self.shares[rows_of(self.positions, shared, shares)]
        change = unknown.index_put((torch.from_numpy(shared).to(shares.device),), divergence(now, before))
        self.positions, self.shares = positions, shares
        self.changes = [*self.changes, change][-count:]
        return torch.stack([*[unknown] * (count - len(self.changes)), *self.changes])


class Histories:
    """A History per run. A run is known by its noise generator, whose lock lives exactly as long as the run does."""

    def __init__(self):
        self.by_run: WeakKeyDictionary = WeakKeyDictionary()

    def of(self, random: np.random.Generator) -> History:
        return self.by_run.setdefault(random.bit_generator.lock, History())


def rows_of(positions: np.ndarray, some: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """The row of each of `some` in an array whose rows stand for `positions`."""
    return torch.from_numpy(np.searchsorted(positions, some)).to(like.device)


def divergence(now: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """Σ p (log(p + 1e-12) − log(q + 1e-12)) of each row of now, before [n, V]: [n] float32, at least 0."""
    return (now * ((now + TINY).log() - (before + TINY).log())).sum(-1).clamp(min=0)
