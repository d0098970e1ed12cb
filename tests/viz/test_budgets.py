"""What a run costs on the wire. Times are measured by `python -m tests.viz.budgets`, which is no test."""

from __future__ import annotations

from tests.viz.budgets import wide_trace
from viz import payload

MOST_BYTES = 2 * 10**6


def test_a_run_of_256_positions_is_sent_in_two_megabytes():
    trace = wide_trace()
    facts, start, size = payload.Facts.of(trace), 0, 0
    while start < len(trace.steps):
        answer = payload.answer(facts, trace.steps, start)
        start, size = answer["next"], size + len(answer["body"])
    assert trace.canvas.length == 256 and len(trace.steps) > 20 and 10**5 < size <= MOST_BYTES, size
