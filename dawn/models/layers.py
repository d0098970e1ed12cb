"""Attention of every layer by itself, by one forward pass over a canvas: what DAWN would read if it averaged that layer alone.

Of each layer one [L, L] map is held until the pass is over, never more than one layer's heads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from dawn.canvas import Canvas
from dawn.models.denoiser import TransformersDenoiser
from dawn.models.detail import layers_and_heads
from dawn.models.device import SHORTER, to_host, within_memory
from dawn.models.tap import Tap
from dawn.prediction import Attention, attention_rows


@dataclass(slots=True)
class LayersTap(Tap):
    """A Tap that sums the heads of each layer by itself, [L, L] by layer. heads: how many a layer has."""

    heads: int = 1
    sums: dict[int, torch.Tensor] = field(default_factory=dict)

    def add(self, weights: torch.Tensor) -> None:
        summed = weights.sum(0)
        self.sums[self.layer] = self.sums[self.layer].add_(summed) if self.layer in self.sums else summed

    def read(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer's rows [R, L] and received attention [L], averaged over its heads."""
        found = {}
        for layer, total in self.sums.items():
            mean = (total / self.heads).float()
            found |= {f"rows {layer}": mean.index_select(0, rows.to(mean.device)), f"received {layer}": mean.mean(0)}
        return found


def attention_by_layer(model: TransformersDenoiser, canvas: Canvas) -> list[Attention]:
    """Each layer's attention in order, averaged over its heads, with the rows that a prediction records; ModelError for another
    model's canvas, or if the memory does not suffice."""
    layers, heads = layers_and_heads(model)
    rows = attention_rows(canvas.window)
    tap = LayersTap(frozenset(range(layers)), heads=heads)
    model.check(canvas)
    with torch.inference_mode():
        found = within_memory(lambda: run(model, canvas, tap, rows), SHORTER)
    return [Attention(rows, found[f"rows {layer}"], found[f"received {layer}"]) for layer in range(layers)]


def run(model: TransformersDenoiser, canvas: Canvas, tap: LayersTap, rows: np.ndarray) -> dict[str, np.ndarray]:
    """One forward pass through the tap."""
    ids = torch.tensor(np.array(canvas.tokens)[None], dtype=torch.long, device=model.network.device)  # [1, L]
    model.forward(ids, tap)
    return to_host(tap.read(torch.from_numpy(rows)))
