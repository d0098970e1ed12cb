"""Block rows: every masked copy sees its left context and never the token it is to predict."""

from __future__ import annotations

import numpy as np
import torch

from dawn.pretrain.blocks import block_row
from dawn.pretrain.recipe import Recipe
from dawn.pretrain.row import revealing
from dawn.pretrain.train import Training, new_network
from tests.dawn.models.small import small_tokenizer

PROMPT, RESPONSE = list(range(10, 16)), list(range(30, 42))
START, LENGTH = len(PROMPT), len(RESPONSE)


def rows():
    random = np.random.default_rng(0)
    everything, at = np.ones(len(RESPONSE), bool), np.arange(len(RESPONSE))
    sizes = ((1, 0), (4, 2), (5, 1), (12, 3))
    return [block_row(random, PROMPT, RESPONSE, at // size * size, everything, 32, times) for size, times in sizes]


def test_a_masked_copy_sees_its_block_and_the_written_ones_before_it():
    for row, size in zip(rows(), (1, 4, 5, 12), strict=True):
        for query in np.flatnonzero(row.masked):
            first = START + (row.position[query] - START) // size * size
            written = np.flatnonzero(row.sees[query] & ~row.masked)
            assert written.tolist() == list(range(first))
            copies = row.position[row.sees[query] & row.masked]
            assert copies.tolist() == list(range(first, min(first + size, START + LENGTH)))
        assert not row.sees[: START + LENGTH, START + LENGTH :].any()


def test_positions_are_those_of_the_canvas_and_padding_stands_alone():
    for row in rows():
        copy = slice(START + LENGTH, START + 2 * LENGTH)
        assert (row.ids[copy] == RESPONSE).all() and (row.position[copy] == np.arange(START, START + LENGTH)).all()
        assert not row.masked[START + 2 * LENGTH :].any()
        padding = row.sees[START + 2 * LENGTH :]
        assert (padding.sum(1) == 1).all() and (row.sees[:, START + 2 * LENGTH :].sum(0) == 1).all()


def test_a_block_row_answers_like_single_canvases_cut_at_the_frontier():
    """With blocks of one position, each masked copy's state is that of a canvas that ends with one mask, seen causally."""
    copy = slice(START + LENGTH, START + 2 * LENGTH)
    row = rows()[0]
    assert (row.sees[copy, copy] == np.eye(LENGTH)).all()
    training = object.__new__(Training)
    training.recipe, training.tokenizer = Recipe(), small_tokenizer()
    torch.manual_seed(0)
    training.network = new_network(training.tokenizer, training.recipe).eval()
    mask = training.tokenizer.mask_token_id
    whole = training.hidden([row], torch.tensor(np.where(row.masked, mask, row.ids))[None])[0]
    for index in (0, 4, LENGTH - 1):
        query = START + LENGTH + index
        keep = np.flatnonzero(row.sees[query] | (np.arange(len(row.ids)) == query))
        parts = (part[keep] for part in (row.ids, row.masked, row.following, row.position))
        cut = type(row)(*parts, row.sees[np.ix_(keep, keep)], row.asked[keep])
        alone = training.hidden([cut], torch.tensor(np.where(cut.masked, mask, cut.ids))[None])[0]
        torch.testing.assert_close(alone[-1], whole[query], rtol=1e-4, atol=1e-5)


def test_the_written_copy_is_asked_for_what_follows_and_does_not_see_it():
    for row in rows():
        asked = np.flatnonzero(row.following >= 0)
        assert row.following[asked].tolist() == RESPONSE and (row.ids[asked + 1] == row.following[asked]).all()
        for query in asked:
            assert (row.position[row.sees[query]] <= row.position[query]).all() or row.position[query] < START
            assert not row.sees[query, START:][row.position[START:] > row.position[query]].any()
        assert row.sees[:START, :START].all() and not row.sees[:START, START:].any()


def test_each_further_time_shows_more_of_a_block_and_never_all():
    random = np.random.default_rng(1)
    block = np.r_[np.zeros(5, int), np.zeros(8, int), np.ones(4, int)]
    asked = np.arange(17) >= 5
    tries = np.stack([revealing(random, block, asked, 2) for _ in range(4000)])  # [tries, times, width]
    assert (np.diff(tries, axis=1) >= 0).all() and tries.min() == 1
    assert tries[..., :13].max() == 7 and tries[..., 13:].max() == 3
    assert (tries[..., :13] == tries[..., :1]).all()
    assert np.abs(tries[..., 0].mean(0) - [8 / 2, 8 * 3 / 4]).max() < 0.6  # parts rounded up, but never all


def test_shown_is_of_each_block_what_the_network_is_most_certain_of():
    row = rows()[1]
    copies = np.flatnonzero(row.asked)
    certain = np.zeros(32)
    certain[copies] = np.random.default_rng(2).permutation(LENGTH) + 1
    for time in range(2):
        shown = row.shown(certain, time)
        assert not shown[~row.asked].any()
        for block in np.unique(row.block[copies]):
            inside = copies[row.block[copies] == block]
            best = inside[np.argsort(-certain[inside])][: row.reveal[time][inside[0]]]
            assert set(best) == set(inside[shown[inside]])
