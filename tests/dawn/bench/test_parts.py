"""The parts that need no model: synthetic states that rules accept, all rules at all sizes, bytes that add up."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from dawn.bench.measure import Estimate
from dawn.bench.records import Bench, ConfidenceCost, SelectionCost, StepCost, TraceCost
from dawn.bench.report import bench_json, bench_tables
from dawn.bench.selection import costs_at
from dawn.bench.synthetic import half_written, prediction, untouched
from dawn.bench.traces import ALLOWANCE, synthetic_trace, trace_cost
from dawn.rules import RULES
from dawn.trace import arrays_of, from_file, to_bytes


def test_synthetic_states_are_what_they_say():
    random = np.random.default_rng(0)
    fresh, half = untouched(256, 32, random), half_written(256, 32, random)
    assert (len(fresh.candidates), len(half.candidates), len(half.window)) == (32, 16, 32)
    assert 2 * fresh.masked.sum() > fresh.length - fresh.prompt_length
    seen = prediction(half, random)
    np.testing.assert_allclose(seen.attention.weights.sum(axis=1), 1, rtol=1e-5)
    assert (seen.attention.weights > 0.07).sum(axis=1).mean() > 1
    for values in (seen.entropy, seen.margin, *seen.kl):
        assert set(np.flatnonzero(~np.isnan(values))) == set(half.candidates)
    assert not np.isnan(seen.confidence[: half.block_span(half.block)[1]]).any()


def test_every_rule_is_timed_on_the_same_states():
    costs = costs_at(128, 32, 2)
    assert [cost.rule for cost in costs] == list(RULES)
    assert all((cost.length, cost.window, cost.milliseconds.n) == (128, 32, 2) for cost in costs)


def test_trace_bytes_are_those_of_the_file(tmp_path):
    trace = synthetic_trace(128, 32)
    cost = trace_cost(trace, 32)
    assert cost.array_bytes * cost.steps == sum(array.nbytes for array in arrays_of(trace).values())
    assert cost.file_bytes * cost.steps == len(to_bytes(trace)) and cost.limit == 32 * 128 * 4 + ALLOWANCE
    (tmp_path / "t.npz").write_bytes(to_bytes(trace))
    with open(tmp_path / "t.npz", "rb") as file:
        assert len(from_file(file).steps) == cost.steps


@pytest.mark.parametrize(("length", "window"), [(1024, 64), (2048, 32)])
def test_a_recorded_step_keeps_to_its_limit(length, window):
    cost = trace_cost(synthetic_trace(length, window), window)
    assert window * length * 4 < cost.array_bytes <= cost.limit


def one(median: float) -> Estimate:
    return Estimate(median, median, median, 5)


def bench(step: float = 1.1, memory: float | None = 10.0) -> Bench:
    """A finished benchmark with hand-made numbers: selection ~ L, steps ~ L²."""
    steps = [
        StepCost(network, length, one(step), one(step + 0.1), *[one(length**2)] * 3)
        for network in ("embedded", "other")
        for length in (71, 142)
    ]
    selections = [
        SelectionCost(rule, length, window, one(length / 1024 + (rule == "dawn")))
        for rule in RULES
        for length in (512, 1024)
        for window in (32, 64)
    ]
    confidences = [
        ConfidenceCost(length, rows, 1000, one(4.0), one(length), one(4 * length), memory, 200.0)
        for length in (128, 256)
        for rows in (64, length)
    ]
    traces = [TraceCost(length, 64, 4, 4.0 * length, 2.0 * length, 8 * length) for length in (512, 1024)]
    return Bench({"threads": 1}, tuple(steps), tuple(selections), tuple(confidences), tuple(traces))


def test_growth_and_limits_follow_from_the_numbers():
    found = bench()
    slopes = {growth.what: growth.slope for growth in found.growth}
    assert slopes["whole step, embedded"] == pytest.approx(2) and slopes["selection, margin"] == pytest.approx(1)
    assert slopes["float64 softmax, time"] == pytest.approx(1) and slopes["trace bytes"] == pytest.approx(1)
    values = [(limit.value, limit.holds) for limit in found.limits]
    assert values == [(1.1, True), (pytest.approx(1.2), True), (2.0, True), (4.0, True), (0.05, True), (0.5, True)]
    assert [limit.holds for limit in bench(step=1.2, memory=30.0).limits] == [False, True, True, True, False, True]


def test_memory_that_the_system_does_not_tell_is_left_out():
    assert not any("memory" in limit.what for limit in bench(memory=None).limits)
    assert not any("memory" in growth.what for growth in bench(memory=None).growth)


def test_the_report_fits_80_columns_and_the_object_is_json():
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(bench_tables(bench()))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text
    assert all(rule in text for rule in RULES) and "Divided by the bare forward" in text
    found = json.loads(json.dumps(bench_json(bench())))
    assert set(found) == {"machine", "steps", "selections", "confidences", "traces", "growth", "limits", "intervals"}
    assert set(found["steps"][0]["plain"]) == {"median", "low", "high", "n"}
