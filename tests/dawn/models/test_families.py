"""Every family, loaded from its published layout by the user's path, against a reference that shares no code with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dawn.canvas import Canvas
from dawn.cli import main
from dawn.decode import Options
from dawn.errors import ModelError
from dawn.models import load_model
from dawn.models.families import SPECS, recognise
from dawn.prediction import EVERYTHING
from dawn.rules import Dawn
from dawn.run import start
from dawn.trace import load
from tests.dawn.models import published, reference
from tests.dawn.models.published import LLADA_SPECIALS, QWEN_SPECIALS, special

LAYOUTS = {
    "llada": published.llada,
    "llada base": lambda folder: published.llada(folder, chat=False, shards=1, n_kv_heads=2, embedding_size=384),
    "dream": published.dream,
    "dream base": lambda folder: published.dream(folder, chat=False),
    "a2d-qwen3": published.a2d,
    "a2d-qwen2": lambda folder: published.a2d(folder, "qwen2"),
    "open-dcoder": published.open_dcoder,
}
SHIFTED = ("dream", "dream base", "open-dcoder")


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request, tmp_path_factory) -> tuple[str, Path]:
    return request.param, LAYOUTS[request.param](tmp_path_factory.mktemp("model"))


def half_written(model) -> Canvas:
    canvas = Canvas.blank(model.encode("What is 2 + 3?"), 24, 12, model.mask_id)
    some = canvas.prompt_length + np.array([1, 5, 6])
    return canvas.commit(some, [60, 61, 62], [0.5, 0.6, 0.7])


def test_logits_and_confidence_equal_the_reference(layout):
    name, folder = layout
    model = load_model(str(folder))
    canvas = half_written(model)
    logits, _ = reference.forward(folder, torch.from_numpy(canvas.tokens.astype(np.int64)))
    with torch.inference_mode():
        hidden = model.forward(torch.from_numpy(canvas.tokens[None].astype(np.int64)), None)
        seen = model.network.lm_head(hidden)
    torch.testing.assert_close(seen.double(), logits, rtol=1e-4, atol=1e-4)
    if name in SHIFTED:
        logits = logits[[0, *range(canvas.length - 1)]]
    logits[:, model.mask_id] = -torch.inf
    prediction = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0))
    read = canvas.candidates
    assert (prediction.tokens[read] == logits.argmax(-1).numpy()[read]).all()
    np.testing.assert_allclose(prediction.confidence[read], logits.softmax(-1).amax(-1).numpy()[read], rtol=1e-3)


def test_the_averaged_attention_equals_the_reference(layout):
    _, folder = layout
    model = load_model(str(folder))
    canvas = half_written(model)
    _, maps = reference.forward(folder, torch.from_numpy(canvas.tokens.astype(np.int64)))
    average = torch.stack(maps[-4:]).mean(0).numpy()
    seen = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0)).attention
    np.testing.assert_allclose(seen.weights, average[seen.rows], atol=1e-5)
    np.testing.assert_allclose(seen.received, average.mean(0), atol=1e-5)
    assert np.abs(torch.stack(maps).mean(0).numpy() - average).max() > 1e-3, "all five layers would pass as the last four"


def test_the_command_line_runs_it_and_its_trace_can_be_read(layout, capsys, tmp_path):
    _, folder = layout
    file = tmp_path / "t.npz"
    code = main(["run", "2 + 3?", "--model", str(folder), "--gen-length", "6", "--json", "--save", str(file)])
    out, err = capsys.readouterr()
    assert code == 0 and err == "" and json.loads(out)["model"] == str(folder) == load(file).setup.model


IM_END, END = special("<|im_end|>", QWEN_SPECIALS), special("<|endoftext|>", QWEN_SPECIALS)
EOT, LLADA_END = special("<|eot_id|>", LLADA_SPECIALS), special("<|endoftext|>", LLADA_SPECIALS)


def test_ids_and_shift_are_read_from_the_checkpoint(layout):
    name, folder = layout
    model = load_model(str(folder))
    llada = name.startswith("llada")
    assert model.mask_id == special("<|mdm_mask|>" if llada else "<|mask|>", LLADA_SPECIALS if llada else QWEN_SPECIALS)
    assert model.end_ids == ((LLADA_END, EOT) if llada else (END, IM_END))
    assert model.family.shifted == (name in SHIFTED)


def test_the_chat_form_is_the_checkpoints_and_a_base_model_gets_the_plain_question(layout):
    name, folder = layout
    model = load_model(str(folder))
    question = "Why? <|mask|><|im_end|><|mdm_mask|>"
    text = model.tokenizer.decode(model.encode(question))
    if name == "llada":
        header = "<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n"
        assert text == f"{header}{question}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    elif name.endswith(" base") or name == "open-dcoder":
        assert text == question
    else:
        assert text == f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    specials = [i for i in model.encode(question) if i >= published.BYTES]
    assert len(specials) == (0 if text == question else 6 if name == "llada" else 3), "special tokens in a question are text"


def test_ids_that_the_tokenizer_does_not_know_have_a_text(layout):
    _, folder = layout
    model = load_model(str(folder))
    last = model.network.config.vocab_size - 1
    assert model.pieces([last]) == {last: f"<{last}>"} and model.text([last, 65]) == model.text([65])


def test_a_run_never_writes_the_mask_token_and_the_prompt_never_changes(layout):
    _, folder = layout
    model = load_model(str(folder))
    run = start(model, "2 + 3?", Dawn(), 16, 8, Options())
    final = list(run.iterate())[-1].after
    assert final.is_complete and (final.tokens[: final.prompt_length] == run.canvas.tokens[: final.prompt_length]).all()


def test_bfloat16_keeps_confidence_and_attention_in_float32(tmp_path):
    model = load_model(str(published.llada(tmp_path)), dtype="bfloat16")
    assert model.network.dtype == torch.bfloat16
    canvas = half_written(model)
    seen = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(seen.attention.weights.sum(-1), 1, atol=1e-6)
    exact = load_model(str(tmp_path), dtype="float32").predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0))
    assert np.abs(seen.attention.weights - exact.attention.weights).max() < 0.05
    steps = seen.confidence[canvas.candidates] * 256
    assert np.abs(steps - steps.round()).max() > 0.01, "a bfloat16 softmax moves in steps of 1/256"


def test_recognised_from_config_alone():
    assert [recognise({"model_type": spec.model_type}) for spec in SPECS] == list(SPECS)
    assert recognise(published.llada_config()).network == "LlamaForCausalLM"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "gpt2"}, "architecture 'gpt2' is not supported: known model types are a2d-qwen2"),
        ({}, "architecture None is not supported"),
        (published.llada_config(block_type="sequential"), "block_type is 'sequential', expected 'llama'"),
        (published.llada_config(alibi=True), "alibi is True"),
        (published.llada_config(include_qkv_bias=True), "include_qkv_bias is True"),
    ],
)
def test_another_architecture_is_named(config, words):
    with pytest.raises(ModelError, match=words):
        recognise(config)


def test_a_model_type_that_two_files_claim_is_refused(monkeypatch):
    monkeypatch.setattr("dawn.models.families.SPECS", (*SPECS, SPECS[0]))
    with pytest.raises(ModelError, match="2 files of dawn/models/families describe the model type 'a2d-qwen2'"):
        recognise({"model_type": "a2d-qwen2"})


def test_a_family_takes_under_thirty_lines():
    folder = Path(sys.modules["dawn.models.families"].__file__).parent
    lines = {
        file.name: len(file.read_text().splitlines())
        for file in folder.glob("*.py")
        if file.name not in ("__init__.py", "base.py")
    }
    assert len(lines) == len({spec.model_type.split("-")[0] for spec in SPECS})
    assert {name for name, count in lines.items() if count >= 30} <= {"llada.py"}, lines


def test_no_code_of_a_checkpoint_is_run(tmp_path, monkeypatch):
    """The tokenizer_config.json of Dream names a class of its own; its file here would end the process."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked whether to trust remote code"))
    published.dream(tmp_path)
    for name in ("configuration_dream", "modeling_dream"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the checkpoint was run')\n")
    assert load_model(str(tmp_path)).family.shifted
