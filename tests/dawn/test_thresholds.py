"""Thresholds: what is refused, and comparison in float32."""

from dataclasses import fields

import numpy as np
import pytest

from dawn.errors import DawnError, ThresholdError
from dawn.thresholds import PRESETS, THRESHOLD_NAMES, Thresholds


@pytest.mark.parametrize("name", ["high", "induced", "low", "edge", "sink"])
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), float("inf"), "0.5", None, True, 10**400, [0.5]])
def test_a_number_outside_its_range_is_refused_by_name(name, value):
    with pytest.raises(ThresholdError, match=f"^{name} must be a number"):
        Thresholds(**{name: value})


@pytest.mark.parametrize("name", ["sink_mode", "variant", "anchor_confidence", "attention_row"])
@pytest.mark.parametrize("value", ["", "Paper", None, 3, []])
def test_an_unknown_choice_is_refused_by_name(name, value):
    with pytest.raises(ThresholdError, match=f"^{name} must be one of"):
        Thresholds(**{name: value})


@pytest.mark.parametrize("edge", [0, 0.0, 1e-7])
def test_an_edge_threshold_of_nothing_is_refused(edge):
    with pytest.raises(ThresholdError, match="edge must be above 0"):
        Thresholds(edge=edge)


def test_a_message_stays_short_whatever_came():
    with pytest.raises(ThresholdError) as caught:
        Thresholds(high="x" * 100_000)
    assert len(str(caught.value)) < 120
    assert isinstance(caught.value, DawnError)


def test_whole_numbers_become_floats_and_equal_ones_are_equal():
    assert Thresholds(high=1) == Thresholds(high=1.0)
    assert type(Thresholds(high=1).high) is float


def test_the_relative_sink_level_depends_on_the_length():
    relative = Thresholds(sink=4, sink_mode="relative")
    assert relative.sink_level(200) == 0.02
    assert Thresholds(sink=0.01).sink_level(200) == 0.01
    with pytest.raises(ThresholdError, match="sink"):
        Thresholds(sink=4)


def test_presets_are_the_papers_table_3():
    llada = PRESETS["LLaDA · GSM8K, MATH"]
    assert (llada.high, llada.induced, llada.sink, llada.edge, llada.low) == (0.9, 0.70, 0.01, 0.07, 0.75)
    assert PRESETS["LLaDA · HumanEval"].low == 0.8 and PRESETS["LLaDA-8B · MBPP"].low == 0.7
    dream = PRESETS["Dream Instruct · all tasks"]
    assert (dream.induced, dream.sink, dream.edge, dream.low) == (0.75, 0.03, 0.10, 0.80)
    assert PRESETS["Dream Base · GSM8K"].edge == 0.05


def test_every_field_is_a_setting():
    assert [field.name for field in fields(Thresholds)] == list(THRESHOLD_NAMES)


def test_float32_confidence_meets_its_threshold():
    assert np.float32(0.9) < 0.9 or np.float32(0.9) >= 0.9  # whichever way it rounds …
    assert (np.array([0.9], dtype=np.float32) >= Thresholds(high=0.9).high).all()  # … a stored .9 counts as .9
