"""Questions to a recorded step, with no model: what would another rule or other thresholds select here.

An answer is about one step alone. What later steps would have become is another question: decode again from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dawn.decode import StepRecord
from dawn.errors import RuleError
from dawn.prediction import Prediction
from dawn.rules import Rule
from dawn.selection import Decision


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
