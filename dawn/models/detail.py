"""The whole attention map of one layer, one of its heads or their mean, by one forward pass over a recorded canvas.

Beside it the average that DAWN reads, from the same pass. Never more than one layer's heads are held at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dawn.canvas import Canvas
from dawn.errors import ModelError
from dawn.models.denoiser import TransformersDenoiser
from dawn.models.device import SHORTER, to_host, within_memory
from dawn.models.tap import Tap


@dataclass(frozen=True, slots=True)
class Detail:
    """Maps [L, L] float32, row = query, column = key: `chosen` of the layer's head (None: the mean of its heads), and `average`
    over all heads of the layers that the model's family averages."""

    layer: int
    head: int | None
    chosen: np.ndarray
    average: np.ndarray


@dataclass(slots=True)
class DetailTap(Tap):
    """A Tap that also sums the heads of one layer, or keeps one of them. averaged: the layers whose mean is wanted."""

    averaged: frozenset[int] = frozenset()
    wanted: int = 0
    head: int | None = None
    seen: int = 0
    chosen: torch.Tensor | None = None

    def add(self, weights: torch.Tensor) -> None:
        if self.layer in self.averaged:
            Tap.add(self, weights)
        if self.layer == self.wanted:
            self.keep(weights)

    def keep(self, weights: torch.Tensor) -> None:
        """Some heads' weights [h, L, L] of the wanted layer, the heads in order."""
        if self.head is None:
            self.chosen = weights.sum(0) if self.chosen is None else self.chosen.add_(weights.sum(0))
        elif self.seen <= self.head < self.seen + len(weights):
            self.chosen = weights[self.head - self.seen].clone()
        self.seen += len(weights)

    @property
    def one(self) -> torch.Tensor:
        """[L, L] the wanted map."""
        return self.chosen / self.seen if self.head is None else self.chosen


def layers_and_heads(model: TransformersDenoiser) -> tuple[int, int]:
    """How many layers a model has, and how many heads a layer."""
    return model.network.config.num_hidden_layers, model.network.config.num_attention_heads


def attention_detail(model: TransformersDenoiser, canvas: Canvas, layer: int, head: int | None) -> Detail:
    """The maps for a canvas [L]; ModelError for a layer or head that the model lacks, or if the memory does not suffice."""
    layers, heads = layers_and_heads(model)
    if not 0 <= layer < layers or (head is not None and not 0 <= head < heads):
        raise ModelError(f"{model.name} has layers 0 to {layers - 1} and heads 0 to {heads - 1}: choose among them")
    averaged = frozenset(model.tapped)
    tap = DetailTap(averaged | {layer}, averaged=averaged, wanted=layer, head=head)
    with torch.inference_mode():
        found = within_memory(lambda: run(model, canvas, tap), SHORTER)
    return Detail(layer, head, found["chosen"], found["average"])


def run(model: TransformersDenoiser, canvas: Canvas, tap: DetailTap) -> dict[str, np.ndarray]:
    """One forward pass through the tap."""
    ids = torch.tensor(np.array(canvas.tokens)[None], dtype=torch.long, device=model.network.device)  # [1, L]
    model.forward(ids, tap)
    return to_host({"chosen": tap.one.float(), "average": tap.mean.float()})
