"""Calibration: which tokens are judged and how; the figures by hand and on simulated models; file, picture and command."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pytest

from dawn.calibration import EDGES, MEANINGS, Commitment, agreeing, columns, commitments, entry, figures, fill, reference_tokens
from dawn.canvas import Canvas
from dawn.cli import main
from dawn.diagram import svg, text
from dawn.pretrain.data import Problem
from dawn.rules import Confidence, Original
from tests.dawn.fakes import MASK, ScriptedDenoiser
from tests.dawn.models.small import small_checkpoint

END = 1


@dataclass
class ScriptedModel(ScriptedDenoiser):
    """A ScriptedDenoiser whose tokens are characters; `~` is end-of-text."""

    end_ids: tuple[int, ...] = (END,)
    name: str = "scripted"
    longest: int = 512
    special_ids: tuple[int, ...] = (MASK, END)

    def encode(self, prompt: str) -> list[int]:
        return [END if character == "~" else ord(character) for character in prompt]

    encode_text = encode

    def text(self, ids) -> str:
        return "".join(chr(one) for one in ids if one not in self.special_ids)

    def pieces(self, ids) -> dict[int, str]:
        return {one: chr(one) for one in ids}


def scripted(monkeypatch, answer: str, *confidence: list[float]) -> list[Commitment]:
    """What is judged when `1+2=3` is the reference, and the model writes `answer` with these confidences, a list a step."""
    monkeypatch.setattr("dawn.calibration.GENERATED", len(answer))
    model = ScriptedModel([], [])
    model.tokens, model.confidence = [model.encode("q" + answer)], [[1.0, *step] for step in confidence]
    return commitments(model, Confidence(0.8), Problem("q", "1+2=3", "3"))


def row(one: Commitment) -> tuple:
    return round(one.confidence, 4), one.tier, one.part, one.sort, one.agreement, one.arithmetic


def test_tokens_are_judged_until_the_canvas_has_left_the_reference(monkeypatch):
    first = [0.9, 0.95, 0.5, 0.85, 0.6, 0.1, 0.1, 0.1]
    second = [0, 0, 0.9, 0, 0.82, 0.1, 0.1, 0.1]
    third = [0, 0, 0, 0, 0, 0.7, 0.4, 0.4]
    assert [*map(row, scripted(monkeypatch, "1+2=4~~~", first, second, third))] == [
        (0.9, "high", "1st third", "number", True, None),
        (0.95, "high", "1st third", "text", True, None),
        (0.85, "high", "1st third", "text", True, None),
        (0.9, "high", "2nd third", "number", True, None),
        (0.82, "high", "2nd third", "number", False, False),  # judged: what was written before it agreed
        (0.7, "forced", "3rd third", "end of text", None, None),  # not judged; the two filled in behind it are not there
    ]


def test_another_wording_is_no_mistake_of_what_follows_and_true_equations_count(monkeypatch):
    found = scripted(monkeypatch, "2+1=3~", [0.9, 0.1, 0.1, 0.1, 0.1, 0.1], [0.9] * 6)
    assert [one.agreement for one in found] == [False, None, None, None, None, None]
    assert [one.arithmetic for one in found] == [None, None, None, None, True, None]


def test_the_end_of_the_text_agrees_however_it_is_written():
    assert agreeing(np.array([5, 1, 2, 2]), np.array([5, 2, 1, 5]), (1, 2)).tolist() == [True, True, True, False]


def tokens(*pairs: tuple[float, bool | None], tier: str = "high") -> list[Commitment]:
    return [Commitment(confidence, tier, "1st third", "text", right, None) for confidence, right in pairs]


def test_error_and_gap_by_hand():
    found = figures(columns([tokens((0.93, True), (0.62, True)), tokens((0.93, False), (0.5, None))]))["agreement"]
    assert (found["tokens"], found["problems"], found["left_out"], found["share"]) == (3, 2, 1, 0.66667)
    assert found["ece"][0] == pytest.approx((2 * 0.43 + 0.38) / 3, abs=1e-5)
    assert found["gap"][0] == pytest.approx((2 * 0.43 - 0.38) / 3, abs=1e-5)
    assert [(one["from"], one["to"], one["tokens"], one["share"]) for one in found["bins"]] == [
        (0.6, 0.65, 1, 1.0),
        (0.9, 0.95, 2, 0.5),
    ]
    levels = {one["level"]: (one["tokens"], one["share"]) for one in found["at_least"]}
    assert levels[0.5] == (3, 0.66667) and levels[0.9] == (2, 0.5) and levels[0.95] == (0, None)


def test_bins_meet_confidences_as_thresholds_do():
    """A float32 .9 is below the double .9, and at least the threshold .9 all the same."""
    given = [round(float(np.float32(edge)), 8) for edge in EDGES]
    found = figures(columns([tokens(*((confidence, True) for confidence in given))]))["agreement"]
    assert [one["from"] for one in found["bins"]] == [*EDGES[:-1]] and found["bins"][-1]["tokens"] == 2
    assert {one["level"]: one["tokens"] for one in found["at_least"]}[0.9] == 5


def test_groups_are_tiers_parts_and_sorts():
    problem = tokens((0.95, True), (0.95, True)) + tokens((0.8, False), tier="induced")
    found = figures(columns([problem]))["agreement"]
    assert {name: one["tokens"] for name, one in found["by_tier"].items()} == {"high": 2, "induced": 1}
    assert found["by_tier"]["induced"]["gap"] == [0.8, -1, 1]  # of a single problem nothing is known
    assert list(found["by_part"]) == ["1st third"] and list(found["by_sort"]) == ["text"]


def simulated(power: float) -> list[list[Commitment]]:
    """300 problems of 40 tokens; a token of confidence c is right with probability c ** power."""
    random = np.random.default_rng(1)
    draws = 1 - random.exponential(0.1, (300, 40)).clip(max=0.99)
    return [tokens(*((float(c), bool(random.random() < c**power)) for c in line)) for line in draws]


def test_an_honest_model_has_no_error_and_one_that_is_too_sure_has():
    honest, sure = (figures(columns(simulated(power)))["agreement"] for power in (1, 3))
    assert honest["ece"][1] == 0 and honest["ece"][0] < 0.015 and honest["gap"][1] < 0 < honest["gap"][2]
    assert sure["ece"][1] > 0.1 and sure["gap"][1] > 0.1
    for found, inside in ((honest, True), (sure, False)):
        (band,) = (one for one in found["bins"] if one["from"] == 0.85)
        assert (band["ci95"][0] <= band["confidence"] <= band["ci95"][1]) is inside


def record(*problems: list[Commitment]) -> dict:
    known = {"equations": 9, "true": 8}
    return {
        "setting": {"n": len(problems)},
        "calibrations": {"original": entry(Original(), [*problems])},
        "reference_equations": known,
    }


def test_the_picture_says_what_right_means():
    root = ElementTree.fromstring(svg(record(*simulated(1))))
    words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(f"{name}: {meaning}" in words for name, meaning in MEANINGS.items())
    assert "agreement, 12,000 of 12,000 tokens" in words and "arithmetic, 0 of 12,000 tokens" in words
    assert any(word.startswith("original: calibration error") for word in words)


def test_the_text_says_what_a_threshold_means():
    lines = text(record(tokens((0.92, True), (0.87, False)), tokens((0.99, True)))).splitlines()
    assert any("at least 0.9 " in line and "2 tokens" in line and "100.0 %" in line for line in lines)
    assert any("committed at 0.85 to 0.9 " in line and "0.0 %" in line for line in lines)
    assert any("no token judged" in line for line in lines) and lines[-1].startswith("Of 9 equations")


def test_a_rule_runs_once_for_its_settings():
    found, ran, kept = {}, [], []

    def run(rule):
        ran.append(rule)
        return [tokens((0.9, True))]

    for rules in ([Original(), Confidence(0.8)], [Confidence(0.8)], [Confidence(0.9)]):
        fill(found, rules, run, lambda: kept.append(len(found)))
    assert ran == [Original(), Confidence(0.8), Confidence(0.9)] and kept == [1, 2, 2]


def test_the_command_goes_on_with_its_file(tmp_path, capsys, monkeypatch):
    model, file, picture = str(small_checkpoint(tmp_path / "model")), tmp_path / "c.json", tmp_path / "c.svg"
    monkeypatch.setattr("dawn.calibration.GENERATED", 12)
    told = ["calibrate", "--n", "2", "--model", model, "--save", str(file)]
    assert (
        main([*told, "--rule", "confidence", "original", "--high", "0.5"]) == 2 and "no setting high" in capsys.readouterr().err
    )
    assert main([*told, "--rule", "confidence", "original"]) == 0
    first = capsys.readouterr().out
    assert "original, arithmetic" in first
    monkeypatch.setattr("dawn.calibration.commitments", None)  # nothing is decoded again
    assert main([*told, "--rule", "original", "--json", "--picture", str(picture)]) == 0
    shown, kept = json.loads(capsys.readouterr().out), json.loads(file.read_text())
    assert list(shown["calibrations"]) == ["original"] and list(kept["calibrations"]) == ["confidence", "original"]
    assert shown["calibrations"]["original"]["figures"] == kept["calibrations"]["original"]["figures"]
    assert "items" not in shown["calibrations"]["original"] and picture.read_text().startswith("<svg")
    assert len(kept["calibrations"]["original"]["items"]["confidence"]) == shown["setting"]["n"] == 2
    assert main(["table", "--show", str(file)]) == 2 and "is not a table" in capsys.readouterr().err


def test_the_reference_fills_the_canvas():
    model = ScriptedModel([], [])
    canvas = Canvas.blank(model.encode("q"), 4, 4, MASK)
    assert reference_tokens(model, Problem("q", "ab", ""), canvas).tolist() == model.encode("qab~~")
    assert reference_tokens(model, Problem("q", "abcdefg", ""), canvas).tolist() == model.encode("qabcd")
