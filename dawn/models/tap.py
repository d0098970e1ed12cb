"""Attention maps from transformers' own classes, without keeping more than one layer's heads at once.

A function registered with AttentionInterface computes attention; for the tapped layers it also adds the softmax weights of
all heads to a Tap. The Tap travels as a keyword argument of the forward call, so that two runs never share one.
`output_attentions` would not do: fused attention returns nothing and eager attention keeps every layer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

NAME = "dawn_tap"
HEAD_CHUNK_BYTES = 64 * 2**20


@dataclass(slots=True)
class Tap:
    """Sums attention [L, L] float32 over the heads of `layers`; `mean` is their average. layer: whose heads are coming in;
    seconds: time spent on it."""

    layers: frozenset[int]
    layer: int = -1
    total: torch.Tensor | None = field(default=None)
    maps: int = 0
    seconds: float = 0.0

    def add(self, weights: torch.Tensor) -> None:
        """Some heads' softmax weights [h, L, L]."""
        summed = weights.sum(0)
        self.total = summed if self.total is None else self.total.add_(summed.to(self.total.device))
        self.maps += len(weights)

    @property
    def mean(self) -> torch.Tensor:
        """[L, L]: row = query, column = key."""
        return self.total / self.maps


def tapped_attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, tap: Tap | None = None, **_):
    """Attention of one layer: query [1, H, L, D], key and value [1, H_kv, L, D] → ([1, L, H, D], None)."""
    if tap is None or module.layer_idx not in tap.layers:
        grouped = key.shape[1] != query.shape[1]
        out = scaled_dot_product_attention(query, key, value, attention_mask, scale=scaling, enable_gqa=grouped)
        return out.transpose(1, 2).contiguous(), None
    started = time.perf_counter()
    tap.layer = module.layer_idx
    if key.shape[1] != query.shape[1]:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)  # [1, H, L, D]
    out = explicit_attention(query[0], key[0], value[0], attention_mask, scaling, tap)
    tap.seconds += time.perf_counter() - started
    return out[None], None


def explicit_attention(query, key, value, mask, scaling, tap: Tap) -> torch.Tensor:
    """[H, L, D] thrice → out [L, H, D], a few heads at a time, whose softmax weights go to the tap."""
    heads, length, _ = query.shape
    chunk = max(1, HEAD_CHUNK_BYTES // (4 * length * length))
    out = value.new_empty(length, heads, value.shape[-1])
    for first in range(0, heads, chunk):
        part = slice(first, first + chunk)
        scores = (query[part] @ key[part].mT).float().mul_(scaling)  # [h, L, L]
        if mask is not None:
            scores = scores.masked_fill(~mask[0], float("-inf")) if mask.dtype == torch.bool else scores + mask[0]
        weights = scores.softmax(-1)
        tap.add(weights)
        torch.bmm(weights.to(value.dtype), value[part], out=out[:, part].transpose(0, 1))
    return out


AttentionInterface.register(NAME, tapped_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)  # without this, padding would be ignored silently
