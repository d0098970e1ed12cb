"""How far each threshold would have to move to change the decision about one recorded position. Exact, and without a model.

A decision is constant in a threshold between the numbers that are compared with it: confidences, edge weights, received
attention. So the rule decides again at each of those critical values, outward from the setting as it is, until the decision
about the position changes; then the first float32 at which it does is found by halving. Nothing is assumed about
direction: a lower τ_edge, say, makes anchors and conflicts at once. As everywhere, the answer is about one step alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from dawn.decode import StepRecord
from dawn.errors import TraceError
from dawn.graph import rows_of
from dawn.rules import Dawn, DawnRandomGraph, Rule, make_rule, rule_specs, settings_of
from dawn.rules.eb import before
from dawn.selection import Selection
from dawn.settings import Number
from dawn.thresholds import SMALLEST_EDGE

LEAST_EDGE = float(np.nextafter(np.float32(SMALLEST_EDGE), np.float32(1)))  # a float32 that Thresholds take


@dataclass(frozen=True, slots=True)
class Change:
    """The nearest value of setting `name`, below or above `now`, at which the decision about a position is another one.

    value: a float32; at the float32 just before it, coming from `now`, the decision is still the recorded one. shown: the
    shortest decimal beyond it that gives the same. taken: what becomes of the position; why: by which tier or for which reason.
    """

    name: str
    now: float
    value: float
    shown: float
    taken: bool
    why: str


def changes(step: StepRecord, rule: Rule, position: int) -> tuple[Change, ...]:
    """Every threshold's nearest changes, below and above, for a candidate of the step. `rule`: the one that decided.

    Settings that change nothing are left out, and so are those that deal a random graph anew. TraceError if the position was
    no candidate.
    """
    if position not in step.canvas.candidates:
        raise TraceError(f"step {step.index} did not decide about position {position}")
    settings, found = settings_of(rule), []
    for name, spec in rule_specs(rule.name).items():
        if not isinstance(spec, Number) or (isinstance(rule, DawnRandomGraph) and name in ("edge", "sink")):
            continue
        values = within(critical(step, rule, name), *range_of(rule, name, spec))
        for side in (values[values < settings[name]][::-1], values[values > settings[name]]):
            found.append(nearest(step, rule, position, name, side))
    return tuple(filter(None, found))


def range_of(rule: Rule, name: str, spec: Number) -> tuple[float, float]:
    """The least and the largest value that the setting takes in this rule."""
    dawn = isinstance(rule, Dawn)
    low = LEAST_EDGE if dawn and name == "edge" else spec.low
    return low, 1.0 if dawn and name == "sink" and rule.thresholds.sink_mode == "absolute" else spec.high


def within(values: Iterable[float], low: float, high: float) -> np.ndarray:
    """The critical values inside a range, and its ends: ascending float32, each once."""
    values = np.asarray(values, dtype=np.float32)
    return np.unique(np.append(values[(values > low) & (values < high)], np.float32([low, high])))


def nearest(step: StepRecord, rule: Rule, position: int, name: str, values: np.ndarray) -> Change | None:
    """The first change of the decision along `values`, which lead away from the setting as it is."""
    now = settings_of(rule)[name]

    def taken(value: float) -> bool:
        return position in decided(step, rule, name, value).positions

    recorded, last = position in step.decision.selection.positions, np.float32(now)
    for value in values:
        if taken(value) != recorded:
            value = first_change(lambda one: taken(one) != recorded, last, value)
            shown = shortest(lambda one: taken(one) != recorded, float(value), math.ceil if value > now else math.floor)
            return Change(name, now, float(value), shown, not recorded, why(decided(step, rule, name, value), position))
        last = value
    return None


def first_change(changed: Callable[[float], bool], before: np.float32, after: np.float32) -> np.float32:
    """The first float32 from `before` (not changed) to `after` (changed) at which it has changed; it does so once between."""
    start, end = order(before), order(after)
    while abs(end - start) > 1:
        middle = (start + end) // 2
        if changed(value_at(middle)):
            end = middle
        else:
            start = middle
    return value_at(end)


def shortest(changed: Callable[[float], bool], value: float, rounded: Callable[[float], int]) -> float:
    """The decimal with the fewest places, at least two, from `value` away at which it has changed too."""
    places = (rounded(value * 10**digits) / 10**digits for digits in range(2, 10))
    return next((one for one in places if (one >= SMALLEST_EDGE or value == 0) and changed(one)), value)


def order(value: np.float32) -> int:
    """The place of a float32 ≥ 0 among all of them."""
    return int(np.float32(value).view(np.int32))


def value_at(place: int) -> np.float32:
    """The float32 at a place: see `order`."""
    return np.int32(place).view(np.float32)


def decided(step: StepRecord, rule: Rule, name: str, value: float) -> Selection:
    """What the rule selects at the step with one setting changed."""
    changed = with_setting(rule, name, float(value))
    return changed.decide(step.canvas, step.prediction, step.moment).selection


def with_setting(rule: Rule, name: str, value: float) -> Rule:
    return make_rule(rule.name, settings_of(rule) | {name: value})


def why(selection: Selection, position: int) -> str:
    """The tier or the reason of a position."""
    tiers = {one.position: one.tier.value for one in selection.committed}
    return tiers.get(position) or next(one.reason.value for one in selection.refused if one.position == position)


def critical(step: StepRecord, rule: Rule, name: str) -> np.ndarray:
    """The values of a setting between which no decision about the step can change, in no order. Some may change none."""
    values = {"edge": edges, "sink": sinks, "epsilon": moves, "gamma": budgets, "factor": factors}
    return values.get(name, confidences)(step, rule)


def confidences(step: StepRecord, rule: Rule) -> np.ndarray:
    """Confidences of the candidates, and of the written positions that some candidate depends on: no others are read."""
    canvas, read = step.canvas, step.canvas.candidates
    if isinstance(rule, Dawn):
        sources = np.unique(step.decision.graph.source)
        written = sources[~canvas.masked[sources]]
        at_commit = rule.thresholds.anchor_confidence == "at_commit"
        kept = (canvas.committed_confidence if at_commit else step.prediction.confidence)[written]
        return np.concatenate([step.prediction.confidence[read], kept[~np.isnan(kept)]])
    return step.prediction.confidence[read]


def edges(step: StepRecord, rule: Rule) -> np.ndarray:
    """Weights between candidates that are confident enough for a conflict, and those of each candidate's heaviest anchor."""
    candidates = step.canvas.candidates
    if not isinstance(rule, Dawn):
        weights = rows_of(step.prediction.attention, candidates)[:, candidates]
        return np.unique((weights + weights.T) / 2)
    everything = with_setting(rule, "edge", LEAST_EDGE).graph(step.canvas, step.prediction)
    weights = everything.matrix(candidates, step.canvas.length)
    leaning = (weights * rule.anchors(step.canvas, step.prediction)).max(axis=1)
    able = step.prediction.confidence[candidates] >= np.float32(min(rule.thresholds.high, rule.thresholds.induced, rule.low()))
    return np.concatenate([leaning, weights[able][:, candidates[able]].ravel()])


def sinks(step: StepRecord, rule: Dawn) -> np.ndarray:
    """Received attention of the columns that would have an edge, as values of τ_sink."""
    seen, columns = step.prediction.attention, step.canvas.length
    open_rule = replace(rule, thresholds=replace(rule.thresholds, sink=1000.0, sink_mode="relative"))
    sources = np.unique(open_rule.graph(step.canvas, step.prediction).source)
    received = seen.received[sources].astype(np.float64)
    return received * columns if rule.thresholds.sink_mode == "relative" else received


def moves(step: StepRecord, rule: Rule) -> np.ndarray:
    """The last changes of the candidates' distributions."""
    return step.prediction.kl[-rule.history :, step.canvas.candidates].ravel()


def budgets(step: StepRecord, rule: Rule) -> np.ndarray:
    """The entropy before each rank."""
    return before(np.sort(step.prediction.entropy[step.canvas.candidates]))


def factors(step: StepRecord, rule: Rule) -> np.ndarray:
    """The factors at which the bound of each rank meets its confidence."""
    ranked = np.sort(step.prediction.confidence[step.canvas.candidates])[::-1].astype(np.float64)
    return (1 - ranked) * np.arange(2, len(ranked) + 2)
