"""Small random checkpoints in the layouts in which the families are published: names, config fields, shards, tokenizer files.

Sources: config.json, tokenizer_config.json and the weight index of the published repositories; only the sizes are smaller.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LLADA_SPECIALS = ["<|startoftext|>", "<|endoftext|>", "[CLS]", "[gMASK]", "<|reserved_token_0|>", "<|mdm_mask|>"]
LLADA_SPECIALS += ["<role>", "</role>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
LLADA_TEMPLATE = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
)
QWEN_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|beginoftext|>", "<|mask|>"]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
BYTES = len(ALPHABET)  # ids below are bytes, the special tokens follow


def write_json(path: Path, contents: dict) -> None:
    path.write_text(json.dumps(contents, indent=2), encoding="utf-8")


def special(name: str, specials: list[str]) -> int:
    """The id of a special token in these small tokenizers."""
    return BYTES + specials.index(name)


def added(specials: list[str]) -> dict:
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {str(BYTES + i): {"content": text, **plain} for i, text in enumerate(specials)}


def write_tokenizer(folder: Path, specials: list[str], config: dict, *, whole: bool = True) -> None:
    """One token per byte. whole: tokenizer.json; else vocab.json and merges.txt, as Dream has them."""
    vocabulary = {piece: i for i, piece in enumerate(ALPHABET)}
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": added(specials), **config})
    if not whole:
        write_json(folder / "vocab.json", vocabulary)
        (folder / "merges.txt").write_text("#version: 0.2\n")
        write_json(folder / "added_tokens.json", {text: BYTES + i for i, text in enumerate(specials)})
        return
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in specials])
    tokenizer.save(str(folder / "tokenizer.json"))


def write_weights(folder: Path, shapes: dict[str, tuple[int, ...]], *, shards: int, dtype=torch.float32, seed: int = 0) -> None:
    """Random tensors, shard by shard, with the index that names them. Norms lie around 1, everything else around 0."""
    random = torch.Generator().manual_seed(seed)
    names, index = sorted(shapes), {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        tensors = {name: random_tensor(shapes[name], dtype, random, names) for name in names[shard::shards]}
        save_file(tensors, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(tensors, file)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": index})


def random_tensor(shape: tuple[int, ...], dtype, random: torch.Generator, names: list[str]) -> torch.Tensor:
    scale = 0.5 if len(shape) == 1 else 2 / shape[1] ** 0.5
    values = torch.empty(shape, dtype=dtype).normal_(0, scale, generator=random)
    return values + 1 if len(shape) == 1 else values


def llada_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    width, inner, entries = c["d_model"], c["mlp_hidden_size"], c["embedding_size"]
    kv = width // c["n_heads"] * c["n_kv_heads"]
    block = {"attn_norm": (width,), "ff_norm": (width,), "q_proj": (width, width), "k_proj": (kv, width), "v_proj": (kv, width)}
    block |= {"attn_out": (width, width), "ff_proj": (inner, width), "up_proj": (inner, width), "ff_out": (width, inner)}
    shapes = {f"blocks.{n}.{name}": shape for n in range(c["n_layers"]) for name, shape in block.items()}
    shapes |= {"wte": (entries, width), "ln_f": (width,), "ff_out": (entries, width)}
    return {f"model.transformer.{name}.weight": shape for name, shape in shapes.items()}


def llada_config(**changes) -> dict:
    """LLaDA's config.json, every field as published but for the sizes and ids."""
    return {
        "activation_type": "silu", "alibi": False, "alibi_bias_max": 8.0, "architectures": ["LLaDAModelLM"],
        "attention_dropout": 0.0, "attention_layer_norm": False, "attention_layer_norm_with_affine": True,
        "auto_map": {
            "AutoConfig": "configuration_llada.LLaDAConfig",
            "AutoModelForCausalLM": "modeling_llada.LLaDAModelLM",
            "AutoModel": "modeling_llada.LLaDAModelLM",
        },
        "bias_for_layer_norm": False, "block_group_size": 1, "block_type": "llama", "d_model": 32, "embedding_dropout": 0.0,
        "embedding_size": 320, "eos_token_id": special("<|endoftext|>", LLADA_SPECIALS), "flash_attention": False,
        "include_bias": False, "include_qkv_bias": False, "init_cutoff_factor": None, "init_device": "meta",
        "init_fn": "mitchell", "init_std": 0.02, "input_emb_norm": False, "layer_norm_type": "rms",
        "layer_norm_with_affine": True, "mask_token_id": special("<|mdm_mask|>", LLADA_SPECIALS), "max_sequence_length": 512,
        "mlp_hidden_size": 48, "mlp_ratio": 4, "model_type": "llada", "multi_query_attention": None, "n_heads": 4,
        "n_kv_heads": 4, "n_layers": 5, "pad_token_id": special("<|endoftext|>", LLADA_SPECIALS), "precision": "amp_bf16",
        "residual_dropout": 0.0, "rms_norm_eps": 1e-05, "rope": True, "rope_full_precision": True, "rope_theta": 500000.0,
        "scale_logits": False, "transformers_version": "4.46.3", "use_cache": False,
        "vocab_size": BYTES + len(LLADA_SPECIALS), "weight_tying": False,
    } | changes  # fmt: skip


