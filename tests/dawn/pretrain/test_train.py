"""Training: it lowers the loss, stops and resumes at the same place, and exports what the program loads."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from dawn.errors import DataError
from dawn.models import load_model
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain import train
from dawn.pretrain.curve import read
from dawn.pretrain.muon import Muon, orthogonalise
from dawn.pretrain.recipe import KINDS, Recipe
from dawn.pretrain.rows import RowMaker
from dawn.pretrain.train import Training

THREE_MINUTES = {"steps": 240, "tokens_per_step": 1024, "warmup_steps": 10}
STATED_LOSSES = {"equation": 5.0, "block": 5.3}  # by kind of row, the mean of the last 40 steps; of equal odds: log 2430 = 7.8
TINY = partial(Recipe, width=32, inner_width=32, layers=2, heads=2)


@pytest.fixture
def directory(tmp_path):
    """A run's folder with the shipped tokenizer."""
    (tmp_path / "tokenizer").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(EMBEDDED_FOLDER / name, tmp_path / "tokenizer")
    return tmp_path


def test_it_learns_stops_resumes_and_exports(directory):
    seen = []
    recipe = TINY(steps=24, tokens_per_step=768, warmup_steps=2)
    first = Training(recipe, directory)
    first.run(seen.append, save_every=12)
    assert [p.step for p in seen] == list(range(1, 25)) and {"block", "equation"} <= {p.kind for p in seen} <= set(KINDS)
    assert sum(p.loss for p in seen[-6:]) < sum(p.loss for p in seen[:6])
    curve = read(directory)
    assert [line["step"] for line in curve] == [12, 24] and "block" in curve[1]["loss_right_digits"]
    resumed = Training(TINY(steps=26, tokens_per_step=768), directory)
    resumed.resume()
    assert resumed.step == 24 and resumed.tokens == first.tokens
    for name in ("network", "average"):
        for one, other in zip(getattr(first, name).parameters(), getattr(resumed, name).parameters(), strict=True):
            torch.testing.assert_close(one, other)
    resumed.run(seen.append)
    assert seen[-1].step == 26
    resumed.export(directory / "out")
    assert load_model(str(directory / "out")).mask_id == 1
    started = Training(recipe, directory / "next", directory / "out")
    started.resume()
    assert started.step == 0 and len(started.tokenizer) == len(first.tokenizer)
    assert read(directory / "next") == read(directory / "out") == read(directory) and started.tokens == resumed.tokens
    for begun in (started.network, started.average.module):
        for one, other in zip(begun.parameters(), resumed.average.module.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=0.01, atol=0.001)  # bfloat16 between the two


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def overwritten(path: Path) -> None:
    path.write_bytes(b"PK of something else" * 99)


def without_average(path: Path) -> None:
    state = torch.load(path, weights_only=True)
    torch.save({name: value for name, value in state.items() if name != "average"}, path)


@pytest.mark.parametrize(("damage", "width"), [(cut_short, 32), (overwritten, 32), (without_average, 32), (Path.touch, 64)])
def test_a_checkpoint_that_is_damaged_or_of_another_recipe_is_refused(directory, damage, width):
    Training(TINY(), directory).save()
    Training(TINY(), directory).resume()
    damage(directory / "checkpoint.pt")
    with pytest.raises(DataError, match=r"cannot go on from .*checkpoint\.pt.*remove it"):
        Training(TINY(width=width), directory).resume()


@pytest.mark.parametrize(
    ("fast", "steps", "layers"), [(True, train.WORTH_COMPILING, 2), (True, train.WORTH_COMPILING - 1, 0), (False, 10**6, 0)]
)
def test_layers_are_compiled_where_it_is_repaid(directory, monkeypatch, fast, steps, layers):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **_: compiled.append(self))
    monkeypatch.setattr(train, "has_bfloat16", lambda: fast)
    train.compiled(Training(TINY(), directory).network, steps)
    assert len(compiled) == layers


