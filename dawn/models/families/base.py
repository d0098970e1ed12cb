"""What a family of checkpoints has to say, and how it becomes the facts of one checkpoint.

Whatever a checkpoint states itself (ids, sizes, chat template) is read from it; a family states only what no file of the
checkpoint does. No code that comes with a checkpoint is ever run: networks are transformers' own classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dawn.errors import ModelError
from dawn.models.family import Family

NOT_FACTS = ("model_type", "architectures", "auto_map", "transformers_version", "torch_dtype", "dtype")


def as_it_stands(config: dict) -> dict:
    """config.json of a checkpoint whose fields are those of transformers' own class."""
    return {name: value for name, value in config.items() if name not in NOT_FACTS}


@dataclass(frozen=True, slots=True)
class FamilySpec:
    """model_type: how config.json names the family. network: the transformers class that runs it. fields: config.json → the
    fields of that class's config. key_mapping: tensor names, pattern → name. shifted: logits speak for the next position.
    averaged: how many last layers DAWN averages, where config.json has no list `averaged_layers`. mask_token, end_tokens:
    texts of tokens whose ids no config names. required: what config.json must say, where it says anything, for `network` to
    compute the same."""

    model_type: str
    network: str
    fields: Callable[[dict], dict] = as_it_stands
    key_mapping: Mapping[str, str] | None = None
    shifted: bool = False
    averaged: int = 4
    mask_token: str | None = None
    end_tokens: tuple[str, ...] = ()
    required: Mapping[str, object] = field(default_factory=dict)

    def require(self, config: dict) -> None:
        """ModelError for a config.json that describes another network under this family's name."""
        for name, value in self.required.items():
            stated = config.get(name, value)
            if stated != value and (stated or value):  # null and false are the same no
                raise ModelError(f"the architecture is not supported: {name} is {stated!r:.40}, expected {value!r}")

    def network_config(self, config: dict):
        """config.json as the bidirectional config of the transformers class; ModelError if a field is missing."""
        import transformers

        try:
            result = getattr(transformers, self.network).config_class.from_dict(self.fields(config))
        except KeyError as missing:
            raise ModelError(f"config.json lacks {missing}, which every {self.model_type} checkpoint states") from None
        result.is_causal = False
        return result

    def facts(self, config: dict, generation: dict, tokenizer) -> Family:
        """The facts of one checkpoint; ModelError if nothing names its mask token or its end of text."""
        mask = self.mask_id(config, generation, tokenizer)
        ends = {known_id(tokenizer, text) for text in self.end_tokens}
        ends |= {tokenizer.eos_token_id, tokenizer.pad_token_id}
        for source in (config, generation):
            ends |= {*as_list(source.get("eos_token_id")), *as_list(source.get("pad_token_id"))}
        ends -= {None, mask}
        if not ends:
            raise ModelError("the checkpoint names no end-of-text token: its config.json needs an eos_token_id")
        return Family(mask, tuple(sorted(ends)), self.averaged, self.shifted, tuple(config.get("averaged_layers") or ()))

    def mask_id(self, config: dict, generation: dict, tokenizer) -> int:
        """Stated by config.json, by the generation config, or by the tokenizer."""
        stated = (config.get("mask_token_id"), generation.get("mask_token_id"), tokenizer.mask_token_id)
        for found in (*stated, known_id(tokenizer, self.mask_token)):
            if isinstance(found, int):
                return found
        raise ModelError(
            "the checkpoint names no mask token: config.json needs a mask_token_id (a model that writes only from left to "
            "right has none and cannot be decoded here)"
        )


def as_list(ids: object) -> list:
    """An id, several, or none, as a list."""
    return ids if isinstance(ids, list) else [ids]


def known_id(tokenizer, text: str | None) -> int | None:
    """The id of a token by its text; None if the tokenizer has no such token."""
    return tokenizer.get_vocab().get(text)
