"""Are confidences honest? Every committed token's confidence at commit against whether it was right.

What "right" means for a token of an answer that may be worded in several ways:

- **agreement** (the first reading): the token is the reference solution's at its position, asked as long as all that was
  written before its step agrees with the reference too. A confidence is the model's probability of a token given the question
  and what is written. Greedy decoding lets the reference play no part in what is asked next; so among the problems whose canvas
  has followed the reference so far, the reference's token at a masked position is a draw from the very distribution that the
  model claims to know: an honest confidence c agrees with a share c of references. Several good wordings do not spoil this.
  Where two are equally likely, honest is .5, and half of the references agree. Once a canvas has left the reference, by a
  mistake or by another wording, what follows can be right without agreeing: it is left out, and counted as such. All tokens of
  the step that leaves are judged, each alone, for each was asked on a canvas that still followed. Behind the solution the
  reference is end-of-text; what an early stop fills in was never committed, and is not counted.
- **arithmetic** (the second): a token of the number behind `=` is right if the finished equation is true (`dawn.arithmetic`).
  This needs no reference and covers canvases that have left it; but it judges the equation and not the token alone, an equation
  can be true and beside the question, and what stands left of `=` may have been written later. It says whether numbers can
  be believed, not whether c is the probability of anything. Some reference solutions round down (`9 * 0.5 = 4`): their own
  share of true equations is reported beside it.

Intervals treat problems, not tokens, as independent: shares have Wilson's for clustered trials (`metrics.clustered_wilson`),
the expected calibration error and the gap a bootstrap over problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from dawn.arithmetic import judged_equations
from dawn.canvas import Canvas
from dawn.decode import Options, StepRecord
from dawn.metrics import clustered_wilson
from dawn.prediction import Needs
from dawn.pretrain.data import Problem
from dawn.rules import Rule, settings_of
from dawn.run import BLOCK, GENERATED, TextModel, start
from dawn.table import RESAMPLES, Kind

CALIBRATION = Kind("calibrate", "calibrations")
EDGES = (*(index / 20 for index in range(20)), 0.99, 0.999, 1.0)  # width .05, the last one split in three
LEVELS = (0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99)
PARTS = ("1st third", "2nd third", "3rd third")
MEANINGS = {
    "agreement": "right is the reference solution's token at that position, asked while all that is written agrees with it",
    "arithmetic": "right is every token of the number behind = in an equation that is true when the answer is finished",
}


@dataclass(frozen=True, slots=True)
class Commitment:
    """A committed token: its confidence then; its tier; in which third of the run's steps; what sort of token; whether it
    agrees with the reference (None: the canvas did not follow it any more); whether its equation is true (None: it is in the
    result of none)."""

    confidence: float
    tier: str
    part: str
    sort: str
    agreement: bool | None
    arithmetic: bool | None


def commitments(model: TextModel, rule: Rule, problem: Problem) -> list[Commitment]:
    """Every token that the rule commits in one greedy run, in the order of steps and positions."""
    run = start(model, problem.question, rule, GENERATED, BLOCK, Options(), watch=Needs())
    steps = list(run.iterate())
    reference = reference_tokens(model, problem, run.canvas)
    equations = in_equations(model, steps[-1].after)
    return [one for step in steps for one in judged(model, step, len(steps), reference, equations)]


def reference_tokens(model: TextModel, problem: Problem, canvas: Canvas) -> np.ndarray:
    """[L] what the finished canvas holds if it follows the worked solution: that, cut where the canvas ends, or end-of-text."""
    tokens = canvas.tokens.copy()
    solution = model.encode_text(problem.solution)[: canvas.length - canvas.prompt_length]
    tokens[canvas.prompt_length :] = model.end_ids[0]
    tokens[canvas.prompt_length :][: len(solution)] = solution
    return tokens


def agreeing(tokens: np.ndarray, reference: np.ndarray, end_ids: tuple[int, ...]) -> np.ndarray:
    """[L] bool: the same token, or end-of-text in both."""
    return (tokens == reference) | (np.isin(tokens, end_ids) & np.isin(reference, end_ids))


def in_equations(model: TextModel, final: Canvas) -> dict[int, bool]:
    """Position → whether its equation is true, for every position of a result in the finished answer."""
    tokens = final.tokens[final.prompt_length :].tolist()
    pieces = model.pieces(set(tokens))
    texts = ["" if token in model.special_ids else pieces[token] for token in tokens]
    ends = np.cumsum([len(text) for text in texts])
    found = {}
    for equation in judged_equations("".join(texts)):
        first, last = np.searchsorted(ends, [equation.start, equation.stop - 1], side="right").tolist()
        found |= dict.fromkeys(range(final.prompt_length + first, final.prompt_length + last + 1), equation.true)
    return found


def judged(
    model: TextModel, step: StepRecord, steps: int, reference: np.ndarray, equations: dict[int, bool]
) -> Iterable[Commitment]:
    """The tokens that one of a run's `steps` steps commits."""
    canvas, prediction = step.canvas, step.prediction
    follows = (canvas.masked | agreeing(canvas.tokens, reference, model.end_ids)).all()
    agrees = agreeing(prediction.tokens, reference, model.end_ids)
    pieces = model.pieces(prediction.tokens[step.decision.selection.positions].tolist())
    part = PARTS[step.index * len(PARTS) // steps]
    for commit in step.decision.selection.committed:
        token = int(prediction.tokens[commit.position])
        yield Commitment(
            round(float(prediction.confidence[commit.position]), 8),
            commit.tier.value,
            part,
            sort_of(pieces[token], token in model.end_ids),
            bool(agrees[commit.position]) if follows else None,
            equations.get(commit.position),
        )


def sort_of(piece: str, ends: bool) -> str:
    """What a token is, in a word."""
    if ends:
        return "end of text"
    return "number" if any(character.isdigit() for character in piece) else "text"


def columns(problems: list[list[Commitment]]) -> dict[str, list[list]]:
    """The tokens of all problems: a field → a list a problem, as a file holds them."""
    return {field.name: [[getattr(one, field.name) for one in tokens] for tokens in problems] for field in fields(Commitment)}


def entry(rule: Rule, problems: list[list[Commitment]]) -> dict:
    """What a file says of one rule: its settings, the tokens of every problem, and the figures."""
    items = columns(problems)
    return {"settings": settings_of(rule), "items": items, "figures": figures(items)}


def fill(
    calibrations: dict, rules: list[Rule], run: Callable[[Rule], list[list[Commitment]]], done: Callable[[], None]
) -> None:
    """Run every rule that `calibrations` lacks, or has with other settings; `done` is called after each."""
    for rule in rules:
        if calibrations.get(rule.name, {}).get("settings") != settings_of(rule):
            calibrations[rule.name] = entry(rule, run(rule))
            done()


def reference_equations(problems: Iterable[Problem]) -> dict:
    """How many equations of the reference solutions are judged, and how many of those are true: what arithmetic could reach."""
    found = [equation.true for problem in problems for equation in judged_equations(problem.solution)]
    return {"equations": len(found), "true": sum(found)}


@dataclass(frozen=True)
class Sample:
    """Judged tokens: the number of their problem [T] int, confidence [T] float32, right [T] bool; n problems in all, also
    those that have none of these tokens."""

    problem: np.ndarray
    confidence: np.ndarray
    right: np.ndarray
    n: int

    def where(self, chosen: np.ndarray) -> Sample:
        """Those of `chosen` [T] bool."""
        return Sample(self.problem[chosen], self.confidence[chosen], self.right[chosen], self.n)

    def at_least(self, level: float) -> Sample:
        """Thresholds are compared as float32, as the rules do."""
        return self.where(self.confidence >= np.float32(level))


def figures(items: dict[str, list[list]]) -> dict:
    """All figures of one rule by reading (agreement, arithmetic); items: see `columns`."""
    return {reading: reading_figures(items, reading) for reading in MEANINGS}


def reading_figures(items: dict[str, list[list]], reading: str) -> dict:
    """The figures of one reading: over all tokens, by level, and by tier, part of the run and sort of token."""
    flat = {name: [value for tokens in lists for value in tokens] for name, lists in items.items()}
    problem = np.repeat(np.arange(len(items[reading])), [len(tokens) for tokens in items[reading]])
    asked = np.array([value is not None for value in flat[reading]], dtype=bool)
    right = np.array([value is True for value in flat[reading]], dtype=bool)
    every = Sample(problem, np.array(flat["confidence"], dtype=np.float32), right, len(items[reading]))
    sample = every.where(asked)
    labels = {name: np.array(flat[name], dtype=str)[asked] for name in ("tier", "part", "sort")}
    return {
        "right": MEANINGS[reading],
        "left_out": int((~asked).sum()),
        **summary(sample),
        "at_least": [{"level": level} | share(sample.at_least(level)) for level in LEVELS],
        **{
            f"by_{name}": {one: summary(sample.where(values == one)) for one in np.unique(values).tolist()}
            for name, values in labels.items()
        },
    }


def share(sample: Sample) -> dict:
    """How many of the tokens are right, of how many problems; share and interval are None for no token."""
    count = len(sample.right)
    interval = clustered_wilson(sample.right, sample.problem)
    return {
        "tokens": count,
        "problems": len(np.unique(sample.problem)),
        "confidence": rounded(sample.confidence.mean(dtype=np.float64)) if count else None,
        "share": rounded(sample.right.mean()) if count else None,
        "ci95": [rounded(end) for end in interval] if count else None,
    }


def summary(sample: Sample) -> dict:
    """`share`, with the reliability by bin, the expected calibration error, and the gap: confidence minus share right, above 0
    where the model is too sure. Both as [value, low, high]."""
    numbers = np.clip(np.searchsorted(np.float32(EDGES), sample.confidence, side="right") - 1, 0, len(EDGES) - 2)
    bins = [
        {"from": low, "to": high} | share(sample.where(numbers == index)) for index, (low, high) in enumerate(pairwise(EDGES))
    ]
    error, gap = calibration_error(sample, numbers) if len(numbers) else (None, None)
    return share(sample) | {"ece": error, "gap": gap, "bins": [one for one in bins if one["tokens"]]}


def calibration_error(sample: Sample, numbers: np.ndarray) -> tuple[list[float], list[float]]:
    """[value, low, high] of Σ_b (n_b / N) |confidence_b − share_b| over the bins, and of confidence − share over all tokens.

    numbers [T]: each token's bin. The interval is the bootstrap's over problems. Resampling adds noise to every bin and the
    absolute value turns noise into error, so that resampled errors lie too high: the error's interval is the basic one, 2v −
    quantile, which takes that away again. The value itself lies too high for the same reason where there are few tokens.
    """
    values = np.stack([sample.confidence.astype(np.float64) - sample.right, np.ones(len(numbers))], axis=1)
    sums = np.zeros((sample.n, len(EDGES) - 1, 2))
    np.add.at(sums, (sample.problem, numbers), values)
    sums = sums[sums[:, :, 1].any(axis=1)]  # problems with a token
    error, gap = errors(sums.sum(axis=0))
    if len(sums) == 1:  # nothing to draw from: nothing is known
        return [rounded(error), 0.0, 1.0], [rounded(gap), -1.0, 1.0]
    weights = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    low, high = np.quantile(errors(np.tensordot(weights, sums, axes=1)), [0.025, 0.975], axis=1)
    basic = np.clip([2 * error - high[0], 2 * error - low[0]], 0, 1)
    return [rounded(x) for x in (error, *basic)], [rounded(x) for x in (gap, low[1], high[1])]


def errors(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibration error and gap from sums […, bins, 2] of confidence − right and of tokens."""
    total = sums[..., 1].sum(axis=-1)
    return np.abs(sums[..., 0]).sum(axis=-1) / total, sums[..., 0].sum(axis=-1) / total


def rounded(value: float) -> float:
    return round(float(value), 5)


def without_tokens(calibrations: dict) -> dict:
    """The rules' settings and figures alone."""
    return {name: {key: found[key] for key in ("settings", "figures")} for name, found in calibrations.items()}
