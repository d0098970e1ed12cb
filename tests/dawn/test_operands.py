"""Edges into computed numbers: equations on a canvas, the controls, counts and intervals, and the command."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from dawn.canvas import Canvas
from dawn.cli import main
from dawn.errors import DataError, RuleError
from dawn.graph import DependencyGraph
from dawn.models import load_model
from dawn.models.detail import attention_detail
from dawn.models.layers import attention_by_layer
from dawn.operands import (
    CHOOSERS,
    COUNTS,
    SHARES,
    Equation,
    Measured,
    chosen,
    count,
    equations_on,
    markdown,
    measure,
    report,
)
from dawn.operands_chart import svg
from dawn.prediction import EVERYTHING
from dawn.pretrain.data import Problem
from dawn.rules import Confidence, Dawn
from tests.dawn.models.small import small_checkpoint

TEXTS = [
    "Mia",
    " has",
    " 1",
    "7",
    ".",
    "\n",
    " 1",
    "7",
    " -",
    " 7",
    " =",
    " £",
    "1",
    "0",
    ",",
    " 1",
    "0",
    "*",
    "2.5",
    "=2",
    "5",
    "\n",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(str(small_checkpoint(tmp_path_factory.mktemp("model"))))


def test_equations_are_found_by_their_positions_and_operands_where_they_stood_before():
    first, second = equations_on(TEXTS, 6)
    assert first.result == (12, 13) and first.operands == (frozenset({6, 7}), frozenset({9}))
    assert first.origins == (frozenset({2, 3}), frozenset())  # 7 alone is not the 7 of 17
    assert second.result == (19, 20) and second.operands == (frozenset({15, 16}), frozenset({18}))
    assert second.origins == (frozenset({12, 13}), frozenset())


def test_equations_of_the_question_do_not_count_but_their_numbers_are_origins():
    assert equations_on(["3", "+", "4", "=", "7", "\n", "7", "-", "3", "=", "4"], 6) == [
        Equation((10,), (frozenset({6}), frozenset({8})), (frozenset({4}), frozenset({0})))
    ]


def test_controls_have_as_many_edges_none_from_a_sink_or_to_itself():
    graph = DependencyGraph(np.array([2, 9, 1]), np.array([6, 6, 7]), np.ones(3), np.array([5, 7]))
    found = chosen(graph, 6, 10, np.random.default_rng(1))
    assert set(found) == set(CHOOSERS) and found["attention"].tolist() == [2, 9]
    assert found["nearest"].tolist() == [4, 8] and found["before"].tolist() == [3, 4]
    drawn = [chosen(graph, 6, 10, np.random.default_rng(seed))["random"] for seed in range(300)]
    assert all(len(set(one.tolist())) == 2 for one in drawn)
    shares = np.bincount(np.concatenate(drawn), minlength=10) / 600
    assert shares[[5, 6, 7]].sum() == 0 and np.abs(shares[[0, 1, 2, 3, 4, 8, 9]] - 1 / 7).max() < 0.05


def test_edges_are_counted_by_where_they_come_from_and_operands_once():
    equation = Equation((12, 13), (frozenset({6, 7}), frozenset({9})), (frozenset({2, 3}), frozenset()))
    found = count([equation], {12: np.array([6, 7, 10]), 13: np.array([2, 6])})
    assert COUNTS[:3] == ("edges", "operand_edges", "origin_edges") and found[:3] == [5, 3, 1]
    assert COUNTS[3:] == ("operands", "operands_reached", "with_origin", "origins_reached") and found[3:] == [2, 1, 1, 1]
    assert count([equation], {}) == [0, 0, 0, 2, 0, 1, 0]


def results(n: int) -> list[Measured]:
    """Problems in which attention hits twice as often as every control, and a layer without edges."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(n):
        edges = int(random.integers(4, 9))
        counts = np.array([[edges, 2 * hits, 0, 2, hits, 0, 0] for hits in (2, 1, 1, 1)])
        found.append(Measured(True, 1, 2, {"average": counts, "layer 1": np.zeros_like(counts)}))
    return found


def test_intervals_hold_the_share_and_differences_are_paired():
    found = report(results(60))
    average, empty = found.graphs["average"], found.graphs["layer 1"]
    for name in ("edges_from_operands", "operands_reached"):
        for one in average.shares[name].values():
            assert one[1] <= one[0] <= one[2]
    assert average.shares["operands_reached"] == dict.fromkeys(CHOOSERS, [0.5] * 3) | {"attention": [1.0] * 3}
    assert average.differences["operands_reached"]["random"] == [0.5] * 3
    value, low, high = average.differences["edges_from_operands"]["nearest"]
    assert 0 < low < value < high and value == pytest.approx(average.shares["edges_from_operands"]["nearest"][0], abs=2e-4)
    assert average.shares["origins_reached"]["random"] is None and empty.edges == 0
    assert set(average.shares) == set(SHARES) and set(empty.shares["edges_from_operands"].values()) == {None}


