"""What the page is told about two traces, and which traces a visitor is shown."""

from __future__ import annotations

import pytest

from dawn.metrics import disagreements, first_divergence
from dawn.rules import Confidence, Original
from dawn.trace import Trace
from tests.viz.synthetic import synthetic_trace
from viz.comparison import choices, compare, side_by_side
from viz.payload import Facts, piece
from viz.store import TraceStore

ONE, OTHER = synthetic_trace(32, 16), synthetic_trace(32, 16, rule=Original())


def test_the_page_is_told_what_the_metrics_say():
    told = side_by_side(ONE, OTHER)
    parting, found = told["parting"], first_divergence(ONE, OTHER)
    assert (parting["step"], tuple(parting["positions"])) == (found.step, found.positions)
    assert parting["left"] == [piece(Facts.of(ONE), token) for token in found.one]
    assert [one["position"] for one in told["differing"]] == [one.position for one in disagreements(ONE, OTHER)] != []
    assert len(told["moments"]["steps"]) == max(ONE.forwards, OTHER.forwards)
    assert [cost["forwards"] for cost in told["figures"]] == [ONE.forwards, OTHER.forwards]
    assert told["apart"] == ""


def test_equal_traces_never_part():
    told = side_by_side(ONE, ONE)
    assert told["parting"] is None and told["differing"] == []


def test_traces_of_other_prompts_are_told_apart_and_still_have_figures_and_moments():
    told = side_by_side(ONE, synthetic_trace(48, 16))
    assert "differ" in told["apart"] and told["differing"] == [] and told["parting"] is None
    assert told["figures"][0]["forwards"] and told["moments"]["steps"]


@pytest.mark.parametrize("asked", [None, {}, {"left": "x"}, {"left": "x", "right": "y"}, {"left": [1], "right": {}}])
def test_strange_requests_are_answered_with_an_error(asked):
    assert set(compare(TraceStore(), asked)) == {"error"}


def test_a_visitor_is_shown_the_bundled_traces_and_their_own_newest_first():
    store = TraceStore()
    store.bundle("example", ONE)
    first, second = store.keep(ONE, "me"), store.keep(OTHER, "me")
    theirs = store.keep(ONE, "another")
    assert [one["trace"] for one in choices(store, "me")] == ["example", second, first]
    assert [one["trace"] for one in choices(store, "another")] == ["example", theirs]
    assert [one["trace"] for one in choices(store, "nobody")] == ["example"]
    assert choices(store, "me")[1]["rule"] == "original"


def test_a_rule_of_another_name_is_shown_with_its_own_figures():
    told = side_by_side(ONE, Trace("", synthetic_trace(32, 16, rule=Confidence()).setup, ONE.steps))
    assert [cost["rule"] for cost in told["figures"]] == ["dawn", "confidence"]
