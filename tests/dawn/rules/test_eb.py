"""Entropy-bounded unmasking against its definition."""

import numpy as np
import pytest
from hypothesis import given

from dawn.canvas import Canvas
from dawn.errors import ThresholdError
from dawn.prediction import Needs
from dawn.rules import EntropyBounded, Moment
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import GAMMAS, MASK, prediction, states

ANY = Moment(0, 1)


@given(states(), GAMMAS)
def test_agrees_with_the_slow_oracle(state, gamma):
    selection = EntropyBounded(gamma).decide(*state, ANY).selection
    assert set(selection.positions.tolist()) == oracles.entropy_bounded(*state, gamma)
    everything = selection.positions.tolist() + [refusal.position for refusal in selection.refused]
    assert sorted(everything) == state[0].candidates.tolist()
    assert {refusal.reason for refusal in selection.refused} <= {Reason.OUTRANKED}
    assert {commit.tier for commit in selection.committed} == {Tier.RANKED if len(selection.committed) > 1 else Tier.FORCED}


@given(states())
def test_gamma_0_is_one_token_after_those_without_any_entropy(state):
    canvas, seen = state
    certain = int((seen.entropy[canvas.candidates] == 0).sum())
    selection = EntropyBounded(0.0).decide(canvas, seen, ANY).selection
    assert len(selection.committed) == min(certain + 1, len(canvas.candidates))


@given(states(), GAMMAS)
def test_all_but_the_last_of_a_step_hold_at_most_gamma(state, gamma):
    canvas, seen = state
    taken = np.sort(seen.entropy[EntropyBounded(gamma).decide(canvas, seen, ANY).selection.positions])
    assert np.float32(taken[:-1].astype(np.float64).sum()) <= np.float32(gamma)


def test_the_budget_counts_those_before_and_not_the_position_itself():
    canvas = Canvas.blank([5], 4, 4, MASK)
    seen = prediction(canvas, np.ones(5), np.zeros((5, 5)), entropy=[9, 2.0, 0.05, 0.1, 0.1])
    for gamma, expected in ((0.0, [2]), (0.05, [2, 3]), (0.15, [2, 3, 4]), (0.2, [2, 3, 4]), (0.25, [1, 2, 3, 4])):
        assert EntropyBounded(gamma).decide(canvas, seen, ANY).selection.positions.tolist() == expected


def test_needs_entropy_alone():
    assert EntropyBounded().needs == Needs(entropy=True)


@pytest.mark.parametrize("gamma", [-0.1, 1001, "x", None, float("nan"), True])
def test_a_gamma_outside_its_range_is_refused(gamma):
    with pytest.raises(ThresholdError, match="gamma must be a number from 0 to 1000"):
        EntropyBounded(gamma)
