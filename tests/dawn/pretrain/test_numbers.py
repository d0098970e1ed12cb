"""Numbers of one token: the tokenizer that a new training makes, and where their embeddings begin."""

from __future__ import annotations

import numpy as np
import pytest

from dawn.models import embedded_tokenizer
from dawn.pretrain.data import LARGEST_NUMBER
from dawn.pretrain.numbers import PERIODS, number_values, waves
from dawn.pretrain.recipe import Recipe
from dawn.pretrain.rows import DRILL_WIDTH, RowMaker
from dawn.pretrain.tokenizer import ENTRIES, train_tokenizer
from dawn.pretrain.train import new_network


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer()


def test_whole_numbers_of_the_task_are_one_token_each_with_the_space_before_them(tokenizer):
    for number in range(LARGEST_NUMBER + 1):
        assert tokenizer.tokenize(f"{number}") == [f"{number}"] and tokenizer.tokenize(f"is {number}")[-1] == f"Ġ{number}"
    assert tokenizer.tokenize("17 - 7=10 x") == ["17", "Ġ-", "Ġ7", "=", "10", "Ġx"]
    assert sorted(number_values(tokenizer).values()) == sorted([*range(LARGEST_NUMBER + 1)] * 2)
    assert len(tokenizer) == ENTRIES + 2 * (LARGEST_NUMBER - 9)


def test_the_tokenizer_that_ships_is_the_one_that_training_makes(tokenizer):
    assert embedded_tokenizer().backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


@pytest.mark.parametrize("text", ["1234 - 250 = 984", "$12.50 x 3/8 = $0.05", "007 and 00", "٣ + ३ ² €1,200.75"])
def test_other_numbers_are_cut_and_put_together_again(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_sum_is_a_turn_of_its_waves():
    width, values = 192, np.arange(LARGEST_NUMBER + 1)
    found = waves(values, width)
    assert np.allclose((found**2).mean(axis=1), 1)
    count = np.count_nonzero(found.any(axis=0)) // 2
    as_turns = found[:, :count] + 1j * found[:, count : 2 * count]
    first, second = as_turns[23, : len(PERIODS)], as_turns[58, : len(PERIODS)]
    assert np.allclose(first * second / abs(first), as_turns[81, : len(PERIODS)])
    assert waves(values, 8).shape == (len(values), 8)


def test_a_new_networks_numbers_begin_near_their_neighbours(tokenizer):
    rows = new_network(tokenizer, Recipe(layers=1)).model.embed_tokens.weight.detach().numpy()
    ways: dict[bool, dict[int, np.ndarray]] = {True: {}, False: {}}
    for token, value in number_values(tokenizer).items():
        ways[tokenizer.decode([token]).startswith(" ")][value] = rows[token] / np.linalg.norm(rows[token])
    spaced, bare = (np.stack([ways[way][value] for value in range(LARGEST_NUMBER + 1)]) for way in (True, False))
    like = spaced @ bare.T
    assert (like.argmax(axis=1) == np.arange(LARGEST_NUMBER + 1)).mean() > 0.7
    assert like.diagonal(1).mean() > like[np.triu_indices(len(like), 40)].mean() + 0.05


def test_a_result_of_a_drill_is_one_masked_token_unless_it_is_no_whole_number(tokenizer):
    maker = RowMaker(tokenizer, 3)
    rows = [row for row in (maker.drill_row() for _ in range(60)) if row.masked.any() and not len(row.reveal)]
    asked = np.concatenate([row.ids[row.masked] for row in rows])
    assert maker.is_number[asked].mean() > 0.5 and all(len(row.ids) == DRILL_WIDTH for row in rows)
