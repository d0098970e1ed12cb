"""The preset: dials and layers, the search and its rule of choice on made-up outcomes, disjoint problems, picture, command."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from dawn.cli import main
from dawn.errors import DataError, ThresholdError
from dawn.evaluate import Outcome
from dawn.models import load_model
from dawn.preset import (
    Measure,
    Point,
    choose,
    decide,
    dials_of,
    frontier,
    layer_sets,
    layers_from,
    layers_text,
    markdown,
    point_of,
    search,
    splits,
)
from dawn.pretrain.data import Problem
from dawn.scatter import marks, svg
from dawn.thresholds import Thresholds
from tests.dawn.models.small import small_checkpoint

START = Point(Thresholds(low=0.9), (2, 3))
DIALS = {"low": (0.7, 0.8, 0.85, 0.9), "high": (0.9,), "layers": ((1,), (2, 3))}


def outcomes(wrong: int, forwards: int) -> list[Outcome]:
    return [Outcome(index >= wrong, forwards, 60, 1.0) for index in range(10)]


def run(point: Point | None) -> list[Outcome]:
    """Ten problems: every .05 of low below .9 makes one more wrong and one forward pass fewer; layer 1 saves another."""
    if point is None:
        return outcomes(0, 60)
    steps = round((0.9 - point.thresholds.low) * 20)
    return outcomes(steps, 30 - steps - (point.layers == (1,)))


def found(lost: float = 10.0, dials: dict = DIALS) -> dict:
    """The file of a search over `run`, reported on the same outcomes."""
    points: dict[str, dict] = {}
    search(START, dials, Measure(points, run, lambda: None), lost)
    choice = decide(points, START, dials, lost)
    setting = {"n": 10, "seed": 1, "report_n": 10, "report_seed": 2}
    return {"setting": setting, "points": points, "report": points, "choice": choice}


def test_the_cheapest_that_loses_no_more_is_chosen():
    best = START.turned("low", 0.85).turned("layers", (1,))
    choice = found()["choice"]
    assert choice["chosen"] == best.name and choice["within"] and choice["start"] == START.name
    assert point_of(found()["points"][best.name]["settings"]) == best
    assert found(0)["choice"]["chosen"] == START.turned("layers", (1,)).name
    assert "at most 10 points" in choice["rule"]


def test_where_nothing_is_accurate_enough_the_most_accurate_is_chosen():
    dials = {"low": (0.7, 0.8)}
    points: dict[str, dict] = {}
    search(START.turned("low", 0.7), dials, Measure(points, run, lambda: None), 5)
    choice = decide(points, START, dials, 5)
    assert choice["chosen"] == START.turned("low", 0.8).name and not choice["within"]


def test_the_frontier_has_no_setting_that_another_one_beats():
    table = found()
    names = [START.turned("low", low).turned("layers", (1,)).name for low in (0.85,)]
    assert frontier(table["points"]) == table["choice"]["frontier"]
    figures = [table["points"][name]["figures"] for name in table["choice"]["frontier"]]
    pairs = [(one["forwards_per_item"], one["accuracy"]) for one in figures]
    assert pairs == sorted(pairs) and len({accuracy for _, accuracy in pairs}) == len(pairs)
    assert set(names) <= set(table["choice"]["frontier"]) and START.turned("low", 0.85).name not in table["choice"]["frontier"]


def test_a_stopped_search_goes_on_and_nothing_runs_twice():
    ran, points = [], {}

    def stops(point):
        if len(ran) == 3:
            raise KeyboardInterrupt
        ran.append(point)
        return run(point)

    def goes_on(point):
        ran.append(point)
        return run(point)

    with pytest.raises(KeyboardInterrupt):
        search(START, DIALS, Measure(points, stops, lambda: None), 10)
    assert ran[:2] == [None, START] and len(points) == 3
    search(START, DIALS, Measure(json.loads(json.dumps(points)), goes_on, lambda: None), 10)
    assert len(ran) == len(set(ran)) == len(found()["points"])


def test_a_setting_of_another_kind_is_measured_again():
    points = {}
    for variant in ("paper", "published"):
        Measure(points, run, lambda: None)(None)
        Measure(points, run, lambda: None)(Point(Thresholds(variant=variant), (0,)))
        (name,) = set(points) - {"original"}
        assert points[name]["settings"]["variant"] == variant


def test_layers_to_try():
    assert layer_sets(6) == (
        *((one,) for one in range(6)),
        *((4, 5), (3, 4, 5), (2, 3, 4, 5)),
        *((0, 1), (2, 3)),
        tuple(range(6)),
    )
    assert layer_sets(1) == ((0,),)
    assert [layers_from(text, 6) for text in ("all", "2-4", "5", "3+0", "0+2-3")] == [
        tuple(range(6)),
        (2, 3, 4),
        (5,),
        (0, 3),
        (0, 2, 3),
    ]
    assert [layers_text(one) for one in ((2, 3, 4), (0, 3), (5,))] == ["2-4", "0+3", "5"]


def test_dials_take_other_values():
    dials = dials_of(["low=.8, .9", "layers=0+3,all", "edge=.05"], 4)
    assert dials["low"] == (0.8, 0.9) and dials["layers"] == ((0, 3), (0, 1, 2, 3)) and dials["edge"] == (0.05,)
    assert len(dials["high"]) > 1


@pytest.mark.parametrize("words", ["low", "low=", "variant=paper", "low=x", "layers=6", "layers=3-2", "layers=-1", "layers="])
def test_what_cannot_be_tried_is_refused(words):
    with pytest.raises(DataError, match="cannot try"):
        dials_of([words], 6)


def test_a_value_out_of_range_is_refused_before_anything_runs():
    with pytest.raises(ThresholdError, match="low must be"):
        search(START, {"high": (0.9,), "low": (0.9, 7)}, Measure({}, None, None), 1)


def test_no_question_is_on_both_sides():
    def stream(seed):
        return (Problem(f"question {index}", "", "") for index in range(seed, 1000))

    tuning, report = splits(stream, (0, 10), (5, 10))
    assert [one.question for one in report] == [f"question {index}" for index in range(10, 20)]
    assert len(tuning) == 10


def test_ties_in_cost_go_to_the_more_accurate():
    points: dict[str, dict] = {}
    wrong = {None: 0, START: 1, START.turned("low", 0.8): 0}
    for point in wrong:
        Measure(points, lambda point: outcomes(wrong[point], 20), lambda: None)(point)
    assert choose(points, 10) == START.turned("low", 0.8).name


def test_text_and_picture_name_what_was_chosen():
    table = found()
    chosen = table["choice"]["chosen"]
    assert sum(f"| {chosen} | **chosen** |" in line for line in markdown(table).splitlines()) == 2  # tuning and report
    root = ElementTree.fromstring(svg(table))
    words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert f"chosen: {chosen}" in words and "tuning: 10 problems" in words
    dots = [one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(dots) == len(table["points"]) - 1 + 2 and dots.count("mark dawn") == 2


@pytest.mark.parametrize("values", [[0.0], [0.0, -1.0], [16.2, 25.9], [-100.0, 0.0], [-4.000000000001, 0]])
def test_round_numbers_hold_all_values(values):
    found = marks(values)
    assert found[0] <= min(values) + 1e-5 and max(values) <= found[-1] and 2 <= len(found) <= 7


def test_the_command_goes_on_with_its_file_and_leaves_the_model_as_it_was(tmp_path, capsys, monkeypatch):
    model, file, picture = str(small_checkpoint(tmp_path / "model")), tmp_path / "p.json", tmp_path / "p.svg"
    monkeypatch.setattr("dawn.evaluate.GENERATED", 8)
    told = ["preset", "--n", "2", "--report-n", "1", "--model", model, "--save", str(file)]
    told += ["--try", "low=.5", "--try", "high=.9", "--try", "induced=.7", "--try", "layers=0,2-3"]
    tapped = load_model(model).tapped
    assert main(told) == 0
    first = capsys.readouterr().out
    assert "**chosen**" in first and load_model(model).tapped == tapped
    monkeypatch.setattr("dawn.evaluate.outcome", None)  # nothing is decoded again
    assert main([*told, "--json", "--picture", str(picture)]) == 0
    shown = json.loads(capsys.readouterr().out)
    kept = json.loads(file.read_text())
    assert list(shown["points"]) == list(kept["points"]) and {"original", shown["choice"]["start"]} <= set(shown["report"])
    assert any("low 0.5" in name for name in shown["points"]) and any("layers 2-3" in name for name in shown["points"])
    assert len(kept["points"]["original"]["items"]["right"]) == 2 and len(kept["report"]["original"]["items"]["right"]) == 1
    assert "items" not in shown["points"]["original"] and picture.read_text().startswith("<svg")
    assert main([*told, "--seed", "5"]) == 2 and "its seed differs" in capsys.readouterr().err
