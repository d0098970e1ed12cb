"""What the Learn tab asks for, answered: what its scenes show, the anatomy of a step, exercises, what a run gains.

No gradio, no model. Requests from a page are public: each is checked, and what is wrong with it comes back as {"error": …}.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dawn import table
from dawn.decode import StepRecord
from dawn.errors import DataError, DawnError, TraceError
from dawn.metrics import figures
from dawn.rules import RULES, Dawn
from dawn.selection import Reason
from viz.anatomy import MOST_CHANGES, State, described, figure_3, name, number, several, state_of, taken_apart, with_changes
from viz.exercises import EXERCISES, Exercise
from viz.lab import EXAMPLE, Lab, field, whole

PAIRS = (("high", "card"), ("two", "pair"), ("full", "house"), ("straight", "flush"))


def house() -> dict:
    """Two-word poker hands, equally likely: the true distribution of both words, the one that independent draws give, and the
    share of those draws that no hand has."""
    joint = np.eye(len(PAIRS)) / len(PAIRS)  # [first word, second word]
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    never = float(independent[joint == 0].sum())
    return {"pairs": [list(pair) for pair in PAIRS], "stages": [joint.tolist(), independent.tolist()], "never": never}


def variety(step: StepRecord) -> tuple[int, int]:
    """How much a step shows: its tiers, and its refusals that are not for want of confidence."""
    chosen = step.decision.selection
    return len({one.tier for one in chosen.committed}), sum(one.reason is not Reason.BELOW for one in chosen.refused)


def from_table(found: dict) -> dict:
    """What the rules of a measured table cost, but for DAWN's controls: rows of rule, forward passes a problem, accuracy."""
    setting, entries = found["setting"], found["rules"].items()
    controls = {rule for rule, kind in RULES.items() if issubclass(kind, Dawn) and kind is not Dawn}
    measured = {rule: one["figures"] for rule, one in entries if rule not in controls}
    rows = [[rule, one["forwards_per_item"], round(100 * one["accuracy"], 1) / 100] for rule, one in measured.items()]
    words = f"Measured on {setting['n']} held-out problems with the {setting['model']} model: mean forward passes a problem."
    return {"words": words, "rows": sorted(rows, key=lambda row: -row[1])}


def from_traces(lab: Lab) -> dict:
    """What the bundled runs of the example's question cost."""
    example = lab.store.get(EXAMPLE).trace
    runs = [entry.trace for entry in lab.store.shown_to("").values() if entry.done and entry.trace.prompt == example.prompt]
    rows = [[run.setup.rule, figures(run).forwards, None] for run in runs]
    same = len({run.output for run in runs}) == 1
    tokens = several(sorted({str(figures(run).tokens) for run in runs}))
    words = f"The recorded runs of one question, {tokens} tokens each, forward passes used."
    words += " They wrote the same answer." if same else " Their answers differ."
    return {"words": words + " One question proves nothing: python -m dawn table measures many.", "rows": rows}


class Lessons:
    """Answers the Learn tab. results: a folder that may hold a table of measured rules."""

    def __init__(self, lab: Lab, results: Path):
        self.lab, self.results = lab, results

    def lesson(self, request: object) -> dict:
        """What the scenes show from the start, whatever is asked; or {"error"}."""
        try:
            shown = self.most_varied()
            return {
                "house": house(),
                "example": {"trace": EXAMPLE, "step": shown, "anatomy": described(state_of(self.lab, EXAMPLE, shown))},
                "figure": described(figure_3()),
                "gains": self.gains(),
                "exercises": [self.asked(one) for one in EXERCISES],
            }
        except DawnError as error:
            return {"error": str(error)}

    def anatomy(self, request: object) -> dict:
        """{"trace", "step"}, or {} for Figure 3, with "confidence", "edges" and "settings" as changed by hand → `described`,
        or {"error"}."""
        try:
            if not isinstance(request, dict):
                raise TraceError("the request names no step")
            state = figure_3() if request.get("trace") is None else state_of(self.lab, request["trace"], request.get("step"))
            return described(with_changes(state, request), state)
        except DawnError as error:
            return {"error": str(error)}

    def check(self, request: object) -> dict:
        """{"exercise", "chosen": [positions]} → {"right", "lines"}: whether all and only the right ones were chosen, and why of
        each that is right or was chosen; or {"error"}."""
        try:
            which, chosen = whole(field(request, "exercise"), "exercise"), field(request, "chosen")
            if which >= len(EXERCISES) or not isinstance(chosen, list):
                raise TraceError(f"there are exercises 0 to {len(EXERCISES) - 1}, answered by a list")
            one = EXERCISES[which]
            state = self.state(one)
            found = taken_apart(state)
            right, picked = set(one.right(found)), {whole(p, "position") for p in chosen[:MOST_CHANGES]}
            told = sorted((right | picked) & set(one.choices(state)))
            lines = [[p, (p in right) == (p in picked), one.why(state, found, p)] for p in told]
            return {"right": picked == right, "lines": lines}
        except DawnError as error:
            return {"error": str(error)}

    def most_varied(self) -> int:
        """The step of the example that shows the most."""
        return max(self.lab.store.get(EXAMPLE).steps, key=variety).index

    def state(self, one: Exercise) -> State:
        """What an exercise is about."""
        return state_of(self.lab, EXAMPLE, self.most_varied()) if one.recorded else with_changes(figure_3(), one.changes)

    def asked(self, one: Exercise) -> dict:
        """An exercise without its answer."""
        state = self.state(one)
        choices = [[p, name(state, p), number(state.prediction.confidence[p])] for p in one.choices(state)]
        place = f"Step {self.most_varied() + 1}" if one.recorded else "Figure 3 of the paper"
        thresholds = (f"τ_{dial} = {number(getattr(state.rule.thresholds, dial))}" for dial in ("high", "induced", "low"))
        return {
            "scene": one.scene,
            "about": ", ".join([place, *thresholds]),
            "question": one.question,
            "choices": choices,
            "stage": one.stage,
            "figure": described(state),
        }

    def gains(self) -> dict:
        """Forward passes by rule: from the measured table if there is one, else from the bundled runs."""
        for path in sorted(self.results.glob("*.json")):
            try:
                return from_table(table.read(path))
            except (DataError, KeyError, TypeError):
                continue
        return from_traces(self.lab)
