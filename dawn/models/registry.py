"""Where models come from: the embedded one by name, any folder in the same format by path."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from dawn.errors import ModelError
from dawn.models.denoiser import TransformersDenoiser
from dawn.models.family import Family

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "model"
AVERAGED_LAYERS = 4


def known_models() -> tuple[str, ...]:
    """Names that `load_model` takes besides a folder."""
    return (EMBEDDED,)


def embedded_tokenizer():
    """The embedded model's tokenizer: its counts define which problems belong to the task."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(EMBEDDED_FOLDER, local_files_only=True)


@lru_cache(maxsize=1)
def load_model(name: str) -> TransformersDenoiser:
    """The model called `name`, or in the folder `name`; kept until another is asked for."""
    folder = EMBEDDED_FOLDER if name == EMBEDDED else Path(name)
    if not (folder / "config.json").is_file():
        raise ModelError(f"unknown model {name!r:.80}: known are {', '.join(known_models())}, or the folder of a checkpoint")
    try:
        return load_folder(name, folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"cannot load the model in {folder.name}: {str(error).splitlines()[0][:200]}") from None


def load_folder(name: str, folder: Path) -> TransformersDenoiser:
    """A LlamaForCausalLM checkpoint with `mask_token_id` in its config, as the training command writes it."""
    from transformers import AutoTokenizer, LlamaForCausalLM, logging

    logging.disable_progress_bar()
    network = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = network.config
    config.is_causal = False
    mask_id = getattr(config, "mask_token_id", None)
    if not isinstance(mask_id, int) or tokenizer.eos_token_id is None:
        raise ModelError(f"the checkpoint in {folder.name} names no mask token or no end-of-text token")
    return TransformersDenoiser(name, network, tokenizer, Family(mask_id, (tokenizer.eos_token_id,), AVERAGED_LAYERS))
