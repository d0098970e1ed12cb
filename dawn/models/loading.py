"""A checkpoint's folder → a denoiser: everything that needs no memory is checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from dawn.errors import ModelError
from dawn.models.checkpoint import Checkpoint
from dawn.models.denoiser import TransformersDenoiser
from dawn.models.device import LESS, Placement, require_memory, within_memory
from dawn.models.families import FamilySpec
from dawn.models.family import Family

MOST_NAMED = 3


def prepared(
    name: str, checkpoint: Checkpoint, spec: FamilySpec, placement: Placement, device: torch.device
) -> Callable[[], TransformersDenoiser]:
    """What loads the checkpoint on the device. Its facts, its tokenizer and its weight files are checked now."""
    with plain_errors(checkpoint):
        config, stored, size = spec.network_config(checkpoint.config), checkpoint.stored, checkpoint.size
        tokenizer = checkpoint.tokenizer()
        family = spec.facts(checkpoint.config, checkpoint.generation, tokenizer)
    require_room(config.vocab_size, tokenizer, family)
    dtype = placement.pick_dtype(device, stored, size)

    def load() -> TransformersDenoiser:
        if not placement.device_map:
            require_memory(placement.bytes_needed(size, stored, dtype), device)
        arguments = placement.arguments(device, dtype)
        with plain_errors(checkpoint):
            network = within_memory(lambda: load_network(checkpoint, spec, config, arguments, device), LESS)
        return TransformersDenoiser(name, network, tokenizer, family)

    return load


def require_room(entries: int, tokenizer, family: Family) -> None:
    """ModelError if the network has no entry for the mask token or for a token of the tokenizer."""
    largest = max(family.mask_id, *tokenizer.get_vocab().values())
    if largest >= entries:
        raise ModelError(f"tokenizer and network do not belong together: token {largest} is none of the network's {entries}")


def load_network(checkpoint: Checkpoint, spec: FamilySpec, config, arguments: dict, device: torch.device):
    """transformers' own class with the checkpoint's tensors, all of them and no others."""
    import transformers

    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    network, found = getattr(transformers, spec.network).from_pretrained(
        checkpoint.folder,
        config=config,
        key_mapping=spec.key_mapping and dict(spec.key_mapping),
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # reported below, in words
        **arguments,
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if wrong := sorted(key if isinstance(key, str) else key[0] for key in found[kind]):
            some = ", ".join(wrong[:MOST_NAMED]) + (", …" if len(wrong) > MOST_NAMED else "")
            raise ModelError(f"not a {spec.model_type} checkpoint: {len(wrong)} {kind.replace('_keys', '')} tensors ({some})")
    return network if "device_map" in arguments else network.to(device)


@contextmanager
def plain_errors(checkpoint: Checkpoint) -> Iterator[None]:
    """Whatever the libraries raise about a checkpoint becomes a ModelError of one line."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # their errors have no base in common
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"cannot load the model in {checkpoint.folder.name}: {said}") from None
