"""Training of the embedded model: rows → masked cross-entropy → weights. Resumable; seeds fixed; one step is one batch.

The network is transformers' LlamaForCausalLM without the causal mask. The loss is the mean cross-entropy at the masked
positions, plus that of next-token prediction at the visible positions that are asked for it (see `rows`). Matrices are
trained with Muon, embeddings and norms with AdamW; the learning rate is constant, then falls linearly to zero over the
last part (`decay_share`; 1: from the start).
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from dawn.errors import DataError
from dawn.pretrain.muon import Muon
from dawn.pretrain.row import Row
from dawn.pretrain.rows import LEVELS, RowMaker
from dawn.pretrain.tokenizer import train_tokenizer

MASTERED = 0.85  # share of right digits in drill rows from which the next level begins
KINDS = ("causal", "drill", "block", "canvas")
SHAPE = {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 8, "num_attention_heads": 4}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights. Over the part `turn` of the run, the shares of each kind of row go from
    `shares_first` to `shares_last`, and the `veil` of canvases (see `rows`) falls to zero."""

    steps: int = 3000
    tokens_per_step: int = 4096
    seed: int = 0
    matrix_lr: float = 0.012
    other_lr: float = 0.0012
    warmup_steps: int = 50
    decay_share: float = 1.0
    turn: tuple[float, float] = (0.6, 0.85)
    shares_first: tuple[float, ...] = (0.5, 0.2, 0.3, 0.0)  # causal, drill, block, canvas
    shares_last: tuple[float, ...] = (0.1, 0.1, 0.2, 0.6)
    veil: float = 8.0
    rounds: int = 2  # parts in which a decoder canvas's first tokens are shown

    def rate(self, step: int) -> float:
        """Factor of the learning rates at a step: warm-up, constant, linear to zero."""
        left = (self.steps - step) / (self.steps * self.decay_share)
        return min(1.0, (step + 1) / self.warmup_steps, max(left, 0.0))

    def turned(self, step: int) -> float:
        """How much of the turn a step has behind it: 0 … 1."""
        first, last = self.turn
        return min(1.0, max(0.0, (step / self.steps - first) / (last - first)))

    def veil_at(self, step: int) -> float:
        """The veil of canvases at a step."""
        return self.veil * (1 - self.turned(step))

    def shares(self, step: int) -> dict[str, float]:
        """Share of each kind of row at a step."""
        part = self.turned(step)
        shares = np.array(self.shares_first) * (1 - part) + np.array(self.shares_last) * part
        return dict(zip(KINDS, shares.tolist(), strict=True))


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


def new_network(tokenizer):
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
        **SHAPE,
    )
    return LlamaForCausalLM(config).float()


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
    """(kind, rows) a step: one kind, one width; kinds by their shares of rows at that step."""
    waiting: dict[tuple[str, int], list[Row]] = defaultdict(list)
    make = dict(zip(KINDS, (maker.causal_row, maker.drill_row, maker.block_row, maker.canvas_row), strict=True))
    step = first_step
    while True:
        shares, maker.veil = recipe.shares(step), recipe.veil_at(step)
        kind = str(maker.random.choice(KINDS, p=list(shares.values())))
        row = make[kind]()
        key = (kind, len(row.ids))
        waiting[key].append(row)
        if len(waiting[key]) * len(row.ids) + len(row.ids) > recipe.tokens_per_step:
            yield kind, waiting.pop(key)
            step += 1


