"""Control: DAWN whose sinks keep their edges. What the sink filter of DAWN, section 4.1, is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.canvas import Canvas
from dawn.graph import DependencyGraph, build_graph
from dawn.prediction import Prediction
from dawn.rules.dawn import Dawn


@dataclass(frozen=True, slots=True)
class DawnNoSinkFilter(Dawn):
    """A control: DAWN without its sink filter, so that columns everybody attends to make edges; τ_sink is not read."""

    name: ClassVar[str] = "dawn-no-sink-filter"

    def graph(self, canvas: Canvas, prediction: Prediction) -> DependencyGraph:
        return build_graph(prediction.attention, canvas.window, self.thresholds, np.empty(0, dtype=np.int64))
