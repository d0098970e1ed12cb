"""A made-up run for tests of the interface: a denoiser whose attention has sinks, neighbours and a few far anchors."""

from __future__ import annotations

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.prediction import EVERYTHING, Attention, Needs, Prediction, attention_rows
from dawn.rules import Dawn, Rule, settings_of
from dawn.thresholds import Thresholds
from dawn.trace import Setup, Trace

MASK, END, FIRST = 1, 2, 10
RULE = Dawn(Thresholds(sink=4.0, sink_mode="relative", edge=0.05))
WORDS = "the answer is 7 + 12 = 19 so Anna has / five apples and . gives two to Ben".replace("/", "\n\n").split(" ")
PIECES = {FIRST + i: (" " + word if i % 3 else word) for i, word in enumerate(WORDS * 4)} | {
    0: "<s>",
    MASK: "[MASK]",
    END: "<|end|>",
}


class FakeDenoiser:
    """Confidence rises with the share of neighbours that are written; attention falls with distance, plus sinks."""

    mask_id, end_ids = MASK, (END,)

    def __init__(self, pace: float = 0.8, pieces: dict[int, str] = PIECES):
        self.pace, self.ids = pace, np.array([i for i in pieces if i >= FIRST])

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        length, window = canvas.length, canvas.window
        weights = fake_attention(length, random)
        confidence = self.confidence(canvas, random)
        tokens = random.choice(self.ids, length).astype(np.int32)
        seen = Attention(attention_rows(window), weights[attention_rows(window)], weights.mean(0)) if needs.attention else None
        choices = self.alternatives(tokens, confidence, window, random) if needs.alternatives else None
        entropy = (1 - confidence) / 5 if needs.entropy else None
        kl = (random.random((needs.kl, length)) / 50).astype(np.float32) if needs.kl else None
        return Prediction(tokens, confidence, seen, choices, (0.031, 0.004), entropy, confidence if needs.margin else None, kl)

    def confidence(self, canvas: Canvas, random: np.random.Generator) -> np.ndarray:
        """[L] float32."""
        near = np.convolve(~canvas.masked, np.ones(9) / 9, mode="same")
        return np.clip(random.beta(2, 2, canvas.length) * self.pace + 0.35 * near, 0.02, 0.995).astype(np.float32)

    def alternatives(self, tokens, confidence, window, random):
        """[W, 5] ids and probabilities that fall."""
        ids = random.choice(self.ids, (len(window), 5)).astype(np.int32)
        ids[:, 0] = tokens[window]
        shares = confidence[window, None] * np.array([1, 0, 0, 0, 0]) + (1 - confidence[window, None]) * [
            0,
            0.5,
            0.25,
            0.1,
            0.05,
        ]
        return ids, np.minimum.accumulate(shares, axis=1).astype(np.float32)


def fake_attention(length: int, random: np.random.Generator) -> np.ndarray:
    """[L, L] float32, rows sum to 1: near positions, a few far ones, columns 0 and 7 as sinks."""
    distance = np.abs(np.arange(length)[:, None] - np.arange(length)[None, :])
    raw = np.exp(-distance / 3.0) * random.random((length, length)) + 3.0 * (random.random((length, length)) > 0.994)
    raw[:, [0, 7]] += 1.5
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


def synthetic_trace(
    generated: int = 128,
    prompt: int = 48,
    block: int = 32,
    rule: Rule = RULE,
    pace: float = 0.8,
    steps=None,
    watch=EVERYTHING,
    pieces: dict[int, str] = PIECES,
) -> Trace:
    """A run over prompt + generated positions."""
    random = np.random.default_rng(3)
    canvas = Canvas.blank(np.r_[0, random.choice([i for i in pieces if i >= FIRST], prompt - 1)], generated, block, MASK)
    options = Options(seed=5, step_limit=steps, stop_at_end=False)
    records = tuple(decode(FakeDenoiser(pace, pieces), rule, canvas, options, watch))
    setup = Setup("synthetic", rule.name, settings_of(rule), end_ids=(END,))
    return Trace("a made-up question", setup, records, "", dict(pieces), special=(0, MASK, END))
