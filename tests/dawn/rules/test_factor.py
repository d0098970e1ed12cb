"""The factor rule against its definition."""

import numpy as np
import pytest
from hypothesis import given

from dawn.canvas import Canvas
from dawn.errors import ThresholdError
from dawn.rules import Factor, Moment
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import FACTORS, MASK, prediction, states

ANY = Moment(0, 1)


@given(states(), FACTORS)
def test_agrees_with_the_slow_oracle(state, factor):
    selection = Factor(factor).decide(*state, ANY).selection
    assert set(selection.positions.tolist()) == oracles.factor(*state, factor)
    everything = selection.positions.tolist() + [refusal.position for refusal in selection.refused]
    assert sorted(everything) == state[0].candidates.tolist()
    assert {refusal.reason for refusal in selection.refused} <= {Reason.BELOW}
    assert {commit.tier for commit in selection.committed} == {Tier.RANKED if len(selection.committed) > 1 else Tier.FORCED}


@given(states())
def test_factor_to_0_is_one_token(state):
    canvas, seen = state
    doubtful = prediction(canvas, seen.confidence * 0.999, np.zeros((canvas.length, canvas.length)))
    assert len(Factor(0.0).decide(canvas, doubtful, ANY).selection.committed) == 1
    certain = int((seen.confidence[canvas.candidates] == 1).sum())  # whose bound, 1, they reach
    assert len(Factor(0.0).decide(canvas, seen, ANY).selection.committed) == max(1, certain)


def four(confidence, factor=1.0) -> list[int]:
    canvas = Canvas.blank([5], 4, 4, MASK)
    return (
        Factor(factor).decide(canvas, prediction(canvas, [1, *confidence], np.zeros((5, 5))), ANY).selection.positions.tolist()
    )


def test_the_bounds_are_two_thirds_three_quarters_four_fifths():
    assert four([0.3, 0.2, 0.1, 0.3]) == [1]
    assert four([0.9, 2 / 3, 0.6, 0.6]) == [1, 2]
    assert four([0.75, 0.75, 0.7, 0.75]) == [1, 2, 4]
    assert four([0.9, 0.8, 0.8, 0.8]) == [1, 2, 3, 4]


def test_a_first_failure_at_the_last_rank_is_a_failure():
    assert four([0.9, 0.9, 0.9, 0.79]) == [1, 2, 3]


@pytest.mark.parametrize("factor", [-0.1, 101, "x", None, float("nan"), True])
def test_a_factor_outside_its_range_is_refused(factor):
    with pytest.raises(ThresholdError, match="factor must be a number from 0 to 100"):
        Factor(factor)
