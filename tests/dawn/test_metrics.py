"""Wilson intervals, tier counts, divergence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.metrics import (
    clustered_wilson,
    disagreements,
    figures,
    first_divergence,
    incomparable,
    moments_by_step,
    moments_by_tokens,
    tier_counts,
    wilson,
)
from dawn.rules import Confidence, Dawn, Original, settings_of
from dawn.trace import Setup, Trace
from tests.dawn.fakes import MASK, RandomDenoiser


def trace(rule, seed=0):
    steps = tuple(decode(RandomDenoiser(seed), rule, Canvas.blank([5], 12, 6, MASK)))
    return Trace("", Setup("fake", rule.name, settings_of(rule)), steps)


def test_trials_that_come_in_groups_count_as_fewer():
    right = np.arange(40) % 4 > 0
    assert clustered_wilson(right, np.arange(40)) == pytest.approx(wilson(30, 40), abs=0.01)  # each its own group
    together = clustered_wilson(np.repeat(right, 5), np.repeat(np.arange(40), 5))  # five that are one
    assert together == pytest.approx(wilson(30, 40), abs=0.01)
    assert clustered_wilson(np.ones(50, bool), np.arange(50) // 10) == wilson(5, 5)  # nothing varies: five groups
    assert clustered_wilson(np.arange(50) % 2 == 0, np.zeros(50, int)) == wilson(0.5, 1)
    assert clustered_wilson(np.ones(0, bool), np.zeros(0, int)) == (0, 1)


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
    assert first_divergence(trace(Original()), trace(Confidence(0.0))).step == 0
    longer, steps = trace(Original()), trace(Original()).steps
    shorter = Trace("", longer.setup, steps[:5])
    assert first_divergence(longer, shorter) is None
    other = trace(Original(), seed=1)
    mixed = Trace("", longer.setup, steps[:3] + other.steps[3:])
    found = first_divergence(longer, mixed)
    assert found.step == 3
    mine, theirs = longer.steps[3].after.tokens, mixed.steps[3].after.tokens
    assert found.positions == tuple(np.flatnonzero(mine != theirs)) != ()
    assert (found.one, found.other) == tuple(tuple(run[list(found.positions)]) for run in (mine, theirs))


def test_disagreements_name_both_tokens_and_the_steps_that_wrote_them():
    one, other = trace(Original()), trace(Original(), seed=1)
    found = disagreements(one, other)
    differing = np.flatnonzero(one.final.tokens != other.final.tokens)
    assert sorted(d.position for d in found) == differing.tolist() != []
    assert [max(d.steps) for d in found] == sorted(max(d.steps) for d in found)
    for d in found:
        for run, token, step in ((one, d.one, d.steps[0]), (other, d.other, d.steps[1])):
            assert d.position in run.steps[step].decision.selection.positions
            assert run.steps[step].after.tokens[d.position] == token


def test_what_was_never_written_is_no_disagreement():
    whole, other = trace(Original()), trace(Original(), seed=1)
    stopped = Trace("", other.setup, other.steps[:2])
    assert {d.position for d in disagreements(whole, stopped)} <= {
        int(p) for step in stopped.steps for p in step.decision.selection.positions
    }


def test_a_branch_can_be_compared_with_its_parent():
    parent = trace(Original())
    branch = Trace("", parent.setup, parent.steps[4:])
    assert incomparable(parent, branch) == "" and disagreements(parent, branch) == ()
    assert moments_by_tokens(parent, branch)[:5] == [(0, -1), (1, -1), (2, -1), (3, -1), (4, 0)]


def test_moments_by_step_hold_the_shorter_run_at_its_end():
    assert moments_by_step(trace(Original()), trace(Confidence(0.0))) == [(min(i, 11), min(i, 1)) for i in range(12)]


def test_moments_by_tokens_never_show_more_than_the_number_and_reach_both_ends():
    one, other = trace(Original()), trace(Confidence(0.0))  # one token a step; a block of six a step
    pairs = moments_by_tokens(one, other)
    assert pairs[:6] == [(0, -1), (1, -1), (2, -1), (3, -1), (4, -1), (5, 0)] and pairs[-1] == (11, 1)


def test_traces_of_other_prompts_or_models_are_not_laid_side_by_side():
    one = trace(Original())
    other_prompt = tuple(decode(RandomDenoiser(0), Original(), Canvas.blank([6], 12, 6, MASK)))
    longer = tuple(decode(RandomDenoiser(0), Original(), Canvas.blank([5], 13, 6, MASK)))
    assert "prompts differ" in incomparable(one, Trace("", one.setup, other_prompt))
    assert "lengths" in incomparable(one, Trace("", one.setup, longer))
    named, renamed = (Trace("", one.setup, one.steps, "", {3: text}) for text in (" a", " b"))
    assert "name tokens differently" in incomparable(named, renamed) and incomparable(one, named) == ""


def test_figures_count_what_the_run_cost():
    one = trace(Confidence(0.0))
    found = figures(one)
    assert (found.forwards, found.tokens, found.tokens_per_forward) == (2, 12, 6.0)
    assert found.seconds == one.seconds and sum(found.tiers.values()) == 12
