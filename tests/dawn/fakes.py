"""Denoisers without a model, small hand-made states, and hypothesis strategies over canvases, predictions and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.prediction import Attention, Needs, Prediction, attention_rows
from dawn.rules import (
    Confidence,
    Dapd,
    Dawn,
    DawnNoAnchors,
    DawnNoConflicts,
    DawnNoSinkFilter,
    DawnRandomGraph,
    Entropy,
    EntropyBounded,
    Factor,
    Klass,
    LocalLeap,
    Margin,
    Original,
    Random,
)
from dawn.thresholds import ANCHOR_CONFIDENCES, ATTENTION_ROWS, SINK_MODES, VARIANTS, Thresholds

MASK = 0
VOCABULARY = 9


def prediction(canvas: Canvas, confidence, attention, tokens=None, received=None, entropy=None, margin=None) -> Prediction:
    """A prediction from a whole map [L, L] and confidence [L]; tokens default to 1, entropy and margin [L] to None."""
    attention = np.asarray(attention, dtype=np.float32)
    rows = attention_rows(canvas.window)
    received = attention.mean(axis=0) if received is None else np.asarray(received, dtype=np.float32)
    tokens = np.ones(canvas.length) if tokens is None else np.asarray(tokens)
    return Prediction(
        tokens.astype(np.int32),
        np.asarray(confidence, dtype=np.float32),
        Attention(rows, attention[rows], received),
        entropy=None if entropy is None else np.asarray(entropy, dtype=np.float32),
        margin=None if margin is None else np.asarray(margin, dtype=np.float32),
    )


def figure_3() -> tuple[Canvas, Prediction]:
    """The state of the paper's Figure 3: 12 positions, the first four written, column 1 a sink."""
    canvas = Canvas.blank([5, 5, 5, 5], 8, 8, MASK)
    confidence = [0.96, 0.80, 0.90, 0.95, 0.70, 0.80, 0.85, 0.77, 0.92, 0.96, 0.75, 0.65]
    attention = np.full((12, 12), 0.005)
    attention[:, 1] = 0.3
    for query, key in [(2, 6), (4, 3), (5, 10), (6, 5), (7, 0), (8, 9), (10, 5), (11, 2)]:
        attention[query, key] = 0.2
    return canvas, prediction(canvas, confidence, attention)


FIGURE_3 = Thresholds(high=0.9, induced=0.70, low=0.75, edge=0.1, sink=0.1)


@dataclass
class RandomDenoiser:
    """Answers with seeded noise, whatever the canvas; `calls` counts forward passes. `sharpness` moves the confidences."""

    seed: int = 0
    sharpness: float = 6.0
    end_ids: tuple[int, ...] = ()
    mask_id: int = MASK
    calls: int = 0
    seen: list[np.ndarray] = field(default_factory=list)

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        noise = np.random.default_rng([self.seed, self.calls])
        self.calls += 1
        self.seen.append(canvas.tokens)
        logits = noise.random((canvas.length, VOCABULARY)) * self.sharpness
        logits[:, self.mask_id] = -np.inf
        probabilities = np.exp(logits)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        sampled = logits + temperature * random.gumbel(size=logits.shape) if temperature else logits
        return Prediction(
            sampled.argmax(axis=1).astype(np.int32),
            asked(canvas, needs, probabilities.max(axis=1).astype(np.float32)),
            attention_of(canvas, random_attention(noise, canvas.length)) if needs.attention else None,
            best(probabilities[canvas.window], needs.alternatives) if needs.alternatives else None,
            (0.25, 0.125),
            at_candidates(canvas, entropy_of(probabilities)) if needs.entropy else None,
            at_candidates(canvas, np.diff(np.sort(probabilities, axis=1)[:, -2:], axis=1)[:, 0]) if needs.margin else None,
            at_candidates(canvas, noise.random((needs.kl, canvas.length)) * 0.05) if needs.kl else None,
        )


def asked(canvas: Canvas, needs: Needs, confidence: np.ndarray) -> np.ndarray:
    """NaN wherever nobody asked for the confidence."""
    _, end = canvas.block_span(canvas.block)
    wanted = np.arange(end) if needs.anchors else canvas.candidates
    result = np.full(canvas.length, np.nan, dtype=np.float32)
    result[wanted] = confidence[wanted]
    return result


def entropy_of(probabilities: np.ndarray) -> np.ndarray:
    """[L] −Σ p log p."""
    return -(probabilities * np.log(np.where(probabilities > 0, probabilities, 1))).sum(axis=1)


def at_candidates(canvas: Canvas, values: np.ndarray) -> np.ndarray:
    """[L] or [h, L] float32: the values at the candidates, NaN elsewhere."""
    return np.where(np.isin(np.arange(canvas.length), canvas.candidates), values, np.nan).astype(np.float32)