def llada(folder: Path, *, chat: bool = True, shards: int = 3, dtype=torch.float32, **changes) -> Path:
    """A LLaDA checkpoint. chat: with the chat template of the instruction-tuned ones."""
    config = llada_config(**changes)
    write_json(folder / "config.json", config)
    tokens = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "cls_token": "[CLS]"}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "trust_remote_code": True, "clean_up_tokenization_spaces": False}
    template = {"chat_template": LLADA_TEMPLATE} if chat else {}
    extra = {"additional_special_tokens": ["<role>", "</role>"], "model_max_length": 10**30}
    write_tokenizer(folder, LLADA_SPECIALS, tokens | kind | template | extra)
    write_weights(folder, llada_shapes(config), shards=shards, dtype=dtype)
    return folder


def qwen_shapes(c: dict, *, biases: bool, norms: bool, head: bool) -> dict[str, tuple[int, ...]]:
    width, inner, entries = c["hidden_size"], c["intermediate_size"], c["vocab_size"]
    size = c.get("head_dim") or width // c["num_attention_heads"]
    q, kv = size * c["num_attention_heads"], size * c["num_key_value_heads"]
    block = {"input_layernorm": (width,), "post_attention_layernorm": (width,), "self_attn.o_proj": (width, q)}
    block |= {"self_attn.q_proj": (q, width), "self_attn.k_proj": (kv, width), "self_attn.v_proj": (kv, width)}
    block |= {"self_attn.q_norm": (size,), "self_attn.k_norm": (size,)} if norms else {}
    block |= {"mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width), "mlp.down_proj": (width, inner)}
    shapes = {f"model.layers.{n}.{name}.weight": shape for n in range(c["num_hidden_layers"]) for name, shape in block.items()}
    if biases:
        rows = {"q": q, "k": kv, "v": kv}
        shapes |= {
            f"model.layers.{n}.self_attn.{x}_proj.bias": (rows[x],) for n in range(c["num_hidden_layers"]) for x in "qkv"
        }
    shapes |= {"model.embed_tokens.weight": (entries, width), "model.norm.weight": (width,)}
    return shapes | ({"lm_head.weight": (entries, width)} if head else {})


def qwen_config(**changes) -> dict:
    """The fields that Dream's and the Qwen-based checkpoints share."""
    return {
        "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 48,
        "max_position_embeddings": 512, "max_window_layers": 5, "num_attention_heads": 4, "num_hidden_layers": 5,
        "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 1000000.0, "sliding_window": None,
        "tie_word_embeddings": False, "torch_dtype": "float32", "transformers_version": "4.46.2", "use_cache": True,
        "use_sliding_window": False, "vocab_size": 300, "bos_token_id": special("<|endoftext|>", QWEN_SPECIALS),
        "eos_token_id": special("<|endoftext|>", QWEN_SPECIALS),
    } | changes  # fmt: skip


def dream(folder: Path, *, chat: bool = True, **changes) -> Path:
    """A Dream checkpoint: a tokenizer class of its own, no tokenizer.json, biases, grouped heads."""
    pad, mask = special("<|endoftext|>", QWEN_SPECIALS), special("<|mask|>", QWEN_SPECIALS)
    own = {"architectures": ["DreamModel"], "model_type": "Dream", "pad_token_id": pad, "mask_token_id": mask}
    code = {"AutoConfig": "configuration_dream.DreamConfig", "AutoModel": "modeling_dream.DreamModel"}
    config = qwen_config(**own, auto_map=code, **changes)
    write_json(folder / "config.json", config)
    write_json(
        folder / "generation_config.json", {"eos_token_id": pad, "pad_token_id": pad, "mask_token_id": mask, "alg": "origin"}
    )
    tokens = {
        "bos_token": "<|beginoftext|>",
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "mask_token": "<|mask|>",
    }
    kind = {"tokenizer_class": "DreamTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_dream.DreamTokenizer", None]}}
    write_tokenizer(folder, QWEN_SPECIALS, tokens | kind | ({"chat_template": CHATML} if chat else {}), whole=False)
    write_weights(folder, qwen_shapes(config, biases=True, norms=False, head=True), shards=2)
    (folder / "tokenization_dream.py").write_text("raise SystemExit('code of the checkpoint was run')\n")
    return folder


def a2d(folder: Path, base: str = "qwen3", **changes) -> Path:
    """A Qwen made into a masked diffusion model: nothing but the tokenizer names its mask; embeddings tied."""
    own = {"architectures": [f"A2D{base.title()}LMHeadModel"], "model_type": f"a2d-{base}", "tie_word_embeddings": True}
    own |= {"head_dim": 16, "attention_bias": False} if base == "qwen3" else {}
    config = qwen_config(**own, **changes) | {"eos_token_id": special("<|im_end|>", QWEN_SPECIALS)}
    write_json(folder / "config.json", config)
    tokens = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "mask_token": "<|mask|>"}
    write_tokenizer(folder, QWEN_SPECIALS, tokens | {"tokenizer_class": "Qwen2Tokenizer"})
    (folder / "chat_template.jinja").write_text(CHATML)
    write_weights(folder, qwen_shapes(config, biases=base == "qwen2", norms=base == "qwen3", head=False), shards=1)
    (folder / "model-00001-of-00001.safetensors").rename(folder / "model.safetensors")
    (folder / "model.safetensors.index.json").unlink()
    return folder


def open_dcoder(folder: Path) -> Path:
    """A plain Qwen2 checkpoint whose tokenizer has one token more, `<M>`, which no config names."""
    specials = ["<M>" if text == "<|mask|>" else text for text in QWEN_SPECIALS]
    config = qwen_config(architectures=["Qwen2ForCausalLM"], model_type="qwen2")
    write_json(folder / "config.json", config)
    tokens = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "tokenizer_class": "Qwen2Tokenizer"}
    write_tokenizer(folder, specials, tokens)
    write_weights(folder, qwen_shapes(config, biases=True, norms=False, head=True), shards=2)
    return folder
