"""Questions to a recorded step."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.errors import RuleError
from dawn.prediction import EVERYTHING, Needs
from dawn.replay import replay
from dawn.rules import Confidence, Dawn, Entropy, EntropyBounded, Klass, Margin, Original
from dawn.thresholds import Thresholds
from tests.dawn.fakes import MASK, RandomDenoiser, canvases, rules


@given(canvases(), rules(), st.integers(0, 999))
def test_a_step_replayed_with_its_own_rule_selects_the_same(canvas, rule, seed):
    for step in decode(RandomDenoiser(seed), rule, canvas):
        answer = replay(step, rule)
        assert answer.decision.selection == step.decision.selection
        assert answer.added == answer.dropped == ()


@given(canvases(), rules(), rules(), st.integers(0, 999))
def test_the_difference_is_what_was_added_and_dropped(canvas, rule, other, seed):
    watch = EVERYTHING | Needs(kl=3)
    for step in decode(RandomDenoiser(seed), rule, canvas, watch=watch):
        answer = replay(step, other)
        then = set(step.decision.selection.positions.tolist())
        now = set(answer.decision.selection.positions.tolist())
        assert (then | set(answer.added)) - set(answer.dropped) == now
        assert list(answer.added) == sorted(now - then) and list(answer.dropped) == sorted(then - now)
        assert answer.decision.selection == other.decide(step.canvas, step.prediction, step.moment).selection


def first_step(rule, watch=Needs()):
    return next(decode(RandomDenoiser(), rule, Canvas.blank([5, 6], 8, 8, MASK), watch=watch))


def test_a_rule_that_needs_more_than_was_recorded_is_refused_with_what_is_missing():
    with pytest.raises(RuleError, match="dawn needs attention, which this trace did not record"):
        replay(first_step(Original()), Dawn())
    with pytest.raises(RuleError, match="needs the confidence of written positions"):
        replay(first_step(Original(), Needs(attention=True)), Dawn())
    at_commit = Dawn(Thresholds(anchor_confidence="at_commit"))
    assert len(replay(first_step(Original(), Needs(attention=True)), at_commit).decision.selection.positions)


@pytest.mark.parametrize(("rule", "name"), [(Entropy(), "entropy"), (EntropyBounded(), "entropy"), (Margin(), "margin")])
def test_entropy_and_margin_are_missed_by_name(rule, name):
    words = f"rule {rule.name} needs the {name} of masked positions, which this trace did not record"
    step = first_step(Original())
    with pytest.raises(RuleError, match=words):
        replay(step, rule)
    half = np.full(step.canvas.length, np.nan, dtype=np.float32)
    half[step.canvas.candidates[1:]] = 0.5
    with pytest.raises(RuleError, match=words):
        replay(replace(step, prediction=replace(step.prediction, **{name: half})), rule)
    assert replay(first_step(Original(), Needs(**{name: True})), rule).decision.selection.committed


def test_changes_are_missed_with_how_many_there_should_be():
    for watch in (Needs(), Needs(kl=1)):
        with pytest.raises(RuleError, match="rule klass needs the last 2 changes of masked positions"):
            replay(first_step(Original(), watch), Klass())
    assert replay(first_step(Original(), Needs(kl=3)), Klass()).decision.selection.committed


def test_both_attention_rows_can_be_asked_of_every_trace():
    step = first_step(Dawn(Thresholds(attention_row="position")))
    assert replay(step, Dawn(Thresholds(attention_row="predictor", low=0.1))).decision.graph is not None


def test_a_lower_threshold_adds():
    step = first_step(Confidence(1.0))
    assert set(replay(step, Confidence(0.0)).added) == set(range(2, 10)) - set(step.decision.selection.positions.tolist())
