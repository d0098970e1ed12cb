"""Rows that ask for the whole response in one pass: block rows and single rows.

A canvas asks for one block, for what lies behind it cannot be known yet, and spends most of its tokens on what is not asked.
These rows hold the response twice, once written and once masked in blocks; a masked copy sees the prompt, the written
blocks before its own and its own block, so that every token is a target with its left context in view. Source: Block
Diffusion, arXiv 2503.09573, section 3. Positions are those of the canvas, so that the network learns nothing that it must
unlearn there. The written copy sees what precedes it and is asked for what follows: next-token prediction, which alone makes
every token look at the one before it.
"""

from __future__ import annotations

import numpy as np

from dawn.pretrain.row import Row, revealing


def block_row(
    random: np.random.Generator,
    prompt: list[int],
    response: list[int],
    begins: np.ndarray,
    wanted: np.ndarray,
    width: int,
    times: int = 0,
) -> Row:
    """prompt + written response + response masked in blocks, padded to `width`; asked `times` times more with a part of each
    block shown. begins [len(response)] int: where the block of a token begins, -1 for a token of no block, which has no
    masked copy; wanted [len(response)] bool: the tokens that are asked, at least one of each block."""
    start, length = len(prompt), len(response)
    copied = np.flatnonzero(begins >= 0)
    rest = width - start - length - len(copied)
    position = np.r_[np.arange(start + length), start + copied, np.zeros(rest, int)]
    ids = np.r_[prompt, response, np.array(response)[copied], np.full(rest, response[-1])].astype(np.int64)
    following = np.full(width, -1)
    following[start - 1 : start + length - 1] = response
    masked = np.r_[np.zeros(start + length, bool), np.ones(len(copied), bool), np.zeros(rest, bool)]
    asked = np.r_[np.zeros(start + length, bool), wanted[copied], np.zeros(rest, bool)]
    block = np.r_[np.zeros(start + length, int), begins[copied], np.zeros(rest, int)]
    return Row(
        ids=ids,
        masked=masked,
        asked=asked,
        position=position,
        sees=sees_matrix(begins[copied], start, length, rest),
        following=following,
        block=block,
        reveal=revealing(random, block, asked, times),
    )


def causally(ids: np.ndarray, following: np.ndarray, start: int) -> Row:
    """A row in which nothing is masked and nobody beyond the prompt, up to `start`, sees what comes later."""
    nothing = np.zeros(len(ids), bool)
    return Row(ids, nothing, following, np.arange(len(ids)), sees_before(len(ids), start), nothing)


def sees_before(width: int, start: int) -> np.ndarray:
    """[width, width] bool: the prompt, up to `start`, sees itself; every other position what precedes it, and itself."""
    sees = np.tri(width, dtype=bool)
    sees[:start, :start] = True
    return sees


def sees_matrix(begins: np.ndarray, start: int, length: int, rest: int) -> np.ndarray:
    """[width, width] bool: may the row's position attend to the column's? begins [copies]: the response token with which the
    block of a masked copy begins. Padding sees and is seen by itself alone."""
    copies = len(begins)
    kind = np.repeat([0, 1, 2, 3], [start, length, copies, rest])
    index = np.arange(len(kind)) - start  # of a written token in the response
    before = np.r_[np.zeros(start, int), np.arange(1, length + 1), begins, np.zeros(rest, int)]  # written, seen up to here
    query, key = kind[:, None], kind[None]
    prompt = (key == 0) & (query < 3)
    written = (key == 1) & (index[None] < before[:, None]) & (query < 3)
    masked = (key == 2) & (query == 2) & (before[None] == before[:, None])
    return prompt | written | masked | np.eye(len(kind), dtype=bool)
