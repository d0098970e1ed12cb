"""A checkpoint on disk: its config files and its safetensors shards, checked before anything is loaded. No code is ever run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from dawn.errors import ModelError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
STORED = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with its config.json and generation_config.json (empty if there is none)."""

    folder: Path
    config: dict
    generation: dict

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """ModelError if config.json is missing or is none."""
        return cls(folder, read_json(folder / "config.json"), read_json(folder / "generation_config.json", {}))

    @property
    def shards(self) -> list[Path]:
        """The files that hold the weights; ModelError if one is missing."""
        index = read_json(self.folder / INDEX, {}).get("weight_map", {"": SINGLE})
        names = sorted({Path(name).name for name in index.values()})
        missing = [name for name in names if not (self.folder / name).is_file()]
        if missing:
            raise ModelError(
                f"the checkpoint in {self.folder.name} lacks {missing[0]} ({len(missing)} of {len(names)} weight files are "
                "missing): download it again, in the safetensors format"
            )
        return [self.folder / name for name in names]

    @property
    def size(self) -> int:
        """Bytes of the weight files."""
        return sum(shard.stat().st_size for shard in self.shards)

    @property
    def stored(self) -> torch.dtype:
        """The type of its numbers; ModelError if a weight file is damaged."""
        kinds = {type_of_first(shard) for shard in self.shards}
        return next((STORED[kind] for kind in ("F64", "F32", "BF16", "F16") if kind in kinds), torch.float32)

    def tokenizer(self):
        """Its tokenizer. Not through AutoTokenizer: tokenizer_config.json may name a class of the checkpoint's own there."""
        from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

        whole = (self.folder / "tokenizer.json").is_file()
        if not whole and not (self.folder / "merges.txt").is_file():
            raise ModelError(f"the checkpoint in {self.folder.name} holds no tokenizer: it needs a tokenizer.json")
        kind = PreTrainedTokenizerFast if whole else Qwen2Tokenizer  # a vocab.json with merges.txt: Dream's, a Qwen2 one
        return kind.from_pretrained(self.folder, local_files_only=True)


def read_json(path: Path, otherwise: dict | None = None) -> dict:
    """A JSON object; `otherwise` if there is no such file; ModelError if it is no JSON object."""
    if otherwise is not None and not path.is_file():
        return otherwise
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load the model: cannot read {path.parent.name}/{path.name}: {error}") from None
    if not isinstance(found, dict):
        raise ModelError(f"cannot load the model: {path.parent.name}/{path.name} holds no JSON object")
    return found


def type_of_first(shard: Path) -> str:
    """The type of a shard's first tensor; opening it checks that its header and its length agree."""
    try:
        with safe_open(shard, framework="pt") as tensors:
            return next((tensors.get_slice(name).get_dtype() for name in tensors.keys()), "")  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the weight file {shard.name} is damaged ({str(error)[:80]}): download it again") from None
