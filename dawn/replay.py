"""Questions to a recorded step, with no model: what would another rule or other thresholds select here.

An answer is about one step alone. What later steps would have become is another question: decode again from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dawn.decode import StepRecord
from dawn.errors import DawnError, RuleError
from dawn.graph import DependencyGraph
from dawn.prediction import Needs, Prediction
from dawn.rules import Dawn, Rule, make_rule, rule_specs, settings_of
from dawn.selection import Decision
from dawn.settings import Choice, Whole
from dawn.thresholds import RELATIVE_SINK_SHOWN, Thresholds

GRID = 21  # points of a curve over a setting's range
NOT_IN_GRAPH = ("high", "induced", "low", "variant", "anchor_confidence")  # thresholds that no graph depends on


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Another decision about a recorded step, and how it differs: positions added and dropped, ascending."""

    decision: Decision
    added: tuple[int, ...]
    dropped: tuple[int, ...]


def replay(step: StepRecord, rule: Rule) -> WhatIf:
    """What `rule` selects from the numbers recorded at `step`: exact, the same bits that decided then."""
    require_numbers(step, rule)
    decision = rule.decide(step.canvas, step.prediction, step.moment)
    then, now = set(step.decision.selection.positions.tolist()), set(decision.selection.positions.tolist())
    return WhatIf(decision, tuple(sorted(now - then)), tuple(sorted(then - now)))


@dataclass(frozen=True, slots=True)
class Replayed:
    """One step decided again. then: how many tokens were taken; taken, added, dropped: positions; agreeing: of the added, those
    whose token the run finally wrote there; taken_agreeing: how many are so of all that would be taken; judged: how many of
    those positions the run finally wrote at all."""

    step: int
    then: int
    taken: tuple[int, ...]
    added: tuple[int, ...]
    dropped: tuple[int, ...]
    agreeing: tuple[int, ...]
    taken_agreeing: int
    judged: int


class Replayer:
    """Decides the steps of a run again, as often as asked. Keeps the last graphs: the thresholds that they do not depend on may
    move at half the cost."""

    def __init__(self, steps: Sequence[StepRecord]):
        self.steps, self.final = steps, steps[-1].after
        self.then = [frozenset(step.decision.selection.positions.tolist()) for step in steps]
        self.complete: set[Needs] = set()  # what rules asked for and every step has
        self.graphs: tuple[Rule | None, list[DependencyGraph]] = (None, [])

    def replay(self, rule: Rule) -> tuple[Replayed, ...]:
        """What `rule` would select at every step, each judged by itself; RuleError if numbers are missing."""
        if rule.needs not in self.complete:
            for step in self.steps:
                require_numbers(step, rule)
            self.complete.add(rule.needs)
        return tuple(map(self.replayed, self.steps, self.taken(rule), self.then))

    def taken(self, rule: Rule) -> list[np.ndarray]:
        """The positions [n] that the rule selects, by step."""
        if not isinstance(rule, Dawn):
            decisions = (rule.decide(step.canvas, step.prediction, step.moment) for step in self.steps)
            return [decision.selection.positions for decision in decisions]
        pairs = zip(self.steps, self.graphs_of(rule), strict=True)
        return [rule.taken(graph, step.canvas, step.prediction) for step, graph in pairs]

    def graphs_of(self, rule: Dawn) -> list[DependencyGraph]:
        """The graphs that the rule reads, by step: those of last time if nothing that shapes them has moved."""
        plain = Thresholds()
        unread = {name: getattr(plain, name) for name in NOT_IN_GRAPH}
        shape = replace(rule, thresholds=replace(rule.thresholds, **unread))
        known, graphs = self.graphs
        if known != shape:
            graphs = [rule.graph(step.canvas, step.prediction) for step in self.steps]
            self.graphs = (shape, graphs)
        return graphs

    def replayed(self, step: StepRecord, taken: np.ndarray, then: frozenset[int]) -> Replayed:
        """An answer about one step, compared with what the run finally wrote."""
        right = set(taken[self.final.tokens[taken] == step.prediction.tokens[taken]].tolist())
        now = taken.tolist()
        added, dropped = tuple(p for p in now if p not in then), tuple(sorted(then.difference(now)))
        agreeing = tuple(position for position in added if position in right)
        judged = len(now) - int(np.count_nonzero(self.final.masked[taken]))
        return Replayed(step.index, len(then), tuple(now), added, dropped, agreeing, len(right), judged)


