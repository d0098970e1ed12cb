"""The anatomy of a step for the page: its numbers, a title and a sentence or two for each stage, and changes made by hand.

Figure 3 is the paper's example (arXiv 2602.06953): 12 positions, of which it gives the confidences, the strong attention cells
and the sink; how much the cells weigh is this software's own. No gradio, no model. What comes from a page is checked here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from dawn.anatomy import Anatomy, anatomy, changed
from dawn.canvas import Canvas
from dawn.errors import LimitError, TraceError
from dawn.graph import build_graph
from dawn.prediction import Attention, Prediction, attention_rows
from dawn.rules import Dawn, make_rule, settings_of
from dawn.selection import Reason
from dawn.thresholds import Thresholds
from viz.lab import Lab, facts_of, whole
from viz.payload import piece

MASK = -1
WHOLE = 16  # positions of a canvas that is shown whole
MOST_CHANGES = 64
MOST_EDGES = 4000
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class State:
    """A step to take apart: rule, canvas, prediction, and the token at a position, or the one it would get (may be empty)."""

    rule: Dawn
    canvas: Canvas
    prediction: Prediction
    text: Callable[[int], str]


@cache
def figure_3() -> State:
    """The paper's Figure 3. Prompt tokens 0 to 3; column 1 is the sink."""
    canvas = Canvas.blank([0, 0, 0, 0], 8, 8, MASK)
    confidence = np.array([0.96, 0.80, 0.90, 0.95, 0.70, 0.80, 0.85, 0.77, 0.92, 0.96, 0.75, 0.65], dtype=np.float32)
    weights = np.full((12, 12), 0.005, dtype=np.float32)
    weights[:, 1] = 0.3
    for query, key in ((2, 6), (4, 3), (5, 10), (6, 5), (7, 0), (8, 9), (10, 5), (11, 2)):
        weights[query, key] = 0.2
    rows = attention_rows(canvas.window)
    seen = Prediction(np.zeros(12, dtype=np.int32), confidence, Attention(rows, weights[rows], weights.mean(axis=0)))
    return State(Dawn(Thresholds(high=0.9, induced=0.7, low=0.75, edge=0.1, sink=0.1)), canvas, seen, lambda _: "")


def state_of(lab: Lab, name: object, index: int) -> State:
    """A step of a trace. DawnError if there is none, or its rule has no such stages."""
    entry, step = lab.asked_step({"trace": name, "step": index})
    facts, rule = facts_of(entry), entry.setup.make_rule()
    if not isinstance(rule, Dawn):
        raise TraceError(f"the rule {rule.name} has no such stages: choose a run of the rule dawn")
    written, predicted = step.canvas.tokens, step.prediction.tokens
    tokens = np.where(step.canvas.masked, predicted, written)
    return State(rule, step.canvas, step.prediction, lambda position: piece(facts, int(tokens[position])))


def with_changes(state: State, request: Mapping) -> State:
    """The state with the "confidence" [[position, value]], "edges" [[source, target, weight]] and "settings" of a request."""
    confidence = {p: value for p, value in listed(request, "confidence", 1)}
    weights = {(target, source): value for source, target, value in listed(request, "edges", 2)}
    settings = request.get("settings") or {}
    if not isinstance(settings, dict):
        raise TraceError("settings must be names with values")
    rule = make_rule(state.rule.name, settings_of(state.rule) | settings)
    return State(rule, state.canvas, changed(rule, state.canvas, state.prediction, confidence, weights), state.text)


def listed(request: Mapping, name: str, places: int) -> Iterator[list]:
    """The entries of a list of changes: so many positions, then a number that `changed` checks."""
    given = request.get(name) or []
    if not isinstance(given, list) or len(given) > MOST_CHANGES:
        raise TraceError(f"{name!r} must be a list of at most {MOST_CHANGES} changes")
    for one in given:
        if not isinstance(one, list) or len(one) != places + 1:
            raise TraceError(f"each of {name!r} must be {'a position' if places == 1 else 'two positions'} and a number")
        yield [*(whole(position, "position") for position in one[:places]), one[places]]


def described(state: State, before: State | None = None) -> dict:
    """The stages as plain numbers, each with a title and what it does in words. before: the step unchanged."""
    found = taken_apart(state)
    then = set(taken_apart(before).committed if before else found.committed)
    return {
        "columns": columns(state, found),
        "settings": settings_of(state.rule),
        "level": found.level,
        "sinks": list(found.sinks),
        "edges": [list(edge) for edge in found.edges],
        "removed": [list(edge) for edge in found.removed],
        "high": list(found.high),
        "anchors": list(found.anchors),
        "induced": [[position, [list(pair) for pair in why]] for position, why in found.induced.items()],
        "excluded": [[position, *why] for position, why in found.excluded.items()],
        "candidates": list(found.candidates),
        "pairs": [list(pair) for pair in found.pairs],
        "order": [[turn.position, turn.taken, turn.by] for turn in found.order],
        "committed": [[one.position, one.tier.value] for one in found.selection.committed],
        "refused": [[one.position, one.reason.value, one.blocker] for one in found.selection.refused],
        "stages": [[title, " ".join(words(state, found))] for title, words in STAGES],
        "added": sorted(set(found.committed) - then),
        "dropped": sorted(then - set(found.committed)),
    }


def taken_apart(state: State) -> Anatomy:
    """The anatomy of a state; LimitError for a graph that no figure shows, before anything else is made of it."""
    attention = state.prediction.attention
    if attention is not None:
        cells = len(build_graph(attention, state.canvas.window, state.rule.thresholds, np.empty(0, dtype=np.int64)).source)
        if cells > MOST_EDGES:
            raise LimitError(f"{cells:,} edges are more than a figure shows (at most {MOST_EDGES:,}): raise τ_edge")
    return anatomy(state.rule, state.canvas, state.prediction)


