"""The stages of a step against the rule's own selection, and numbers changed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from dawn.anatomy import STAGES, anatomy, changed
from dawn.errors import CanvasError, RuleError, ThresholdError
from dawn.rules import Confidence, Dawn, DawnNoAnchors, DawnNoConflicts, DawnNoSinkFilter, Moment
from dawn.selection import Reason, Tier
from tests.dawn.fakes import FIGURE_3, figure_3, states, thresholds

ANY = Moment(0, 1)
KINDS = (Dawn, DawnNoAnchors, DawnNoConflicts, DawnNoSinkFilter)


def by_tier(selection) -> dict[Tier, tuple[int, ...]]:
    return {tier: tuple(one.position for one in selection.committed if one.tier is tier) for tier in Tier}


def by_reason(selection) -> dict[Reason, list[int]]:
    return {reason: [one.position for one in selection.refused if one.reason is reason] for reason in Reason}


def test_figure_3_stage_by_stage():
    found = anatomy(Dawn(FIGURE_3), *figure_3())
    assert len(STAGES) == 7
    assert found.sinks == (1,) and {source for source, _, _ in found.removed} == {1}
    assert [(source, target) for source, target, _ in found.edges] == [
        (3, 4),
        (10, 5),
        (5, 6),
        (0, 7),
        (9, 8),
        (5, 10),
        (2, 11),
    ]
    assert found.high == (8, 9) and found.anchors == (0, 2, 3)
    assert {position: [anchor for anchor, _ in why] for position, why in found.induced.items()} == {4: [3], 7: [0]}
    assert found.first == (4, 7, 8, 9) and found.excluded == {}
    assert found.candidates == (5, 6, 10)
    assert [(i, j) for i, j, _ in found.pairs] == [(5, 6), (5, 10), (8, 9)]
    assert [(turn.position, turn.taken, turn.by) for turn in found.order] == [(6, True, None), (5, False, 6), (10, True, None)]
    assert found.free == (6, 10) and found.forced is None
    assert found.committed == (4, 6, 7, 8, 9, 10)


@pytest.mark.parametrize("kind", KINDS)
@given(state=states(), th=thresholds())
def test_the_last_stage_is_the_rules_selection(kind, state, th):
    rule, found = kind(th), anatomy(kind(th), *state)
    selection = rule.decide(*state, ANY).selection
    tiers, reasons = by_tier(selection), by_reason(selection)
    assert found.selection == selection
    assert found.committed == tuple(selection.positions.tolist())
    assert (found.high, tuple(found.induced), found.free) == (
        tiers[Tier.HIGH],
        tiers[Tier.INDUCED],
        tiers[Tier.CONFLICT_FREE],
    )
    assert tiers[Tier.FORCED] == (() if found.forced is None else (found.forced,))
    assert list(found.excluded) == reasons[Reason.CONFLICT]
    assert sorted(turn.position for turn in found.order if not turn.taken) == reasons[Reason.DROPPED]
    assert found.candidates == tuple(sorted(turn.position for turn in found.order))


@given(states(), thresholds())
def test_the_graph_of_the_stages_is_the_decisions(state, th):
    canvas, _ = state
    found, graph = anatomy(Dawn(th), *state), Dawn(th).decide(*state, ANY).graph
    cells = set(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
    assert {(source, target) for source, target, _ in found.edges} == {cell for cell in cells if canvas.masked[cell[1]]}
    assert not {source for source, _, _ in found.edges} & set(found.sinks)
    assert {source for source, _, _ in found.removed} <= set(found.sinks)


def test_a_rule_without_these_stages_is_refused():
    with pytest.raises(RuleError, match="DAWN family"):
        anatomy(Confidence(), *figure_3())


def test_numbers_changed_by_hand_change_the_decision():
    canvas, seen = figure_3()
    rule = Dawn(FIGURE_3)
    surer = changed(rule, canvas, seen, {5: 0.88}, {})
    assert anatomy(rule, canvas, surer).committed == (4, 5, 7, 8, 9)
    linked = changed(rule, canvas, seen, {}, {(10, 9): 0.2})
    found = anatomy(rule, canvas, linked)
    assert found.excluded == {10: (9, pytest.approx(0.2))} and found.committed == (4, 6, 7, 8, 9)
    assert linked.attention.received[9] == pytest.approx(seen.attention.received[9] + 0.195 / 12, rel=1e-5)
    assert seen.confidence[5] == np.float32(0.8) and seen.attention.weights[6, 9] == np.float32(0.005)


@pytest.mark.parametrize(
    ("confidence", "weights", "error", "words"),
    [
        ({5: 1.2}, {}, ThresholdError, "confidence of position 5"),
        ({5: float("nan")}, {}, ThresholdError, "from 0 to 1"),
        ({12: 0.5}, {}, CanvasError, "position 12 cannot be changed"),
        ({-1: 0.5}, {}, CanvasError, "position -1"),
        ({}, {(2, 5): 0.5}, CanvasError, "position 2"),
        ({}, {(5, 12): 0.5}, CanvasError, "position 12"),
        ({}, {(5, 4): True}, ThresholdError, "attention from 5 to 4"),
        ({}, {(5, 4): 0.3, (5, 3): 0.3}, CanvasError, r"row 5 would sum to 1\.1"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_words(confidence, weights, error, words):
    with pytest.raises(error, match=words):
        changed(Dawn(FIGURE_3), *figure_3(), confidence, weights)
