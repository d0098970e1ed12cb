"""What is compared computes the same things; every part yields its records; the memory probe runs in a process of its own."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from dawn.bench.synthetic import half_written
from dawn.cli import main
from dawn.models import cost, load_model
from dawn.models.denoiser import choose
from dawn.prediction import Needs
from tests.dawn.models.small import small_checkpoint

TINY = {**cost.SYNTHETIC_SHAPE, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 1000}


@pytest.fixture
def tiny(monkeypatch):
    """The benchmark at sizes that take no time."""
    monkeypatch.setattr(cost, "SYNTHETIC_SHAPE", TINY)
    monkeypatch.setattr(cost, "SYNTHETIC_LENGTHS", (96, 128))
    monkeypatch.setattr(cost, "GENERATED", (16, 32))
    monkeypatch.setattr(cost, "CONFIDENCE_LENGTHS", (80, 96))
    monkeypatch.setattr(cost, "VOCABULARY", 500)


def test_both_ways_give_the_same_tokens_and_confidences(tiny):
    logits = cost.network_logits(40)
    assert logits.shape == (40, 500) and logits.dtype == torch.bfloat16
    for here, there in zip(cost.confidence(logits), cost.float64_confidence(logits), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-5)


def test_a_few_rows_at_a_time_give_the_same_as_all(monkeypatch):
    logits = torch.randn(50, 30, generator=torch.Generator().manual_seed(1))
    whole = [choose(logits, temperature, np.random.default_rng(3)) for temperature in (0.0, 1.5)]
    monkeypatch.setattr("dawn.models.denoiser.CONFIDENCE_CHUNK_BYTES", 4 * 30 * 7)
    for expected, temperature in zip(whole, (0.0, 1.5), strict=True):
        for one, other in zip(expected, choose(logits, temperature, np.random.default_rng(3)), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_bare_forward_predicts_what_a_step_predicts(tiny):
    model = cost.synthetic_model()
    canvas = half_written(96, 32, np.random.default_rng(0))
    seen = model.predict(canvas, Needs(attention=True), 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(cost.bare_forward(model, canvas), seen.tokens[canvas.candidates])


def test_the_memory_of_a_process_of_its_own():
    assert cost.high_water() > 2**20
    assert cost.peak_of("float64", 8) > 8 * cost.VOCABULARY * 8 / cost.MIB


def test_bench_prints_one_json_object(tiny, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cost, "peak_of", lambda way, rows: 1.0 + rows)
    monkeypatch.setattr("dawn.bench.selection.LENGTHS", (256, 1024))
    monkeypatch.setattr("dawn.cli.QUICK_ROUNDS", 2)
    folder, threads = str(small_checkpoint(tmp_path / "model")), torch.get_num_threads()
    assert main(["bench", "--model", folder, "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [step["length"] for step in found["steps"]] == [62, 78, 96, 128]
    assert found["steps"][0]["network"] == load_model(folder).name and found["steps"][2]["network"].startswith("LLaDA-shaped")
    assert [(one["length"], one["rows"]) for one in found["confidences"]] == [(80, 64), (80, 80), (96, 64), (96, 96)]
    assert all(one["plain"]["n"] >= 2 and one["bare_milliseconds"]["median"] > 0 for one in found["steps"])
    assert torch.get_num_threads() == threads
