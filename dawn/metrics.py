"""Figures of whole runs: Wilson intervals, cost, tier shares; and of two: moments, where they part, where they disagree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from math import sqrt

import numpy as np

from dawn.trace import Trace


def wilson(successes: float, n: float, z: float = 1.959964) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion (Wilson 1927); (0, 1) for no trials."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def clustered_wilson(right: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """95 % Wilson interval of the share of `right` [T] bool, whose trials come in groups: cluster [T] int.

    Tokens of one problem are right or wrong together, so that T of them say less than T independent ones. The interval is
    Wilson's for the number of independent trials with the variance that the groups show (Korn and Graubard 1998, with Wilson's
    interval for theirs); where nothing varies, for the number of groups.
    """
    groups, index = np.unique(cluster, return_inverse=True)
    if not len(groups):
        return wilson(0, 0)
    total, successes, count = len(right), int(right.sum()), len(groups)
    tokens, correct = np.bincount(index), np.bincount(index, right).astype(np.int64)
    apart = total * correct - successes * tokens  # total × how far each group is from its expected number of right ones
    if not apart.any():
        return wilson(count * successes / total, count)
    share, variance = successes / total, (apart / total**2) @ (apart / total**2) * count / (count - 1)
    n = min(total, share * (1 - share) / variance)
    return wilson(share * n, n)


def tier_counts(trace: Trace) -> dict[str, int]:
    """Committed tokens by tier."""
    return dict(Counter(c.tier.value for step in trace.steps for c in step.decision.selection.committed))


@dataclass(frozen=True, slots=True)
class Figures:
    """Cost of a run: forward passes, tokens that its rule committed, seconds (forward passes, attention, decisions), committed
    tokens by tier."""

    forwards: int
    tokens: int
    seconds: float
    tiers: dict[str, int]

    @property
    def tokens_per_forward(self) -> float:
        return self.tokens / self.forwards


def figures(trace: Trace) -> Figures:
    """The cost of a recorded run."""
    return Figures(trace.forwards, trace.tokens_committed, trace.seconds, tier_counts(trace))


@dataclass(frozen=True, slots=True)
class Divergence:
    """Two canvases after step `step`: the positions that differ, ascending, and the token id that each canvas holds there (its
    mask's where nothing is written)."""

    step: int
    positions: tuple[int, ...]
    one: tuple[int, ...]
    other: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A position where two runs wrote different token ids, and in which step each of them did."""

    position: int
    one: int
    other: int
    steps: tuple[int, int]


def incomparable(one: Trace, other: Trace) -> str:
    """Why two traces cannot be laid side by side token by token; empty if they can: same prompt and length, and ids that mean
    the same text."""
    a, b = one.canvas, other.canvas
    if (a.length, a.prompt_length) != (b.length, b.prompt_length):
        return "their prompts or lengths differ"
    if a.mask_id != b.mask_id or any(other.pieces.get(token, text) != text for token, text in one.pieces.items()):
        return "their models name tokens differently"
    same = np.array_equal(a.tokens[: a.prompt_length], b.tokens[: b.prompt_length])
    return "" if same else "their prompts differ"


def first_divergence(one: Trace, other: Trace) -> Divergence | None:
    """Where the canvases of two comparable traces first differ after the same step, or None if the shorter trace never does."""
    for index, (a, b) in enumerate(zip(one.steps, other.steps, strict=False)):
        mine, theirs = a.after.tokens, b.after.tokens
        positions = np.flatnonzero(mine != theirs)
        if len(positions):
            return Divergence(index, *(tuple(ids.tolist()) for ids in (positions, mine[positions], theirs[positions])))
    return None


def disagreements(one: Trace, other: Trace) -> tuple[Disagreement, ...]:
    """Every position where both of two comparable traces wrote, but not the same; in the order in which that became visible."""
    mine, theirs = one.final.tokens, other.final.tokens
    mask = one.canvas.mask_id
    positions = np.flatnonzero((mine != theirs) & (mine != mask) & (theirs != mask))
    first, second = written_at(one), written_at(other)
    found = [Disagreement(p, int(mine[p]), int(theirs[p]), (first[p], second[p])) for p in positions.tolist()]
    return tuple(sorted(found, key=lambda one: (max(one.steps), one.position)))


def written_at(trace: Trace) -> dict[int, int]:
    """The step that wrote each position; -1 for what stood there before the run."""
    steps = {p: -1 for p in np.flatnonzero(~trace.canvas.masked).tolist()}
    for step in trace.steps:
        steps |= dict.fromkeys(chain(step.decision.selection.positions.tolist(), step.filled.tolist()), step.index)
    return steps


Moments = list[tuple[int, int]]


def moments_by_step(one: Trace, other: Trace) -> Moments:
    """Pairs of steps to show together: the same step of both; a run that has ended stays at its last step."""
    last, least = max(one.forwards, other.forwards), (one.forwards - 1, other.forwards - 1)
    return [(min(index, least[0]), min(index, least[1])) for index in range(last)]


def moments_by_tokens(one: Trace, other: Trace) -> Moments:
    """Pairs of steps to show together: for every number of written positions that either run reaches, the last step of each
    that has no more; -1 is the canvas before the first step."""
    mine, theirs = written_counts(one), written_counts(other)
    counts = np.union1d(mine, theirs)
    pairs = zip(*(np.searchsorted(run, counts, side="right") - 1 for run in (mine, theirs)), strict=True)
    return [(int(a), int(b)) for a, b in pairs]


def written_counts(trace: Trace) -> np.ndarray:
    """[T] written positions after each step."""
    return np.array([int((~step.after.masked).sum()) for step in trace.steps])
