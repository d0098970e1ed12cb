"""Block rows: every response token predicted from its written left context in one pass, as block diffusion trains.

A canvas with one frontier teaches one number at a time: what lies behind it cannot be known yet. A block row holds the
response twice, once written and once masked in blocks; a masked copy sees the prompt, the written blocks before its own and
its own block, so that every number is a target with its operands in view. Source: Block Diffusion, arXiv 2503.09573,
section 3. Positions are those of the canvas, so that the network learns nothing that it must unlearn there.

Where all blocks are single positions, the visible tokens see only what precedes them and can be asked for the token that
follows them as well: next-token prediction, which alone makes every token look at the one before it.
"""

from __future__ import annotations

import numpy as np

from dawn.pretrain.row import Row

LONGEST_BLOCK = 32
SINGLE_SHARE = 0.8


def block_row(random: np.random.Generator, prompt: list[int], response: list[int], width: int) -> Row:
    """prompt + written response + masked response, padded to `width` ≥ len(prompt) + 2 · len(response)."""
    start, length = len(prompt), len(response)
    blocks = block_numbers(random, length)
    single = blocks[-1] == length - 1
    noise = np.where(random.random(length) < 0.5, 1.0, random.random(length))[blocks]  # one mask ratio a block
    masked = np.ones(length, bool) if single else random.random(length) < noise
    rest = width - start - 2 * length
    position = np.r_[np.arange(start), np.tile(np.arange(start, start + length), 2), np.zeros(rest, int)]
    ids = np.r_[prompt, response, response, np.full(rest, response[-1])].astype(np.int64)
    following = np.full(width, -1)
    if single:
        following[start - 1 : start + length - 1] = response
    hidden = np.r_[np.zeros(start + length, bool), masked, np.zeros(rest, bool)]
    return Row(
        ids=ids,
        masked=hidden,
        asked=hidden,
        position=position,
        sees=sees_matrix(blocks, start, rest),
        following=following,
    )


def causal_row(prompt: list[int], response: list[int], width: int) -> Row:
    """prompt + response, padded to `width` ≥ len(prompt) + len(response): next-token prediction of the response.

    The prompt's tokens see each other, as they do on a canvas; those of the response see what precedes them.
    """
    start, stop = len(prompt), len(prompt) + len(response)
    ids = np.r_[prompt, response, np.full(width - stop, response[-1])].astype(np.int64)
    following = np.full(width, -1)
    following[start - 1 : stop - 1] = response
    return causally(ids, following, start)


def causally(ids: np.ndarray, following: np.ndarray, start: int) -> Row:
    """A row in which nothing is masked and nobody beyond the prompt, up to `start`, sees what comes later."""
    nothing = np.zeros(len(ids), bool)
    return Row(ids, nothing, following, np.arange(len(ids)), sees_before(len(ids), start), nothing)


def sees_before(width: int, start: int) -> np.ndarray:
    """[width, width] bool: the prompt, up to `start`, sees itself; every other position what precedes it, and itself."""
    sees = np.tri(width, dtype=bool)
    sees[:start, :start] = True
    return sees


def block_numbers(random: np.random.Generator, length: int) -> np.ndarray:
    """[length] int: the block of each response position; all blocks single positions, or lengths log-uniform up to 32."""
    if random.random() < SINGLE_SHARE:
        return np.arange(length)
    sizes = np.exp(random.uniform(0, np.log(LONGEST_BLOCK + 1), length)).astype(int)
    return np.repeat(np.arange(length), sizes)[:length]


def sees_matrix(blocks: np.ndarray, start: int, rest: int) -> np.ndarray:
    """[width, width] bool: may the row's position attend to the column's? Padding sees and is seen by itself alone."""
    length = len(blocks)
    kind = np.r_[np.zeros(start, int), np.ones(length, int), np.full(length, 2), np.full(rest, 3)]
    block = np.r_[np.full(start, -1), blocks, blocks, np.full(rest, length)]
    query, key = (kind[:, None], block[:, None]), (kind[None], block[None])
    prompt = (key[0] == 0) & (query[0] < 3)
    written = (key[0] == 1) & (((query[0] == 1) & (key[1] <= query[1])) | ((query[0] == 2) & (key[1] < query[1])))
    masked = (key[0] == 2) & (query[0] == 2) & (key[1] == query[1])
    return prompt | written | masked | np.eye(len(kind), dtype=bool)
