"""The exercises of the Learn tab: questions about a step whose answers and reasons are read off its anatomy, never typed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from dawn.anatomy import Anatomy
from dawn.selection import Reason, Refusal
from viz.anatomy import State, name, number


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question about a step: what to choose among, which are right, and why, each from the step's anatomy. scene: where it is
    asked; stage: what its figure shows; changes: as a request says them, to Figure 3; recorded: of the recorded run."""

    scene: str
    question: str
    choices: Callable[[State], Iterable[int]]
    right: Callable[[Anatomy], Iterable[int]]
    why: Callable[[State, Anatomy, int], str]
    stage: int = 2
    changes: dict = field(default_factory=dict)
    recorded: bool = False


def masked(state: State) -> list[int]:
    return state.canvas.candidates.tolist()


def refused(found: Anatomy) -> list[int]:
    return [one.position for one in found.selection.refused]


def sink_why(state: State, found: Anatomy, position: int) -> str:
    more = "more" if position in found.sinks else "not more"
    return f"{position} receives {number(found.received[position])} on average, {more} than τ_sink = {number(found.level)}"


def anchor_why(state: State, found: Anatomy, position: int) -> str:
    reaches = "at least" if position in found.anchors else "less than"
    sure, high = number(state.prediction.confidence[position]), number(state.rule.thresholds.high)
    return f"{position} is {sure} sure, {reaches} τ_high = {high}"


def fate(state: State, found: Anatomy, position: int) -> str:
    """Why a masked position was taken or refused."""
    for one in found.selection.refused:
        if one.position == position:
            return f"{name(state, position)} is refused: {refusal(state, one)}"
    tier = next(one.tier.value for one in found.selection.committed if one.position == position)
    return f"{name(state, position)} is taken: {TAKEN[tier]}"


def refusal(state: State, one: Refusal) -> str:
    """A reason in words."""
    if one.reason is Reason.BELOW:
        return f"{number(state.prediction.confidence[one.position])} is below what it would need"
    first = "taken first" if one.reason is Reason.CONFLICT else "more confident and taken first"
    return f"in conflict with {name(state, one.blocker)}, {first}"


TAKEN = {
    "high": "high",
    "induced": "it leans on an anchor",
    "conflict_free": "no edge joins it to another one taken",
    "forced": "nothing qualified, and it is the most confident",
}

EXERCISES = (
    Exercise("sinks", "Which columns are sinks?", lambda state: range(state.canvas.length), lambda f: f.sinks, sink_why, 1),
    Exercise(
        "anchors",
        "Which of the written positions are anchors?",
        lambda state: np.flatnonzero(~state.canvas.masked).tolist(),
        lambda found: found.anchors,
        anchor_why,
        3,
    ),
    Exercise(
        "step",
        "Position 5 is .88 sure now. Which masked positions will be refused?",
        masked,
        refused,
        fate,
        changes={"confidence": [[5, 0.88]]},
    ),
    Exercise(
        "step",
        "Now 10 also depends on 9. Which masked positions will be refused?",
        masked,
        refused,
        fate,
        changes={"edges": [[9, 10, 0.2]]},
    ),
    Exercise(
        "step",
        "All three thresholds are 1 now: nothing qualifies. Which position is taken?",
        masked,
        lambda found: found.committed,
        fate,
        changes={"settings": {"high": 1, "induced": 1, "low": 1}},
    ),
    Exercise(
        "run",
        "At this step of the recorded run, which masked positions will be taken?",
        masked,
        lambda found: found.committed,
        fate,
        recorded=True,
    ),
)
