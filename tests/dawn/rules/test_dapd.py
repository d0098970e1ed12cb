"""DAPD: the slow oracle, and what must hold whatever comes."""

from hypothesis import given

from dawn.prediction import Needs
from dawn.rules import Dapd, Moment
from dawn.selection import Reason, Tier
from tests.dawn import oracles
from tests.dawn.fakes import LEVELS, states


@given(states(), LEVELS, LEVELS)
def test_agrees_with_the_slow_oracle(state, edge, high):
    selection = Dapd(edge, high).decide(*state, Moment(0, 1)).selection
    taken, blocked = oracles.dapd(*state, edge, high)
    assert set(selection.positions.tolist()) == taken
    dropped = {refusal.position: refusal.blocker for refusal in selection.refused if refusal.reason is Reason.DROPPED}
    assert dropped == blocked


@given(states(), LEVELS)
def test_what_is_taken_together_is_not_joined(state, edge):
    canvas, prediction = state
    selection = Dapd(edge).decide(canvas, prediction, Moment(0, 1)).selection
    row_of = dict(zip(prediction.attention.rows.tolist(), prediction.attention.weights, strict=True))
    free = [commit.position for commit in selection.committed if commit.tier is Tier.CONFLICT_FREE]
    assert all((row_of[i][j] + row_of[j][i]) / 2 <= edge + 1e-6 for i in free for j in free if i < j)
    weights = [refusal.weight for refusal in selection.refused if refusal.reason is Reason.DROPPED]
    assert all(weight >= edge - 1e-6 for weight in weights)


def test_it_pays_for_attention_and_nothing_else():
    assert Dapd().needs == Needs(attention=True)
