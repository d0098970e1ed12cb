"""The confidence threshold against its definition."""

import numpy as np
import pytest
from hypothesis import given

from dawn.canvas import Canvas
from dawn.errors import ThresholdError
from dawn.rules import Confidence, Moment
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import LEVELS, MASK, prediction, states


@given(states(), LEVELS)
def test_agrees_with_the_slow_oracle(state, high):
    selection = Confidence(high).decide(*state, Moment(0, 1)).selection
    assert set(selection.positions.tolist()) == oracles.confidence(*state, high)
    everything = selection.positions.tolist() + [refusal.position for refusal in selection.refused]
    assert sorted(everything) == state[0].candidates.tolist()
    assert {refusal.reason for refusal in selection.refused} <= {Reason.BELOW}


def test_a_stored_float32_meets_its_threshold_and_the_next_smaller_does_not():
    canvas = Canvas.blank([5], 3, 3, MASK)
    less = np.nextafter(np.float32(0.9), np.float32(0))
    seen = prediction(canvas, [1, 0.9, less, 0.95], np.zeros((4, 4)))
    assert Confidence(0.9).decide(canvas, seen, Moment(0, 3)).selection.positions.tolist() == [1, 3]


def test_the_best_is_forced_when_none_is_confident_enough_the_lowest_of_equals():
    canvas = Canvas.blank([5], 3, 3, MASK)
    seen = prediction(canvas, [1, 0.2, 0.4, 0.4], np.zeros((4, 4)))
    (commit,) = Confidence(0.9).decide(canvas, seen, Moment(0, 3)).selection.committed
    assert (commit.position, commit.tier) == (2, Tier.FORCED)


@pytest.mark.parametrize("high", [-0.1, 1.1, "x", None, float("nan")])
def test_a_threshold_outside_its_range_is_refused(high):
    with pytest.raises(ThresholdError, match="high"):
        Confidence(high)
