"""Sinks over a run."""

import numpy as np
import pytest

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.errors import RuleError
from dawn.rules import Dawn, Original
from dawn.sinks import SinkCount, received_over_time, sink_counts
from dawn.thresholds import Thresholds
from tests.dawn.fakes import MASK, RandomDenoiser


def test_sinks_are_counted_by_hand():
    received = np.array([[0.5, 0.25, 0.0], [0.25, 0.5, 0.0], [0.5, 0.0, 0.125]], dtype=np.float32)
    counts = sink_counts(received, Thresholds(sink=0.3))
    assert counts == (SinkCount(0, 2, pytest.approx(5 / 12), 0.5), SinkCount(1, 1, 0.25, 0.5))
    assert sink_counts(received, Thresholds(sink=1.0)) == ()
    assert [one.position for one in sink_counts(received, Thresholds(sink=0.3, sink_mode="relative"))] == [0, 1, 2]


def test_they_are_those_of_the_graphs():
    rule = Dawn(Thresholds(sink=0.06))
    steps = list(decode(RandomDenoiser(), rule, Canvas.blank([5, 6], 16, 8, MASK)))
    counts = sink_counts(received_over_time(steps), rule.thresholds)
    times = np.bincount(np.concatenate([step.decision.graph.sinks for step in steps]), minlength=18)
    assert counts and {one.position: one.steps for one in counts} == {p: n for p, n in enumerate(times) if n}


def test_a_run_without_attention_says_so():
    with pytest.raises(RuleError, match="no attention was recorded"):
        received_over_time(list(decode(RandomDenoiser(), Original(), Canvas.blank([5], 4, 4, MASK))))
