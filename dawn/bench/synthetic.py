"""Canvases and predictions made from a seed, in the shape that real ones have.

Attention as measured on trained models (LLaDA and the embedded one): most of it close by and falling off with the
distance, noise over it, and a few columns, the sinks, that every row looks at. Confidences lean towards 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Attention, Needs, Prediction, attention_rows

MASK = 1
TOKENS = 1000  # ids from 2 up to this
REACH = 6.0  # positions over which attention falls to 1/e
ROUGHNESS = 1.5  # standard deviation of the noise in the logarithm of attention
SINKS = 3
SINK_WEIGHT = 4.0  # what a sink's column has more, in the logarithm
CHANGES = 2


def half_written(length: int, window: int, random: np.random.Generator) -> Canvas:
    """An open canvas [L] whose open block is half written."""
    canvas = untouched(length, window, random)
    written = random.choice(canvas.window, window // 2, replace=False)
    return canvas.commit(written, random.integers(2, TOKENS, len(written)), 1.0)


def untouched(length: int, window: int, random: np.random.Generator) -> Canvas:
    """A canvas [L]: a third is prompt, the first third of the blocks behind it is written, the open block not begun."""
    prompt = length // 3
    ids = random.integers(2, TOKENS, length)
    ids[prompt + (length - prompt) // (3 * window) * window :] = MASK
    return Canvas.of(ids, prompt, window, MASK)


def prediction(canvas: Canvas, random: np.random.Generator) -> Prediction:
    """A prediction about a canvas with everything in it that any rule reads or a viewer records."""
    length, window = canvas.length, canvas.window
    confidence = random.beta(3, 1, length).astype(np.float32)
    confidence[canvas.block_span(canvas.block)[1] :] = np.nan
    masked = np.isin(np.arange(length), canvas.candidates)
    known = np.where(masked, confidence, np.nan)
    return Prediction(
        random.integers(2, TOKENS, length).astype(np.int32),
        confidence,
        attention(window, length, random),
        alternatives(confidence[window]),
        entropy=(-2 * np.log(known)).astype(np.float32),
        margin=(known * 0.9).astype(np.float32),
        kl=np.where(masked, random.exponential(0.02, (CHANGES, length)), np.nan).astype(np.float32),
    )


def attention(window: np.ndarray, length: int, random: np.random.Generator) -> Attention:
    """The rows around the window's positions [R, L], each summing to 1, and a received attention that fits them [L]."""
    rows = attention_rows(window)
    sinks = random.choice(length, SINKS, replace=False)
    strength = -np.abs(rows[:, None] - np.arange(length)) / REACH + ROUGHNESS * random.standard_normal((len(rows), length))
    strength[:, sinks] += SINK_WEIGHT
    weights = np.exp(strength)
    weights /= weights.sum(axis=1, keepdims=True)
    received = np.full(length, 1 / length)
    received[sinks] = 0.1
    return Attention(rows, weights.astype(np.float32), received.astype(np.float32))


def alternatives(confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Five tokens [W, 5] and their probabilities [W, 5] for each position of the window."""
    shares = confidence[:, None] * 0.1 ** np.arange(5)
    return np.tile(np.arange(2, 7, dtype=np.int32), (len(confidence), 1)), shares.astype(np.float32)


@dataclass
class SyntheticDenoiser:
    """Answers every canvas with a seeded prediction that has everything in it, past changes only if asked for."""

    seed: int = 0
    mask_id: int = MASK
    end_ids: tuple[int, ...] = ()

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        seen = prediction(canvas, np.random.default_rng([self.seed, int(canvas.masked.sum())]))
        return seen if needs.kl else replace(seen, kl=None)
