"""What the analysis panels ask for, answered: ledger, other settings over the whole trace, curves, sinks, attention.

No gradio, no torch: the lab and what reads a model's attention are handed in. Requests from a page are public: each is checked
here, and what is wrong with it comes back as {"error": …}. Large answers are packed as in `viz.payload`.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import StepRecord
from dawn.errors import DawnError, ModelError, TraceError
from dawn.prediction import Attention, attention_rows
from dawn.replay import Replayer, curve, shown_range
from dawn.rules import Dawn, Rule, make_rule, rule_specs, settings_of
from dawn.run import TextModel
from dawn.thresholds import PRESETS, Thresholds, preset_of
from viz import answers, payload
from viz.lab import Lab, facts_of, field, whole
from viz.store import Entry

MOST_REPLAYERS = 4


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads a loaded model's attention: `shape` → (layers, heads); `detail`(model, canvas, layer, head) → a record with
    `chosen` and `average` [L, L]."""

    shape: Callable[[TextModel], tuple[int, int]]
    detail: Callable[[TextModel, Canvas, int, int | None], object]


def answering(answer: Callable) -> Callable:
    """A method that answers a request; a DawnError becomes {"error": …}."""

    @functools.wraps(answer)
    def guarded(self, request: object) -> dict:
        try:
            return answer(self, request)
        except DawnError as error:
            return {"error": str(error)}

    return guarded


class Analysis:
    """The answers about the traces of one lab."""

    def __init__(self, lab: Lab, reader: Reader):
        self.lab, self.reader = lab, reader
        self.replayers: OrderedDict[tuple[str, int], Replayer] = OrderedDict()
        self.lock = threading.Lock()

    def entry(self, request: object) -> Entry:
        entry = self.lab.store.get(field(request, "trace"))
        if not entry.steps:
            raise TraceError("the run has no step yet")
        return entry

    def replayer(self, request: object) -> Replayer:
        """What decides the steps of the request's trace again; the last few are kept, with their graphs."""
        steps = self.entry(request).steps
        key = (field(request, "trace"), len(steps))
        with self.lock:
            found = self.replayers.pop(key, None) or Replayer(steps)
            self.replayers[key] = found
            while len(self.replayers) > MOST_REPLAYERS:
                self.replayers.popitem(last=False)
        return found

    @answering
    def ledger(self, request: object) -> dict:
        """{"trace", "from"} → the rows of the steps from there on, as many as fit; `next` is the first step not included."""
        entry, start = self.entry(request), whole(field(request, "from"), "from")
        return answers.ledger_part(facts_of(entry), entry.steps, start)

    @answering
    def csv(self, request: object) -> dict:
        """{"trace"} → the ledger as the command line writes it: base64 of gzip of UTF-8."""
        entry = self.entry(request)
        return answers.csv(facts_of(entry), entry.steps)

    @answering
    def replay(self, request: object) -> dict:
        """{"trace", "rule", "settings"} → per step [then, taken, added, dropped, agreeing], as counts."""
        found = self.replayer(request).replay(asked_rule(request))
        counts = [[one.then, *(len(part) for part in (one.taken, one.added, one.dropped, one.agreeing))] for one in found]
        return {"steps": counts}

    @answering
    def settings(self, request: object) -> dict:
        """{"trace"} → its rule and settings, and the names of those that have a curve."""
        return answers.settings(facts_of(self.entry(request)))

    @answering
    def curve(self, request: object) -> dict:
        """{"trace", "name"} → [value, tokens per step, agreement] over the shown range of a setting of the trace's rule."""
        entry, name = self.entry(request), str(field(request, "name"))
        setup = facts_of(entry).setup
        rule = setup.make_rule()
        low, high, step = shown_range(rule, name)
        label, preset = preset_value(rule, name, setup.model)
        points = curve(self.replayer(request), rule, name, () if preset is None else (preset,))
        return {
            "name": name,
            "help": rule_specs(rule.name)[name].help,
            "control": payload.control(rule, name),
            "low": low,
            "high": high,
            "step": step,
            "value": settings_of(rule)[name],
            "preset": preset,
            "label": label,
            "points": [[point.value, point.tokens, point.agreement] for point in points],
        }

    @answering
    def sinks(self, request: object) -> dict:
        """{"trace", "rule", "settings"} → received attention [T · L]; level and counts too if that rule filters sinks."""
        entry, rule = self.entry(request), asked_rule(request)
        return answers.sinks(facts_of(entry), entry.steps, rule)

    @answering
    def model(self, request: object) -> dict:
        """{"trace"} → whether the trace's model can be looked into now, how it stands in words, its layers and heads."""
        name = facts_of(self.entry(request)).setup.model
        if name not in self.lab.models:
            return {"ready": False, "words": f"This trace was made by {name}, which is not offered here."}
        state = self.lab.state(name)
        if not state.ready:
            return {"ready": False, "words": f"The model {name} is {state.words}"}
        layers, heads = self.reader.shape(self.lab.model(name))
        return {"ready": True, "words": f"{name}: {layers} layers with {heads} heads each.", "layers": layers, "heads": heads}

    @answering
    def look(self, request: object) -> dict:
        """{"trace", "step", "layer", "head"} → the maps of that layer's head (null: their mean) and of the average, and the
        graphs that each would give. One forward pass: through the queue."""
        entry, layer = self.entry(request), whole(field(request, "layer"), "layer")
        index, head = whole(field(request, "step"), "step"), field(request, "head")
        head = None if head is None else whole(head, "head")
        if index >= len(entry.steps):
            raise TraceError(f"the trace has steps 0 to {len(entry.steps) - 1}")
        name, record = facts_of(entry).setup.model, entry.steps[index]
        if name in self.lab.models and not self.lab.state(name).ready:
            raise ModelError(f"the model {name} is not loaded: run it once")
        found = self.reader.detail(self.lab.model(name), record.canvas, layer, head)
        rule = graph_rule(facts_of(entry).setup.make_rule(), name)
        maps = {"chosen": wire_map(found.chosen, record, rule), "average": wire_map(found.average, record, rule)}
        document = {"window": record.canvas.window.astype(np.int32), "length": record.canvas.length, "rule": rule.name, **maps}
        document |= {"prompt": record.canvas.prompt_length, "edge": rule.thresholds.edge}
        return {"trace": field(request, "trace"), "step": index, "layer": layer, "head": head, "body": payload.pack(document)}