def columns(state: State, found: Anatomy) -> list[list]:
    """[position, text, masked, confidence or None, received] of what is shown: a short canvas whole; of a long one the masked
    positions, what they depend on, and the sinks."""
    canvas, sure = state.canvas, state.prediction.confidence
    shown = {*canvas.candidates.tolist(), *found.sinks, *(source for source, _, _ in found.edges)}
    places = range(canvas.length) if canvas.length <= WHOLE else sorted(shown)
    return [
        [p, state.text(p), bool(canvas.masked[p]), None if math.isnan(sure[p]) else float(sure[p]), float(found.received[p])]
        for p in places
    ]


def number(value: float) -> str:
    """.85 rather than 0.85; cut after three digits, so that .8996 does not look like .9."""
    cut = math.floor(float(value) * 1000 + 1e-3) / 1000
    text = f"{cut:.3f}".removesuffix("0")
    return text.removeprefix("0") if cut < 1 else text


def several(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """A list in words, its end counted if it is long."""
    names = list(names)
    if len(names) > most + 1:
        names = [*names[:most], f"{len(names) - most} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def name(state: State, position: int) -> str:
    """A position, with its token where it has a readable one."""
    text = state.text(position)
    return f"{position} ‘{text}’" if text else str(position)


def names(state: State, positions: Iterable[int]) -> str:
    return several([name(state, position) for position in positions])


def with_confidence(state: State, positions: Iterable[int]) -> str:
    return several([f"{name(state, p)} ({number(state.prediction.confidence[p])})" for p in positions])


def sink_words(state: State, found: Anatomy) -> Iterator[str]:
    level = number(found.level)
    if not found.sinks:
        yield f"No position receives more than τ_sink = {level} of the attention on average: there is no sink."
        return
    one = len(found.sinks) == 1
    received = several([f"{name(state, p)} ({number(found.received[p])})" for p in found.sinks])
    yield f"{received} receive{'s' if one else ''} more than τ_sink = {level} of the attention, averaged over all queries:"
    yield "a sink. Its column is removed." if one else "sinks. Their columns are removed."


def edge_words(state: State, found: Anatomy) -> Iterator[str]:
    edge = number(state.rule.thresholds.edge)
    many, gone = len(found.edges), len(found.removed)
    yield f"j → i wherever the attention from i to j is at least τ_edge = {edge}: i depends on j."
    yield f"{many} such edge{'s' * (many != 1)} into masked positions; {gone or 'no'} more would come from sinks."


def high_words(state: State, found: Anatomy) -> Iterator[str]:
    high = number(state.rule.thresholds.high)
    if found.high:
        yield f"At least τ_high = {high} sure, and taken whatever they depend on: {with_confidence(state, found.high)}."
    else:
        yield f"No masked position is at least τ_high = {high} sure."


def anchor_words(state: State, found: Anatomy) -> Iterator[str]:
    high, induced = (number(getattr(state.rule.thresholds, key)) for key in ("high", "induced"))
    many = len(found.anchors)
    listed = f": {names(state, found.anchors)}" if 0 < many <= MOST_NAMED else ""
    yield f"{many or 'No'} anchor{'s' * (many != 1)}, written and at least τ_high = {high} sure{listed}."
    if not found.induced:
        yield f"Nothing else that is at least τ_induced = {induced} sure depends on one."
        return
    pairs = [f"{name(state, p)} on {several([str(a) for a, _ in why], 3)}" for p, why in found.induced.items()]
    yield f"At least τ_induced = {induced} sure, and depending on an anchor: {several(pairs)}. These are induced."


def conflict_words(state: State, found: Anatomy) -> Iterator[str]:
    low = number(state.rule.thresholds.low)
    able = sorted({*found.candidates, *found.excluded})
    if not able:
        yield f"None of the rest is at least τ_low = {low} sure."
        return
    yield f"Of the rest, at least τ_low = {low} sure: {with_confidence(state, able)}."
    if found.excluded:
        out = [f"{name(state, p)} (by {name(state, by)})" for p, (by, _) in found.excluded.items()]
        yield f"Excluded, for an edge to a position already taken: {several(out, 3)}."
    else:
        yield "No position already taken excludes any of them."


def set_words(state: State, found: Anatomy) -> Iterator[str]:
    if not found.order:
        yield "No candidate is left: the set is empty."
        return
    drops = {turn.position: [other.position for other in found.order if other.by == turn.position] for turn in found.order}
    taken = [turn.position for turn in found.order if turn.taken]
    told = [f"{name(state, p)}" + (f", which drops {names(state, drops[p])}" if drops[p] else "") for p in taken]
    yield f"The most confident first; each one taken drops those it shares an edge with: {'; then '.join(told)}."


def commit_words(state: State, found: Anatomy) -> Iterator[str]:
    many = len(found.committed)
    if found.forced is not None:
        yield f"Nothing qualified, so the most confident position is taken: {with_confidence(state, found.committed)}."
    else:
        yield f"{many} token{'s' * (many != 1)} at once: {names(state, found.committed)}."
    refused = found.selection.refused
    blocked = [f"{name(state, one.position)} (for {one.blocker})" for one in refused if one.blocker is not None]
    below = [one.position for one in refused if one.reason is Reason.BELOW]
    if blocked:
        yield f"Refused for a conflict: {several(blocked)}."
    if below:
        yield f"Refused as not sure enough: {names(state, below)}."


STAGES = (
    ("Sinks", sink_words),
    ("Edges", edge_words),
    ("High confidence", high_words),
    ("Anchors", anchor_words),
    ("Conflicts", conflict_words),
    ("Independent set", set_words),
    ("Commit", commit_words),
)
