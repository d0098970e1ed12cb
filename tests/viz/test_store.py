"""The store's limits in bytes, per visitor and in all."""

from __future__ import annotations

import pytest

from dawn.errors import LimitError, TraceError
from tests.viz.synthetic import synthetic_trace
from viz.limits import MIB, Limits
from viz.store import TraceStore, size_of

TRACE = synthetic_trace(192, 64)
SIZE = size_of(TRACE)
TWO = int(2.5 * SIZE / MIB)  # MB in which two of them fit


def test_the_size_covers_the_arrays_of_a_trace():
    attention = sum(step.prediction.attention.weights.nbytes for step in TRACE.steps)
    assert attention < SIZE < 40 * attention


@pytest.mark.parametrize("limits", [Limits(visitor_megabytes=TWO), Limits(traces_per_visitor=2)])
def test_a_visitor_who_keeps_too_much_loses_their_own_oldest(limits):
    store = TraceStore(limits)
    theirs = store.keep(TRACE, "another")
    mine = [store.keep(TRACE, "me") for _ in range(3)]
    assert set(store.entries) == {theirs, *mine[1:]}
    with pytest.raises(TraceError, match="removed to make room"):
        store.get(mine[0])
    with pytest.raises(TraceError, match="no longer on the server"):
        store.get("neither")


@pytest.mark.parametrize("limits", [Limits(trace_megabytes=TWO), Limits(traces=2)])
def test_all_together_are_bounded_and_the_newest_stays(limits):
    store = TraceStore(limits)
    names = [store.keep(TRACE, f"visitor {i}") for i in range(3)]
    assert list(store.entries) == names[1:]
    store = TraceStore(Limits(trace_megabytes=1))
    newest = [store.keep(TRACE, "me") for _ in range(2)][-1]
    assert list(store.entries) == [newest]


def test_a_trace_above_a_visitors_limit_is_refused_in_one_line():
    with pytest.raises(LimitError, match="at most 1 MB are kept"):
        TraceStore(Limits(visitor_megabytes=1)).keep(TRACE, "me")
