"""What differs from one model family to the next: a few facts, read from the checkpoint where it states them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dawn.errors import ModelError


@dataclass(frozen=True, slots=True)
class Family:
    """mask and end-of-text ids; shifted: logits speak for the next position; averaged: how many last layers DAWN averages,
    unless the checkpoint names the `layers`."""

    mask_id: int
    end_ids: tuple[int, ...]
    averaged: int
    shifted: bool = False
    layers: tuple[int, ...] = ()

    def tapped_layers(self, layers: int) -> frozenset[int]:
        """Indices of the layers whose attention is averaged; ModelError for one that the network lacks."""
        return layers_of(self.layers or range(max(0, layers - self.averaged), layers), layers)


def layers_of(chosen: Collection[int], layers: int) -> frozenset[int]:
    """Some of a network's layers; ModelError for none, or for one that it lacks."""
    if not chosen or not all(isinstance(one, int) and 0 <= one < layers for one in chosen):
        raise ModelError(f"cannot average the layers {[*chosen]!s:.40}: the network has layers 0 to {layers - 1}")
    return frozenset(chosen)
