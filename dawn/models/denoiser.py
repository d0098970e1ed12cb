"""A transformers network as a Denoiser: one forward pass over a canvas → a Prediction of plain arrays.

Confidence is exp(max − logsumexp) in float32, for the positions that were asked for and no others, a few of them at a time;
the mask token's logit is set to −inf first, since a model that predicts it would never end.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np
import torch

from dawn.canvas import Canvas
from dawn.errors import CanvasError, ModelError
from dawn.infill import encode_masked
from dawn.models.device import SHORTER, describe, to_host, within_memory
from dawn.models.family import Family, layers_of
from dawn.models.history import Histories, tracked
from dawn.models.tap import NAME, Tap
from dawn.prediction import Attention, Needs, Prediction, attention_rows

CONFIDENCE_CHUNK_BYTES = 8 * 2**20


class TransformersDenoiser:
    """A bidirectional causal-LM class with its tokenizer and its family's facts."""

    def __init__(self, name: str, network, tokenizer, family: Family):
        self.name, self.network, self.tokenizer, self.family = name, network.eval(), tokenizer, family
        self.mask_id, self.end_ids = family.mask_id, family.end_ids
        added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        self.special_ids = tuple(
            sorted({*tokenizer.all_special_ids, *added, self.mask_id, *self.end_ids})
        )  # ids that are no text
        self.histories = Histories()
        self.placed = describe(network)
        self.longest = network.config.max_position_embeddings
        self.tapped = family.tapped_layers(network.config.num_hidden_layers)
        network.set_attn_implementation(NAME)

    def average(self, layers: Collection[int]) -> None:
        """From now on DAWN reads the mean attention of these layers; ModelError for one that the network lacks."""
        self.tapped = layers_of(layers, self.network.config.num_hidden_layers)

    def encode(self, prompt: str) -> list[int]:
        """A question as the prompt ids of the model's chat form, as it is if it has none; `[MASK]` spans become masks, special
        tokens stay text."""
        if not self.tokenizer.chat_template:
            start = self.tokenizer("")["input_ids"]
            return start + encode_masked(prompt, self.encode_text, self.mask_id)
        message = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": "\x00"}], add_generation_prompt=True, tokenize=False
        )
        parts = [self.tokenizer(part, add_special_tokens=False)["input_ids"] for part in message.split("\x00")]
        if len(parts) != 2:
            raise ModelError(f"the chat template of {self.name} does not hold the question once: a base model may be meant")
        before, after = parts
        return before + encode_masked(prompt, self.encode_text, self.mask_id) + after

    def encode_text(self, text: str) -> list[int]:
        """Ids of a text in which special tokens are plain text; CanvasError for what no text holds."""
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise CanvasError("the text holds half of a character (U+D800 to U+DFFF): remove it")
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]

    def text(self, ids) -> str:
        """Ids as text, special tokens left out; a mask shows as `[MASK]`."""
        runs: list[list[int]] = [[]]
        for token in ids:
            if token == self.mask_id:
                runs.append([])
            elif token not in self.special_ids:
                runs[-1].append(token)
        return "[MASK]".join(map(self.tokenizer.decode, runs)).strip()

    def pieces(self, ids) -> dict[int, str]:
        """Id → its text; a part of a character shows as its bytes."""
        return {int(i): self.piece(int(i)) for i in ids}

    def piece(self, token: int) -> str:
        text = self.tokenizer.decode([token])
        if text and "\ufffd" not in text:
            return text
        return self.tokenizer.convert_ids_to_tokens(token) or f"<{token}>"  # the tokenizer may know fewer ids than the network

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        """One forward pass over the canvas [L]; ModelError if the memory does not suffice."""
        with torch.inference_mode():
            return within_memory(lambda: self.look(canvas, needs, temperature, random), SHORTER)

    def look(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        """Forward pass, reading, and one transfer of all results to the host."""
        self.check(canvas)
        started = time.perf_counter()
        tap = Tap(self.tapped) if needs.attention else None
        ids = torch.tensor(np.array(canvas.tokens)[None], dtype=torch.long, device=self.network.device)  # [1, L]
        hidden = self.forward(ids, tap)  # [L, d]
        positions = self.positions(canvas, needs)  # [n]
        logits = self.logits(hidden, positions)  # [n, V]
        found = dict(zip(("tokens", "confidence"), choose(logits, temperature, random), strict=True))
        found |= self.alternatives(canvas, positions, logits, needs.alternatives)
        found |= self.spreads(canvas, positions, logits, needs)
        found |= self.changes(canvas, hidden, needs.kl, random) if needs.kl else {}
        found |= read_attention(tap, canvas) if tap else {}
        return self.assemble(canvas, positions, to_host(found), started, tap.seconds if tap else 0.0)

    def check(self, canvas: Canvas) -> None:
        """Refuse a canvas of another model, as a file may hold one: an id beyond the vocabulary would end a GPU's work."""
        most = self.network.config.vocab_size
        if canvas.mask_id != self.mask_id or not 0 <= canvas.tokens.min() <= canvas.tokens.max() < most:
            raise ModelError(f"these tokens are not of the model {self.name}: another one of that name recorded them")

    def assemble(self, canvas: Canvas, positions: np.ndarray, found: dict, started: float, spent: float) -> Prediction:
        """What came to the host, as a Prediction; spent: seconds on collecting attention."""
        tokens = canvas.tokens.copy()
        tokens[positions] = found["tokens"]
        alternatives = (found["ids"], found["probabilities"]) if "ids" in found else None
        attention = (
            Attention(attention_rows(canvas.window), found["weights"], found["received"]) if "weights" in found else None
        )
        spreads = [spread(canvas, canvas.candidates, found[name]) if name in found else None for name in ("entropy", "margin")]
        confidence = spread(canvas, positions, found["confidence"])
        seconds = (time.perf_counter() - started - spent, spent)
        return Prediction(tokens, confidence, attention, alternatives, seconds, *spreads, found.get("kl"))

    def forward(self, ids: torch.Tensor, tap: Tap | None) -> torch.Tensor:
        """Hidden states [L, d] of ids [1, L]."""
        if ids.shape[1] > self.longest:
            raise ModelError(f"{ids.shape[1]} positions are more than the {self.longest} that {self.name} takes: shorten")
        return self.network.model(ids, use_cache=False, tap=tap).last_hidden_state[0]

    def positions(self, canvas: Canvas, needs: Needs) -> np.ndarray:
        """The positions to read: the candidates; the window for alternatives; all up to its end for anchors."""
        if needs.anchors:
            return np.arange(canvas.block_span(canvas.block)[1])
        return canvas.window if needs.alternatives else canvas.candidates

    def logits(self, hidden: torch.Tensor, positions: np.ndarray) -> torch.Tensor:
        """[n, V] in the network's own precision; in a shifted family row i − 1 speaks for position i."""
        rows = np.maximum(positions - int(self.family.shifted), 0)
        logits = self.network.lm_head(hidden.index_select(0, torch.from_numpy(rows).to(hidden.device)))
        logits[:, self.mask_id] = float("-inf")
        return logits

    def spreads(self, canvas, positions, logits, needs: Needs) -> dict[str, torch.Tensor]:
        """Entropy and margin [M] of the candidates' distributions, as asked for."""
        if not needs.entropy and not needs.margin:
            return {}
        rows = torch.from_numpy(np.searchsorted(positions, canvas.candidates)).to(logits.device)
        probabilities = logits[rows].float().softmax(-1)  # [M, V]
        entropy = {"entropy": entropies(probabilities)} if needs.entropy else {}
        return entropy | ({"margin": margins(probabilities)} if needs.margin else {})

    def changes(self, canvas: Canvas, hidden, count: int, random: np.random.Generator) -> dict[str, torch.Tensor]:
        """[count, L] how far the distributions moved in this run's last forward passes."""
        positions = tracked(canvas)
        shares = self.logits(hidden, positions).float().softmax(-1)  # [n, V]
        return {"kl": self.histories.of(random).advance(canvas.length, positions, shares, count)}

    def alternatives(self, canvas, positions, logits, count: int) -> dict[str, torch.Tensor]:
        """The `count` most likely tokens of each window position and their probabilities, [W, k] each."""
        if not count:
            return {}
        rows = torch.from_numpy(np.searchsorted(positions, canvas.window)).to(logits.device)
        probabilities, ids = logits[rows].float().softmax(-1).topk(count)
        return {"ids": ids, "probabilities": probabilities}


def choose(logits: torch.Tensor, temperature: float, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """logits [n, V] → tokens [n] and their un-noised probabilities [n] float32; Gumbel noise above temperature 0.

    A few rows at a time: over a large vocabulary faster than all at once, and never a second [n, V].
    """
    rows = max(1, CONFIDENCE_CHUNK_BYTES // (4 * logits.shape[1]))
    tokens = torch.empty(len(logits), dtype=torch.long, device=logits.device)
    confidence = torch.empty(len(logits), device=logits.device)
    for first in range(0, len(logits), rows):
        part = slice(first, first + rows)
        tokens[part], confidence[part] = choose_rows(logits[part].float(), temperature, random)
    return tokens, confidence


def choose_rows(logits: torch.Tensor, temperature: float, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """`choose` for a few rows."""
    noisy = logits
    if temperature > 0:
        uniform = torch.from_numpy(random.random(tuple(logits.shape))).to(logits.device)
        noisy = logits.double() - temperature * torch.log(-torch.log(uniform.clamp(min=1e-300)))
    tokens = most_likely(noisy)
    chosen, peak = logits.gather(-1, tokens[:, None]), logits.amax(-1, keepdim=True)
    logsumexp = (logits - peak).exp_().sum(-1, keepdim=True).log_() + peak  # torch.logsumexp, to the bit, in less time
    return tokens, (chosen - logsumexp).exp_()[:, 0]


def most_likely(scores: torch.Tensor) -> torch.Tensor:
    """[n] the first largest entry of each row [n, V]; on a processor NumPy finds it many times faster than PyTorch."""
    return torch.from_numpy(scores.numpy().argmax(-1)) if scores.device.type == "cpu" else scores.argmax(-1)


def entropies(probabilities: torch.Tensor) -> torch.Tensor:
    """−Σ p log p of each row [n, V], in nats: [n] float32, at least 0."""
    return torch.special.entr(probabilities).sum(-1).clamp(min=0)


def margins(probabilities: torch.Tensor) -> torch.Tensor:
    """p₁ − p₂ of each row [n, V]: [n] float32."""
    best = probabilities.topk(2).values
    return best[:, 0] - best[:, 1]


def spread(canvas: Canvas, positions: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values at `positions` spread over the canvas [L] float32; NaN elsewhere."""
    result = np.full(canvas.length, np.nan, dtype=np.float32)
    result[positions] = values
    return result


def read_attention(tap: Tap, canvas: Canvas) -> dict[str, torch.Tensor]:
    """The tapped average as the rows worth keeping and the mean over all queries."""
    mean = tap.mean
    rows = torch.from_numpy(attention_rows(canvas.window)).to(mean.device)
    return {"weights": mean.index_select(0, rows), "received": mean.mean(0)}
