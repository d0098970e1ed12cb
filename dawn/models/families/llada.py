"""LLaDA-8B-Base, LLaDA-8B-Instruct and LLaDA-1.5 (arXiv 2502.09992, 2505.19223): a Llama under names of its own."""

from __future__ import annotations

from dawn.models.families.base import FamilySpec


def fields(c: dict) -> dict:
    """LLaDA's config.json as fields of a LlamaConfig."""
    return {
        "vocab_size": c.get("embedding_size") or c["vocab_size"],
        "hidden_size": c["d_model"],
        "intermediate_size": c.get("mlp_hidden_size") or c["mlp_ratio"] * c["d_model"],
        "num_hidden_layers": c["n_layers"],
        "num_attention_heads": c["n_heads"],
        "num_key_value_heads": c.get("n_kv_heads") or c["n_heads"],
        "max_position_embeddings": c["max_sequence_length"],
        "rms_norm_eps": c["rms_norm_eps"],
        "rope_parameters": {"rope_type": "default", "rope_theta": c["rope_theta"]},
        "tie_word_embeddings": c["weight_tying"],
        "bos_token_id": None,
        "eos_token_id": c.get("eos_token_id"),
        "pad_token_id": c.get("pad_token_id"),
    }


IN_A_BLOCK = {
    **{f"{x}_proj": f"self_attn.{x}_proj" for x in "qkv"},
    **{"attn_out": "self_attn.o_proj", "attn_norm": "input_layernorm", "ff_norm": "post_attention_layernorm"},
    **{"ff_proj": "mlp.gate_proj", "up_proj": "mlp.up_proj", "ff_out": "mlp.down_proj"},
}
AROUND = {"wte": "model.embed_tokens", "ln_f": "model.norm", "ff_out": "lm_head"}

SPEC = FamilySpec(
    model_type="llada",
    network="LlamaForCausalLM",
    fields=fields,
    key_mapping={rf"^model\.transformer\.blocks\.(\d+)\.{old}\.": rf"model.layers.\1.{new}." for old, new in IN_A_BLOCK.items()}
    | {rf"^model\.transformer\.{old}\.": f"{new}." for old, new in AROUND.items()},
    mask_token="<|mdm_mask|>",
    end_tokens=("<|eot_id|>",),
    required={"block_type": "llama", "block_group_size": 1, "activation_type": "silu", "layer_norm_type": "rms"}
    | {"rope": True, "layer_norm_with_affine": True, "multi_query_attention": None}
    | dict.fromkeys(
        ("alibi", "attention_layer_norm", "include_bias", "include_qkv_bias", "input_emb_norm", "scale_logits"), False
    ),
)
