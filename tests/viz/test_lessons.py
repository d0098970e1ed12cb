"""What the Learn tab is told: numbers and words from the rule's own decisions, and answers to whatever is asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import app
from dawn import table
from dawn.evaluate import Outcome
from dawn.rules import RULES, Confidence, Dawn, Moment, Original
from dawn.trace import load
from tests.dawn import fakes
from viz.anatomy import MOST_CHANGES, described, figure_3, number, several
from viz.exercises import EXERCISES
from viz.lab import EXAMPLE, Lab
from viz.lessons import Lessons, house
from viz.store import TraceStore

TRACES = {path.stem: load(path) for path in sorted((Path(app.ASSETS) / "traces").glob("*.npz"))}
NOWHERE = Path("nowhere")


@pytest.fixture(scope="module")
def lessons():
    store = TraceStore()
    for name, trace in TRACES.items():
        store.bundle(name, trace)
    return Lessons(Lab(store, None, [], None), NOWHERE)


def committed(doc: dict) -> list[int]:
    return [position for position, _ in doc["committed"]]


def test_figure_3_is_that_of_the_golden_test():
    state, (canvas, seen) = figure_3(), fakes.figure_3()
    here = state.rule.decide(state.canvas, state.prediction, Moment(0, 1))
    there = Dawn(fakes.FIGURE_3).decide(canvas, seen, Moment(0, 1))
    assert state.rule.thresholds == fakes.FIGURE_3 and here.selection == there.selection
    assert np.array_equal(state.prediction.confidence, seen.confidence)
    assert np.array_equal(state.prediction.attention.weights, seen.attention.weights)


def test_the_words_of_figure_3():
    titles, words = zip(*described(figure_3())["stages"], strict=True)
    assert titles == ("Sinks", "Edges", "High confidence", "Anchors", "Conflicts", "Independent set", "Commit")
    assert words[0].startswith("1 (.30) receives more than τ_sink = .10") and words[0].endswith("Its column is removed.")
    assert words[2].endswith("8 (.92) and 9 (.96).") and "0, 2 and 3" in words[3] and "4 on 3 and 7 on 0" in words[3]
    assert "5 (.80), 6 (.85) and 10 (.75)" in words[4] and "6, which drops 5; then 10" in words[5]
    assert words[6] == (
        "6 tokens at once: 4, 6, 7, 8, 9 and 10. Refused for a conflict: 5 (for 6). Refused as not sure enough: 11."
    )


@pytest.mark.parametrize("step", range(TRACES[EXAMPLE].forwards))
def test_every_step_of_the_example_is_described_as_it_was_decided(lessons, step):
    doc = lessons.anatomy({"trace": EXAMPLE, "step": step})
    recorded = TRACES[EXAMPLE].steps[step]
    assert committed(doc) == recorded.decision.selection.positions.tolist()
    assert [one[0] for one in doc["refused"]] == [one.position for one in recorded.decision.selection.refused]
    assert {one[0] for one in doc["columns"]} >= set(recorded.canvas.candidates.tolist())
    assert len(doc["stages"]) == 7 and all(words.endswith(".") for _, words in doc["stages"])
    assert doc["added"] == doc["dropped"] == []


def test_a_change_by_hand_changes_the_decision(lessons):
    surer = lessons.anatomy({"confidence": [[5, 0.88]]})
    assert (surer["added"], surer["dropped"]) == ([5], [6, 10])
    linked = lessons.anatomy({"edges": [[9, 10, 0.2]]})
    assert linked["excluded"] == [[10, 9, pytest.approx(0.2)]] and linked["dropped"] == [10]
    looser = lessons.anatomy({"settings": {"low": 0.6}})
    assert looser["added"] == [11]
    step = lessons.anatomy({"trace": EXAMPLE, "step": 2, "settings": {"high": 1, "induced": 1, "low": 1}})
    assert len(step["committed"]) == 1 and step["committed"][0][1] == "forced"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (None, "names no step"),
        ({"trace": "gone", "step": 0}, "no longer on the server"),
        ({"trace": EXAMPLE, "step": 999}, "has steps 0 to"),
        ({"trace": EXAMPLE}, "whole number"),
        ({"trace": "example-confidence", "step": 0}, "choose a run of the rule dawn"),
        ({"confidence": [[5, "much"]]}, "must be a number from 0 to 1"),
        ({"confidence": [[99, 0.5]]}, "position 99 cannot be changed"),
        ({"confidence": [5, 0.5]}, "must be a position and a number"),
        ({"confidence": [[0, 0.5]] * (MOST_CHANGES + 1)}, "at most 64"),
        ({"edges": [[1, 5, 1]]}, "sums to at most 1"),
        ({"edges": {"1": 2}}, "a list of at most"),
        ({"settings": {"nothing": 1}}, "has no setting nothing"),
        ({"settings": [1]}, "names with values"),
        ({"settings": {"edge": 0}}, "above 0"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(lessons, request_, words):
    assert words in lessons.anatomy(request_)["error"]


def test_a_graph_that_no_figure_shows_is_refused(lessons, monkeypatch):
    monkeypatch.setattr("viz.anatomy.MOST_EDGES", 14)
    assert "15 edges are more than a figure shows (at most 14): raise τ_edge" in lessons.anatomy({})["error"]


def test_an_exercise_is_right_with_its_answer_and_with_no_other(lessons):
    asked = lessons.lesson({})["exercises"]
    assert len(asked) == len(EXERCISES)
    for index, one in enumerate(asked):
        choices = [position for position, _, _ in one["choices"]]
        told = lessons.check({"exercise": index, "chosen": []})
        right = [position for position, met, _ in told["lines"] if not met]
        assert right and not told["right"] and len(right) < len(choices)
        assert lessons.check({"exercise": index, "chosen": right})["right"]
        wrong = lessons.check({"exercise": index, "chosen": choices})
        assert not wrong["right"] and [met for *_, met, _ in wrong["lines"]] == [p in right for p in choices]
        assert all(reason for *_, reason in wrong["lines"])


def test_the_answers_of_the_exercises_about_figure_3(lessons):
    answers = [(0, [1]), (1, [0, 2, 3]), (2, [6, 10, 11]), (3, [5, 10, 11]), (4, [9])]
    assert all(lessons.check({"exercise": index, "chosen": chosen})["right"] for index, chosen in answers)


@pytest.mark.parametrize("asked", [None, {}, {"exercise": 99, "chosen": []}, {"exercise": 0, "chosen": "1"}, {"exercise": 0}])
def test_an_answer_to_nothing_is_refused(lessons, asked):
    assert "error" in lessons.check(asked)


def test_the_lesson_shows_the_step_with_the_most_to_see_and_is_json(lessons):
    told = lessons.lesson({})
    json.dumps(told, allow_nan=False)
    assert {tier for _, tier in told["example"]["anatomy"]["committed"]} == {"high", "induced", "conflict_free"}
    assert {one["scene"] for one in told["exercises"]} == {"sinks", "anchors", "step", "run"}


def test_three_of_four_independent_draws_are_no_hand():
    told = house()
    joint, independent = map(np.array, told["stages"])
    assert joint.sum() == independent.sum() == 1 and told["never"] == 0.75
    assert np.array_equal(joint.sum(axis=0), independent.sum(axis=0))


def test_gains_are_those_of_the_bundled_runs(lessons):
    gains = lessons.gains()
    assert {rule: forwards for rule, forwards, _ in gains["rows"]} == {t.setup.rule: t.forwards for t in TRACES.values()}
    assert ("the same answer" in gains["words"]) == (len({t.output for t in TRACES.values()}) == 1)


def test_gains_are_those_of_a_measured_table_if_there_is_one(lessons, tmp_path):
    setting = table.Setting("sums", 0, 2, "embedded", "w")
    cost = {"original": 40, "confidence": 10, "dawn-no-anchors": 12}
    rules = [Original(), Confidence(), RULES["dawn-no-anchors"]()]
    (tmp_path / "another.json").write_text("{}")
    table.fill(tmp_path / "rules.json", setting, rules, lambda rule: [Outcome(True, cost[rule.name], 40, 1.0)] * 2)
    gains = Lessons(lessons.lab, tmp_path).gains()
    assert gains["rows"] == [["original", 40.0, 1.0], ["confidence", 10.0, 1.0]] and "2 held-out problems" in gains["words"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.85, ".85"), (0.8996, ".899"), (1, "1.00"), (np.float32(0.7), ".70"), (0, ".00")]
)
def test_numbers_are_cut_not_rounded(value, text):
    assert number(value) == text


def test_a_long_list_is_counted():
    assert several("a") == "a" and several("ab") == "a and b" and several("abcdefg") == "a, b, c, d, e, f and g"
    assert several("abcdefgh") == "a, b, c, d, e, f and 2 others"
