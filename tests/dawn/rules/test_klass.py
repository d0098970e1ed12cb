"""KLASS against its definition."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.errors import ThresholdError
from dawn.prediction import Needs
from dawn.rules import Klass, Moment, Original
from dawn.selection import Tier
from tests.dawn import oracles
from tests.dawn.fakes import MASK, klasses, prediction, states


@given(states(), klasses(), st.integers(0, 4))
def test_agrees_with_the_slow_oracle(state, rule, t):
    moment = Moment(t, len(state[0].candidates))
    selection = rule.decide(*state, moment).selection
    verdict = oracles.klass(*state, rule.kappa, rule.epsilon, rule.history, t)
    ready = {i for i in verdict if verdict[i] == "ready"}
    if ready:
        assert {(commit.position, commit.tier) for commit in selection.committed} == {(i, Tier.STABLE) for i in ready}
        assert {refusal.position: refusal.reason.value for refusal in selection.refused} == {
            i: verdict[i] for i in verdict if i not in ready
        }
    else:
        assert selection == Original(rule.steps_per_block).decide(*state, moment).selection


@given(states(), klasses(), st.integers(0, 4))
def test_kappa_above_1_is_the_quota(state, rule, t):
    moment = Moment(t, len(state[0].candidates))
    quota = Original(rule.steps_per_block).decide(*state, moment)
    assert replace(rule, kappa=1.01).decide(*state, moment) == quota


def decided(kl, t, **settings):
    canvas = Canvas.blank([5], 4, 4, MASK)
    seen = replace(prediction(canvas, [1, 0.7, 0.6, 0.9, 0.9], np.zeros((5, 5))), kl=np.array(kl, dtype=np.float32))
    return Klass(**settings).decide(canvas, seen, Moment(t, 4)).selection


def test_both_comparisons_are_strict_and_the_last_values_count():
    kl = [[9, 9, 9, 9, 9], [9, 0.001, 0, 0.001, 0.001], [9, 0.001, 0, 0.015, 0.001]]
    selection = decided(kl, 1)
    assert [(commit.position, commit.tier) for commit in selection.committed] == [(1, Tier.STABLE), (4, Tier.STABLE)]
    assert [(refusal.position, refusal.reason.value) for refusal in selection.refused] == [(2, "below"), (3, "unstable")]


def test_a_block_must_have_had_as_many_steps_as_the_history_is_long():
    still = np.zeros((2, 5))
    assert [commit.tier for commit in decided(still, 0).committed] == [Tier.QUOTA]
    assert [commit.tier for commit in decided(still, 1).committed] == [Tier.STABLE] * 3
    assert [commit.tier for commit in decided(still, 0, history=1).committed] == [Tier.STABLE] * 3


def test_what_is_unknown_is_not_stable():
    kl = np.zeros((2, 5))
    kl[0, 1:] = np.nan
    assert [commit.tier for commit in decided(kl, 1).committed] == [Tier.QUOTA]


def test_needs_its_history_alone():
    assert Klass(history=3).needs == Needs(kl=3)


@pytest.mark.parametrize(
    "setting", [{"kappa": -1}, {"epsilon": None}, {"history": 0}, {"history": 17}, {"steps_per_block": -1}]
)
def test_a_setting_outside_its_range_is_refused(setting):
    with pytest.raises(ThresholdError, match=next(iter(setting))):
        Klass(**setting)
