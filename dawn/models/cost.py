"""What DAWN adds to a network's forward pass, and what a confidence costs over a large vocabulary. All on one CPU thread.

The bare forward that a step is divided by is the least that any decoder needs: the same network on the same canvas through
fused attention, no attention tap, logits of the window's masked positions and of no others, and their argmax.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from dawn.bench.measure import estimate, interleaved, ratio
from dawn.bench.records import Bench, ConfidenceCost, StepCost
from dawn.bench.selection import selection_costs
from dawn.bench.synthetic import MASK, half_written
from dawn.bench.traces import trace_costs
from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import ModelError
from dawn.models.denoiser import TransformersDenoiser, choose
from dawn.models.family import Family
from dawn.prediction import EVERYTHING, Needs
from dawn.rules import Dawn
from dawn.thresholds import PRESETS

QUESTION = "A tower has 8 white bricks and 2 times as many black bricks. How many bricks does it have in all?"
PROMPT = 46  # positions of the prompt, whatever the tokenizer makes of the question; 46 + 96 are 142
GENERATED = (32, 96, 224)
BLOCK = 32
CANVASES = 8
SYNTHETIC_LENGTHS = (128, 256, 512)
SYNTHETIC_SHAPE = {
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 3712,
}
SYNTHETIC_AVERAGED = 1
VOCABULARY = 126_464
CONFIDENCE_LENGTHS = (128, 256, 512)
WINDOW = 64
MIB = 2**20


def run_bench(model: TransformersDenoiser, rounds: int) -> Bench:
    """Everything in one run, in one thread; the large cases take an eighth or a sixteenth of the rounds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        steps, confidences = tuple(step_costs(model, rounds)), tuple(confidence_costs(max(3, rounds // 16)))
        return Bench(machine(), steps, tuple(selection_costs(rounds)), confidences, tuple(trace_costs()))
    finally:
        torch.set_num_threads(threads)


def machine() -> dict[str, object]:
    """What was measured with."""
    return {"threads": 1, "torch": torch.__version__, "numpy": np.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}


def step_costs(model: TransformersDenoiser, rounds: int) -> Iterator[StepCost]:
    """The given model on canvases of real decodes, then the LLaDA-shaped random network on half-written ones."""
    rule = Dawn(PRESETS["Embedded model"])
    ids = (model.encode(QUESTION) * PROMPT)[:PROMPT]
    for generated in GENERATED:
        blank = Canvas.blank(ids, generated, BLOCK, model.mask_id)
        records = list(decode(model, rule, blank, Options(stop_at_end=False)))
        chosen = np.linspace(0, len(records) - 1, CANVASES).round().astype(int)
        yield step_cost(model, rule, [records[i].canvas for i in chosen], rounds)
    network = synthetic_model()
    for length in SYNTHETIC_LENGTHS:
        random = np.random.default_rng(length)
        canvases = [half_written(length, BLOCK, random) for _ in range(CANVASES)]
        yield step_cost(network, rule, canvases, max(CANVASES, rounds // 8))


def step_cost(model: TransformersDenoiser, rule: Dawn, canvases: list[Canvas], rounds: int) -> StepCost:
    """One step of the decoding loop against the bare forward on the same canvases, in turn."""

    def step(watch: Needs):
        once = Options(step_limit=1)
        return lambda index: list(decode(model, rule, replace(canvases[index % len(canvases)]), once, watch))

    def bare(index: int):
        return bare_forward(model, replace(canvases[index % len(canvases)]))

    samples = interleaved({"bare": bare, "plain": step(Needs()), "recorded": step(EVERYTHING)}, rounds)
    ratios = (ratio(samples, name, "bare") for name in ("plain", "recorded"))
    return StepCost(model.name, canvases[0].length, *ratios, *(estimate(1000 * found) for found in samples.values()))


@torch.inference_mode()
def bare_forward(model: TransformersDenoiser, canvas: Canvas) -> np.ndarray:
    """[M] the most likely token at each masked position of the window."""
    ids = torch.tensor(np.array(canvas.tokens)[None], dtype=torch.long, device=model.network.device)
    hidden = model.network.model(ids, use_cache=False).last_hidden_state[0]  # [L, d]
    return model.network.lm_head(hidden[torch.tensor(canvas.candidates)]).argmax(-1).cpu().numpy()


def synthetic_model() -> TransformersDenoiser:
    """A random network in LLaDA-8B's proportions: an eighth of its width and MLP, heads of 128, a quarter of its depth.

    So that each part has the share of the work that it has there, one of its eight layers is averaged, for 4 of 32, and its
    vocabulary makes the output matrix 6.5 % of the weights.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(**SYNTHETIC_SHAPE, max_position_embeddings=4096, rope_theta=500_000.0, is_causal=False)
    name = "LLaDA-shaped: {hidden_size} wide, {num_hidden_layers} layers, {num_attention_heads} heads, vocabulary {vocab_size}"
    family = Family(MASK, (0,), SYNTHETIC_AVERAGED)
    return TransformersDenoiser(
        name.format(**SYNTHETIC_SHAPE),
        LlamaForCausalLM(config),
        SimpleNamespace(all_special_ids=[], added_tokens_decoder={}),
        family,
    )


def confidence_costs(rounds: int) -> Iterator[ConfidenceCost]:
    """The window's rows, and all rows (what DAWN reads at most: every anchor, in the last block), at each length."""
    for length in CONFIDENCE_LENGTHS:
        logits = network_logits(length)
        tasks = {
            "float64": lambda _, logits=logits: float64_confidence(logits),
            "window": lambda _, logits=logits: confidence(logits[:WINDOW]),
            "all": lambda _, logits=logits: confidence(logits),
        }
        samples = interleaved(tasks, rounds)
        there = peak_of("float64", length)
        for name, rows in (("window", WINDOW), ("all", length)):
            times = (estimate(1000 * samples[which]) for which in (name, "float64"))
            faster = ratio(samples, "float64", name)
            yield ConfidenceCost(length, rows, VOCABULARY, faster, *times, peak_of("here", rows), there)


def network_logits(rows: int) -> torch.Tensor:
    """[rows, V] bfloat16, as a large network gives them; drawn in place, so that nothing larger was there before."""
    return torch.empty(rows, VOCABULARY, dtype=torch.bfloat16).normal_(0, 3, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def confidence(logits: torch.Tensor):
    """Tokens and confidences [n] as every step computes them."""
    return tuple(found.numpy() for found in choose(logits, 0.0, np.random.default_rng(0)))


@torch.inference_mode()
def float64_confidence(logits: torch.Tensor):
    """The same by a softmax in float64 over the whole vocabulary at once, as DAWN's published code takes it."""
    tokens = logits.argmax(-1)
    probabilities = torch.softmax(logits.to(torch.float64), dim=-1)
    return tokens.numpy(), probabilities.gather(-1, tokens[:, None])[:, 0].numpy()


WAYS = {"here": confidence, "float64": float64_confidence}


def peak_of(way: str, rows: int) -> float | None:
    """MiB that a process of its own needed beyond the logits [rows, V], by its resident memory's high-water mark."""
    command = [sys.executable, "-m", "dawn.models.cost", way, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    if done.returncode:
        raise ModelError(f"measuring memory failed: {done.stderr.strip().splitlines()[-1:]}")
    return float(done.stdout) / MIB if done.stdout.strip() else None


def extra_peak(way: str, rows: int) -> int | None:
    """Bytes by which this process's high-water mark rises over one call; the tiny first one loads the code."""
    WAYS[way](network_logits(1))
    logits = network_logits(rows)
    before = high_water()
    WAYS[way](logits)
    return None if before is None else high_water() - before


def high_water() -> int | None:
    """The most memory that was ever resident in this process, in bytes; None where /proc does not say."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found.group(1)) * 1024 if found else None


if __name__ == "__main__":
    print(extra_peak(sys.argv[1], int(sys.argv[2])) or "")
