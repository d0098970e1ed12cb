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
    random: np.random.Generator, prompt: list[int], response: list[int], size: int, width: int, times: int = 0
) -> Row:
    """prompt + written response + response masked in blocks of `size`, padded to `width` ≥ len(prompt) + 2 · len(response);
    asked `times` times more with a part of each block shown."""
    start, length = len(prompt), len(response)
    blocks = np.arange(length) // size
    rest = width - start - 2 * length
    position = np.r_[np.arange(start), np.tile(np.arange(start, start + length), 2), np.zeros(rest, int)]
    ids = np.r_[prompt, response, response, np.full(rest, response[-1])].astype(np.int64)
    following = np.full(width, -1)
    following[start - 1 : start + length - 1] = response
    masked = np.r_[np.zeros(start + length, bool), np.ones(length, bool), np.zeros(rest, bool)]
    block = np.r_[np.zeros(start + length, int), blocks, np.zeros(rest, int)]
    return Row(
        ids=ids,
        masked=masked,
        asked=masked,
        position=position,
        sees=sees_matrix(blocks, start, rest),
        following=following,
        block=block,
        reveal=revealing(random, block, masked, times),
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


def sees_matrix(blocks: np.ndarray, start: int, rest: int) -> np.ndarray:
    """[width, width] bool: may the row's position attend to the column's? Padding sees and is seen by itself alone."""
    length = len(blocks)
    kind = np.r_[np.zeros(start, int), np.ones(length, int), np.full(length, 2), np.full(rest, 3)]
    block = np.r_[np.full(start, -1), blocks, blocks, np.full(rest, length)]
    index = np.arange(len(kind))
    query, key = kind[:, None], kind[None]
    prompt = (key == 0) & (query < 3)
    before = (query == 1) & (index[None] <= index[:, None])
    written = (key == 1) & (before | ((query == 2) & (block[None] < block[:, None])))
    masked = (key == 2) & (query == 2) & (block[None] == block[:, None])
    return prompt | written | masked | np.eye(len(kind), dtype=bool)
