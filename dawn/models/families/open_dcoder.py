"""open-dcoder-0.5B: a Qwen2 checkpoint with a mask token, whose logits speak for the next position, as Dream's do."""

from dawn.models.families.base import FamilySpec

SPEC = FamilySpec(
    model_type="qwen2",
    network="Qwen2ForCausalLM",
    shifted=True,
    mask_token="<M>",
    end_tokens=("<|im_end|>",),
)
