"""Figures of whole runs: Wilson intervals, tier shares, where two traces part."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import numpy as np

from dawn.trace import Trace


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion (Wilson 1927); (0, 1) for no trials."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def tier_counts(trace: Trace) -> dict[str, int]:
    """Committed tokens by tier."""
    return dict(Counter(c.tier.value for step in trace.steps for c in step.decision.selection.committed))


def first_divergence(one: Trace, other: Trace) -> int | None:
    """The first step after which the two canvases differ, or None if the shorter trace never does."""
    for index, (a, b) in enumerate(zip(one.steps, other.steps, strict=False)):
        if not np.array_equal(a.after.tokens, b.after.tokens):
            return index
    return None
