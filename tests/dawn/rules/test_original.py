"""Low-confidence remasking against its definition, and the rules' registry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.errors import RuleError, ThresholdError
from dawn.rules import RULES, Dawn, Moment, Original, make_rule, rule_specs, settings_of
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import rules, states


@given(states(), st.integers(1, 14), st.integers(0, 13))
def test_agrees_with_the_slow_oracle(state, steps, t):
    masks = len(state[0].candidates)
    selection = Original(steps).decide(*state, Moment(t, masks)).selection
    k = max(1, oracles.quota(masks, steps, t)) if t < steps else max(1, masks // steps)
    assert set(selection.positions.tolist()) == oracles.original(*state, k)
    assert {commit.tier for commit in selection.committed} == {Tier.QUOTA}
    assert {refusal.reason for refusal in selection.refused} <= {Reason.OUTRANKED}


@given(states())
def test_by_default_one_token_a_step(state):
    selection = Original().decide(*state, Moment(3, 40)).selection
    assert set(selection.positions.tolist()) == oracles.original(*state, 1)


@given(st.integers(1, 64), st.integers(1, 64))
def test_quotas_add_up_to_the_blocks_masks(masks, steps):
    quotas = [Original(steps).quota(Moment(t, masks)) for t in range(min(steps, masks))]
    assert sum(quotas) == masks


@pytest.mark.parametrize("steps", [-1, 5000, 1.0, "3", None, True])
def test_a_number_of_steps_outside_its_range_is_refused(steps):
    with pytest.raises(ThresholdError, match="steps_per_block must be a whole number"):
        Original(steps)


@given(rules())
def test_a_rule_is_made_again_from_its_settings(rule):
    assert make_rule(rule.name, settings_of(rule)) == rule
    assert set(settings_of(rule)) == set(rule_specs(rule.name))


def test_defaults_unknown_rules_and_unknown_settings():
    assert make_rule("dawn", {}) == Dawn()
    assert set(RULES) >= {"dawn", "original", "confidence"}
    with pytest.raises(RuleError, match="unknown rule 'nonesuch'"):
        make_rule("nonesuch", {})
    with pytest.raises(RuleError, match="has no setting low: it takes high"):
        make_rule("confidence", {"low": 0.5})
    with pytest.raises(RuleError) as caught:
        make_rule("dawn", {"\x1b" + "x" * 10_000: 1})
    assert len(str(caught.value)) < 250 and "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", RULES)
def test_every_setting_of_every_rule_is_checked(name):
    for setting in rule_specs(name):
        for value in (None, -1, 0.5j):
            with pytest.raises(ThresholdError, match=f"^{setting} must be"):
                make_rule(name, {setting: value})


def test_a_seed_is_a_whole_number():
    with pytest.raises(ThresholdError, match="seed must be a whole number"):
        make_rule("dawn-random-graph", {"seed": 0.0})
