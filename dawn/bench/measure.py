"""Samples and what is concluded from them: interleaved timing, medians with intervals, slopes.

Things that are compared run in turn, round by round, on the same input, after a few rounds that are not counted. The clock
is this thread's processor time: everything runs in one thread, and other programs disturb it less than they do the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WARM = 3
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """The median of n samples, and the 95 % bootstrap interval of that median (Efron 1979), from low to high."""

    median: float
    low: float
    high: float
    n: int

    def times(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(self.median * factor, self.low * factor, self.high * factor, self.n)


def estimate(samples: np.ndarray) -> Estimate:
    """The median of samples [n] with its interval; seeded, so that equal samples give equal intervals."""
    samples = np.asarray(samples, dtype=np.float64)
    drawn = np.random.default_rng(0).choice(samples, (RESAMPLES, len(samples)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Estimate(float(np.median(samples)), float(low), float(high), len(samples))


def interleaved(tasks: dict[str, Callable[[int], object]], rounds: int) -> dict[str, np.ndarray]:
    """Seconds [rounds] of each task; round i calls every task once, with i, one after the other."""
    for index in range(WARM):
        for task in tasks.values():
            task(index)
    return {name: np.array(column) for name, column in zip(tasks, zip(*rows(tasks, rounds), strict=True), strict=True)}


def rows(tasks: dict[str, Callable[[int], object]], rounds: int) -> list[list[float]]:
    """Seconds of each task [tasks], a row a round."""
    return [[seconds(task, index) for task in tasks.values()] for index in range(rounds)]


def seconds(task: Callable[[int], object], index: int) -> float:
    """Processor seconds that one call takes."""
    started = time.thread_time()
    task(index)
    return time.thread_time() - started


def ratio(samples: dict[str, np.ndarray], of: str, over: str) -> Estimate:
    """`of` divided by `over`, round by round."""
    return estimate(samples[of] / samples[over])


def slope(lengths, values) -> float:
    """The exponent b of values ~ length^b: least squares in the logarithms. At least two lengths."""
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])
