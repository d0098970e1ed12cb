"""DAWN: the paper's Figure 3, the slow oracle, and what must hold whatever comes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from dawn.canvas import Canvas
from dawn.rules import Confidence, Dawn, Moment
from dawn.selection import Reason, Tier
from dawn.thresholds import Thresholds
from tests.dawn import oracles
from tests.dawn.fakes import FIGURE_3, MASK, figure_3, prediction, states, thresholds

ANY = Moment(0, 1)


def tiers_of(decision) -> dict[int, str]:
    return {commit.position: commit.tier.value for commit in decision.selection.committed}


def refusals_of(decision) -> dict[int, str]:
    return {refusal.position: refusal.reason.value for refusal in decision.selection.refused}


def test_figure_3_of_the_paper():
    decision = Dawn(FIGURE_3).decide(*figure_3(), ANY)
    assert decision.graph.sinks.tolist() == [1]
    assert tiers_of(decision) == {
        4: "induced", 6: "conflict_free", 7: "induced", 8: "high", 9: "high", 10: "conflict_free",
    }  # fmt: skip
    dropped, below = decision.selection.refused
    assert (dropped.position, dropped.reason, dropped.blocker) == (5, Reason.DROPPED, 6)
    assert dropped.weight == pytest.approx(0.2)
    assert (below.position, below.reason, below.blocker) == (11, Reason.BELOW, None)


def test_figure_3_names_the_anchors_behind_the_induced():
    evidence = {c.position: c.evidence for c in Dawn(FIGURE_3).decide(*figure_3(), ANY).selection.committed}
    assert [anchor for anchor, _ in evidence[4]] == [3] and [anchor for anchor, _ in evidence[7]] == [0]
    assert evidence[8] == evidence[6] == ()


def test_without_the_sink_filter_figure_3_changes():
    decision = Dawn(replace(FIGURE_3, sink=1.0)).decide(*figure_3(), ANY)
    assert decision.graph.sinks.tolist() == []
    assert {commit.tier for commit in decision.selection.committed} == {Tier.HIGH, Tier.INDUCED, Tier.CONFLICT_FREE}


def four(confidence, edges, **settings):
    """A decision over four masked positions after one prompt token; edges: {(query, key): weight}."""
    canvas = Canvas.blank([5], 4, 4, MASK)
    attention = np.zeros((5, 5))
    for cell, weight in edges.items():
        attention[cell] = weight
    th = Thresholds(high=0.9, induced=0.7, low=0.5, edge=0.1, sink=1.0, **settings)
    return Dawn(th).decide(canvas, prediction(canvas, [1.0, *confidence], attention), ANY)


def test_the_papers_variant_excludes_conflicts_in_both_directions():
    edges = {(2, 1): 0.3, (1, 3): 0.4}
    decision = four([0.95, 0.6, 0.6, 0.6], edges)
    assert tiers_of(decision) == {1: "high", 4: "conflict_free"}
    assert [(r.position, r.reason, r.blocker) for r in decision.selection.refused] == [
        (2, Reason.CONFLICT, 1),
        (3, Reason.CONFLICT, 1),
    ]


def test_the_published_variant_excludes_only_what_depends_on_high_and_induced():
    edges = {(2, 1): 0.3, (1, 3): 0.4}
    assert set(tiers_of(four([0.95, 0.6, 0.6, 0.6], edges, variant="published"))) == {1, 2, 3, 4}
    edges |= {(1, 0): 0.2}  # now 1 leans on the prompt: high and induced
    assert set(tiers_of(four([0.95, 0.6, 0.6, 0.6], edges, variant="published"))) == {1, 3, 4}


def test_ties_go_to_the_lowest_index():
    decision = four([0.6, 0.6, 0.6, 0.1], {(1, 2): 0.2, (3, 2): 0.2})
    assert tiers_of(decision) == {1: "conflict_free", 3: "conflict_free"}
    assert refusals_of(decision) == {2: "dropped", 4: "below"}
    assert tiers_of(four([0.2, 0.3, 0.3, 0.1], {})) == {2: "forced"}


def test_at_commit_reads_what_was_remembered():
    canvas = Canvas.blank([5], 3, 3, MASK).commit([1], [4], [0.95])
    attention = np.zeros((4, 4))
    attention[2, 1] = 0.5
    seen = prediction(canvas, [0.1, 0.1, 0.75, 0.2], attention)
    th = Thresholds(low=0.8, sink=1.0)
    assert tiers_of(Dawn(th).decide(canvas, seen, ANY)) == {2: "forced"}
    assert tiers_of(Dawn(replace(th, anchor_confidence="at_commit")).decide(canvas, seen, ANY)) == {2: "induced"}


def test_needs_follow_the_anchors_confidence():
    assert Dawn().needs.anchors and Dawn().needs.attention
    assert not Dawn(Thresholds(anchor_confidence="at_commit")).needs.anchors


@pytest.mark.parametrize("name", ["high", "induced", "low"])
def test_a_float32_number_equal_to_its_threshold_passes(name):
    levels = {"high": 1.0, "induced": 1.0, "low": 1.0} | {name: 0.9}
    canvas = Canvas.blank([5], 2, 2, MASK)
    attention = np.zeros((3, 3))
    attention[2, 0] = 0.07
    seen = prediction(canvas, [1.0, 0.9, 0.9], attention)
    tiers = tiers_of(Dawn(Thresholds(**levels, edge=0.07, sink=1.0)).decide(canvas, seen, ANY))
    expected = {"high": {1: "high", 2: "high"}, "induced": {2: "induced"}, "low": {1: "conflict_free", 2: "conflict_free"}}
    assert tiers == expected[name]


@settings(max_examples=400)
@given(states(), thresholds())
def test_agrees_with_the_slow_oracle(state, th):
    decision, verdict = Dawn(th).decide(*state, ANY), oracles.dawn(*state, th)
    assert tiers_of(decision) == verdict.tiers
    assert refusals_of(decision) == verdict.reasons
    for refusal in decision.selection.refused:
        admissible = verdict.blockers.get(refusal.position, {None: None})
        assert (refusal.blocker, refusal.weight) in admissible.items()
    for commit in decision.selection.committed:
        assert dict(commit.evidence) == verdict.evidence.get(commit.position, {})
        assert list(commit.evidence) == sorted(commit.evidence, key=lambda pair: (-pair[1], pair[0]))


@given(states(), thresholds())
def test_every_candidate_is_selected_or_refused_once(state, th):
    canvas, _ = state
    selection = Dawn(th).decide(*state, ANY).selection
    committed = [commit.position for commit in selection.committed]
    refused = [refusal.position for refusal in selection.refused]
    assert committed and committed == sorted(committed) and refused == sorted(refused)
    assert sorted(committed + refused) == canvas.candidates.tolist()


@given(states(), thresholds())
def test_the_conflict_free_tier_is_independent(state, th):
    decision = Dawn(th).decide(*state, ANY)
    free = {c.position for c in decision.selection.committed if c.tier is Tier.CONFLICT_FREE}
    first = {c.position for c in decision.selection.committed} - free if th.variant == "paper" else set()
    for j, i in zip(decision.graph.source.tolist(), decision.graph.target.tolist(), strict=True):
        assert not {i, j} <= free
        assert not ({i, j} & free and {i, j} & first)


@given(states(), thresholds())
def test_with_an_empty_graph_dawn_is_the_threshold_at_low(state, th):
    canvas, seen = state
    blank = prediction(canvas, seen.confidence, np.zeros((canvas.length, canvas.length)), seen.tokens)
    dawn = Dawn(th).decide(canvas, blank, ANY).selection.positions
    threshold = Confidence(min(th.low, th.high)).decide(canvas, blank, ANY).selection.positions
    assert dawn.tolist() == threshold.tolist()


@given(states(), thresholds())
def test_positions_after_the_window_and_unread_rows_do_not_matter(state, th):
    canvas, seen = state
    _, end = canvas.block_span(canvas.block)
    confidence = seen.confidence.copy()
    confidence[end:] = np.nan
    other = replace(seen, confidence=confidence)
    assert Dawn(th).decide(canvas, other, ANY).selection == Dawn(th).decide(canvas, seen, ANY).selection
