"""Muon for weight matrices: momentum, then the nearest orthogonal matrix by Newton–Schulz. Source: Jordan et al. 2024.

torch.optim.Muon orthogonalises in bfloat16, one matrix at a time: 17 s a step for this model on a CPU without bfloat16
instructions, against 0.4 s for the same iteration in float32 over stacks of equal shape. Hence this one.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import distributed

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonalise(stack: torch.Tensor) -> torch.Tensor:
    """[N, rows, columns] → the same shape, singular values near 1 (0.7 to 1.2)."""
    a, b, c = COEFFICIENTS
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


def orthogonalised_together(stack: torch.Tensor) -> torch.Tensor:
    """`orthogonalise`, but each process of a distributed run does its part of the stack, which is the same in all."""
    if not distributed.is_initialized():
        return orthogonalise(stack)
    whole = torch.zeros_like(stack)
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    part = stack.tensor_split(processes)[rank]
    if len(part):
        whole.tensor_split(processes)[rank].copy_(orthogonalise(part))
    distributed.all_reduce(whole)
    return whole


class Muon(torch.optim.Optimizer):
    """Takes matrices [rows, columns] only. `lr` is the spectral norm of a step for square matrices; decay: the part of a matrix
    that a step takes away, as a multiple of `lr`. Without it matrices grow with every step, and steps that stay the same size
    change ever less of what the network does (Liu et al., arXiv 2502.16982, section 2.2)."""

    def __init__(self, parameters, lr: float = 0.02, momentum: float = 0.95, decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})
        self.decay = decay  # the recipe's, whatever a checkpoint was made with

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            stacks = defaultdict(list)
            for parameter in group["params"]:
                stacks[parameter.shape].append(parameter)
            for shape, parameters in stacks.items():
                updates = orthogonalised_together(torch.stack([self.momentum(p, group["momentum"]) for p in parameters]))
                scale = group["lr"] * max(1, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, updates, strict=False):
                    parameter.mul_(1 - group["lr"] * self.decay).add_(update, alpha=-scale)

    def momentum(self, parameter: torch.Tensor, decay: float) -> torch.Tensor:
        """Nesterov momentum of the gradient, kept in the optimiser's state."""
        buffer = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
        buffer.lerp_(parameter.grad, 1 - decay)
        return parameter.grad.lerp(buffer, decay)
