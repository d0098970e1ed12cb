"""Samples become medians, intervals, ratios and slopes by arithmetic that can be checked; nothing here depends on speed."""

from __future__ import annotations

import numpy as np
import pytest

from dawn.bench import measure
from dawn.bench.measure import WARM, Estimate, estimate, interleaved, ratio, slope


def test_tasks_take_turns_and_the_first_rounds_are_not_counted(monkeypatch):
    calls = []
    tasks = {name: lambda index, name=name: calls.append((name, index)) for name in "ab"}
    clock = iter(range(1000))
    monkeypatch.setattr(measure.time, "thread_time", lambda: next(clock))
    samples = interleaved(tasks, 4)
    assert calls[: 2 * WARM] == [(name, index) for index in range(WARM) for name in "ab"]
    assert calls[2 * WARM :] == [(name, index) for index in range(4) for name in "ab"]
    assert {name: found.tolist() for name, found in samples.items()} == {"a": [1] * 4, "b": [1] * 4}


def test_a_ratio_is_taken_round_by_round():
    samples = {"step": np.array([2.0, 30.0, 400.0]), "bare": np.array([1.0, 10.0, 100.0])}
    found = ratio(samples, "step", "bare")
    assert (found.median, found.n) == (3.0, 3) and found.low >= 2.0 and found.high <= 4.0


def test_an_estimate_is_the_median_within_its_interval_and_repeats():
    samples = np.random.default_rng(0).normal(5, 1, 200)
    found = estimate(samples)
    assert found == estimate(samples) and found.median == np.median(samples)
    assert found.low < found.median < found.high and found.high - found.low < 0.6
    assert found.times(2) == Estimate(found.median * 2, found.low * 2, found.high * 2, 200)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_slope_is_the_exponent(power):
    lengths = (256, 512, 1024)
    assert slope(lengths, [3 * length**power for length in lengths]) == pytest.approx(power, abs=1e-9)
