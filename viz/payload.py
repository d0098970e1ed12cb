"""Trace → what the browser gets, and nothing that the browser would have to guess.

A fetch answers with {"body", "next"}: the body is base64 of gzip of [uint32 n][JSON, n bytes][arrays]; in the JSON an array
stands as {"$": [kind, byte offset, count]} with kinds u2, i4, f4. Confidence, edge weights, received attention and
probabilities are float32, as they were compared; attention weights are uint16 in ten-thousandths, as the page shows them.
Text is made readable here (␣ · ↵ ⟨end⟩); it stays text: the page never reads it as markup.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from dawn import critical
from dawn.canvas import Canvas
from dawn.decode import StepRecord
from dawn.replay import WhatIf
from dawn.rules import Dawn, Rule, settings_of
from dawn.selection import Decision
from dawn.trace import Setup, Trace
from viz import layouts

ATTENTION_UNIT = 10_000
LARGEST_ANSWER = 3 * 2**20
KINDS = {"u2": np.dtype("<u2"), "i4": np.dtype("<i4"), "f4": np.dtype("<f4")}
SIGNS = {"\n": "↵", "\r": "␍", "\t": "⇥"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds for a whole run, known before its first step. pieces: text by token id; special: ids that are no text."""

    setup: Setup
    canvas: Canvas
    pieces: Mapping[int, str]
    special: Sequence[int] = field(default=())

    @classmethod
    def of(cls, trace: Trace) -> Facts:
        return cls(trace.setup, trace.canvas, trace.pieces, trace.special)


def answer(facts: Facts, steps: Sequence[StepRecord], start: int, again: Mapping[str, str] = {}) -> dict:
    """The steps from `start` on, as many as fit; the header too if `start` is 0. `next` is the first step not included.
    again: what a link says besides, so that the run can be made again (viz/link.py)."""
    rule, included, size = facts.setup.make_rule(), [], 0
    for record in steps[start:]:
        included.append(step(record, rule))
        size += sum(array.nbytes for array in included[-1].values() if isinstance(array, np.ndarray))
        if size > LARGEST_ANSWER:
            break
    document = {"header": header(facts) | {"again": dict(again)} if start == 0 else None, "steps": included}
    ids = set().union(facts.canvas.tokens.tolist() if start == 0 else (), *map(ids_of, included))
    document["pieces"] = {str(i): piece(facts, i) for i in sorted(ids)}
    return {"body": pack(document), "next": start + len(included)}


def header(facts: Facts) -> dict:
    """What the page must know before the first step."""
    canvas, setup = facts.canvas, facts.setup
    return {
        "model": setup.model,
        "rule": setup.rule,
        "settings": settings_of(setup.make_rule()),
        "length": canvas.length,
        "prompt": canvas.prompt_length,
        "block": canvas.block_length,
        "mask": canvas.mask_id,
        "tokens": canvas.tokens,
        "ends": list(setup.end_ids),
        "special": list(facts.special),
    }


def step(record: StepRecord, rule: Rule) -> dict:
    """One step: what the model said about the window and what the rule decided. Arrays are numpy; see `pack`."""
    canvas, prediction, window = record.canvas, record.prediction, record.canvas.window
    _, end = canvas.block_span(canvas.block)
    return {
        "index": record.index,
        "block": record.block,
        "window": window.astype(np.int32),
        "predicted": prediction.tokens[window],
        "confidence": prediction.confidence[:end],
        "filled": record.filled.astype(np.int32),
        "end": record.end_id,
        "saved": list(record.forwards_saved),
        "seconds": [float(second) for second in record.seconds],
        **attention(record),
        **alternatives(record),
        "decision": decision(record, record.decision, rule),
    }


def attention(record: StepRecord) -> dict:
    """received [L] float32 and the window's rows [W · L] in ten-thousandths, or None for both."""
    seen = record.prediction.attention
    if seen is None:
        return {"received": None, "attention": None}
    rows = seen.weights[np.searchsorted(seen.rows, record.canvas.window)].astype(np.float64)
    whole = np.rint(rows * ATTENTION_UNIT).clip(0, ATTENTION_UNIT).astype(np.uint16)
    return {"received": seen.received.astype(np.float32), "attention": whole.ravel()}


def alternatives(record: StepRecord) -> dict:
    """choices [W · k] token ids and probabilities [W · k], or None for both."""
    if record.prediction.alternatives is None:
        return {"choices": None, "probabilities": None}
    tokens, probabilities = record.prediction.alternatives
    return {"choices": tokens.astype(np.int32).ravel(), "probabilities": probabilities.astype(np.float32).ravel()}


def decision(record: StepRecord, made: Decision, rule: Rule, known: dict | None = None) -> dict:
    """A decision about a step: by which settings, what was committed and refused and why, and the graph it was read from."""
    level = rule.thresholds.sink_level(record.canvas.length) if isinstance(rule, Dawn) else None
    return {
        "rule": rule.name,
        "settings": settings_of(rule),
        "committed": [
            [one.position, one.tier.value, [list(pair) for pair in one.evidence]] for one in made.selection.committed
        ],
        "refused": [[one.position, one.reason.value, one.blocker, one.weight] for one in made.selection.refused],
        "sinkLevel": level,
        "graph": graph(record, made, rule, known) if made.graph is not None else None,
    }


