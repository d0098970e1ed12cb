"""Received attention, sinks, edges."""

import numpy as np
import pytest
from hypothesis import given

from dawn.errors import RuleError
from dawn.graph import build_graph, find_sinks
from dawn.prediction import Attention
from dawn.thresholds import Thresholds
from tests.dawn import oracles
from tests.dawn.fakes import states, thresholds


def edges_of(graph) -> dict:
    return {(int(j), int(i)): float(w) for j, i, w in zip(graph.source, graph.target, graph.weight, strict=True)}


def small() -> Attention:
    weights = np.array([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]], dtype=np.float32)
    return Attention(np.arange(3), weights, weights.mean(axis=0))


def test_the_row_depends_on_the_column():
    graph = build_graph(small(), np.array([1, 2]), Thresholds(edge=0.3, sink=1.0))
    assert set(edges_of(graph)) == {(0, 2), (1, 2)}
    assert graph.target.tolist() == [2, 2] and graph.source.tolist() == [0, 1]


def test_the_predictors_row_speaks_for_the_position_after_it():
    graph = build_graph(small(), np.array([1, 2]), Thresholds(edge=0.3, sink=1.0, attention_row="predictor"))
    assert set(edges_of(graph)) == {(0, 1), (2, 1), (1, 2)}


def test_sinks_compare_with_above_and_edges_with_at_least():
    received = np.array([0.25, 0.5], dtype=np.float32)
    assert find_sinks(received, Thresholds(sink=0.25)).tolist() == [1]
    assert find_sinks(received, Thresholds(sink=1.0, sink_mode="relative")).tolist() == []
    assert find_sinks(received, Thresholds(sink=0.5, sink_mode="relative")).tolist() == [1]
    attention = Attention(np.arange(2), np.array([[0, 0.1], [0.07, 0]], dtype=np.float32), np.zeros(2, dtype=np.float32))
    assert len(build_graph(attention, np.arange(2), Thresholds(edge=0.07)).source) == 2


def test_uniform_attention_is_all_sinks_up_to_length_99():
    for length, count in ((99, 99), (101, 0)):
        assert len(find_sinks(np.full(length, 1 / length, dtype=np.float32), Thresholds(sink=0.01))) == count


def test_a_row_that_was_not_recorded_is_an_error_and_not_another_row():
    attention = Attention(np.array([1, 2]), small().weights[1:], small().received)
    for target in (0, 3):
        with pytest.raises(RuleError, match=f"row of position {target} was not recorded"):
            build_graph(attention, np.array([target]), Thresholds())


@given(states(), thresholds())
def test_edges_are_those_of_the_definition(state, th):
    canvas, prediction = state
    sinks, expected = oracles.dependency_edges(canvas, prediction, th)
    graph = build_graph(prediction.attention, canvas.candidates, th)
    assert set(graph.sinks.tolist()) == sinks
    assert edges_of(graph) == expected


@given(states(), thresholds())
def test_no_loops_no_sinks_few_parents(state, th):
    canvas, prediction = state
    graph = build_graph(prediction.attention, canvas.window, th)
    assert not (graph.source == graph.target).any()
    assert not np.isin(graph.source, graph.sinks).any()
    parents = np.bincount(graph.target, minlength=canvas.length)
    assert parents.max() <= int(1 / th.edge + 1e-6)


@given(states(), thresholds())
def test_the_matrix_holds_the_edges_of_the_rows_asked_for(state, th):
    canvas, prediction = state
    graph = build_graph(prediction.attention, canvas.window, th)
    matrix = graph.matrix(canvas.candidates, canvas.length)
    expected = np.zeros((canvas.length, canvas.length), dtype=np.float32)
    for (j, i), weight in edges_of(graph).items():
        expected[i, j] = weight
    assert np.array_equal(matrix, expected[canvas.candidates])