def best(probabilities: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return order.astype(np.int32), np.take_along_axis(probabilities, order, axis=1).astype(np.float32)


def attention_of(canvas: Canvas, attention: np.ndarray) -> Attention:
    rows = attention_rows(canvas.window)
    return Attention(rows, attention[rows], attention.mean(axis=0))


def random_attention(noise: np.random.Generator, length: int) -> np.ndarray:
    """[L, L] float32, spiky, rows summing to just below 1."""
    weights = noise.gamma(0.3, size=(length, length)) + 1e-9
    return (weights / weights.sum(axis=1, keepdims=True) * 0.9999).astype(np.float32)


@dataclass
class ScriptedDenoiser:
    """Call t commits to tokens[t] [L] with confidence[t] [L]; the last answer repeats."""

    tokens: list
    confidence: list
    end_ids: tuple[int, ...] = ()
    mask_id: int = MASK
    calls: int = 0

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        call, self.calls = self.calls, self.calls + 1
        tokens = self.tokens[min(call, len(self.tokens) - 1)]
        confidence = self.confidence[min(call, len(self.confidence) - 1)]
        return prediction(canvas, confidence, np.zeros((canvas.length, canvas.length)), tokens)


GAMMAS = st.sampled_from([0, 0.0, 0.05, 0.15, 0.5, 1.0, 5.0, 1000.0])
FACTORS = st.sampled_from([0.0, 0.15, 0.5, 1, 1.0, 1.5, 2.0, 5.0, 100.0])
LEVELS = st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 1.0])


@st.composite
def thresholds(draw) -> Thresholds:
    mode = draw(st.sampled_from(SINK_MODES))
    sinks = [0.0, 0.03, 0.1, 0.3, 1.0] if mode == "absolute" else [0.0, 0.5, 1.5, 4.0, 1000.0]
    return Thresholds(
        high=draw(LEVELS),
        induced=draw(LEVELS),
        low=draw(LEVELS),
        edge=draw(st.sampled_from([0.01, 0.03, 0.05, 0.07, 0.1, 0.25, 1.0])),
        sink=draw(st.sampled_from(sinks)),
        sink_mode=mode,
        variant=draw(st.sampled_from(VARIANTS)),
        anchor_confidence=draw(st.sampled_from(ANCHOR_CONFIDENCES)),
        attention_row=draw(st.sampled_from(ATTENTION_ROWS)),
    )


@st.composite
def canvases(draw) -> Canvas:
    """Prompt, blocks, some positions of any block written already with some confidence, rarely a mask in the prompt."""
    prompt, generated = draw(st.integers(0, 6)), draw(st.integers(1, 24))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tokens = noise.integers(1, VOCABULARY, prompt + generated)
    tokens[prompt:][noise.random(generated) < draw(st.sampled_from([0.3, 0.7, 1.0]))] = MASK
    if prompt and draw(st.integers(0, 9)) == 0:
        tokens[noise.integers(prompt)] = MASK
    tokens[noise.integers(prompt, prompt + generated)] = MASK
    canvas = Canvas.of(tokens, prompt, draw(st.integers(1, 12)), MASK)
    confidence = np.where(canvas.masked, 0, np.where(np.arange(len(tokens)) < prompt, 1, noise.random(len(tokens))))
    return Canvas(canvas.tokens, prompt, canvas.block_length, MASK, confidence.astype(np.float32))


@st.composite
def states(draw) -> tuple[Canvas, Prediction]:
    """A canvas and a prediction about it; its numbers come in steps of .05, so that ties and exact thresholds occur."""
    canvas = draw(canvases())
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    confidence = noise.integers(draw(st.sampled_from([0, 8, 13])), 21, canvas.length) / 20
    attention = random_attention(noise, canvas.length)
    if draw(st.booleans()):
        attention = np.floor(attention * 20) / 20  # exact thresholds and equal weights
    tokens = noise.integers(1, VOCABULARY, canvas.length)
    entropy = noise.integers(draw(st.sampled_from([0, 1])), draw(st.sampled_from([2, 6, 60])), canvas.length) / 20
    margin = noise.integers(0, 21, canvas.length) / 20
    seen = prediction(canvas, confidence, attention, tokens, None, entropy, margin)
    kl = noise.integers(0, draw(st.sampled_from([2, 4, 20])), (3, canvas.length)) / 200
    return canvas, replace(seen, kl=kl.astype(np.float32))


def klasses(history=st.integers(1, 3)) -> st.SearchStrategy:
    return st.builds(Klass, st.integers(0, 14), LEVELS, st.sampled_from([0.0, 0.01, 0.015, 0.05, 1]), history)


def rules() -> st.SearchStrategy:
    return st.one_of(
        st.builds(Dawn, thresholds()),
        st.builds(Confidence, LEVELS),
        st.builds(Original, st.integers(0, 14)),
        st.builds(Factor, FACTORS),
        st.builds(Random, st.integers(0, 14), st.integers(0, 9)),
        st.builds(Entropy, st.integers(0, 14)),
        st.builds(Margin, st.integers(0, 14)),
        st.builds(EntropyBounded, GAMMAS),
        klasses(),
        st.builds(LocalLeap, LEVELS, LEVELS, st.integers(0, 12)),
        st.builds(Dapd, LEVELS, LEVELS),
        st.sampled_from([DawnNoAnchors, DawnNoConflicts, DawnNoSinkFilter]).flatmap(lambda rule: st.builds(rule, thresholds())),
        st.builds(DawnRandomGraph, thresholds(), st.integers(0, 9)),
    )
