"""Recipes: what no training could be made of is refused, in a file as in code."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from dawn.cli import main
from dawn.errors import DataError, ThresholdError
from dawn.models import load_model
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain.recipe import Recipe, read_recipe


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be a whole number"),
        ({"steps": 2.0}, "steps must be a whole number"),
        ({"processes": 257}, "processes must be a whole number from 1 to 256"),
        ({"matrix_lr": float("nan")}, "matrix_lr must be a number from 0 to 1"),
        ({"matrix_decay": 11}, "matrix_decay must be a number from 0 to 10"),
        ({"decay_share": 0}, "decay_share must be a number"),
        ({"turn": [0.5]}, "turn must be 2 numbers"),
        ({"turn": [0.5, "x"]}, "each of turn must be a number"),
        ({"turn": [0.5, 0.5]}, "turn must begin before it ends"),
        ({"shares_first": [0.25] * 4}, "shares_first must be 6 numbers"),
        ({"shares_last": [0.25] * 6}, "shares_last must sum to 1, not to 1.5"),
        ({"width": 190}, "width must be a multiple of twice the 4 heads"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(ThresholdError, match=message):
        Recipe(**wrong)


def test_a_recipe_returns_from_the_file_of_an_exported_model(tmp_path):
    recipe = Recipe(steps=7, width=64, shares_first=(0.0, 0.5, 0.5, 0.0, 0.0, 0.0), turn=(0.0, 0.1))
    path = tmp_path / "training.json"
    path.write_text(json.dumps({"recipe": asdict(recipe), "steps_done": 7}))
    assert Recipe(**read_recipe(path)) == recipe
    path.write_text('{"layers": 3}')
    assert Recipe(**read_recipe(path)) == Recipe(layers=3)


def test_the_shipped_weights_tell_the_recipe_of_their_last_run():
    recipe, network = Recipe(**read_recipe(EMBEDDED_FOLDER / "training.json")), load_model("embedded").network
    assert (recipe.width, recipe.layers) == (network.config.hidden_size, network.config.num_hidden_layers)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\x00\xff", "is not JSON"),
        ("[]", "holds no recipe"),
        ('{"recipe": 3}', "holds no recipe"),
        ('{"stepps": 3}', "sets 'stepps', which is no part of a recipe"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path, content, message):
    path = tmp_path / "recipe.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=message):
        read_recipe(path)


def test_the_command_refuses_a_recipe_in_one_line_and_a_flag_goes_before_it(tmp_path, capsys):
    path = tmp_path / "recipe.json"
    for arguments, message in (([], "cannot read"), (["--steps", "0"], "steps must be a whole number")):
        assert main(["pretrain", "--recipe", str(path), "--directory", str(tmp_path / "run"), *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err and captured.err.count("\n") == 1 and not captured.out
        path.write_text('{"steps": 3}')
    assert not (tmp_path / "run").exists()
