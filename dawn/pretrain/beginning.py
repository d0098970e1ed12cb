"""What a training run begins with: the weights of exported models, one set upon another, deepened, or their embeddings alone.

Arithmetic is learned in minutes by a few layers that see nothing but equations, and hardly at all amid text. So such layers are
trained by themselves, on the embeddings of the model that they are for, and set below its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from dawn.errors import DataError

LAYERS = "model.layers."
Weights = dict[str, torch.Tensor]


def first_weights(models: Sequence[Path], layers: int) -> Weights:
    """What a network of `layers` layers takes from exported models, each set upon the one before it, with the last one's
    embeddings and norm: all layers; copies beside them if it has more (see `deepened`); of a single model with more layers than
    the network, no layer."""
    from transformers import LlamaForCausalLM

    given = [LlamaForCausalLM.from_pretrained(model, dtype=torch.float32).state_dict() for model in models]
    weights = stacked(given)
    if len(given) == 1 and layers < depth(weights):
        return outside(weights)
    return deepened(weights, layers)


def depth(weights: Weights) -> int:
    """How many layers a state dict has."""
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith(LAYERS))


def outside(weights: Weights) -> Weights:
    """All but the layers: embeddings, the last norm, and the output's matrix, which is that of the embeddings."""
    return {name: values for name, values in weights.items() if not name.startswith(LAYERS)}


def stacked(given: Sequence[Weights]) -> Weights:
    """A state dict with the layers of all, the first one's lowest, and the rest of the last one. DataError if their shapes differ."""
    weights, below = outside(given[-1]), 0
    for one in given:
        for name, values in one.items():
            if name.startswith(LAYERS):
                _, _, layer, rest = name.split(".", 3)
                weights[f"{LAYERS}{below + int(layer)}.{rest}"] = values
        below += depth(one)
    shapes = {(name.split(".", 3)[-1], tuple(values.shape)) for name, values in weights.items() if name.startswith(LAYERS)}
    if len(shapes) > len({name for name, _ in shapes}):
        raise DataError("the models to begin with have layers of different sizes: one cannot be set upon the other")
    return weights


def deepened(weights: Weights, layers: int) -> Weights:
    """A state dict with `layers` layers that computes what `weights` do: evenly spread ones are followed by a copy whose two
    output matrices begin at zero. DataError if they have more layers, or half as many or fewer."""
    have = depth(weights)
    extra = layers - have
    if not 0 <= extra < have:
        reach = f"{have} to {2 * have - 1}, not {layers}"
        raise DataError(f"the model to begin with has {have} layers: from there a run can have {reach}")
    followed = {(at + 1) * have // (extra + 1) - 1 for at in range(extra)}
    sources = [(layer, copy) for layer in range(have) for copy in (False, True)[: 1 + (layer in followed)]]
    deep = outside(weights)
    for layer, (source, copy) in enumerate(sources):
        mark = f"{LAYERS}{source}."
        for name in (name for name in weights if name.startswith(mark)):
            adds = name.endswith(("o_proj.weight", "down_proj.weight"))
            deep[f"{LAYERS}{layer}.{name.removeprefix(mark)}"] = weights[name] * 0 if copy and adds else weights[name]
    return deep
