"""Training of the embedded model: rows → masked cross-entropy → weights. Resumable; seeds fixed; one step is one batch.

The network is transformers' LlamaForCausalLM without the causal mask. The loss is the mean cross-entropy at the masked
positions, plus that of next-token prediction at the visible positions that are asked for it (see `rows`). Matrices are
trained with Muon, embeddings and norms with AdamW; the learning rate is constant, then falls linearly to zero over the
last part (`decay_share`; 1: from the start). What is exported is a running average of the weights over the last steps. Rows
that are asked several times train at each time, so that no forward pass is made for the choice of what is shown alone.

Several processes, one a core, take steps of the same kind of row and average their gradients: on a CPU that is nearly as
many times faster, which threads within one small network's operations are not. Where the CPU multiplies bfloat16 in
hardware, products are taken in it; weights, sums and optimisers stay in float32.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dawn.errors import DataError
from dawn.pretrain.curve import append, read, write
from dawn.pretrain.muon import Muon
from dawn.pretrain.numbers import number_values, waves
from dawn.pretrain.recipe import KINDS, Recipe
from dawn.pretrain.row import Row
from dawn.pretrain.rows import RowMaker
from dawn.pretrain.tokenizer import train_tokenizer

WORTH_COMPILING = 500  # steps
MEETING = "processes"  # the file by which processes find each other


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step reports. `kind`: of its rows; shares of their targets and of the digits among those predicted right."""

    step: int
    steps: int
    kind: str
    loss: float
    right: float
    digits: float
    tokens: int
    seconds: float


def has_bfloat16() -> bool:
    """Whether this CPU has instructions for products in bfloat16."""
    has = torch.cpu.get_capabilities()
    return has.get("amx_bf16", False) or has.get("avx512_bf16", False)


def products() -> torch.autocast:
    """A context in which matrices are multiplied in bfloat16 where that is fast."""
    return torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16())


def compiled(network, steps: int) -> None:
    """Compile the layers, if the steps ahead repay it: the compiler takes as long as some hundred steps, and a step becomes
    much faster only where products are so fast that what lies between them counts."""
    if has_bfloat16() and steps >= WORTH_COMPILING:
        torch._dynamo.config.recompile_limit = 64  # one graph a width, rows and layout
        for layer in network.model.layers:
            layer.compile(dynamic=False)


