"""Sinks over a whole run: which positions receive more attention than τ_sink, at which steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dawn.decode import StepRecord
from dawn.errors import RuleError
from dawn.graph import find_sinks
from dawn.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class SinkCount:
    """A position that was a sink: at how many steps, and its mean and largest received attention over all steps."""

    position: int
    steps: int
    mean: float
    largest: float


def received_over_time(steps: Sequence[StepRecord]) -> np.ndarray:
    """[T, L] float32 received attention; RuleError if it was not recorded."""
    if any(step.prediction.attention is None for step in steps):
        raise RuleError("no attention was recorded in this run: its rule decides without it")
    return np.stack([step.prediction.attention.received for step in steps]).astype(np.float32)


def sink_counts(received: np.ndarray, thresholds: Thresholds) -> tuple[SinkCount, ...]:
    """The sinks among received attention [T, L], the most frequent first, then by mean."""
    times = np.zeros(received.shape[1], dtype=int)
    for row in received:
        times[find_sinks(row, thresholds)] += 1
    mean, largest = received.mean(axis=0), received.max(axis=0)
    found = [SinkCount(int(p), int(times[p]), float(mean[p]), float(largest[p])) for p in np.flatnonzero(times)]
    return tuple(sorted(found, key=lambda one: (-one.steps, -one.mean, one.position)))
