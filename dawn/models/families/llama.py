"""The embedded model's format: a Llama checkpoint whose config.json has a `mask_token_id`, as `pretrain` writes it."""

from dawn.models.families.base import FamilySpec

SPEC = FamilySpec(model_type="llama", network="LlamaForCausalLM")