def test_what_is_exported_is_a_running_average_of_the_weights(directory):
    training = Training(TINY(steps=3, tokens_per_step=768, warmup_steps=1, averaging=0.75), directory)
    weights = [p.detach().clone() for p in training.network.parameters()][:2]
    states = []
    training.run(lambda _: states.append([p.detach().clone() for p in training.network.parameters()][:2]))
    mean = states[0]
    for state in states[1:]:
        mean = [0.75 * one + 0.25 * other for one, other in zip(mean, state, strict=True)]
    for one, other in zip(list(training.average.parameters())[:2], mean, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.equal(weights[0], mean[0]) and not torch.equal(states[-1][0], mean[0])


def test_three_minutes_from_nothing_reach_the_loss_that_the_model_card_states(tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(THREE_MINUTES))
    picture = tmp_path / "curve.svg"
    command = [sys.executable, "-m", "dawn", "pretrain", "--directory", tmp_path, "--recipe", recipe, "--picture", picture]
    one_core = {**os.environ, "OMP_NUM_THREADS": "1"}  # the other one is another test's
    subprocess.run(command, cwd=Path(train.__file__).parents[2], check=True, capture_output=True, env=one_core)
    *_, last = read(tmp_path)
    assert "block rows" in picture.read_text()
    assert last["step"] == THREE_MINUTES["steps"]
    assert all(last["loss_right_digits"][kind][0] < stated for kind, stated in STATED_LOSSES.items()), last


def test_starting_from_nothing_is_refused(directory):
    with pytest.raises(DataError, match=r"model\.safetensors"):
        Training(TINY(), directory, directory / "nowhere")


def test_the_rate_warms_up_holds_and_falls_to_zero():
    recipe = TINY(steps=1000, warmup_steps=50, decay_share=0.3)
    assert recipe.rate(0) == pytest.approx(0.02) and recipe.rate(400) == 1.0
    assert recipe.rate(850) == pytest.approx(0.5) and recipe.rate(1000) == 0.0
    assert tuple(recipe.shares(0).values()) == recipe.shares_first
    assert np.allclose(tuple(recipe.shares(900).values()), recipe.shares_last)
    assert all(math.isclose(sum(recipe.shares(step).values()), 1) for step in (0, 300, 1000))


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 12, 6), (1, 6, 12)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape):
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert values.min() > 0.5 and values.max() < 1.3


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_step_takes_away_its_part_of_a_matrix(decay):
    matrix, copy = (torch.nn.Parameter(torch.eye(4, 6)) for _ in range(2))
    gradient = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    for parameter, part in ((matrix, decay), (copy, 0.0)):
        parameter.grad = gradient.clone()
        Muon([parameter], lr=0.2, decay=part).step()
    torch.testing.assert_close(matrix, copy - 0.2 * decay * torch.eye(4, 6))


def test_what_is_shown_is_what_the_network_is_most_certain_of_and_what_was_shown_stays(directory):
    training = Training(TINY(), directory)
    training.network.eval()
    maker = RowMaker(training.tokenizer, seed=2)
    row = next(row for row in iter(maker.decoder_row, None) if 2 < row.reveal[0][0] < row.reveal[1][0] - 2)
    ids, masked, asked = (torch.from_numpy(values)[None] for values in (row.ids, row.masked, row.asked))
    shown, before = torch.zeros_like(asked), set()
    for time in range(2):
        hidden = training.hidden([row], ids.masked_fill(masked & ~shown, training.tokenizer.mask_token_id))
        certain = training.network.lm_head(hidden[0]).softmax(-1).amax(-1)
        left = asked & ~shown
        best = certain.masked_fill(~left[0], -1).topk(int(row.reveal[time][0]) - len(before)).indices
        shown = training.shown([row], hidden, left, shown, time)
        before |= set(best.tolist())
        assert set(shown[0].nonzero()[:, 0].tolist()) == before


def test_the_rows_of_a_step_are_alike(directory):
    """Drills are asked once or several times, never both in one step."""
    shares = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    recipe = TINY(tokens_per_step=768, shares_first=shares, shares_last=shares)
    steps = train.batches(RowMaker(Training(recipe, directory).tokenizer, 6), recipe, 0)
    asked = [{(len(row.ids), len(row.reveal)) for row in next(steps)[1]} for _ in range(12)]
    assert all(len(kinds) == 1 for kinds in asked) and len({times for kinds in asked for _, times in kinds}) == 2


def test_two_processes_step_along_the_mean_of_their_gradients(directory):
    recipe = TINY(steps=1, tokens_per_step=768, warmup_steps=1, processes=2, seed=5)
    seen = []
    together = train.train(recipe, directory, None, seen.append)
    alone = Training(replace(recipe, processes=1), directory)
    alone.update = lambda: None
    for rank in range(2):
        maker = RowMaker(alone.tokenizer, 2 * 5000 + rank)
        kind, rows = next(train.batches(maker, recipe, 0))
        tokens = alone.one_step(kind, rows, maker.is_number).tokens
        assert kind == seen[0].kind and (rank or tokens == seen[0].tokens)
    for parameter in alone.network.parameters():
        parameter.grad /= 2
    alone.step = 0
    Training.update(alone)
    for one, other in zip(together.network.parameters(), alone.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert (directory / "checkpoint.pt").exists()


@pytest.mark.parametrize(("have", "layers"), [(2, 2), (2, 3), (6, 8), (4, 7)])
def test_a_deeper_network_begins_by_computing_what_the_other_does(directory, have, layers):
    tokens = torch.arange(40)[None]
    outputs, weights = [], None
    for depth in (have, layers):
        recipe = TINY(layers=depth)
        network = train.new_network(Training(recipe, directory).tokenizer, recipe).eval()
        weights = train.deepened(weights, depth) if weights else network.state_dict()
        network.load_state_dict(weights)
        outputs.append(network(tokens).logits)
    torch.testing.assert_close(*outputs)


@pytest.mark.parametrize("layers", [1, 4])
def test_a_depth_that_no_copies_lead_to_is_refused(layers):
    with pytest.raises(DataError, match="2 layers"):
        train.deepened({f"model.layers.{layer}.norm": torch.zeros(1) for layer in range(2)}, layers)