def graph(record: StepRecord, made: Decision, rule: Rule, known: dict | None = None) -> dict:
    """Nodes with roles and places, edges with weights, sinks. known: places that must not change."""
    picture = layouts.step_graph(record, made, rule)
    nodes = list(picture.nodes)
    places = layouts.plane(picture, record.canvas, known)
    return {
        "nodes": np.array(nodes, dtype=np.int32),
        "roles": [picture.nodes[node]["role"] for node in nodes],
        "along": layouts.along(record.canvas, nodes).astype(np.float32),
        "plane": np.array([places[node] for node in nodes], dtype=np.float32).ravel(),
        "source": made.graph.source.astype(np.int32),
        "target": made.graph.target.astype(np.int32),
        "weight": made.graph.weight.astype(np.float32),
        "sinks": made.graph.sinks.astype(np.int32),
        "figures": layouts.figures(picture),
    }


def what_if(record: StepRecord, answered: WhatIf, rule: Rule) -> dict:
    """Another decision about a recorded step as plain JSON; `rule` made it. Nodes stay where the record has them."""
    known, recorded = None, record.decision
    if recorded.graph is not None and answered.decision.graph is not None:
        known = layouts.plane(layouts.step_graph(record, recorded, rule), record.canvas)
    made = decision(record, answered.decision, rule, known)
    made["graph"] = made["graph"] and {name: plain(value) for name, value in made["graph"].items()}
    return {"step": record.index, "added": list(answered.added), "dropped": list(answered.dropped), "decision": made}


def changes(record: StepRecord, rule: Rule, position: int) -> dict:
    """How far each threshold would have to move to change the decision about a position: see `dawn.critical.Change`. control:
    the control of the page that moves it."""
    found = [asdict(one) | {"control": control(rule, one.name)} for one in critical.changes(record, rule, position)]
    return {"step": record.index, "position": position, "changes": found}


def control(rule: Rule, name: str) -> str:
    """The element of the page that holds a numeric setting of a rule: all of the DAWN family share its thresholds."""
    return f"threshold-{name}" if is_threshold(rule, name) else f"{rule.name}-{name}"


def is_threshold(rule: Rule, name: str) -> bool:
    """Whether a setting is one of DAWN's thresholds."""
    return isinstance(rule, Dawn) and hasattr(rule.thresholds, name)


def plain(value):
    """An array as a list of numbers; anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def ids_of(one: dict) -> set[int]:
    """Every token id that a step's payload mentions."""
    named = {one["end"]} if len(one["filled"]) else set()
    return named.union(one["predicted"].tolist(), one["choices"].tolist() if one["choices"] is not None else ())


def piece(facts: Facts, token: int) -> str:
    """Readable text of a token id."""
    if token in facts.setup.end_ids:
        return "⟨end⟩"
    if token == facts.canvas.mask_id:
        return "⟨mask⟩"
    text = facts.pieces.get(token)
    if text is None:
        return f"⟨{token}⟩"
    return f"⟨{readable(text.strip('<|[]>')) or token}⟩" if token in facts.special else readable(text) or "⟨empty⟩"


def readable(text: str) -> str:
    """Text with spaces, line ends and invisible characters made visible; all else as it is."""
    if text == " ":
        return "␣"
    return "".join(map(readable_character, text))


def readable_character(character: str) -> str:
    """One character, or a sign for it. Joiners inside emoji stay: only they are format characters that make a visible sign."""
    if character == " ":
        return "·"
    if character in SIGNS:
        return SIGNS[character]
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") and character not in "\u200d\u200c"
    hidden = hidden or character in "\ufffe\uffff"  # no characters, and not allowed in XML
    return f"⟨{ord(character):04x}⟩" if hidden else character


def pack(document: dict) -> str:
    """A document with numpy arrays as text: see this module's first lines. The same document gives the same text."""
    arrays: list[bytes] = []
    text = json.dumps(placed(document, arrays, [0]), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I", len(text)) + text + b"".join(arrays)
    return base64.b64encode(gzip.compress(body, compresslevel=5, mtime=0)).decode("ascii")


def placed(value, arrays: list[bytes], offset: list[int]):
    """`value` with each array replaced by its place among `arrays`, which grows; every array starts at a multiple of four."""
    if isinstance(value, Mapping):
        return {key: placed(one, arrays, offset) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return place(value, arrays, offset)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [placed(one, arrays, offset) for one in value]
    return value


def place(array: np.ndarray, arrays: list[bytes], offset: list[int]) -> dict:
    """Append an array's bytes and say where they are."""
    kind = next(name for name, dtype in KINDS.items() if dtype == array.dtype)
    data = np.ascontiguousarray(array).tobytes()
    data += b"\0" * (-len(data) % 4)
    arrays.append(data)
    offset[0] += len(data)
    return {"$": [kind, offset[0] - len(data), array.size]}