def asked_rule(request: object) -> Rule:
    """The rule that a request names, with its settings."""
    settings = field(request, "settings")
    if not isinstance(settings, dict):
        raise TraceError("'settings' must be given by name")
    return make_rule(str(field(request, "rule")), settings)


def preset_value(rule: Rule, name: str, model: str) -> tuple[str, float | None]:
    """Where a setting's recommended value comes from, and the value: the model's preset, or the rule's default."""
    if not payload.is_threshold(rule, name):
        return "default", getattr(make_rule(rule.name, {}), name)
    label = preset_of(model)
    preset = PRESETS[label] if label else Thresholds()
    comparable = name != "sink" or preset.sink_mode == rule.thresholds.sink_mode
    return f"preset {label}" if label else "default", getattr(preset, name) if comparable else None


def graph_rule(rule: Rule, model: str) -> Dawn:
    """The rule whose graph is asked of a map: the trace's own if it reads one, else DAWN with the model's preset."""
    label = preset_of(model)
    return rule if isinstance(rule, Dawn) else Dawn(PRESETS[label] if label else Thresholds())


def wire_map(weights: np.ndarray, record: StepRecord, rule: Dawn) -> dict:
    """A map [L · L] in ten-thousandths, and the edges and sinks of the graph that it alone would give."""
    rows = attention_rows(record.canvas.window)
    seen = replace(record.prediction, attention=Attention(rows, weights[rows], weights.mean(axis=0)))
    graph = rule.graph(record.canvas, seen)
    whole_map = np.rint(weights.astype(np.float64) * payload.ATTENTION_UNIT).clip(0, payload.ATTENTION_UNIT)
    return {
        "map": whole_map.astype(np.uint16).ravel(),
        "source": graph.source.astype(np.int32),
        "target": graph.target.astype(np.int32),
        "weight": graph.weight.astype(np.float32),
        "sinks": graph.sinks.astype(np.int32),
    }
