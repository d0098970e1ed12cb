"""The adapter against plain references: maps against eager `output_attentions`, confidence against a float64 softmax."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from dawn.canvas import Canvas
from dawn.errors import CanvasError, ModelError
from dawn.models import load_model
from dawn.models.denoiser import choose, entropies, margins
from dawn.models.tap import Tap, explicit_attention
from dawn.prediction import EVERYTHING, Needs
from dawn.rules import Confidence, Dawn, Entropy, EntropyBounded, Margin
from dawn.run import start
from dawn.trace import to_bytes
from tests.dawn.models.small import small_checkpoint


@pytest.fixture(scope="module", params=[4, 2], ids=["all heads", "grouped heads"])
def folder(request, tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("model"), kv_heads=request.param)


@pytest.fixture
def model(folder):
    return load_model(str(folder))


def half_written(model) -> Canvas:
    canvas = Canvas.blank(model.encode("What is 2 + 3?"), 40, 16, model.mask_id)
    return canvas.commit([18, 20, 21], [60, 61, 62], [0.5, 0.6, 0.7])


def reference(folder, canvas):
    """Logits and the head-mean attention of the last four layers, by transformers' eager attention without a mask."""
    network = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    network.config.is_causal = False
    with torch.inference_mode():
        out = network(torch.tensor(np.array(canvas.tokens)[None]).long(), output_attentions=True)
    maps = torch.stack([layer[0].mean(0) for layer in out.attentions[-4:]]).mean(0)
    return out.logits[0].double().numpy(), maps.numpy()


def test_the_maps_equal_eager_output_attentions(folder, model):
    canvas = half_written(model)
    _, maps = reference(folder, canvas)
    seen = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0)).attention
    np.testing.assert_allclose(seen.weights, maps[seen.rows], atol=1e-6)
    np.testing.assert_allclose(seen.received, maps.mean(0), atol=1e-6)


def test_the_network_looks_both_ways(model):
    canvas = half_written(model)
    later = canvas.write(np.array([canvas.length - 1]), [99], 1.0)
    one, other = (model.predict(c, EVERYTHING, 0.0, np.random.default_rng(0)).confidence[0] for c in (canvas, later))
    assert one != other


def test_confidence_equals_a_float64_softmax_without_the_mask_token(folder, model):
    canvas = half_written(model)
    logits, _ = reference(folder, canvas)
    logits[:, model.mask_id] = -np.inf
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    expected = (odds / odds.sum(-1, keepdims=True)).max(-1)
    prediction = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0))
    end = canvas.block_span(0)[1]
    np.testing.assert_allclose(prediction.confidence[:end], expected[:end], rtol=1e-4)
    assert np.isnan(prediction.confidence[end:]).all()
    assert (prediction.tokens[:end] == logits.argmax(-1)[:end]).all()


