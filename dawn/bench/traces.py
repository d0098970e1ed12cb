"""How large a recorded step is: the arrays of a trace before compression, and its file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dawn.bench.records import TraceCost
from dawn.bench.selection import LENGTHS, WINDOWS
from dawn.bench.synthetic import SyntheticDenoiser, half_written
from dawn.decode import Options, decode
from dawn.prediction import EVERYTHING
from dawn.rules import Dawn, settings_of
from dawn.trace import Setup, Trace, arrays_of, to_bytes

STEPS = 4
ALLOWANCE = 64_000  # bytes of a step beside its attention rows


def trace_costs() -> Iterator[TraceCost]:
    """Synthetic runs at every length and window."""
    for length in LENGTHS:
        for window in WINDOWS:
            yield trace_cost(synthetic_trace(length, window), window)


def trace_cost(trace: Trace, window: int) -> TraceCost:
    """All arrays as saved, the metadata among them, and the file, each divided by the number of steps."""
    steps, length = len(trace.steps), trace.canvas.length
    arrays = sum(array.nbytes for array in arrays_of(trace).values())
    return TraceCost(length, window, steps, arrays / steps, len(to_bytes(trace)) / steps, window * length * 4 + ALLOWANCE)


def synthetic_trace(length: int, window: int) -> Trace:
    """The first steps of a run of DAWN on a synthetic model."""
    rule, model = Dawn(), SyntheticDenoiser()
    canvas = half_written(length, window, np.random.default_rng([length, window]))
    steps = tuple(decode(model, rule, canvas, Options(step_limit=STEPS), EVERYTHING))
    return Trace("synthetic", Setup("synthetic", rule.name, settings_of(rule)), steps)
