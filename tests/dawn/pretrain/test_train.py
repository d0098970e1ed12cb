"""Training: it lowers the loss, stops and resumes at the same place, and exports what the program loads."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch

from dawn.errors import DataError
from dawn.models import load_model
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain import train
from dawn.pretrain.muon import orthogonalise
from dawn.pretrain.rows import LEVELS, RowMaker
from dawn.pretrain.train import KINDS, Recipe, Training

TINY = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """A run's folder with the shipped tokenizer, a tiny network, and nothing compiled."""
    monkeypatch.setattr(train, "SHAPE", TINY)
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **_: None)
    (tmp_path / "tokenizer").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(EMBEDDED_FOLDER / name, tmp_path / "tokenizer")
    return tmp_path


def test_it_learns_stops_resumes_and_exports(directory):
    seen = []
    recipe = Recipe(steps=24, tokens_per_step=768, warmup_steps=2)
    first = Training(recipe, directory)
    first.run(seen.append, save_every=12)
    assert [p.step for p in seen] == list(range(1, 25)) and {"block", "drill"} <= {p.kind for p in seen} <= set(KINDS)
    assert sum(p.loss for p in seen[-6:]) < sum(p.loss for p in seen[:6])
    curve = [json.loads(line) for line in (directory / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in curve] == [12, 24] and "block" in curve[1]["loss_right_digits"]
    resumed = Training(Recipe(steps=26, tokens_per_step=768), directory)
    resumed.resume()
    assert resumed.step == 24 and resumed.tokens == first.tokens
    for one, other in zip(first.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    resumed.run(seen.append)
    assert seen[-1].step == 26
    resumed.export(directory / "out")
    assert load_model(str(directory / "out")).mask_id == 1
    started = Training(recipe, directory / "next", directory / "out")
    started.resume()
    assert started.step == 0 and len(started.tokenizer) == len(first.tokenizer)
    for one, other in zip(started.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0.01, atol=0.001)  # bfloat16 between the two


def test_starting_from_nothing_is_refused(directory):
    with pytest.raises(DataError, match=r"model\.safetensors"):
        Training(Recipe(), directory, directory / "nowhere")


def test_the_rate_warms_up_holds_and_falls_to_zero():
    recipe = Recipe(steps=1000, warmup_steps=50, decay_share=0.3)
    assert recipe.rate(0) == pytest.approx(0.02) and recipe.rate(400) == 1.0
    assert recipe.rate(850) == pytest.approx(0.5) and recipe.rate(1000) == 0.0
    assert tuple(recipe.shares(0).values()) == recipe.shares_first
    assert np.allclose(tuple(recipe.shares(900).values()), recipe.shares_last)
    assert all(math.isclose(sum(recipe.shares(step).values()), 1) for step in (0, 300, 1000))


def test_a_mastered_level_is_followed_by_the_next(directory):
    training = Training(Recipe(), directory)
    assert training.advance(0.9) == 0
    for _ in range(1000):
        training.advance(1.0)
    assert training.level == LEVELS


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 12, 6), (1, 6, 12)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape):
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert values.min() > 0.5 and values.max() < 1.3


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_decoders_canvas_shows_first_what_the_network_is_most_certain_of(directory, rounds):
    training = Training(Recipe(rounds=rounds), directory)
    training.network.eval()
    maker = RowMaker(training.tokenizer, seed=2)
    row = next(row for row in iter(maker.canvas_row, None) if row.reveal > 3)
    ids, masked, asked = (torch.from_numpy(values)[None] for values in (row.ids, row.masked, row.asked))
    shown = training.shown_first([row], ids, masked, asked)[0]
    before = torch.zeros_like(shown)
    for part in range(1, rounds + 1):
        visible = ids.masked_fill(masked & ~before, training.tokenizer.mask_token_id)
        certain = training.network.lm_head(training.hidden([row], visible)[0]).softmax(-1).amax(-1)
        left = asked[0] & ~before
        best = certain.masked_fill(~left, -1).topk(row.reveal * part // rounds - int(before.sum())).indices
        before[best] = True
    assert shown.equal(before) and shown.sum() == row.reveal


@pytest.mark.parametrize(("have", "layers"), [(2, 2), (2, 3), (6, 8), (4, 7)])
def test_a_deeper_network_begins_by_computing_what_the_other_does(directory, monkeypatch, have, layers):
    tokens = torch.arange(40)[None]
    outputs, weights = [], None
    for depth in (have, layers):
        monkeypatch.setitem(train.SHAPE, "num_hidden_layers", depth)
        network = train.new_network(Training(Recipe(), directory).tokenizer).eval()
        weights = train.deepened(weights, depth) if weights else network.state_dict()
        network.load_state_dict(weights)
        outputs.append(network(tokens).logits)
    torch.testing.assert_close(*outputs)


@pytest.mark.parametrize("layers", [1, 4])
def test_a_depth_that_no_copies_lead_to_is_refused(layers):
    with pytest.raises(DataError, match="2 layers"):
        train.deepened({f"model.layers.{layer}.norm": torch.zeros(1) for layer in range(2)}, layers)
