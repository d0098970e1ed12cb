"""Wilson intervals, tier counts, divergence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.metrics import first_divergence, tier_counts, wilson
from dawn.rules import Confidence, Dawn, Original, settings_of
from dawn.trace import Setup, Trace
from tests.dawn.fakes import MASK, RandomDenoiser


def trace(rule, seed=0):
    steps = tuple(decode(RandomDenoiser(seed), rule, Canvas.blank([5], 12, 6, MASK)))
    return Trace("", Setup("fake", rule.name, settings_of(rule)), steps)


def test_wilson_against_published_values():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, example (a)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)  # example (b)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)  # example (d)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_within_0_and_1(counts):
    low, high = wilson(*counts)
    assert 0 <= low <= counts[0] / counts[1] + 1e-12 and counts[0] / counts[1] <= high + 1e-12 <= 1 + 1e-11


def test_tiers_count_every_committed_token():
    assert tier_counts(trace(Original())) == {"quota": 12}
    one = trace(Dawn())
    assert sum(tier_counts(one).values()) == one.tokens_committed == 12


def test_divergence_is_the_first_step_whose_canvases_differ():
    assert first_divergence(trace(Original()), trace(Original())) is None
    assert first_divergence(trace(Original()), trace(Confidence(0.0))) == 0
    longer, steps = trace(Original()), trace(Original()).steps
    shorter = Trace("", longer.setup, steps[:5])
    assert first_divergence(longer, shorter) is None
    other = trace(Original(), seed=1)
    mixed = Trace("", longer.setup, steps[:3] + other.steps[3:])
    assert first_divergence(longer, mixed) == 3
