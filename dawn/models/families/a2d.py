"""Autoregressive Qwen models made into masked diffusion ones by the dllm project (model types a2d-…): no shift.

Its block-causal variants (bd3lm) state nothing in config.json that would tell them apart: they are run with full attention.
"""

from dawn.models.families.base import FamilySpec

SPECS = tuple(
    FamilySpec(
        model_type=f"a2d-{base.lower()}",
        network=f"{base}ForCausalLM",
        mask_token="<|mask|>",
        end_tokens=("<|im_end|>",),
    )
    for base in ("Qwen2", "Qwen3")
)
