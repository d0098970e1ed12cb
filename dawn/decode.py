"""The only decoding loop: predict, decide, commit, until nothing is masked. A generator of StepRecords.

Everything else consumes it: the app draws each record as it is made, the command line prints it, the benchmark counts it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from dawn.canvas import Canvas
from dawn.errors import CanvasError
from dawn.prediction import Denoiser, Needs, Prediction
from dawn.rules.base import Moment, Rule
from dawn.selection import Decision
from dawn.settings import require_number, require_whole

HOTTEST = 10.0
NO_IDEA = 100.0  # nats: above the entropy of any vocabulary
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Options:
    """temperature ≥ 0 (0: greedy); seed of the sampling noise; step_limit: no more forward passes than that (None: no limit);
    stop_at_end: stop when an end-of-text token is written and no mask precedes it; suppress_end: rank masked positions that
    would become end-of-text behind all others, so that a large block does not end the answer too early."""

    temperature: float = 0.0
    seed: int = 0
    step_limit: int | None = None
    stop_at_end: bool = True
    suppress_end: bool = False

    def __post_init__(self):
        require_number("temperature", self.temperature, 0.0, HOTTEST)
        require_whole("seed", self.seed, 0, LARGEST_SEED)
        if self.step_limit is not None:
            require_whole("step limit", self.step_limit, 1, 1_000_000)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One forward pass and what came of it.

    canvas: before the step. filled [n]: positions filled with end-of-text after it, because the answer had ended.
    seconds: forward pass, collecting attention, decision.
    """

    index: int
    canvas: Canvas
    prediction: Prediction
    moment: Moment
    decision: Decision
    filled: np.ndarray
    end_id: int
    seconds: tuple[float, float, float]

    @property
    def block(self) -> int:
        return self.canvas.block

    @property
    def forwards_saved(self) -> tuple[int, int]:
        """How many forward passes filling saved: at least one a block that it filled, at most one a position."""
        blocks = (self.filled - self.canvas.prompt_length) // self.canvas.block_length
        return len(np.unique(blocks)), len(self.filled)

    @property
    def after(self) -> Canvas:
        """The canvas after the step: before + selection + filled."""
        chosen = self.decision.selection.positions
        written = self.canvas.commit(chosen, self.prediction.tokens[chosen], self.prediction.confidence[chosen])
        return written.write(self.filled, np.full(len(self.filled), self.end_id), 0.0) if len(self.filled) else written


def decode(
    denoiser: Denoiser,
    rule: Rule,
    canvas: Canvas,
    options: Options = Options(),
    watch: Needs = Needs(),
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[StepRecord]:
    """Decode `canvas` to its end, yielding a StepRecord per forward pass.

    watch: what to record beyond what the rule needs. cancelled: asked between steps; True ends the run where it is.
    """
    if canvas.is_complete:
        raise CanvasError("nothing is masked: there is nothing to decode")
    random = np.random.default_rng(options.seed)
    moment, index = first_moment(canvas), 0
    limit = options.step_limit or int(canvas.masked.sum())
    while index < limit and not canvas.is_complete and not cancelled():
        record = one_step(denoiser, rule, canvas, moment, index, options, watch, random)
        yield record
        after = record.after
        moment, canvas, index = next_moment(moment, canvas, after), after, index + 1


def one_step(denoiser, rule, canvas, moment, index, options, watch, random) -> StepRecord:
    """One forward pass over `canvas` and the rule's decision about it."""
    prediction = denoiser.predict(canvas, rule.needs | watch, options.temperature, random)
    if options.suppress_end:
        prediction = end_last(canvas, prediction, denoiser.end_ids)
    started = time.perf_counter()
    decision = rule.decide(canvas, prediction, moment)
    seconds = (*prediction.seconds, time.perf_counter() - started)
    chosen = decision.selection.positions
    end_ids = denoiser.end_ids if options.stop_at_end else ()
    filled, end_id = ended(canvas, chosen, prediction.tokens[chosen], end_ids)
    return StepRecord(index, canvas, prediction, moment, decision, filled, end_id, seconds)


def end_last(canvas: Canvas, prediction: Prediction, end_ids: tuple[int, ...]) -> Prediction:
    """The prediction with no certainty at masked positions that would become end-of-text: every rule takes those last."""
    ends = canvas.masked & np.isin(prediction.tokens, end_ids)

    def at_ends(values: np.ndarray | None, value: float) -> np.ndarray | None:
        return None if values is None else np.where(ends & ~np.isnan(values), value, values).astype(np.float32)

    return replace(
        prediction,
        confidence=at_ends(prediction.confidence, 0.0),
        entropy=at_ends(prediction.entropy, NO_IDEA),
        margin=at_ends(prediction.margin, 0.0),
    )


def ended(canvas: Canvas, positions: np.ndarray, tokens: np.ndarray, end_ids: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """The masked positions to fill because the answer has ended, and with which end-of-text token; none if it has not.

    It has ended when an end-of-text token stands in the generated part and no mask precedes it.
    """
    written = canvas.tokens.copy()
    written[positions] = tokens
    masks = np.flatnonzero(written == canvas.mask_id)
    generated = enumerate(written[canvas.prompt_length :].tolist(), canvas.prompt_length)
    end, token = next(((index, token) for index, token in generated if token in end_ids), (canvas.length, -1))
    if len(masks) and end < masks[0]:
        return masks, token
    return np.empty(0, dtype=np.int64), -1


def first_moment(canvas: Canvas) -> Moment:
    """The moment of a run's first step."""
    return Moment(0, len(canvas.candidates))


def next_moment(moment: Moment, before: Canvas, after: Canvas) -> Moment:
    """The moment after a step; a new block starts to count anew."""
    if after.is_complete or after.block != before.block:
        return Moment(0, 0 if after.is_complete else len(after.candidates))
    return Moment(moment.step_in_block + 1, moment.masks_at_start)
