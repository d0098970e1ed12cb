"""How long each rule takes to decide, on synthetic predictions: the part of a step that no model is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dawn.bench.measure import estimate, interleaved
from dawn.bench.records import SelectionCost
from dawn.bench.synthetic import prediction, untouched
from dawn.rules import RULES, Moment, make_rule

LENGTHS = (256, 512, 1024, 2048)
WINDOWS = (32, 64)
STATES = 8
STEP_IN_BLOCK = 3  # late enough for rules that look back


def selection_costs(rounds: int) -> Iterator[SelectionCost]:
    """Every rule at every length and window."""
    for length in LENGTHS:
        for window in WINDOWS:
            yield from costs_at(length, window, rounds)


def costs_at(length: int, window: int, rounds: int) -> list[SelectionCost]:
    """Every rule on the same states, in turn: all of the window is masked, which is the most that there is to decide."""
    random = np.random.default_rng([length, window])
    canvases = [untouched(length, window, random) for _ in range(STATES)]
    states = [(canvas, prediction(canvas, random)) for canvas in canvases]
    samples = interleaved({name: decider(name, states) for name in RULES}, rounds)
    return [SelectionCost(name, length, window, estimate(1000 * found)) for name, found in samples.items()]


def decider(name: str, states):
    """A task: the rule decides about a state that it has not seen the canvas object of, so that nothing is known beforehand."""
    rule = make_rule(name, {})

    def decide(index: int):
        canvas, seen = states[index % len(states)]
        return rule.decide(replace(canvas), seen, Moment(STEP_IN_BLOCK, len(canvas.window)))

    return decide
