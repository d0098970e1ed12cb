"""The model that ships with the repository: it loads, it fits, it has learned the form of its task."""

from __future__ import annotations

import json
import re
from itertools import islice

import pytest

from dawn.decode import Options
from dawn.models import EMBEDDED, load_model
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.prediction import Needs
from dawn.pretrain.data import is_held_out, task_problems
from dawn.rules import Dawn, Original
from dawn.run import start
from dawn.thresholds import PRESETS


@pytest.fixture(scope="module")
def model():
    return load_model(EMBEDDED)


def test_it_is_small_and_a_plain_llama_checkpoint(model):
    weights = EMBEDDED_FOLDER / "model.safetensors"
    assert weights.stat().st_size <= 16 * 2**20
    config = json.loads((EMBEDDED_FOLDER / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"] and config["dtype"] == "bfloat16"
    assert model.encode("2 apples")[-1] == model.tokenizer.convert_tokens_to_ids("<|assistant|>")


def test_training_and_held_out_questions_are_disjoint(model):
    sides = {}
    for held_out in (True, False):
        stream = task_problems(0, model.tokenizer, held_out=held_out)
        sides[held_out] = {problem.question for problem in islice(stream, 500)}
    assert not sides[True] & sides[False]
    assert all(map(is_held_out, sides[True])) and not any(map(is_held_out, sides[False]))


def test_its_answers_have_the_form_of_the_task_and_dawn_takes_fewer_forwards(model):
    """A smoke test on a few held-out problems; the measured figures stand in the model card."""
    forwards = {}
    for rule in (Original(), Dawn(PRESETS["Embedded model"])):
        runs = [
            start(model, problem.question, rule, 96, 32, Options(), watch=Needs())
            for problem in islice(task_problems(1, model.tokenizer, held_out=True), 4)
        ]
        traces = [run.trace() for run in runs if list(run.iterate())]
        forwards[rule.name] = sum(trace.forwards for trace in traces)
        assert sum(bool(re.search(r"#### ?\d", trace.output)) for trace in traces) >= 2
    assert forwards["dawn"] < forwards["original"]