class Training:
    """A network, its optimisers and its place in the recipe; `save` and `resume` keep all of it."""

    def __init__(self, recipe: Recipe, directory: Path, start: Path | None = None):
        """start: the folder of an exported model whose tokenizer and weights a new run begins with."""
        if start and not (start / "model.safetensors").exists():
            raise DataError(f"no model.safetensors in {start}: give the folder of an exported model")
        self.recipe, self.directory, self.start = recipe, directory, start
        directory.mkdir(parents=True, exist_ok=True)
        self.tokenizer = self.own_tokenizer()
        torch.manual_seed(recipe.seed)
        self.network = new_network(self.tokenizer)
        self.optimisers = self.new_optimisers()
        self.step, self.tokens, self.level, self.mastery = 0, 0, 0, 0.0

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
        return [(Muon(matrices), self.recipe.matrix_lr), (adam, self.recipe.other_lr)]

    def save(self) -> None:
        """Write the checkpoint beside the old one, then replace it: a stop in the middle loses nothing."""
        state = {
            "step": self.step,
            "tokens": self.tokens,
            "level": self.level,
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser, _ in self.optimisers],
        }
        partial = self.directory / "checkpoint.partial"
        torch.save(state, partial)
        os.replace(partial, self.directory / "checkpoint.pt")

    def resume(self) -> None:
        """Continue from the directory's checkpoint; without one, begin with the weights of `start`, if given."""
        path = self.directory / "checkpoint.pt"
        if path.exists():
            self.take(torch.load(path, weights_only=True))
        elif self.start:
            from transformers import LlamaForCausalLM

            weights = LlamaForCausalLM.from_pretrained(self.start, dtype=torch.float32).state_dict()
            self.network.load_state_dict(deepened(weights, self.network.config.num_hidden_layers))

    def take(self, state: dict) -> None:
        """Take over a checkpoint's state."""
        self.network.load_state_dict(state["network"])
        for (optimiser, _), saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.tokens, self.level = state["step"], state["tokens"], state["level"]

    def run(self, report: Callable[[Progress], None], save_every: int = 100) -> None:
        """Train to the recipe's end, reporting each step and saving now and then."""
        self.network.train()
        torch._dynamo.config.recompile_limit = 64  # one graph a width, rows and layout
        for layer in self.network.model.layers:
            layer.compile(dynamic=False)
        maker = RowMaker(self.tokenizer, seed=self.recipe.seed * 1000 + self.step)
        maker.level = self.level
        curve: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for kind, rows in batches(maker, self.recipe, self.step):
            if self.step >= self.recipe.steps:
                break
            progress = self.one_step(kind, rows, maker.is_number)
            report(progress)
            curve[kind].append((progress.loss, progress.right, progress.digits))
            if kind == "drill":
                maker.level = self.advance(progress.digits)
            if self.step % save_every == 0:
                self.save()
                self.note(curve)
                curve.clear()
        self.save()

    def note(self, curve: dict[str, list[tuple[float, ...]]]) -> None:
        """Append the means of loss, right targets and right digits since the last note, by kind of row."""
        means = {kind: [round(float(x), 4) for x in np.nanmean(values, axis=0)] for kind, values in curve.items()}
        line = {"step": self.step, "tokens": self.tokens, "level": self.level, "loss_right_digits": means}
        with (self.directory / "curve.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def advance(self, digits: float) -> int:
        """The drills' level after a step; it rises when the running share of right digits says the present one is mastered."""
        self.mastery += (digits - self.mastery) / 8
        if self.mastery > MASTERED and self.level < LEVELS:
            self.level, self.mastery = self.level + 1, 0.0
        return self.level

    def one_step(self, kind: str, rows: list[Row], is_number: np.ndarray) -> Progress:
        """Forward, backward, update of one batch."""
        started = time.perf_counter()
        ids = torch.from_numpy(np.stack([row.ids for row in rows]))  # [rows, width]
        masked, asked = (
            torch.from_numpy(np.stack(marks)) for marks in zip(*((row.masked, row.asked) for row in rows), strict=True)
        )
        shown = self.shown_first(rows, ids, masked, asked)  # [rows, width]
        masked, asked = masked & ~shown, asked & ~shown
        hidden = self.hidden(rows, ids.masked_fill(masked, self.tokenizer.mask_token_id))  # [rows, width, d]
        following = torch.from_numpy(np.stack([row.following for row in rows]))  # [rows, width]
        questions = [(asked, ids), (following >= 0, following)]
        figures = [self.ask(hidden[where], tokens[where], is_number) for where, tokens in questions if where.any()]
        sum(loss for loss, *_ in figures).backward()
        self.update()
        self.step += 1
        self.tokens += ids.numel()
        loss, right, digits = figures[0]
        seconds = time.perf_counter() - started
        return Progress(self.step, self.recipe.steps, kind, loss.item(), right, digits, ids.numel(), seconds)

    def shown_first(self, rows: list[Row], ids: torch.Tensor, masked: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """[rows, width] bool: of the asked positions of each row, the `reveal` ones that the network is most certain of; in
        `rounds` parts, each of which sees those before, as a decoder commits them."""
        shown, most = torch.zeros_like(asked), max(row.reveal for row in rows)
        rounds = min(self.recipe.rounds, most)
        for part in range(1, rounds + 1):
            visible, left = ids.masked_fill(masked & ~shown, self.tokenizer.mask_token_id), asked & ~shown
            states = self.hidden(rows, visible)[left].detach()  # [left, d]; not without gradients, which would be another graph
            certain = torch.full(asked.shape, -1.0)
            certain[left] = self.network.lm_head(states).softmax(-1).amax(-1)
            for row, here, levels in zip(rows, shown, certain, strict=True):
                more = row.reveal * part // rounds - int(here.sum())
                here[levels.topk(more).indices] = True
        return shown

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
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def export(self, target: Path) -> None:
        """Write a bfloat16 LlamaForCausalLM checkpoint with its tokenizer and recipe into `target`."""
        from transformers import LlamaForCausalLM

        target.mkdir(parents=True, exist_ok=True)
        copy = LlamaForCausalLM(self.network.config)
        copy.load_state_dict(self.network.state_dict())
        copy.to(torch.bfloat16).save_pretrained(target)
        self.tokenizer.save_pretrained(target)
        facts = {"recipe": asdict(self.recipe), "steps_done": self.step, "tokens_seen": self.tokens}
        (target / "training.json").write_text(json.dumps(facts, indent=2) + "\n")