def new_network(tokenizer, recipe: Recipe):
    """A randomly initialised LlamaForCausalLM that looks both ways."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,  # without it every token must learn on its own to be copied
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        mask_token_id=tokenizer.mask_token_id,
        is_causal=False,
        attn_implementation="eager",  # the backward pass of fused attention is slower on a CPU
        hidden_size=recipe.width,
        intermediate_size=recipe.inner_width,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
    )
    network, values = LlamaForCausalLM(config).float(), number_values(tokenizer)
    waved = torch.from_numpy(waves(np.array(list(values.values())), recipe.width)).float() * config.initializer_range
    with torch.no_grad():
        network.model.embed_tokens.weight[list(values)] += waved
    return network


def deepened(weights: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """A state dict with `layers` layers that computes what `weights` do: evenly spread ones are followed by a copy whose two
    output matrices begin at zero. DataError if they have more layers, or half as many or fewer."""
    prefix = "model.layers."
    have = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith(prefix))
    extra = layers - have
    if not 0 <= extra < have:
        reach = f"{have} to {2 * have - 1}, not {layers}"
        raise DataError(f"the model to begin with has {have} layers: from there a run can have {reach}")
    followed = {(at + 1) * have // (extra + 1) - 1 for at in range(extra)}
    sources = [(layer, copy) for layer in range(have) for copy in (False, True)[: 1 + (layer in followed)]]
    deep = {name: values for name, values in weights.items() if not name.startswith(prefix)}
    for layer, (source, copy) in enumerate(sources):
        mark = f"{prefix}{source}."
        for name in (name for name in weights if name.startswith(mark)):
            adds = name.endswith(("o_proj.weight", "down_proj.weight"))
            deep[f"{prefix}{layer}.{name.removeprefix(mark)}"] = weights[name] * 0 if copy and adds else weights[name]
    return deep


def batches(maker: RowMaker, recipe: Recipe, first_step: int) -> Iterator[tuple[str, list[Row]]]:
    """(kind, rows) a step: one kind, one width, asked equally often. The kind is the same for all processes. Rows that are
    asked several times are so many times fewer, so that every step costs about the same."""
    waiting: dict[tuple[str, int, int], list[Row]] = defaultdict(list)
    make = {kind: getattr(maker, f"{kind}_row") for kind in KINDS}
    for step in count(first_step):
        shares, maker.veil = recipe.shares(step), recipe.veil_at(step)
        kind = str(np.random.default_rng([recipe.seed, step]).choice(KINDS, p=list(shares.values())))
        full = False
        while not full:
            row = make[kind]()
            alike = (kind, len(row.ids), len(row.reveal))
            waiting[alike].append(row)
            full = (len(waiting[alike]) + 1) * len(row.ids) * (1 + len(row.reveal)) > recipe.tokens_per_step
        yield kind, waiting.pop(alike)


class Training:
    """A network, its optimisers and its place in the recipe; `save` and `resume` keep all of it."""

    def __init__(self, recipe: Recipe, directory: Path, start: Path | None = None, rank: int = 0):
        """start: the folder of an exported model whose tokenizer and weights a new run begins with; rank: which of the
        recipe's processes this one is. The first one reports and saves."""
        if start and not (start / "model.safetensors").exists():
            raise DataError(f"no model.safetensors in {start}: give the folder of an exported model")
        self.recipe, self.directory, self.start, self.rank = recipe, directory, start, rank
        directory.mkdir(parents=True, exist_ok=True)
        self.tokenizer = self.own_tokenizer()
        torch.manual_seed(recipe.seed)
        self.network = new_network(self.tokenizer, recipe)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging))
        self.optimisers = self.new_optimisers()
        self.step, self.tokens = 0, 0

    def own_tokenizer(self):
        """The tokenizer of this run: the directory's, else that of the model it starts from, else newly trained; kept."""
        from transformers import AutoTokenizer

        folder = self.directory / "tokenizer"
        if not folder.exists():
            tokenizer = AutoTokenizer.from_pretrained(self.start) if self.start else train_tokenizer()
            tokenizer.save_pretrained(folder)
        return AutoTokenizer.from_pretrained(folder)

    def new_optimisers(self) -> list[tuple[torch.optim.Optimizer, float]]:
        """(optimiser, base learning rate): Muon for the layers' matrices, AdamW for the rest."""
        matrices = [p for n, p in self.network.named_parameters() if "layers" in n and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for p in self.network.parameters() if id(p) not in chosen]
        adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0)
        return [(Muon(matrices, decay=self.recipe.matrix_decay), self.recipe.matrix_lr), (adam, self.recipe.other_lr)]

    def save(self) -> None:
        """Write the checkpoint beside the old one, then replace it: a stop in the middle loses nothing."""
        state = {
            "step": self.step,
            "tokens": self.tokens,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser, _ in self.optimisers],
        }
        partial = self.directory / "checkpoint.partial"
        torch.save(state, partial)
        os.replace(partial, self.directory / "checkpoint.pt")

    def resume(self) -> None:
        """Continue from the directory's checkpoint; without one, begin with the weights of `start`, if given. DataError if the
        checkpoint is damaged or does not belong to the recipe."""
        path = self.directory / "checkpoint.pt"
        if path.exists():
            try:
                self.take(torch.load(path, weights_only=True))
            except (UnpicklingError, EOFError, RuntimeError, TypeError, LookupError, ValueError, AttributeError):
                reason = "it is damaged, or was made with another recipe"
                raise DataError(f"cannot go on from {path}: {reason}: remove it, or give another --directory") from None
        elif self.start:
            from transformers import LlamaForCausalLM

            weights = LlamaForCausalLM.from_pretrained(self.start, dtype=torch.float32).state_dict()
            for network in (self.network, self.average.module):
                network.load_state_dict(deepened(weights, network.config.num_hidden_layers))
            self.follow(read(self.start))

    def follow(self, curve: list[dict]) -> None:
        """Go on with the learning curve of the model that this run starts from."""
        if curve:
            self.tokens = curve[-1]["tokens"]
        if not self.rank:
            write(self.directory, curve)

    def take(self, state: dict) -> None:
        """Take over a checkpoint's state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for (optimiser, _), saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.tokens = state["step"], state["tokens"]

    def run(self, report: Callable[[Progress], None], save_every: int = 100) -> None:
        """Train to the recipe's end, reporting each step and saving now and then."""
        self.network.train()
        compiled(self.network, self.recipe.steps - self.step)
        seed = self.recipe.seed * 1000 + self.step
        maker = RowMaker(self.tokenizer, seed * self.recipe.processes + self.rank)
        curve: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for kind, rows in batches(maker, self.recipe, self.step):
            if self.step >= self.recipe.steps:
                break
            progress = self.one_step(kind, rows, maker.is_number)
            report(progress)
            curve[kind].append((progress.loss, progress.right, progress.digits))
            if self.step % save_every == 0:
                self.keep(curve)
        self.keep(curve)

    def keep(self, curve: dict[str, list[tuple[float, ...]]]) -> None:
        """Save, and note what the steps since the last time said, if there were any; the first process does, for all."""
        if curve and not self.rank:
            self.save()
            self.note(curve)
            curve.clear()

    def note(self, curve: dict[str, list[tuple[float, ...]]]) -> None:
        """Add the means of loss, right targets and right numbers since the last note to the learning curve."""
        means = {kind: [mean_of(column) for column in zip(*values, strict=True)] for kind, values in curve.items()}
        append(self.directory, {"step": self.step, "tokens": self.tokens, "loss_right_digits": means})

    def one_step(self, kind: str, rows: list[Row], is_number: np.ndarray) -> Progress:
        """Forward and backward as often as the rows are asked, then one update."""
        started = time.perf_counter()
        ids, masked, asked, following = (
            torch.from_numpy(np.stack([getattr(row, name) for row in rows])) for name in ("ids", "masked", "asked", "following")
        )  # [rows, width] each
        times = 1 + len(rows[0].reveal)
        shown, figures = torch.zeros_like(asked), []
        for time_asked in range(times):
            visible = ids.masked_fill(masked & ~shown, self.tokenizer.mask_token_id)
            questions = [(asked & ~shown, ids), (following >= 0, following)]
            with products():
                hidden = self.hidden(rows, visible)  # [rows, width, d]
                losses = [self.ask(hidden[where], tokens[where], is_number) for where, tokens in questions if where.any()]
            (sum(loss for loss, *_ in losses) / times).backward()
            figures.append((losses[0][0].item(), *losses[0][1:]))
            if time_asked + 1 < times:
                shown = self.shown(rows, hidden, asked & ~shown, shown, time_asked)
        figures = self.averaged(np.mean(figures, axis=0))
        self.update()
        self.average.update_parameters(self.network)
        self.step += 1
        self.tokens += times * ids.numel() * self.recipe.processes
        return Progress(self.step, self.recipe.steps, kind, *figures, times * ids.numel(), time.perf_counter() - started)

    def shown(
        self, rows: list[Row], hidden: torch.Tensor, asked: torch.Tensor, before: torch.Tensor, time_asked: int
    ) -> torch.Tensor:
        """[rows, width] bool: what a decoder would have committed next, by the states [rows, width, d] of the pass in which
        `asked` [rows, width] were still masked and those of `before` were shown, which stay."""
        certain = before.float() * 2  # above any probability
        with torch.no_grad():
            certain[asked] = self.network.lm_head(hidden[asked]).softmax(-1).amax(-1)
        levels = certain.numpy()
        return torch.from_numpy(np.stack([row.shown(level, time_asked) for row, level in zip(rows, levels, strict=True)]))

    def averaged(self, figures: np.ndarray) -> list[float]:
        """Average the gradients and a step's figures over the processes; figures: of this one, NaN where it has none."""
        if self.recipe.processes == 1:
            return figures.tolist()
        gradients = [p.grad for p in self.network.parameters()]
        flat = torch.cat([g.reshape(-1) for g in gradients] + [torch.from_numpy(np.nan_to_num(figures)).float()])
        torch.distributed.all_reduce(flat)
        flat /= self.recipe.processes
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients] + [len(figures)]), strict=False):
            gradient.copy_(mean.view_as(gradient))
        return flat[-len(figures) :].tolist()

    def ask(self, hidden: torch.Tensor, target: torch.Tensor, is_number: np.ndarray) -> tuple[torch.Tensor, float, float]:
        """Mean cross-entropy at states [n, d] of the tokens [n]; the shares of them and of their digits that are right."""
        logits = self.network.lm_head(hidden)  # [n, V]
        right = (logits.argmax(-1) == target).float()
        digits = right[torch.from_numpy(is_number)[target]]
        return cross_entropy(logits, target), right.mean().item(), digits.mean().item()

    def hidden(self, rows: list[Row], visible: torch.Tensor) -> torch.Tensor:
        """[rows, width, d]: the last layer's states, each row attending as it says."""
        bias = torch.from_numpy(np.stack([row.bias() for row in rows]))[:, None]  # [rows, 1, width, width]
        position = torch.from_numpy(np.stack([row.position for row in rows]))
        output = self.network.model(visible, attention_mask=bias, position_ids=position, use_cache=False)
        return output.last_hidden_state

    def update(self) -> None:
        """One optimiser step at this step's learning rate."""
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser, base in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = base * self.recipe.rate(self.step)
            with products():
                optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def export(self, target: Path) -> None:
        """Write a bfloat16 LlamaForCausalLM checkpoint with its tokenizer, recipe and learning curve into `target`."""
        from transformers import LlamaForCausalLM

        target.mkdir(parents=True, exist_ok=True)
        copy = LlamaForCausalLM(self.network.config)
        copy.load_state_dict(self.average.module.state_dict())
        copy.to(torch.bfloat16).save_pretrained(target)
        self.tokenizer.save_pretrained(target)
        facts = {"recipe": asdict(self.recipe), "steps_done": self.step, "tokens_seen": self.tokens}
        (target / "training.json").write_text(json.dumps(facts, indent=2) + "\n")
        write(target, read(self.directory))