def test_a_table_for_each_share_and_a_picture_with_a_row_for_each_graph():
    found = report(results(20))
    text = markdown(found)
    assert text.count("| average |") == len(SHARES) and "100.0 (100.0 to 100.0)" in text and "| layer 1 | 0 | – |" in text
    root = ElementTree.fromstring(svg(found))
    words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"average", "layer 1", "random", "nearest before"} <= set(words)
    marks = [one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}g")]
    assert [marks.count(one) for one in CHOOSERS] == [3, 3, 3, 3]  # legend, and the average in both panels


def test_answers_without_equations_are_refused():
    with pytest.raises(DataError, match="no equation in 2 answers"):
        report([Measured(False, 0, 0, {})] * 2)


def test_every_layer_is_read_as_the_detail_reads_it_and_the_average_is_theirs(model):
    canvas = Canvas.blank(model.encode("What is 2 + 3?"), 24, 8, model.mask_id)
    alone = attention_by_layer(model, canvas)
    for layer, found in enumerate(alone):
        chosen_map = attention_detail(model, canvas, layer, None).chosen
        np.testing.assert_allclose(found.weights, chosen_map[found.rows], atol=1e-5)
        np.testing.assert_allclose(found.received, chosen_map.mean(0), atol=1e-5)
    read = model.predict(canvas, EVERYTHING, 0.0, np.random.default_rng(0)).attention
    np.testing.assert_array_equal(alone[0].rows, read.rows)
    np.testing.assert_allclose(np.mean([alone[layer].weights for layer in model.tapped], axis=0), read.weights, atol=1e-5)


class Writer:
    """A model that writes a given answer, whatever it is asked; its attention is the given model's."""

    def __init__(self, model, answer: str):
        self.model, self.answer = model, model.encode_text(answer)

    def __getattr__(self, name):
        return getattr(self.model, name)

    def predict(self, canvas, needs, temperature, random):
        found = self.model.predict(canvas, needs, temperature, random)
        tokens = canvas.tokens.copy()
        tokens[canvas.prompt_length :] = self.end_ids[0]
        tokens[canvas.prompt_length :][: len(self.answer)] = self.answer
        return type(found)(tokens, found.confidence, found.attention)


def test_a_problem_is_measured_where_its_results_were_written(model, monkeypatch):
    problems = [Problem("Mia has 17 apples and eats 7. How many are left?", "", "10")]
    monkeypatch.setattr("dawn.operands.task_problems", lambda seed, tokenizer, held_out: iter(problems))
    monkeypatch.setattr("dawn.operands.GENERATED", 32)
    seen: list[Canvas] = []

    def layers(canvas):
        seen.append(canvas)
        return attention_by_layer(model, canvas)

    writer = Writer(model, "17 - 7 = 10 left.\n#### 10")
    (found,) = measure(writer, Dawn(), 1, 0, None, layers)
    assert (found.right, found.equations, found.results) == (True, 1, 2)
    assert list(found.counts) == ["average", "layer 1", "layer 2", "layer 3", "layer 4"]
    for counts in found.counts.values():
        assert (counts[:, 0] == counts[0, 0]).all() and (counts[:, 3] == 2).all() and (counts[:, 5] == 2).all()
    assert all(canvas.masked[canvas.prompt_length + 9 : canvas.prompt_length + 11].any() for canvas in seen)
    (again,) = measure(writer, Dawn(), 1, 0, None, layers)
    assert all((again.counts[name] == counts).all() for name, counts in found.counts.items())
    with pytest.raises(RuleError, match="no dependency graph"):
        measure(writer, Confidence(), 1, 0, None, layers)


def test_the_command_prints_saves_and_draws(capsys, monkeypatch, tmp_path):
    model = str(small_checkpoint(tmp_path / "model"))
    monkeypatch.setattr("dawn.operands.GENERATED", 12)
    assert main(["operands", "--n", "1", "--model", model]) == 2
    assert "wrote no equation in 1 answers" in capsys.readouterr().err
    monkeypatch.setattr("dawn.operands.measure", lambda *asked: iter(results(5)))
    saved, picture = tmp_path / "o.json", tmp_path / "o.svg"
    assert main(["operands", "--n", "5", "--model", model, "--json", "--save", str(saved), "--picture", str(picture)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(saved.read_text()) and printed["averaged"] == [1, 2, 3, 4] and printed["n"] == 5
    assert printed["graphs"]["average"]["shares"]["operands_reached"]["attention"] == [1.0, 1.0, 1.0]
    assert picture.read_text().startswith("<svg")
