"""The rules' table: filled rule by rule, taken up again where it stopped, figures paired by problem, drawn from the file."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from dawn.chart import Axis, svg
from dawn.cli import main
from dawn.errors import DataError
from dawn.evaluate import Outcome
from dawn.rules import RULES, Confidence, Dawn, Factor, Original
from dawn.table import Setting, fill, markdown, paired, read
from tests.dawn.models.small import small_checkpoint

SETTING = Setting("gsm_symbolic", 7, 4, "embedded", "abc")
FORWARDS = {"original": [60, 60, 60, 60], "dawn": [10, 20, 10, 20], "confidence": [30, 30, 30, 30]}


class Runner:
    """Outcomes from FORWARDS; stops with an error at the rule `broken`."""

    def __init__(self, broken: str = ""):
        self.ran, self.broken = [], broken

    def __call__(self, rule):
        if rule.name == self.broken:
            raise KeyboardInterrupt
        self.ran.append(rule.name)
        return [Outcome(index < 2, forwards, 60, forwards / 100) for index, forwards in enumerate(FORWARDS[rule.name])]


RULES_HERE = [Dawn(), Confidence(), Original()]


def test_the_baseline_runs_first_and_figures_follow(tmp_path):
    runner = Runner()
    fill(tmp_path / "t.json", SETTING, RULES_HERE, runner)
    assert runner.ran == ["original", "dawn", "confidence"]
    entry = read(tmp_path / "t.json")["rules"]["dawn"]
    found = entry["figures"]
    assert (found["accuracy"], found["n"], found["forwards_per_item"], found["tokens_per_forward"]) == (0.5, 4, 15, 4)
    assert found["tokens_per_second"] == pytest.approx(400) and found["accuracy_difference"] == [0, 0, 0]
    assert found["speedup_forwards"][0] == found["speedup_seconds"][0] == 4
    assert entry["items"] == {
        "right": [1, 1, 0, 0],
        "forwards": [10, 20, 10, 20],
        "tokens": [60] * 4,
        "seconds": [0.1, 0.2] * 2,
    }
    assert entry["settings"]["high"] == 0.9


def test_a_stop_in_the_middle_loses_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "t.json", SETTING, RULES_HERE, Runner(broken="confidence"))
    assert set(read(tmp_path / "t.json")["rules"]) == {"original", "dawn"}
    runner = Runner()
    fill(tmp_path / "t.json", SETTING, RULES_HERE, runner)
    assert runner.ran == ["confidence"] and list(tmp_path.iterdir()) == [tmp_path / "t.json"]


def test_a_rule_with_other_settings_runs_again(tmp_path):
    fill(tmp_path / "t.json", SETTING, RULES_HERE, Runner())
    runner = Runner()
    fill(tmp_path / "t.json", SETTING, [Original(), Confidence(0.8)], runner)
    assert runner.ran == ["confidence"] and read(tmp_path / "t.json")["rules"]["confidence"]["settings"] == {"high": 0.8}


@pytest.mark.parametrize("change", [{"n": 3}, {"seed": 8}, {"weights": "other"}])
def test_another_table_is_not_mixed_in(tmp_path, change):
    fill(tmp_path / "t.json", SETTING, RULES_HERE, Runner())
    with pytest.raises(DataError, match=f"another table .its {next(iter(change))} differs"):
        fill(tmp_path / "t.json", replace(SETTING, **change), RULES_HERE, Runner())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"setting": {"n": 2}, "rules": {"dawn": {"items": {"right": [1]}}}}'])
def test_what_is_no_table_is_refused(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match="is not a table"):
        read(tmp_path / "t.json")
    with pytest.raises(DataError, match="cannot read"):
        read(tmp_path / "none.json")


def test_intervals_are_paired_by_problem():
    here, there = [1, 2, 3, 4] * 20, [2, 4, 6, 8] * 20
    assert paired(here, there, lambda one, other: other / one) == [2, 2, 2]  # unpaired, this would have a width
    value, low, high = paired([10, 20] * 20, [60] * 40, lambda one, other: other / one)
    assert low < value == 4 < high


def test_markdown_has_a_row_a_rule_from_slow_to_fast(tmp_path):
    fill(tmp_path / "t.json", SETTING, RULES_HERE, Runner())
    lines = markdown(read(tmp_path / "t.json")).splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == ["original", "confidence", "dawn"]
    assert len({line.count("|") for line in lines}) == 1
    assert "| 50.0 % | 15.0 to 85.0 % | 30.0 | 2.00 | 200 | 2.00 (2.00 to 2.00) |" in lines[3]


def test_the_picture_is_well_formed_and_in_order(tmp_path):
    fill(tmp_path / "t.json", SETTING, RULES_HERE, Runner())
    root = ElementTree.fromstring(svg(read(tmp_path / "t.json")))
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [word for word in words if word in RULES] == ["dawn", "confidence", "original"]
    widths = [float(bar.get("width")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.1) and widths[2] == pytest.approx(4 * widths[0], abs=0.1)
    assert {"15.0", "30.0", "60.0", "50.0 %"} <= set(words)


@pytest.mark.parametrize("highest", [0.004, 0.1, 1.0, 7.9, 66.1, 85.0, 512.0])
def test_an_axis_holds_its_highest_value_with_few_marks(highest):
    axis = Axis.of(highest, (100, 200))
    assert axis.step * axis.count >= highest and axis.count <= 5 and axis(0) == 100 and axis(highest) <= 200.001


def test_the_command_runs_what_is_missing_and_shows_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dawn.cli.RULES", {rule.name: rule for rule in (Factor, Original)})
    model, file, picture = str(small_checkpoint(tmp_path / "model")), tmp_path / "out" / "t.json", tmp_path / "t.svg"
    monkeypatch.setattr("dawn.evaluate.GENERATED", 12)
    assert main(["table", "--n", "2", "--seed", "7", "--model", model, "--save", str(file)]) == 0
    first = capsys.readouterr().out
    assert main(["table", "--show", str(file), "--picture", str(picture)]) == 0
    assert capsys.readouterr().out == first and "`factor`" in first and picture.read_text().startswith("<svg")
    assert len(json.loads(file.read_text())["rules"]["factor"]["items"]["right"]) == 2
