"""Control: DAWN on a random graph with as many edges. Whether the attention's edges are worth more than any edges.

The graph of the attention is made as ever; then its weights are dealt to cells drawn at random among those that may hold an
edge: no sink as source, no self-loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.graph import DependencyGraph
from dawn.prediction import Prediction
from dawn.rules.dawn import Dawn
from dawn.rules.random import LARGEST_SEED
from dawn.settings import Whole, setting


@dataclass(frozen=True, slots=True)
class DawnRandomGraph(Dawn):
    """A control: DAWN whose edges go to cells drawn at random, as many and as heavy as those that attention gives."""

    name: ClassVar[str] = "dawn-random-graph"
    seed: int = setting(0, Whole("Seed of what the rule draws at random.", 0, LARGEST_SEED, (0, 100, 1)))

    def graph(self, canvas: Canvas, prediction: Prediction) -> DependencyGraph:
        real, window = Dawn.graph(self, canvas, prediction), canvas.window
        random = np.random.default_rng([self.seed, int(canvas.masked.sum())])
        free = np.ones((len(window), canvas.length), dtype=bool)
        free[:, real.sinks] = False
        free[np.arange(len(window)), window] = False
        cells = np.sort(random.choice(np.flatnonzero(free), len(real.weight), replace=False))
        row, source = np.divmod(cells, canvas.length)
        return DependencyGraph(source, window[row], random.permutation(real.weight), real.sinks)
