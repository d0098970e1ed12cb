"""The model that ships with the repository: it loads, it fits, it has learned something."""

from __future__ import annotations

import json

from dawn.evaluate import outcomes, report
from dawn.models import EMBEDDED, load_model
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain.data import is_held_out, task_problems
from dawn.rules import Dawn, Original
from dawn.thresholds import PRESETS


def test_it_is_small_and_loads_as_a_plain_llama_checkpoint():
    weights = EMBEDDED_FOLDER / "model.safetensors"
    assert weights.stat().st_size <= 16 * 2**20
    config = json.loads((EMBEDDED_FOLDER / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"] and config["dtype"] == "bfloat16"
    model = load_model(EMBEDDED)
    assert model.encode("2 apples")[-1] == model.tokenizer.convert_tokens_to_ids("<|assistant|>")


def test_training_and_held_out_questions_are_disjoint():
    tokenizer = load_model(EMBEDDED).tokenizer
    sides = {}
    for held_out in (True, False):
        stream = task_problems(0, tokenizer, held_out=held_out)
        sides[held_out] = {next(stream).question for _ in range(1000)}
    assert not sides[True] & sides[False]
    assert all(map(is_held_out, sides[True])) and not any(map(is_held_out, sides[False]))


def test_it_answers_held_out_problems_in_fewer_forwards_with_dawn():
    """A smoke test on few problems; the measured figures stand in the model card."""
    model = load_model(EMBEDDED)
    original = report(list(outcomes(model, Original(), 6, seed=1, tokenizer=model.tokenizer)))
    dawn = report(list(outcomes(model, Dawn(PRESETS["Embedded model"]), 6, seed=1, tokenizer=model.tokenizer)))
    assert dawn.forwards_per_item < original.forwards_per_item / 2
    assert original.accuracy > 0
