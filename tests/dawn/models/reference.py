"""The families' networks written out once more, in float64, by the checkpoints' own tensor names: what the adapter must equal.

RMS norm, rotary positions, attention of every position to every other, SwiGLU; group-query attention; q, k, v biases (Dream);
norms of q and k (Qwen3). Nothing of transformers.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

LLADA = {"norm1": "attn_norm", "norm2": "ff_norm", "q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "attn_out"}
LLADA |= {"gate": "ff_proj", "up": "up_proj", "down": "ff_out"}
QWEN = {"norm1": "input_layernorm", "norm2": "post_attention_layernorm", "gate": "mlp.gate_proj", "up": "mlp.up_proj"}
QWEN |= {
    "down": "mlp.down_proj",
    **{x: f"self_attn.{x}_proj" for x in "qkvo"},
    **{f"{x}n": f"self_attn.{x}_norm" for x in "qk"},
}
AROUND = {
    "llada": ("model.transformer.wte", "model.transformer.ln_f", "model.transformer.ff_out"),
    "qwen": ("model.embed_tokens", "model.norm", "lm_head"),
}


def forward(folder: Path, ids: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """ids [L] → logits [L, V] and each layer's attention averaged over its heads [L, L], float64."""
    config = json.loads((folder / "config.json").read_text())
    tensors = {k: t.double() for file in sorted(folder.glob("*.safetensors")) for k, t in load_file(file).items()}
    llada = config["model_type"] == "llada"
    embedding, last, head = AROUND["llada" if llada else "qwen"]
    prefix, names = ("model.transformer.blocks", LLADA) if llada else ("model.layers", QWEN)
    hidden, maps = tensors[f"{embedding}.weight"][ids], []
    for n in range(config["n_layers" if llada else "num_hidden_layers"]):
        part = {short: f"{prefix}.{n}.{name}" for short, name in names.items()}
        attended, map_ = attention(norm(hidden, tensors[part["norm1"] + ".weight"], config), part, tensors, config)
        hidden = hidden + attended
        x = norm(hidden, tensors[part["norm2"] + ".weight"], config)
        gated = torch.nn.functional.silu(linear(x, part["gate"], tensors)) * linear(x, part["up"], tensors)
        hidden = hidden + linear(gated, part["down"], tensors)
        maps.append(map_)
    tied = config.get("weight_tying", config.get("tie_word_embeddings"))
    return linear(norm(hidden, tensors[f"{last}.weight"], config), embedding if tied else head, tensors), maps


def linear(x: torch.Tensor, name: str, tensors: dict) -> torch.Tensor:
    return x @ tensors[f"{name}.weight"].T + tensors.get(f"{name}.bias", 0)


def norm(x: torch.Tensor, weight: torch.Tensor, config: dict) -> torch.Tensor:
    return x / (x.square().mean(-1, keepdim=True) + config["rms_norm_eps"]).sqrt() * weight


def attention(x: torch.Tensor, part: dict, tensors: dict, config: dict) -> tuple[torch.Tensor, torch.Tensor]:
    heads = config.get("n_heads") or config["num_attention_heads"]
    length, size = len(x), len(tensors[part["q"] + ".weight"]) // heads
    q, k, v = (linear(x, part[one], tensors).view(length, -1, size) for one in "qkv")  # [L, heads, size]
    if f"{part.get('qn')}.weight" in tensors:
        q, k = norm(q, tensors[part["qn"] + ".weight"], config), norm(k, tensors[part["kn"] + ".weight"], config)
    q, k = rotate(q, config["rope_theta"]), rotate(k, config["rope_theta"])
    out, total = [], torch.zeros(length, length, dtype=x.dtype)
    for head in range(heads):
        shared = head * k.shape[1] // heads  # several heads share keys and values
        weights = (q[:, head] @ k[:, shared].T / size**0.5).softmax(-1)
        out.append(weights @ v[:, shared])
        total += weights
    return linear(torch.cat(out, -1), part["o"], tensors), total / heads


def rotate(x: torch.Tensor, theta: float) -> torch.Tensor:
    """Rotary positions: entries i and i + size/2 of each head turn by position · theta^(−2i/size)."""
    length, _, size = x.shape
    angles = torch.arange(length)[:, None].double() * theta ** (-torch.arange(0, size, 2).double() / size)
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    one, other = x[..., : size // 2], x[..., size // 2 :]
    return torch.cat([one * cos - other * sin, other * cos + one * sin], -1)
