"""One layer's attention against transformers' own eager attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from dawn.canvas import Canvas
from dawn.errors import ModelError
from dawn.models import load_model
from dawn.models.detail import attention_detail, layers_and_heads
from dawn.prediction import EVERYTHING
from tests.dawn.models.small import small_checkpoint


@pytest.fixture(scope="module", params=[4, 2], ids=["all heads", "grouped heads"])
def folder(request, tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("model"), kv_heads=request.param)


@pytest.fixture(scope="module")
def model(folder):
    return load_model(str(folder))


@pytest.fixture(scope="module")
def canvas(model):
    return Canvas.blank(model.encode("What is 2 + 3?"), 24, 8, model.mask_id)


@pytest.fixture(scope="module")
def eager(folder, canvas):
    """Every layer's heads [H, L, L]."""
    network = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    network.config.is_causal = False
    with torch.inference_mode():
        out = network(torch.tensor(np.array(canvas.tokens)[None]).long(), output_attentions=True)
    return [layer[0].numpy() for layer in out.attentions]


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize("head", [None, 0, 1, 2, 3])
def test_a_head_and_the_mean_equal_eager_attention(model, canvas, eager, monkeypatch, layer, head):
    expected = eager[layer].mean(0) if head is None else eager[layer][head]
    for heads_at_once in (1, 2, 3, 4):
        monkeypatch.setattr("dawn.models.tap.HEAD_CHUNK_BYTES", 4 * canvas.length**2 * heads_at_once)
        np.testing.assert_allclose(attention_detail(model, canvas, layer, head).chosen, expected, atol=1e-4)


def test_the_average_is_the_one_that_decoding_reads(model, canvas):
    detail = attention_detail(model, canvas, 0, 1)
    read = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0)).attention
    np.testing.assert_allclose(detail.average[read.rows], read.weights, atol=1e-5)


def test_a_layer_that_is_not_averaged_does_not_change_the_average(model, canvas, monkeypatch):
    monkeypatch.setattr(model, "tapped", frozenset({2, 3}))
    one, other = attention_detail(model, canvas, 0, None), attention_detail(model, canvas, 3, None)
    np.testing.assert_allclose(one.average, other.average, atol=1e-5)
    assert np.abs(one.chosen - other.chosen).max() > 0.01


@pytest.mark.parametrize("layer, head", [(-1, None), (4, None), (0, 4), (0, -1)])
def test_what_the_model_lacks_is_refused(model, canvas, layer, head):
    assert layers_and_heads(model) == (4, 4)
    with pytest.raises(ModelError, match="layers 0 to 3 and heads 0 to 3"):
        attention_detail(model, canvas, layer, head)
