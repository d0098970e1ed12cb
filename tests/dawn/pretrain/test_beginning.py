"""What a run begins with: deeper networks that compute the same, one model's layers upon another's, and embeddings alone."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from dawn.errors import DataError
from dawn.pretrain.beginning import deepened, first_weights

SHAPE = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 2, "tie_word_embeddings": True, "is_causal": False}
TINY = partial(LlamaConfig, **SHAPE)
TOKENS = torch.arange(40)[None]


def network(layers: int, inner: int = 32) -> LlamaForCausalLM:
    """One of random weights, biased ones too where a norm is."""
    made = LlamaForCausalLM(TINY(num_hidden_layers=layers, intermediate_size=inner)).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.rand_like(parameter) / 4)
    return made


@pytest.fixture
def models(tmp_path):
    """Three exported models: of two layers, of three, and of two larger ones."""
    torch.manual_seed(0)
    for name, made in (("two", network(2)), ("three", network(3)), ("larger", network(2, inner=48))):
        made.save_pretrained(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("have", "layers"), [(2, 2), (2, 3), (6, 8), (4, 7)])
def test_a_deeper_network_begins_by_computing_what_the_other_does(have, layers):
    shallow, deep = network(have), network(layers)
    deep.load_state_dict(deepened(shallow.state_dict(), layers))
    torch.testing.assert_close(shallow(TOKENS).logits, deep(TOKENS).logits)


@pytest.mark.parametrize("layers", [1, 4])
def test_a_depth_that_no_copies_lead_to_is_refused(layers):
    with pytest.raises(DataError, match="2 layers"):
        deepened({f"model.layers.{layer}.norm": torch.zeros(1) for layer in range(2)}, layers)


def test_a_model_set_upon_another_computes_on_what_that_leaves(models):
    below, above = (LlamaForCausalLM.from_pretrained(models / name).eval() for name in ("three", "two"))
    both = network(5)
    both.load_state_dict(first_weights([models / "three", models / "two"], 5))
    with torch.no_grad():
        hidden = above.model.embed_tokens(TOKENS)
        turned = above.model.rotary_emb(hidden, torch.arange(40)[None])
        for layer in (*below.model.layers, *above.model.layers):
            hidden = layer(hidden, position_embeddings=turned, attention_mask=torch.zeros(1, 1, 40, 40))
        wanted = above.lm_head(above.model.norm(hidden))
        found = both(TOKENS, attention_mask=torch.zeros(1, 1, 40, 40)).logits
    torch.testing.assert_close(found, wanted)


def test_fewer_layers_than_a_model_has_take_its_embeddings_and_its_last_norm_alone(models):
    taken, given = first_weights([models / "three"], 2), LlamaForCausalLM.from_pretrained(models / "three").state_dict()
    assert set(taken) == {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
    for name, values in taken.items():
        torch.testing.assert_close(values, given[name])


@pytest.mark.parametrize(("names", "layers", "message"), [(["two", "three"], 4, "5 layers"), (["two", "larger"], 4, "different sizes")])
def test_models_that_do_not_go_together_are_refused(models, names, layers, message):
    with pytest.raises(DataError, match=message):
        first_weights([models / name for name in names], layers)
