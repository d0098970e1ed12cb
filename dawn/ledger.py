"""The ledger of a run: what became of every window position at every step, as plain rows and as CSV.

Works on the steps there are so far, so that a run in progress has one too. Steps count from 1 here, as on the page; positions
from 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np

from dawn.decode import StepRecord
from dawn.selection import Commit, Reason, Refusal, Tier

WRITTEN = "written"  # it held a token before the step
FILLED = "filled"  # the step filled it with end-of-text, and its rule did not decide about it
OUTCOMES = (*(tier.value for tier in Tier), *(reason.value for reason in Reason), WRITTEN, FILLED)
FORMULA = tuple("=+-@＝＋－＠\t\r\n")  # what a spreadsheet may read as the beginning of a formula


@dataclass(frozen=True, slots=True)
class Row:
    """One position at one step. outcome: a tier, a reason, `written` or `filled`; token: predicted if there was a decision,
    else what stands there; confidence: NaN where nobody asked; blocker and weight: of a refusal; evidence: (anchor, weight) of
    an induced token; end: whether the step also filled the position with end-of-text."""

    step: int
    block: int
    position: int
    outcome: str
    token: int
    confidence: float
    blocker: int | None = None
    weight: float | None = None
    evidence: tuple[tuple[int, float], ...] = ()
    end: bool = False


def ledger(steps: Iterable[StepRecord]) -> Iterator[Row]:
    """The rows of the steps in order, within a step by position: its window, and what it filled beyond that."""
    for step in steps:
        yield from step_rows(step)


def step_rows(step: StepRecord) -> Iterator[Row]:
    """The rows of one step."""
    selection, filled = step.decision.selection, set(step.filled.tolist())
    decided = {one.position: one for one in (*selection.committed, *selection.refused)}
    for position in sorted(filled.union(step.canvas.window.tolist())):
        made = decided.get(position)
        yield decided_row(step, made, position in filled) if made else quiet_row(step, position, position in filled)


def decided_row(step: StepRecord, made: Commit | Refusal, filled: bool) -> Row:
    """The row of a candidate."""
    position, prediction = made.position, step.prediction
    found = (int(prediction.tokens[position]), float(prediction.confidence[position]))
    if isinstance(made, Commit):
        return Row(step.index + 1, step.block + 1, position, made.tier.value, *found, evidence=made.evidence, end=filled)
    return Row(step.index + 1, step.block + 1, position, made.reason.value, *found, made.blocker, made.weight, end=filled)


def quiet_row(step: StepRecord, position: int, filled: bool) -> Row:
    """The row of a position about which nothing was decided."""
    place, confidence = (step.index + 1, step.block + 1, position), float(step.prediction.confidence[position])
    if filled:
        return Row(*place, FILLED, step.end_id, float("nan"), end=True)
    return Row(*place, WRITTEN, int(step.canvas.tokens[position]), confidence)


def to_csv(steps: Iterable[StepRecord], pieces: Mapping[int, str]) -> str:
    """The ledger as CSV with a header line; `pieces` gives the tokens' text, made safe for spreadsheets (`safe`).

    evidence: `anchor:weight` pairs parted by spaces. Numbers have the digits that give the same float32 again.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)  # lines end with \r\n, as RFC 4180 has it
    names = [one.name for one in fields(Row)]
    names.insert(names.index("token") + 1, "text")
    writer.writerow(names)
    writer.writerows(csv_cells(row, pieces) for row in ledger(steps))
    return file.getvalue()


def csv_cells(row: Row, pieces: Mapping[int, str]) -> tuple:
    """A row's cells in the order of the header."""
    text = safe(pieces.get(row.token, f"<{row.token}>"))
    evidence = " ".join(f"{anchor}:{digits(weight)}" for anchor, weight in row.evidence)
    place = (row.step, row.block, row.position, row.outcome, row.token, text)
    blocker = "" if row.blocker is None else row.blocker
    return (*place, digits(row.confidence), blocker, digits(row.weight), evidence, int(row.end))


def digits(value: float | None) -> str:
    """The shortest decimal that is the same float32; empty for None and NaN."""
    return "" if value is None or value != value else np.format_float_positional(np.float32(value), trim="0")


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before one, also behind leading blanks."""
    return "'" + text if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text
