"""Questions to a recorded step."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import RuleError
from dawn.prediction import EVERYTHING, Needs
from dawn.replay import GRID, Replayer, curve, curve_names, grid, replay, replay_all, shown_range
from dawn.rules import (
    RULES,
    Confidence,
    Dawn,
    Entropy,
    EntropyBounded,
    Klass,
    Margin,
    Original,
    make_rule,
    rule_specs,
    settings_of,
)
from dawn.settings import Choice, Number, Whole
from dawn.thresholds import Thresholds
from tests.dawn.fakes import MASK, RandomDenoiser, canvases, rules, thresholds


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


def extreme(spec):
    """The last choice, or the upper end of a range."""
    return spec.options[-1] if isinstance(spec, Choice) else spec.shown[1]


SAMPLES = {name: {setting: extreme(spec) for setting, spec in rule_specs(name).items()} for name in RULES}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("settings", [{}, None], ids=["defaults", "extremes"])
@given(canvas=canvases(), seed=st.integers(0, 999))
def test_a_trace_replayed_with_its_own_rule_selects_the_same_at_every_step(name, settings, canvas, seed):
    rule = make_rule(name, SAMPLES[name] if settings is None else settings)
    steps = list(decode(RandomDenoiser(seed, end_ids=(3,)), rule, canvas))
    for step, answer in zip(steps, replay_all(steps, rule), strict=True):
        assert answer.taken == tuple(step.decision.selection.positions) and answer.step == step.index
        assert answer.added == answer.dropped == answer.agreeing == ()
        assert answer.then == answer.taken_agreeing == answer.judged == len(answer.taken)


@given(canvases(), rules(), rules(), st.integers(0, 999), st.integers(1, 6))
def test_added_tokens_agree_where_the_run_finally_wrote_them(canvas, rule, other, seed, limit):
    """A stopped run too: what it never wrote agrees with nothing and is not judged."""
    options = Options(step_limit=limit)
    steps = list(decode(RandomDenoiser(seed), rule, canvas, options, watch=EVERYTHING | Needs(kl=3)))
    final = steps[-1].after.tokens
    for step, answer in zip(steps, replay_all(steps, other), strict=True):
        single = replay(step, other)
        assert (answer.added, answer.dropped) == (single.added, single.dropped)
        same = [p for p in answer.taken if final[p] == step.prediction.tokens[p]]
        assert answer.agreeing == tuple(p for p in answer.added if p in same) and answer.taken_agreeing == len(same)
        assert answer.judged == sum(final[p] != MASK for p in answer.taken)


def test_what_was_not_recorded_is_missed_by_the_whole_trace_too():
    with pytest.raises(RuleError, match="dawn needs attention"):
        replay_all([first_step(Original())], Dawn())


@pytest.mark.parametrize("name", RULES)
def test_a_curve_goes_through_the_run_itself(name):
    """At the rule's own value: the run's tokens per step, all of them as it wrote them."""
    rule = make_rule(name, {})
    steps = list(decode(RandomDenoiser(), rule, Canvas.blank([5, 6], 16, 8, MASK)))
    for setting in curve_names(rule):
        points = curve(Replayer(steps), rule, setting, marks=(0.1234,) if isinstance(rule_specs(name)[setting], Number) else ())
        values = [point.value for point in points]
        assert values == sorted(set(values)) and len(values) <= GRID + 2
        own = next(point for point in points if point.value == settings_of(rule)[setting])
        assert own.agreement == 1 and own.tokens == 16 / len(steps)
        assert isinstance(rule_specs(name)[setting], Whole) or 0.1234 in values


def test_a_curve_is_what_replay_says_and_has_gaps_where_numbers_are_missing():
    steps = list(decode(RandomDenoiser(), Confidence(0.9), Canvas.blank([5, 6], 16, 8, MASK), watch=Needs(kl=2)))
    assert [point.tokens for point in curve(Replayer(steps), Confidence(0.9), "high")] == [
        np.mean([len(one.taken) for one in replay_all(steps, Confidence(value))]) for value in grid(Confidence(0.9), "high")
    ]
    known = {point.value: point.tokens is not None for point in curve(Replayer(steps), Klass(), "history")}
    assert known[1] and known[2] and not known[3]


def test_the_sink_level_is_shown_by_its_mode_and_a_seed_has_no_curve():
    assert shown_range(Dawn(Thresholds(sink_mode="relative")), "sink")[1] == 20
    assert shown_range(Dawn(), "sink")[1] == 0.2
    assert "seed" not in curve_names(make_rule("random", {}))
    for name in ("seed", "nope", "variant"):
        with pytest.raises(RuleError, match="no curve"):
            curve(Replayer([first_step(Dawn())]), Dawn(), name)


@given(canvases(), st.lists(rules(), min_size=2, max_size=4), st.integers(0, 999))
def test_a_replayer_asked_often_answers_as_if_asked_once(canvas, asked, seed):
    steps = list(decode(RandomDenoiser(seed), asked[0], canvas, watch=EVERYTHING | Needs(kl=3)))
    run = Replayer(steps)
    for rule in [*asked, *asked]:
        assert [one.taken for one in run.replay(rule)] == [
            tuple(replay(step, rule).decision.selection.positions) for step in steps
        ]


DAWNS = st.sampled_from([name for name, rule in RULES.items() if issubclass(rule, Dawn)])


@given(canvases(), DAWNS, thresholds(), thresholds(), st.integers(0, 99))
def test_kept_graphs_are_those_of_the_thresholds_asked_for(canvas, name, one, other, seed):
    """Moving a threshold that shapes the graph, and one that does not, through every variant of the rule."""
    steps = list(decode(RandomDenoiser(seed), make_rule(name, asdict(one)), canvas, watch=EVERYTHING))
    run = Replayer(steps)
    for field in asdict(other):
        if field in ("sink", "sink_mode"):
            continue
        rule = make_rule(name, asdict(one) | {field: getattr(other, field)})
        assert [one.taken for one in run.replay(rule)] == [
            tuple(replay(step, rule).decision.selection.positions) for step in steps
        ]