def test_entropy_and_margin_equal_a_float64_softmax_without_the_mask_token(folder, model):
    canvas = half_written(model)
    logits, _ = reference(folder, canvas)
    logits[:, model.mask_id] = -np.inf
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    shares = odds / odds.sum(-1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(-1)
    margin = np.diff(np.sort(shares, axis=-1)[:, -2:], axis=-1)[:, 0]
    for needs in (EVERYTHING, Needs(entropy=True, margin=True)):
        seen = model.predict(canvas, needs, 0.0, np.random.default_rng(0))
        for values, expected in ((seen.entropy, entropy), (seen.margin, margin)):
            assert values.dtype == np.float32 and set(np.flatnonzero(~np.isnan(values))) == set(canvas.candidates)
            np.testing.assert_allclose(values[canvas.candidates], expected[canvas.candidates], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("needs", [Needs(), EVERYTHING, replace(EVERYTHING, kl=2)], ids=["bare", "everything", "changes too"])
def test_one_transfer_to_the_host_per_step(model, monkeypatch, needs):
    """A tensor that becomes numbers of Python or numpy makes a GPU wait: it happens once, whatever was asked for."""
    counts = dict.fromkeys(("cpu", "item", "tolist", "__bool__", "__int__", "__float__", "__index__"), 0)

    def counted(name: str):
        original = getattr(torch.Tensor, name)

        def method(tensor, *arguments, **named):
            counts[name] += 1
            return original(tensor, *arguments, **named)

        return method

    canvas = half_written(model)
    monkeypatch.setattr("dawn.models.device.on_host", lambda tensors: False)
    for name in counts:
        monkeypatch.setattr(torch.Tensor, name, counted(name))
    model.predict(canvas, needs, 0.0, np.random.default_rng(0))
    assert counts.pop("cpu") == 1 and set(counts.values()) == {0}, counts


@pytest.mark.parametrize(("rule", "asked"), [(Entropy(), "entropy"), (EntropyBounded(), "entropy"), (Margin(), "margin")])
def test_only_the_number_that_a_rule_reads_is_computed(model, rule, asked):
    seen = model.predict(half_written(model), rule.needs, 0.0, np.random.default_rng(0))
    assert [name for name in ("entropy", "margin") if getattr(seen, name) is not None] == [asked]


def test_a_certain_distribution_has_no_entropy_and_a_full_lead():
    probabilities = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
    np.testing.assert_allclose(entropies(probabilities), [0, 1.5 * np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(margins(probabilities), [1, 0.25])


def test_only_what_was_asked_for_is_there(model):
    canvas = half_written(model)
    bare = model.predict(canvas, Needs(), 0.0, np.random.default_rng(0))
    assert bare.attention is None and bare.alternatives is None and bare.entropy is None and bare.margin is None
    assert set(np.flatnonzero(~np.isnan(bare.confidence))) == set(canvas.candidates)
    full = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0))
    ids, probabilities = full.alternatives
    assert ids.shape == probabilities.shape == (16, 5)
    np.testing.assert_allclose(probabilities[:, 0], full.confidence[canvas.window], rtol=1e-5)
    assert (np.diff(probabilities, axis=1) <= 0).all() and not (ids == model.mask_id).any()


def test_a_few_heads_at_a_time_give_the_same_as_all(monkeypatch):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 6, 20, 8)
    taps = Tap(frozenset({0})), Tap(frozenset({0}))
    whole = explicit_attention(query, key, value, None, 0.3, taps[0])
    monkeypatch.setattr("dawn.models.tap.HEAD_CHUNK_BYTES", 4 * 20 * 20 * 2)
    torch.testing.assert_close(whole, explicit_attention(query, key, value, None, 0.3, taps[1]))
    torch.testing.assert_close(taps[0].mean, taps[1].mean)


def test_noise_is_seeded_and_leaves_the_confidence_alone():
    logits = torch.randn(50, 30, generator=torch.Generator().manual_seed(1))
    tokens, confidence = choose(logits, 1.5, np.random.default_rng(3))
    again, _ = choose(logits, 1.5, np.random.default_rng(3))
    greedy, _ = choose(logits, 0.0, np.random.default_rng(3))
    assert (tokens == again).all() and (tokens != greedy).any()
    np.testing.assert_allclose(confidence, logits.softmax(-1)[range(50), tokens].numpy(), rtol=1e-5)


def test_gumbel_noise_samples_from_the_softmax():
    logits = torch.log(torch.tensor([0.2, 0.5, 0.3])).repeat(20_000, 1)
    tokens, _ = choose(logits, 1.0, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(tokens) / len(tokens), [0.2, 0.5, 0.3], atol=0.015)


def test_special_tokens_in_a_question_stay_text(model):
    ids = model.encode("a<|mask|><|endoftext|>b")
    assert model.mask_id not in ids and 0 not in ids
    assert model.text(ids) == "a<|mask|><|endoftext|>b"


@pytest.mark.parametrize("prompt", ["🙂 emoji", "שלום עולם", "${document.title='x'}", "a\x00b", "x" * 100])
def test_any_text_survives(model, prompt):
    run = start(model, prompt, Dawn(), 8, 8, options())
    list(run.iterate())
    assert run.trace().prompt == prompt and to_bytes(run.trace())


def options():
    from dawn.decode import Options

    return Options()


def test_same_seed_same_run(model):
    runs = [start(model, "2 + 3?", Confidence(), 24, 8, options()) for _ in range(2)]
    for run in runs:
        list(run.iterate())
    assert (runs[0].trace().final.tokens == runs[1].trace().final.tokens).all()


def test_too_long_and_empty_prompts_say_what_to_do(model):
    for prompt, words in (
        ("", "type a question"),
        (" \n", "type a question"),
        ("x" * 800, "shorten"),
        ("x" * 50_000, "shorten it"),
    ):
        with pytest.raises(CanvasError, match=words):
            start(model, prompt, Dawn(), 96, 32, options())


def test_broken_folders_are_refused_in_one_line(tmp_path, folder):
    for name in ("nowhere", str(tmp_path)):
        with pytest.raises(ModelError, match="unknown model"):
            load_model(name)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{not json")
    with pytest.raises(ModelError, match="cannot load"):
        load_model(str(broken))
    (broken / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()) | {"mask_token_id": None}))
    with pytest.raises(ModelError):
        load_model(str(broken))


def test_a_canvas_of_another_model_is_refused_before_the_network_sees_it(model):
    strange = Canvas.of(np.array([10**6, model.mask_id], dtype=np.int32), 1, 1, model.mask_id)
    other_mask = Canvas.blank([3, 4], 8, 4, model.mask_id - 1)
    for canvas in (strange, other_mask):
        with pytest.raises(ModelError, match="not of the model"):
            model.predict(canvas, Needs(), 0.0, np.random.default_rng(0))


def test_the_layers_to_average_can_be_chosen(model, monkeypatch):
    monkeypatch.setattr(model, "tapped", model.tapped)  # as it was, for whoever comes next
    canvas = half_written(model)

    def rows():
        return model.predict(canvas, Needs(attention=True), 0.0, np.random.default_rng(0)).attention.weights

    every, single = rows(), []
    for layer in range(4):
        model.average([layer])
        single.append(rows())
    np.testing.assert_allclose(np.mean(single, axis=0), every, atol=1e-6)
    assert not np.allclose(single[0], every, atol=1e-3)
    for wrong in ([], [4], [-1], [1.0]):
        with pytest.raises(ModelError, match="the network has layers 0 to 3"):
            model.average(wrong)


def test_a_checkpoint_can_name_the_layers_to_average(tmp_path, folder):
    def named(*layers):
        copy = tmp_path / f"layers{len(layers)}"
        shutil.copytree(folder, copy)
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps(config | {"averaged_layers": layers}))
        return str(copy)

    assert load_model(named(1, 3)).tapped == {1, 3}
    assert load_model(named()).tapped == {0, 1, 2, 3}
    with pytest.raises(ModelError, match=r"cannot average the layers \[9\]: the network has layers 0 to 3"):
        load_model(named(9))
