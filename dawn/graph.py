"""Attention → sparse dependency graph: sinks, then edges. Source: DAWN, section 4.1.

An edge j → i (source j, target i) means "i depends on j": the attention from query i to key j is at least τ_edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dawn.errors import RuleError
from dawn.prediction import Attention
from dawn.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """source, target [E] int, weight [E] float32, ordered by target, then source; sinks [S] ascending.

    No self-loop, no edge from a sink.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    sinks: np.ndarray

    def matrix(self, targets: np.ndarray, length: int) -> np.ndarray:
        """[len(targets), L] float32: weight of the edge column → row's target, 0 where there is none."""
        row = np.full(length, -1)
        row[targets] = np.arange(len(targets))
        asked = row[self.target] >= 0
        dense = np.zeros((len(targets), length), dtype=np.float32)
        dense[row[self.target[asked]], self.source[asked]] = self.weight[asked]
        return dense


def find_sinks(received: np.ndarray, thresholds: Thresholds) -> np.ndarray:
    """[S] the columns whose received attention [L] is above the sink level."""
    return np.flatnonzero(received > thresholds.sink_level(len(received)))


def build_graph(
    attention: Attention, targets: np.ndarray, thresholds: Thresholds, sinks: np.ndarray | None = None
) -> DependencyGraph:
    """The edges into `targets` [n], none from `sinks` [S] (None: those that the thresholds find). The targets' rows, or their
    predecessors' by `attention_row`, must be among the attention's."""
    sinks = find_sinks(attention.received, thresholds) if sinks is None else sinks
    shift = 1 if thresholds.attention_row == "predictor" else 0
    weights = rows_of(attention, np.maximum(targets - shift, 0))  # [n, L]
    linked = weights >= thresholds.edge
    linked[:, sinks] = False
    linked[np.arange(len(targets)), targets] = False
    row, source = np.nonzero(linked)
    return DependencyGraph(source, targets[row], weights[row, source], sinks)


def rows_of(attention: Attention, queries: np.ndarray) -> np.ndarray:
    """[n, L] the rows of the queries [n]; RuleError if one was not recorded."""
    index = np.minimum(np.searchsorted(attention.rows, queries), len(attention.rows) - 1)
    missing = queries[attention.rows[index] != queries]
    if len(missing):
        raise RuleError(f"the attention row of position {missing[0]} was not recorded")
    return attention.weights[index]
