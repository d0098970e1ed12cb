"""A race: up to four rules on one prompt, one after another on the same warm model, each recording only what its rule reads.

A lane's time is that of its forward passes, its attention and its decisions; what the page does in between is not in it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dawn.decode import StepRecord
from dawn.errors import DawnError
from dawn.evaluate import same_answer
from dawn.metrics import figures
from dawn.prediction import Needs
from dawn.pretrain.data import final_answer
from dawn.run import Run
from viz.lab import Lab, facts_of
from viz.link import Request
from viz.payload import Facts, piece
from viz.store import Entry

MOST_LANES = 4
NOTHING = {"lanes": [], "done": True, "prompt": "", "answer": None, "notice": ""}
QUESTIONS = Path(__file__).resolve().parents[1] / "assets" / "questions.json"
ANSWERS = {one["question"]: one["answer"] for one in json.loads(QUESTIONS.read_text(encoding="utf-8"))}


@dataclass(slots=True)
class Lane:
    """One rule's run. state: waiting, warming up, running, done, stopped or failed; texts: text and tier of each position of
    the answer, None where it is masked."""

    label: str
    run: Run
    facts: Facts
    name: str = ""
    entry: Entry | None = None
    state: str = "waiting"
    note: str = ""
    seconds: float = 0.0
    texts: list[tuple[str, str] | None] = field(default_factory=list)

    def take(self, record: StepRecord) -> None:
        """Add what a step wrote."""
        self.seconds += sum(record.seconds)
        start = record.canvas.prompt_length
        written = [(one.position, one.tier.value) for one in record.decision.selection.committed]
        tokens = record.after.tokens
        for position, tier in written + [(int(p), "filled") for p in record.filled]:
            if position >= start:
                self.texts[position - start] = (piece(self.facts, int(tokens[position])), tier)

    def shown(self, expected: str | None) -> dict:
        """The lane as the page draws it; right: None where no answer is known or the run did not end."""
        trace = self.entry.finished if self.entry else None
        found = figures(trace) if trace else None
        judged = trace is not None and expected is not None and self.state == "done"
        return {
            "label": self.label,
            "state": self.state,
            "note": self.note,
            "trace": self.name if trace else None,
            "texts": list(self.texts),
            "forwards": found.forwards if found else len(self.run.steps),
            "seconds": self.seconds,
            "tokens": found.tokens if found else sum(one is not None for one in self.texts),
            "tiers": found.tiers if found else {},
            "output": trace.output if trace else "",
            "right": same_answer(final_answer(trace.output), expected) if judged else None,
        }


def race(lab: Lab, entrants: Sequence[tuple[str, Request]], visitor: str) -> Iterator[dict]:
    """Run the entrants, each a label and what it asks for; the page's value after each step. What is wrong is a notice."""
    try:
        lanes = line_up(lab, entrants)
    except DawnError as error:
        yield {"notice": str(error)}
        return
    stopped = threading.Event()
    for lane in lanes:
        lane.name, lane.entry = lab.store.open(lane.run, visitor, f"race: {lane.run.rule.name}", stopped)
    prompt = entrants[0][1].prompt
    try:
        for lane in lanes:
            try:
                for _ in driven(lab, lane, stopped):
                    yield shown(lanes, prompt, False)
            finally:  # also of a lane whose tab is gone
                lab.store.close(lane.name, visitor, lane.entry)
                lab.report(lane.run, visitor, lane.note)
    finally:
        for lane in lanes:
            lab.store.close(lane.name, visitor, lane.entry)
    yield shown(lanes, prompt, True)


def line_up(lab: Lab, entrants: Sequence[tuple[str, Request]]) -> list[Lane]:
    """A lane for each entrant, nothing decoded yet; DawnError if one of them asks for what is not given here."""
    if not 1 <= len(entrants) <= MOST_LANES:
        raise DawnError(f"a race has 1 to {MOST_LANES} lanes: choose a rule in one of them")
    return [lane_for(label, lab.begin(request)) for label, request in entrants]


def lane_for(label: str, run: Run) -> Lane:
    """The lane of a run that records nothing but what its rule reads."""
    run.watch = Needs()
    facts, canvas = facts_of(Entry(run=run)), run.canvas
    given = zip(canvas.tokens[canvas.prompt_length :], canvas.masked[canvas.prompt_length :], strict=True)
    texts = [None if masked else (piece(facts, int(token)), "") for token, masked in given]
    return Lane(label, run, facts, texts=texts)


def driven(lab: Lab, lane: Lane, stopped: threading.Event) -> Iterator[str]:
    """Warm the model up with the lane's own rule, then run it; the lane's state at every change of it or of its canvas."""
    if stopped.is_set():
        lane.state = "stopped"
        return
    try:
        lane.state = "warming up"
        yield lane.state
        warm_up(lane.run)
        lane.state = "running"
        for record in lab.bounded(lane.run, stopped.is_set):
            lane.take(record)
            yield lane.state
        lane.state = "done" if None not in lane.texts else "stopped"
    except DawnError as error:
        lane.state, lane.note = "failed", str(error)


def warm_up(run: Run) -> None:
    """One forward pass and decision over the run's first canvas, thrown away."""
    for _ in replace(run, options=replace(run.options, step_limit=1), steps=[]).iterate():
        pass


def shown(lanes: Sequence[Lane], prompt: str, done: bool) -> dict:
    """The page's value: every lane, and the known answer if the prompt is one of the held-out questions."""
    answer = ANSWERS.get(prompt.strip())
    return {"lanes": [lane.shown(answer) for lane in lanes], "done": done, "prompt": prompt, "answer": answer, "notice": ""}
