"""A program: makes a LLaDA-8B of full width with two layers in a folder, decodes a few tokens, prints what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import torch

from dawn.decode import Options
from dawn.models import load_model
from dawn.rules import Dawn
from dawn.run import start
from tests.dawn.models.published import llada

WIDTH = {"d_model": 4096, "n_heads": 32, "n_kv_heads": 32, "mlp_hidden_size": 12288, "n_layers": 2, "max_sequence_length": 4096}
VOCABULARY = {
    "vocab_size": 126464,
    "embedding_size": 126464,
    "mask_token_id": 126336,
    "eos_token_id": 126081,
    "pad_token_id": 126081,
}


def main(folder: Path) -> None:
    started = time.perf_counter()
    llada(folder, shards=3, dtype=torch.bfloat16, **WIDTH, **VOCABULARY)
    made = time.perf_counter()
    model = load_model(str(folder))
    loaded = time.perf_counter()
    run = start(model, "What is 2 + 3?", Dawn(), 8, 8, Options(step_limit=2))
    records = list(run.iterate())
    seconds = {"making": made - started, "loading": loaded - made, "decoding": time.perf_counter() - loaded}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    facts = {"placed": model.placed, "steps": len(records), "masked": int(records[-1].after.masked.sum())}
    print(json.dumps({"peak": peak, "size": size, "seconds": seconds, **facts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
