"""LocalLeap against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.errors import ThresholdError
from dawn.rules import Confidence, LocalLeap, Moment
from dawn.selection import Reason
from tests.dawn import oracles
from tests.dawn.fakes import LEVELS, MASK, prediction, states

ANY = Moment(0, 1)


def tiers_of(selection) -> dict[int, str]:
    return {commit.position: commit.tier.value for commit in selection.committed}


@given(states(), LEVELS, LEVELS, st.integers(0, 12))
def test_agrees_with_the_slow_oracle(state, high, relaxed, radius):
    selection = LocalLeap(high, relaxed, radius).decide(*state, ANY).selection
    assert tiers_of(selection) == oracles.localleap(*state, high, relaxed, radius)
    everything = selection.positions.tolist() + [refusal.position for refusal in selection.refused]
    assert sorted(everything) == state[0].candidates.tolist()
    assert {refusal.reason for refusal in selection.refused} <= {Reason.BELOW}


@given(states(), LEVELS, LEVELS)
def test_radius_0_is_the_threshold(state, high, relaxed):
    assert LocalLeap(high, relaxed, 0).decide(*state, ANY) == Confidence(high).decide(*state, ANY)


@given(states(), LEVELS, LEVELS, st.integers(0, 12))
def test_a_larger_radius_never_takes_less(state, high, relaxed, radius):
    fewer, more = (LocalLeap(high, relaxed, r).decide(*state, ANY).selection.positions for r in (radius, radius + 1))
    assert set(fewer.tolist()) <= set(more.tolist())


def test_a_leap_goes_both_ways_and_only_once():
    canvas = Canvas.blank([5], 7, 7, MASK)
    seen = prediction(canvas, [0.95, 0.8, 0.8, 0.9, 0.7, 0.75, 0.8, 0.8], np.zeros((8, 8)))
    assert tiers_of(LocalLeap(radius=2).decide(canvas, seen, ANY).selection) == {
        1: "nearby", 2: "nearby", 3: "high", 5: "nearby",
    }  # fmt: skip


@pytest.mark.parametrize(
    "setting", [{"high": -0.1}, {"relaxed": 1.1}, {"radius": -1}, {"radius": 1.5}, {"radius": 5000}, {"relaxed": None}]
)
def test_a_setting_outside_its_range_is_refused(setting):
    with pytest.raises(ThresholdError, match=next(iter(setting))):
        LocalLeap(**setting)
