"""Answers about a whole run that need nothing but its records: ledger, settings, sinks. Packed as in `viz.payload`.

The page's server gives them, and the file that keeps a run without a server carries them.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence

import numpy as np

from dawn.decode import StepRecord
from dawn.ledger import OUTCOMES, Row, ledger, to_csv
from dawn.replay import curve_names
from dawn.rules import Dawn, Rule, settings_of
from dawn.sinks import received_over_time, sink_counts
from viz import payload

MOST_ROWS = 40_000  # of the ledger in one answer
NONE = -1


def ledger_part(facts: payload.Facts, steps: Sequence[StepRecord], start: int) -> dict:
    """The rows of the steps from `start` on, as many as fit; `next` is the first step not included."""
    rows, upto = [], start
    while upto < len(steps) and len(rows) < MOST_ROWS:
        rows += ledger(steps[upto : upto + 1])
        upto += 1
    pieces = {str(token): payload.piece(facts, token) for token in sorted({row.token for row in rows})}
    document = {"outcomes": list(OUTCOMES), "pieces": pieces, **columns(rows)}
    return {"body": payload.pack(document), "next": upto, "steps": len(steps), "rule": facts.setup.rule}


def columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Ledger rows by column. blocker and outcome: −1 for none, and an index of OUTCOMES; evidence: row, anchor, weight."""
    code = {name: index for index, name in enumerate(OUTCOMES)}
    pairs = [(index, *pair) for index, row in enumerate(rows) for pair in row.evidence]
    whole_numbers = {
        "step": [row.step for row in rows],
        "position": [row.position for row in rows],
        "outcome": [code[row.outcome] for row in rows],
        "token": [row.token for row in rows],
        "blocker": [NONE if row.blocker is None else row.blocker for row in rows],
        "end": [int(row.end) for row in rows],
        "leaning": [index for index, _, _ in pairs],
        "anchor": [anchor for _, anchor, _ in pairs],
    }
    numbers = {
        "confidence": [row.confidence for row in rows],
        "weight": [np.nan if row.weight is None else row.weight for row in rows],
        "support": [weight for _, _, weight in pairs],
    }
    found = {name: np.array(values, dtype=np.int32) for name, values in whole_numbers.items()}
    return found | {name: np.array(values, dtype=np.float32) for name, values in numbers.items()}


def csv(facts: payload.Facts, steps: Sequence[StepRecord]) -> dict:
    """The ledger as the command line writes it: base64 of gzip of UTF-8."""
    text = to_csv(steps, facts.pieces).encode("utf-8", "replace")
    return {"body": base64.b64encode(gzip.compress(text, compresslevel=5, mtime=0)).decode("ascii")}


def settings(facts: payload.Facts) -> dict:
    """The run's rule and settings, and the names of those that have a curve."""
    rule = facts.setup.make_rule()
    return {"rule": rule.name, "settings": settings_of(rule), "names": list(curve_names(rule))}


def sinks(facts: payload.Facts, steps: Sequence[StepRecord], rule: Rule) -> dict:
    """Received attention [T · L]; level and counts too if that rule filters sinks. TraceError where none was recorded."""
    received, last = received_over_time(steps), steps[-1].after
    document = {"received": received.ravel(), "length": last.length, "prompt": last.prompt_length}
    document |= {"level": None, "counts": []}
    if isinstance(rule, Dawn):
        counts = sink_counts(received, rule.thresholds)
        document["level"] = rule.thresholds.sink_level(last.length)
        document["counts"] = [
            [one.position, payload.piece(facts, int(last.tokens[one.position])), one.steps, one.mean, one.largest]
            for one in counts
        ]
    return {"body": payload.pack(document)}
