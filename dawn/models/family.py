"""What differs from one model family to the next: a few facts, read from the checkpoint where it states them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """mask and end-of-text ids; shifted: logits speak for the next position; averaged: how many last layers DAWN averages."""

    mask_id: int
    end_ids: tuple[int, ...]
    averaged: int
    shifted: bool = False

    def tapped_layers(self, layers: int) -> frozenset[int]:
        """Indices of the layers whose attention is averaged."""
        return frozenset(range(max(0, layers - self.averaged), layers))
