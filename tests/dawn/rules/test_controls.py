"""The controls: each is DAWN but for one thing, and that thing is checked against DAWN itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.rules import Dawn, DawnNoAnchors, DawnNoConflicts, DawnNoSinkFilter, DawnRandomGraph, Moment, make_rule, settings_of
from dawn.selection import Tier
from tests.dawn import oracles
from tests.dawn.fakes import FIGURE_3, figure_3, states, thresholds

ANY = Moment(0, 1)


def tiers(decision) -> set[Tier]:
    return {commit.tier for commit in decision.selection.committed}


@given(states(), thresholds())
def test_without_anchors_nothing_is_induced(state, th):
    canvas, prediction = state
    unsure = replace(th, anchor_confidence="current", induced=1.0)  # induced then implies high
    control = DawnNoAnchors(th).decide(*state, ANY)
    assert Tier.INDUCED not in tiers(control)
    if th.variant == "paper":
        assert control.selection == Dawn(unsure).decide(canvas, prediction, ANY).selection


@given(states(), thresholds())
def test_without_conflict_scheduling_only_high_and_induced_are_taken(state, th):
    control, whole = DawnNoConflicts(th).decide(*state, ANY).selection, Dawn(th).decide(*state, ANY).selection
    first = [commit for commit in whole.committed if commit.tier in (Tier.HIGH, Tier.INDUCED)]
    assert list(control.committed) == first or (not first and [c.tier for c in control.committed] == [Tier.FORCED])


@given(states(), thresholds())
def test_without_the_sink_filter_every_column_may_make_an_edge(state, th):
    graph = DawnNoSinkFilter(th).decide(*state, ANY).graph
    _, edges = oracles.dependency_edges(*state, replace(th, sink=1000.0, sink_mode="relative"))
    candidates = set(state[0].candidates.tolist())
    found = {(int(j), int(i)) for j, i in zip(graph.source, graph.target, strict=True) if i in candidates}
    assert not len(graph.sinks) and found == set(edges)


@given(states(), thresholds(), st.integers(0, 99))
def test_a_random_graph_has_as_many_edges_of_the_same_weights(state, th, seed):
    canvas, _ = state
    real, drawn = Dawn(th).decide(*state, ANY).graph, DawnRandomGraph(th, seed).decide(*state, ANY).graph
    assert sorted(real.weight.tolist()) == sorted(drawn.weight.tolist()) and real.sinks.tolist() == drawn.sinks.tolist()
    assert not (drawn.source == drawn.target).any() and not np.isin(drawn.source, drawn.sinks).any()
    assert len({*zip(drawn.source.tolist(), drawn.target.tolist(), strict=True)}) == len(drawn.source)
    assert np.isin(drawn.target, canvas.window).all() and (np.diff(drawn.target) >= 0).all()


def test_a_random_graph_follows_its_seed():
    graphs = [DawnRandomGraph(FIGURE_3, seed).decide(*figure_3(), ANY).graph for seed in (1, 1, 2)]
    assert graphs[0].source.tolist() == graphs[1].source.tolist()
    assert (graphs[0].source.tolist(), graphs[0].target.tolist()) != (graphs[2].source.tolist(), graphs[2].target.tolist())


def test_the_controls_differ_from_dawn_where_the_paper_says_so():
    canvas, prediction = figure_3()
    taken = {rule.name: rule(FIGURE_3).decide(canvas, prediction, ANY).selection.positions.tolist() for rule in (
        Dawn, DawnNoAnchors, DawnNoConflicts, DawnNoSinkFilter)}  # fmt: skip
    assert taken["dawn"] == [4, 6, 7, 8, 9, 10]
    assert taken["dawn-no-conflicts"] == [4, 7, 8, 9]
    assert 4 not in taken["dawn-no-anchors"]  # .70 was enough for an induced position alone
    edges = [len(rule(FIGURE_3).decide(canvas, prediction, ANY).graph.source) for rule in (Dawn, DawnNoSinkFilter)]
    assert edges[1] == edges[0] + 8  # every masked position attends to the sink


@pytest.mark.parametrize("name", ["dawn-no-anchors", "dawn-random-graph"])
def test_controls_take_the_thresholds_flat(name):
    rule = make_rule(name, {"high": 0.8, "edge": 0.1} | ({"seed": 3} if name.endswith("graph") else {}))
    assert rule.thresholds.high == 0.8 and make_rule(name, settings_of(rule)) == rule
