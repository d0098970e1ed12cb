"""Dream-v0-Base-7B and Dream-v0-Instruct-7B (arXiv 2508.15487): a Qwen2 whose logits speak for the next position."""

from dawn.models.families.base import FamilySpec

SPEC = FamilySpec(
    model_type="Dream",
    network="Qwen2ForCausalLM",
    shifted=True,
    mask_token="<|mask|>",
    end_tokens=("<|im_end|>",),
)
