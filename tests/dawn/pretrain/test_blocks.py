"""Block rows: every masked copy sees its left context and never the token it is to predict."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dawn.pretrain.blocks import block_row, causal_row
from dawn.pretrain.train import Recipe, Training, new_network
from tests.dawn.models.small import small_tokenizer

PROMPT, RESPONSE = list(range(10, 16)), list(range(30, 42))
START, LENGTH = len(PROMPT), len(RESPONSE)


def rows(seed: int, count: int = 40):
    random = np.random.default_rng(seed)
    return [block_row(random, PROMPT, RESPONSE, 32) for _ in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_nobody_sees_what_is_to_be_predicted_or_what_follows(seed):
    for row in rows(seed):
        for query in np.flatnonzero(row.masked):
            seen = np.flatnonzero(row.sees[query] & ~row.masked)
            assert (row.position[seen] != row.position[query]).all()
            written = seen[(seen >= START) & (seen < START + LENGTH)]
            assert (row.position[written] < row.position[query]).all()
        assert not row.sees[: START + LENGTH, START + LENGTH :].any()


def test_positions_are_those_of_the_canvas_and_padding_stands_alone():
    for row in rows(5):
        copy = slice(START + LENGTH, START + 2 * LENGTH)
        assert (row.ids[copy] == RESPONSE).all() and (row.position[copy] == np.arange(START, START + LENGTH)).all()
        assert not row.masked[START + 2 * LENGTH :].any()
        padding = row.sees[START + 2 * LENGTH :]
        assert (padding.sum(1) == 1).all() and (row.sees[:, START + 2 * LENGTH :].sum(0) == 1).all()


def test_a_block_row_answers_like_single_canvases_cut_at_the_frontier():
    """With blocks of one position, each masked copy's state is that of a canvas that ends with one mask, seen causally."""
    copy = slice(START + LENGTH, START + 2 * LENGTH)
    row = next(row for row in rows(0) if (row.sees[copy, copy] == np.eye(LENGTH)).all())
    training = object.__new__(Training)
    training.recipe, training.tokenizer = Recipe(), small_tokenizer()
    torch.manual_seed(0)
    training.network = new_network(training.tokenizer).eval()
    mask = training.tokenizer.mask_token_id
    whole = training.hidden([row], torch.tensor(np.where(row.masked, mask, row.ids))[None])[0]
    for index in (0, 4, LENGTH - 1):
        query = START + LENGTH + index
        keep = np.flatnonzero(row.sees[query] | (np.arange(len(row.ids)) == query))
        parts = (part[keep] for part in (row.ids, row.masked, row.following, row.position))
        cut = type(row)(*parts, row.sees[np.ix_(keep, keep)], row.asked[keep])
        alone = training.hidden([cut], torch.tensor(np.where(cut.masked, mask, cut.ids))[None])[0]
        torch.testing.assert_close(alone[-1], whole[query], rtol=1e-4, atol=1e-5)


def test_nobody_who_is_asked_for_what_follows_sees_it():
    for row in [*rows(6), causal_row(PROMPT, RESPONSE, 32)]:
        asked = np.flatnonzero(row.following >= 0)
        assert not row.masked[asked].any() and (row.ids[asked + 1] == row.following[asked]).all()
        for query in asked:
            assert (row.position[row.sees[query]] <= row.position[query]).all() or row.position[query] < START
            assert not row.sees[query, START:][row.position[START:] > row.position[query]].any()


def test_a_causal_row_asks_for_the_whole_response_and_the_prompt_sees_itself_alone():
    row = causal_row(PROMPT, RESPONSE, 32)
    assert row.following[row.following >= 0].tolist() == RESPONSE and not row.masked.any()
    assert row.sees[:START, :START].all() and not row.sees[:START, START:].any()