def mean_of(values: Sequence[float]) -> float | None:
    """Their mean without those that are NaN; None if all are."""
    kept = [value for value in values if not math.isnan(value)]
    return round(sum(kept) / len(kept), 4) if kept else None


def train(recipe: Recipe, directory: Path, start: Path | None, report: Callable[[Progress], None]) -> Training:
    """Train to the recipe's end, this process being the first of the recipe's; goes on from the directory's checkpoint."""
    training = Training(recipe, directory, start)
    training.resume()
    (directory / MEETING).unlink(missing_ok=True)
    spawn = get_context("spawn").Process
    others = [spawn(target=work, args=(rank, recipe, directory, start), daemon=True) for rank in range(1, recipe.processes)]
    for process in others:
        process.start()
    take_part(training, report)
    return training


def work(rank: int, recipe: Recipe, directory: Path, start: Path | None) -> None:
    """What each process beside the first does."""
    training = Training(recipe, directory, start, rank)
    training.resume()
    take_part(training, lambda progress: None)


def take_part(training: Training, report: Callable[[Progress], None]) -> None:
    """Train with the recipe's other processes, once all are there; each has its part of the cores."""
    processes = training.recipe.processes
    if processes == 1:
        return training.run(report)
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    place = (training.directory / MEETING).absolute().as_uri()
    torch.distributed.init_process_group("gloo", init_method=place, rank=training.rank, world_size=processes)
    training.run(report)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
