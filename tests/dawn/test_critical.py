"""How far a threshold must move: the decision flips there, and nowhere before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.critical import Change, changes, order, value_at, with_setting
from dawn.decode import decode
from dawn.errors import TraceError
from dawn.prediction import Needs
from dawn.rules import Confidence, Dawn, DawnRandomGraph, Factor, settings_of
from dawn.thresholds import Thresholds
from tests.dawn.fakes import FIGURE_3, MASK, RandomDenoiser, canvases, figure_3, rules


def taken(step, rule, name, value, position) -> bool:
    changed = with_setting(rule, name, float(value))
    return position in changed.decide(step.canvas, step.prediction, step.moment).selection.positions


@given(canvases(), rules(), st.integers(0, 999), st.integers(0, 99), st.integers(0, 2**32 - 1))
def test_the_decision_flips_at_the_value_and_nowhere_before(canvas, rule, seed, pick, dice):
    """Before: at the float32 next to it, at every number of the step and at random values in between."""
    step = next(decode(RandomDenoiser(seed), rule, canvas))
    position = int(canvas.candidates[pick % len(canvas.candidates)])
    recorded = position in step.decision.selection.positions
    for change in changes(step, rule, position):
        assert change.taken != recorded
        assert taken(step, rule, change.name, change.value, position) == change.taken
        assert taken(step, rule, change.name, change.shown, position) == change.taken
        assert change.now < change.value <= change.shown or change.now > change.value >= change.shown
        for value in between(step, change, np.random.default_rng(dice)):
            assert taken(step, rule, change.name, value, position) == recorded, (change, value)


@given(canvases(), rules(), st.integers(0, 999), st.integers(0, 99), st.integers(0, 2**32 - 1))
def test_no_change_is_missed(canvas, rule, seed, pick, dice):
    """A setting that has no change on a side has none at random values of that side either."""
    step = next(decode(RandomDenoiser(seed), rule, canvas))
    position = int(canvas.candidates[pick % len(canvas.candidates)])
    recorded = position in step.decision.selection.positions
    found = {(one.name, one.value > one.now) for one in changes(step, rule, position)}
    random = np.random.default_rng(dice)
    for name in {"high", "induced", "low", "relaxed", "edge"}.intersection(settings_of(rule)):
        now = settings_of(rule)[name]
        for value in random.uniform(2e-6, 1, 20) if not isinstance(rule, DawnRandomGraph) or name != "edge" else ():
            if (name, value > now) not in found:
                assert taken(step, rule, name, value, position) == recorded, (name, value)


def between(step, change: Change, random) -> list[float]:
    """Settings from the change's value, exclusive, to the setting as it was."""
    place = order(np.float32(change.value))
    next_to = value_at(place + (1 if change.value < change.now else -1))
    numbers = [step.prediction.confidence, random.uniform(*sorted((change.now, change.value)), 20)]
    if step.prediction.attention:
        numbers += [step.prediction.attention.weights.ravel(), step.prediction.attention.received * len(step.canvas.tokens)]
    low, high = sorted((float(next_to), change.now))
    values = np.concatenate(numbers)
    values = values[(values >= low) & (values <= high)]
    return [float(next_to), *random.permutation(values)[:60].astype(np.float32).tolist()] if low <= next_to <= high else []


def test_figure_3_in_numbers():
    """Position 11 (.65) needs τ_low at .65; 5 (.80) conflicts with 10 and 6: it is free when no edge is left, above .2."""
    canvas, seen = figure_3()
    step = first_of(canvas, seen, Dawn(FIGURE_3))
    found = {(one.name, one.value < one.now): one for one in changes(step, Dawn(FIGURE_3), 11)}
    low = found["low", True]
    assert (low.value, low.shown, low.taken, low.why) == (np.float32(0.65), 0.64, True, "conflict_free")
    edge = next(one for one in changes(step, Dawn(FIGURE_3), 5) if one.name == "edge" and one.value > one.now)
    assert edge.taken and edge.value == np.nextafter(np.float32(0.2), np.float32(1)) and edge.why == "conflict_free"
    high = next(one for one in changes(step, Dawn(FIGURE_3), 4) if one.name == "high")
    assert (high.taken, high.why) == (False, "below")


def first_of(canvas, seen, rule):
    """The first step of a run in which the model says `seen`."""

    class Says(RandomDenoiser):
        def predict(self, *_):
            return seen

    return next(decode(Says(), rule, canvas))


def test_a_position_that_was_not_decided_about_is_refused():
    canvas = Canvas.blank([5, 6], 8, 4, MASK)
    step = next(decode(RandomDenoiser(), Confidence(0.9), canvas))
    for position in (0, 6, -1, 99):
        with pytest.raises(TraceError, match=f"step 0 did not decide about position {position}"):
            changes(step, Confidence(0.9), position)


def test_every_side_of_every_number_is_asked():
    canvas = Canvas.blank([5, 6], 8, 8, MASK)
    rule = Factor(0.0)
    step = next(decode(RandomDenoiser(), rule, canvas))
    last = int(np.argmin(np.where(canvas.masked, step.prediction.confidence, 2)))
    (change,) = changes(step, rule, last)
    assert change.taken and change.why == "ranked" and change.value > change.now == 0


def test_the_edge_is_asked_on_both_sides():
    """Some position of some step is refused for a conflict: without that edge it would be taken."""
    rule = Dawn(Thresholds(high=0.99, induced=0.99, low=0.2, edge=0.05, sink=1.0))
    steps = list(decode(RandomDenoiser(3), rule, Canvas.blank([5, 6], 24, 24, MASK), watch=Needs(attention=True)))
    step, one = next((s, r) for s in steps for r in s.decision.selection.refused if r.blocker is not None)
    assert any(c.name == "edge" and c.value > c.now and c.taken for c in changes(step, rule, one.position))
