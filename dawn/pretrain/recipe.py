"""What decides the weights of a training run, and the file that holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from dawn.errors import DataError, ThresholdError
from dawn.settings import require_number, require_whole

KINDS = ("single", "block", "drill", "canvas", "decoder", "equation")
MOST_STEPS, MOST_PROCESSES = 10**7, 256
LARGEST_FILE = 2**20  # bytes of a recipe's file
WHOLE = {
    "steps": (1, MOST_STEPS),
    "tokens_per_step": (1, 2**24),
    "seed": (0, 2**31 - 1),
    "warmup_steps": (1, MOST_STEPS),
    "processes": (1, MOST_PROCESSES),
    "width": (2, 2**13),
    "inner_width": (1, 2**15),
    "layers": (1, 256),
    "heads": (1, 256),
}
NUMBERS = {
    "matrix_lr": (0, 1),
    "other_lr": (0, 1),
    "matrix_decay": (0, 10),
    "decay_share": (1e-6, 1),
    "averaging": (0, 0.9999),
    "veil": (0, 1e6),
}
LISTS = {"turn": 2, "shares_first": len(KINDS), "shares_last": len(KINDS)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights. Over the part `turn` of the run, the shares of each kind of row go from
    `shares_first` to `shares_last`, and the `veil` of canvases (see `rows`) falls to zero. ThresholdError for what no training
    could be made of."""

    steps: int = 6000
    tokens_per_step: int = 4096
    seed: int = 0
    matrix_lr: float = 0.012
    matrix_decay: float = 0.1  # of the layers' matrices, see `muon`
    other_lr: float = 0.0012
    warmup_steps: int = 50
    decay_share: float = 1.0
    averaging: float = 0.996  # decay of the running average of the weights, a step; the average is what is exported
    turn: tuple[float, float] = (0.2, 0.55)
    shares_first: tuple[float, ...] = (0.33, 0.22, 0.04, 0.0, 0.06, 0.35)  # of steps, by KINDS
    shares_last: tuple[float, ...] = (0.05, 0.1, 0.06, 0.06, 0.49, 0.24)
    veil: float = 8.0
    processes: int = 1  # each takes tokens_per_step
    width: int = 192
    inner_width: int = 512
    layers: int = 6
    heads: int = 4

    def __post_init__(self):
        for name, (low, high) in WHOLE.items():
            require_whole(name, getattr(self, name), low, high)
        for name, (low, high) in NUMBERS.items():
            require_number(name, getattr(self, name), low, high)
        for name, length in LISTS.items():
            object.__setattr__(self, name, fractions(name, getattr(self, name), length))
        if self.turn[0] >= self.turn[1]:
            raise ThresholdError(f"turn must begin before it ends, not {list(self.turn)}")
        for name in ("shares_first", "shares_last"):
            if abs(sum(getattr(self, name)) - 1) > 1e-6:
                raise ThresholdError(f"{name} must sum to 1, not to {sum(getattr(self, name)):g}")
        if self.width % (2 * self.heads):
            raise ThresholdError(f"width must be a multiple of twice the {self.heads} heads, not {self.width}")

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
        """Share of each kind of row in steps about this one."""
        part = self.turned(step)
        shares = np.array(self.shares_first) * (1 - part) + np.array(self.shares_last) * part
        return dict(zip(KINDS, shares.tolist(), strict=True))


def fractions(name: str, values: object, length: int) -> tuple[float, ...]:
    """`length` numbers from 0 to 1 as a tuple; ThresholdError if they are anything else."""
    if not isinstance(values, (list, tuple)) or len(values) != length:
        raise ThresholdError(f"{name} must be {length} numbers from 0 to 1, not {values!r:.40}")
    for value in values:
        require_number(f"each of {name}", value, 0, 1)
    return tuple(values)


def read_recipe(path: Path) -> dict:
    """The fields of a Recipe that a JSON file sets: an object of them, or the `training.json` of an exported model.
    DataError if it is none."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(LARGEST_FILE))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path} is not JSON: give a recipe, or the training.json of an exported model") from None
    given = content.get("recipe", content) if isinstance(content, dict) else None
    known = [field.name for field in fields(Recipe)]
    if not isinstance(given, dict):
        raise DataError(f"{path} holds no recipe: give an object with some of {', '.join(known)}")
    if unknown := [name for name in given if name not in known]:
        raise DataError(f"{path} sets {unknown[0]!r:.40}, which is no part of a recipe: known are {', '.join(known)}")
    return given
