"""Questions to a recorded step, with no model: what would another rule or other thresholds select here.

An answer is about one step alone. What later steps would have become is another question: decode again from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import StepRecord
from dawn.errors import DawnError, RuleError
from dawn.prediction import Prediction
from dawn.rules import Rule, make_rule, rule_specs, settings_of
from dawn.selection import Decision
from dawn.settings import Choice, Whole
from dawn.thresholds import RELATIVE_SINK_SHOWN

GRID = 21  # points of a curve over a setting's range


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Another decision about a recorded step, and how it differs: positions added and dropped, ascending."""

    decision: Decision
    added: tuple[int, ...]
    dropped: tuple[int, ...]


def replay(step: StepRecord, rule: Rule) -> WhatIf:
    """What `rule` selects from the numbers recorded at `step`: exact, the same bits that decided then."""
    missing = missing_numbers(step, rule)
    if missing:
        raise RuleError(f"rule {rule.name} needs {missing}, which this trace did not record: decode again with it")
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


def replay_all(steps: Sequence[StepRecord], rule: Rule) -> tuple[Replayed, ...]:
    """What `rule` would select at every recorded step, each judged by itself; RuleError if numbers are missing."""
    final = steps[-1].after
    return tuple(replayed(step, replay(step, rule), final) for step in steps)


def replayed(step: StepRecord, answer: WhatIf, final: Canvas) -> Replayed:
    """An answer about one step, compared with what the run finally wrote."""
    taken = answer.decision.selection.positions
    same = final.tokens[taken] == step.prediction.tokens[taken]
    right = set(taken[same].tolist())
    agreeing = tuple(position for position in answer.added if position in right)
    judged = int((~final.masked[taken]).sum())
    then = len(step.decision.selection.committed)
    return Replayed(step.index, then, tuple(taken.tolist()), answer.added, answer.dropped, agreeing, len(right), judged)


@dataclass(frozen=True, slots=True)
class Point:
    """A setting's value, the tokens per step that it would take, and the share of them that the run finally wrote so; tokens is
    None where the trace lacks the numbers, agreement also where the run wrote none of those positions."""

    value: float
    tokens: float | None
    agreement: float | None


def curve(steps: Sequence[StepRecord], rule: Rule, name: str, marks: Sequence[float] = ()) -> tuple[Point, ...]:
    """Every recorded step decided again with one setting of `rule` moved over its shown range; all else stays. `marks` and the
    rule's own value are points too."""
    settings = settings_of(rule)
    return tuple(point(steps, rule.name, settings | {name: value}, name) for value in grid(rule, name, marks))


def point(steps: Sequence[StepRecord], rule: str, settings: dict, name: str) -> Point:
    """The figures of one value."""
    try:
        found = replay_all(steps, make_rule(rule, settings))
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
