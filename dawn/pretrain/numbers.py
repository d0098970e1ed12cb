"""Where the embeddings of numbers begin: as waves over their values, so that sums are turns and nearby numbers are alike.

A network whose number tokens begin at random must find for each of them where it lies among the others; from waves it learns
sums and products of numbers that are one token in a fraction of the steps. Source: Fourier features of numbers in trained
networks, arXiv 2406.03445. Periods of values show sums, those of logarithms products.
"""

from __future__ import annotations

import math

import numpy as np

PERIODS = (2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 125, 200, 250, 500, 1000, 2000)
LOG_PERIODS = (0.1, 0.2, 0.5, 1, 2, 4, 7)


def number_values(tokenizer) -> dict[int, int]:
    """Id → value of the tokens that are a whole number, with or without the space before it."""
    texts = ((token, tokenizer.decode([token]).strip()) for token in range(len(tokenizer)))
    return {token: int(text) for token, text in texts if text.isascii() and text.isdigit()}


def waves(values: np.ndarray, width: int) -> np.ndarray:
    """[n, width] of values [n]: cosines and sines, as many as fit, of rows whose mean square is 1; zeros for the rest."""
    turns = [values / period for period in PERIODS] + [np.log(values + 1) / period for period in LOG_PERIODS]
    angles = 2 * math.pi * np.stack(turns[: width // 2], axis=1)  # [n, waves]
    found = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.pad(found, ((0, 0), (0, width - found.shape[1]))) * math.sqrt(width / angles.shape[1])
