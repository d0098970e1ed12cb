"""The rules that share the quota of `original`: random, entropy, margin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.errors import ThresholdError
from dawn.rules import Entropy, Margin, Moment, Original, Random
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import MASK, RandomDenoiser, canvases, prediction, states

STEPS = (st.integers(1, 14), st.integers(0, 13))


@pytest.mark.parametrize(
    ("rule", "oracle"), [(Original, oracles.original), (Entropy, oracles.lowest_entropy), (Margin, oracles.largest_margin)]
)
@given(states(), *STEPS)
def test_agrees_with_the_slow_oracle(rule, oracle, state, steps, t):
    masks = len(state[0].candidates)
    selection = rule(steps).decide(*state, Moment(t, masks)).selection
    k = max(1, oracles.quota(masks, steps, t)) if t < steps else max(1, masks // steps)
    assert set(selection.positions.tolist()) == oracle(*state, k)
    assert {commit.tier for commit in selection.committed} == {Tier.QUOTA}
    assert {refusal.reason for refusal in selection.refused} <= {Reason.OUTRANKED}


@pytest.mark.parametrize("rule", [Random, Entropy, Margin])
@given(states(), *STEPS)
def test_takes_as_many_as_original_and_accounts_for_the_rest(rule, state, steps, t):
    moment = Moment(t, len(state[0].candidates))
    selection = rule(steps).decide(*state, moment).selection
    chosen = selection.positions.tolist()
    assert len(chosen) == len(Original(steps).decide(*state, moment).selection.committed)
    assert sorted(chosen + [refusal.position for refusal in selection.refused]) == state[0].candidates.tolist()


@pytest.mark.parametrize("rule", [Entropy, Margin])
@given(states())
def test_reads_nothing_but_its_own_number(rule, state):
    canvas, seen = state
    other = prediction(
        canvas, 1 - seen.confidence, np.zeros((canvas.length, canvas.length)), None, None, seen.entropy, seen.margin
    )
    assert rule().decide(canvas, seen, Moment(0, 1)).selection == rule().decide(canvas, other, Moment(0, 1)).selection


@given(states(), st.integers(0, 99))
def test_random_reads_no_number_and_repeats_itself(state, seed):
    canvas, seen = state
    other = prediction(canvas, 1 - seen.confidence, np.zeros((canvas.length, canvas.length)))
    again = Random(2, seed).decide(canvas, other, Moment(0, 9))
    assert Random(2, seed).decide(canvas, seen, Moment(0, 9)).selection == again.selection


@given(canvases(), st.integers(0, 99))
def test_random_writes_every_position_once(canvas, seed):
    steps = list(decode(RandomDenoiser(), Random(0, seed), canvas))
    written = [int(position) for step in steps for position in step.decision.selection.positions]
    assert sorted(written) == np.flatnonzero(canvas.masked).tolist()


def test_random_visits_positions_evenly_and_another_seed_is_another_order():
    canvas = Canvas.blank([5], 8, 8, MASK)
    seen = prediction(canvas, np.zeros(9), np.zeros((9, 9)))
    firsts = [Random(0, seed).decide(canvas, seen, Moment(0, 8)).selection.positions[0] for seed in range(800)]
    assert np.bincount(firsts, minlength=9)[1:].min() > 60


def test_equal_numbers_go_to_the_lowest_index():
    canvas = Canvas.blank([5], 3, 3, MASK)
    seen = prediction(canvas, [1, 0.1, 0.2, 0.3], np.zeros((4, 4)), None, None, [0, 0.5, 0.2, 0.2], [1, 0.1, 0.6, 0.6])
    assert [rule().decide(canvas, seen, Moment(0, 3)).selection.positions.tolist() for rule in (Entropy, Margin)] == [[2], [2]]


@pytest.mark.parametrize("rule", [Random, Entropy, Margin])
def test_needs_are_its_own_number_alone(rule):
    needs = rule().needs
    assert (needs.entropy, needs.margin) == (rule is Entropy, rule is Margin)
    assert not needs.attention and not needs.anchors and not needs.alternatives


@pytest.mark.parametrize(
    "setting", [{"steps_per_block": -1}, {"steps_per_block": 1.0}, {"seed": -1}, {"seed": 2**32}, {"seed": 1.5}]
)
def test_a_setting_outside_its_range_is_refused(setting):
    with pytest.raises(ThresholdError, match=f"{next(iter(setting))} must be a whole number"):
        Random(**setting)