def replay_all(steps: Sequence[StepRecord], rule: Rule) -> tuple[Replayed, ...]:
    """What `rule` would select at every recorded step, each judged by itself; RuleError if numbers are missing."""
    return Replayer(steps).replay(rule)


@dataclass(frozen=True, slots=True)
class Point:
    """A setting's value, the tokens per step that it would take, and the share of them that the run finally wrote so; tokens is
    None where the trace lacks the numbers, agreement also where the run wrote none of those positions."""

    value: float
    tokens: float | None
    agreement: float | None


def curve(run: Replayer, rule: Rule, name: str, marks: Sequence[float] = ()) -> tuple[Point, ...]:
    """Every recorded step decided again with one setting of `rule` moved over its shown range; all else stays. `marks` and the
    rule's own value are points too."""
    settings = settings_of(rule)
    return tuple(point(run, rule.name, settings | {name: value}, name) for value in grid(rule, name, marks))


def point(run: Replayer, rule: str, settings: dict, name: str) -> Point:
    """The figures of one value."""
    try:
        found = run.replay(make_rule(rule, settings))
    except DawnError:
        return Point(settings[name], None, None)
    judged = sum(one.judged for one in found)
    agreement = sum(one.taken_agreeing for one in found) / judged if judged else None
    return Point(settings[name], sum(len(one.taken) for one in found) / len(found), agreement)


def curve_names(rule: Rule) -> tuple[str, ...]:
    """The settings of a rule that are numbers with a meaning to their order: not a seed."""
    found = rule_specs(rule.name).items()
    return tuple(name for name, spec in found if not isinstance(spec, Choice) and name != "seed")


def shown_range(rule: Rule, name: str) -> tuple[float, float, float]:
    """A numeric setting's shown ends and step; the sink level's depend on its mode. RuleError if there is no such setting."""
    if name not in curve_names(rule):
        raise RuleError(f"rule {rule.name} has no curve over {name!r:.40}")
    if name == "sink" and settings_of(rule)["sink_mode"] == "relative":
        return RELATIVE_SINK_SHOWN
    return rule_specs(rule.name)[name].shown


def grid(rule: Rule, name: str, marks: Sequence[float] = ()) -> list[float]:
    """About GRID values over a setting's shown range, each a multiple of its step, and the rule's own value and the marks."""
    low, high, step = shown_range(rule, name)
    spec = rule_specs(rule.name)[name]
    count = max(1, round((high - low) / step))
    places = np.unique(np.rint(np.linspace(0, count, min(count + 1, GRID))))
    kind = int if isinstance(spec, Whole) else float
    values = {kind(round(low + place * step, 9)) for place in places} | {kind(one) for one in marks}
    return sorted(values | {kind(settings_of(rule)[name])})


def require_numbers(step: StepRecord, rule: Rule) -> None:
    """RuleError if the step lacks what the rule needs."""
    missing = missing_numbers(step, rule)
    if missing:
        raise RuleError(f"rule {rule.name} needs {missing}, which this trace did not record: decode again with it")


def missing_numbers(step: StepRecord, rule: Rule) -> str:
    """What the rule needs and the step lacks, in words; empty if nothing."""
    prediction, canvas = step.prediction, step.canvas
    if rule.needs.attention and prediction.attention is None:
        return "attention"
    for name in ("entropy", "margin"):
        if getattr(rule.needs, name) and unknown_at(getattr(prediction, name), canvas.candidates):
            return f"the {name} of masked positions"
    if lacks_changes(rule.needs.kl, prediction, canvas.candidates):
        return f"the last {rule.needs.kl} changes of masked positions"
    _, end = canvas.block_span(canvas.block)
    unknown = prediction.confidence[:end] != prediction.confidence[:end]
    return "the confidence of written positions" if rule.needs.anchors and unknown.any() else ""


def unknown_at(values: np.ndarray | None, positions: np.ndarray) -> bool:
    """Whether a number [L] was not recorded at some of the positions."""
    return values is None or bool(np.isnan(values[positions]).any())


def lacks_changes(count: int, prediction: Prediction, positions: np.ndarray) -> bool:
    """Whether fewer than `count` changes were recorded, or not that of this very forward pass at some of the positions."""
    kl = prediction.kl
    return count > 0 and (kl is None or len(kl) < count or bool(np.isnan(kl[-1, positions]).any()))
