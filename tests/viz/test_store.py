"""The store's limits in bytes, per visitor and in all."""

from __future__ import annotations

import pytest

from dawn.errors import TraceError
from tests.viz.synthetic import synthetic_trace
from viz.store import TraceStore, size_of

TRACE = synthetic_trace(32, 16)
SIZE = size_of(TRACE)


def test_the_size_covers_the_arrays_of_a_trace():
    attention = sum(step.prediction.attention.weights.nbytes for step in TRACE.steps)
    assert attention < SIZE < 40 * attention


def test_a_visitor_who_keeps_too_much_loses_their_own_oldest():
    store = TraceStore(each=2 * SIZE)
    theirs = store.keep(TRACE, "another")
    mine = [store.keep(TRACE, "me") for _ in range(3)]
    assert set(store.entries) == {theirs, *mine[1:]}


def test_all_together_are_bounded_and_the_newest_stays():
    store = TraceStore(most_bytes=2 * SIZE)
    names = [store.keep(TRACE, f"visitor {i}") for i in range(3)]
    assert list(store.entries) == names[1:]
    store = TraceStore(most_bytes=1)
    newest = [store.keep(TRACE, "me") for _ in range(2)][-1]
    assert list(store.entries) == [newest]


def test_a_trace_above_a_visitors_limit_is_refused_in_one_line():
    with pytest.raises(TraceError, match="at most 0 MB are kept"):
        TraceStore(each=SIZE - 1).keep(TRACE, "me")
