"""What the analysis panels are told, without a browser: equal to the records, and requests that nobody should send."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import numpy as np
import pytest

from dawn.ledger import OUTCOMES, ledger, to_csv
from dawn.models import load_model, model_state
from dawn.models.detail import attention_detail, layers_and_heads
from dawn.prediction import Needs
from dawn.replay import curve_names, replay_all
from dawn.rules import RULES, Confidence, Dawn, Original, make_rule, settings_of
from dawn.sinks import received_over_time, sink_counts
from dawn.thresholds import PRESETS, Thresholds
from dawn.trace import Trace
from tests.dawn.models.small import small_checkpoint
from tests.visitor import unpacked
from tests.viz.synthetic import synthetic_trace
from viz import payload
from viz.analysis import Analysis, Reader
from viz.lab import Lab
from viz.link import Request
from viz.store import TraceStore

MIXED = synthetic_trace(96, 32)
TRACES = {
    "mixed": MIXED,
    "blind": synthetic_trace(24, 8, rule=Original(), watch=Needs()),
    "embedded": replace(MIXED, setup=replace(MIXED.setup, model="embedded")),
}


def analysis_of(lab: Lab) -> Analysis:
    return Analysis(lab, Reader(layers_and_heads, attention_detail))


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    store = TraceStore()
    for name, trace in TRACES.items():
        store.bundle(name, trace)
    return analysis_of(Lab(store, load_model, [], model_state))


def plan(rule) -> dict:
    return {"rule": rule.name, "settings": settings_of(rule)}


@pytest.mark.parametrize("most", [1, 100, 10**6])
def test_the_ledger_comes_in_parts_that_hold_every_row(analysis, monkeypatch, most):
    monkeypatch.setattr("viz.answers.MOST_ROWS", most)
    start, told = 0, []
    while start < len(MIXED.steps):
        answer = analysis.ledger({"trace": "mixed", "from": start})
        start, document = answer["next"], unpacked(answer["body"])
        leans = [[] for _ in document["step"]]
        for row, anchor, weight in zip(document["leaning"], document["anchor"], document["support"], strict=True):
            leans[row].append((anchor, weight))
        names = ("step", "position", "outcome", "token", "confidence", "blocker", "weight", "end")
        told += [(*cells, lean) for *cells, lean in zip(*(document[name] for name in names), leans, strict=True)]
    rows = list(ledger(MIXED.steps))
    assert len(told) == len(rows)
    for (step, position, outcome, token, confidence, blocker, weight, end, lean), row in zip(told, rows, strict=True):
        assert (step, position, OUTCOMES[outcome], token, end) == (row.step, row.position, row.outcome, row.token, row.end)
        assert (None if blocker < 0 else blocker) == row.blocker and lean == [(a, np.float32(w)) for a, w in row.evidence]
        assert np.float32(confidence) == np.float32(row.confidence) or np.isnan(row.confidence)
        assert np.isnan(weight) if row.weight is None else weight == np.float32(row.weight)


def test_the_download_is_what_the_command_line_writes(analysis):
    body = analysis.csv({"trace": "mixed"})["body"]
    assert gzip.decompress(base64.b64decode(body)).decode() == to_csv(MIXED.steps, MIXED.pieces)


def test_a_replay_counts_what_replay_all_says(analysis):
    rule = Confidence(0.4)
    told = analysis.replay({"trace": "mixed", **plan(rule)})["steps"]
    found = replay_all(MIXED.steps, rule)
    assert told == [[r.then, len(r.taken), len(r.added), len(r.dropped), len(r.agreeing)] for r in found]
    own = analysis.settings({"trace": "mixed"})
    assert own["settings"] == MIXED.setup.settings and own["rule"] == "dawn"
    assert {tuple(one[2:]) for one in analysis.replay({"trace": "mixed", **plan(MIXED.setup.make_rule())})["steps"]} == {
        (0, 0, 0)
    }


@pytest.mark.parametrize("name", RULES)
def test_every_setting_has_a_curve_with_the_runs_own_value_and_a_recommended_one(name):
    trace = synthetic_trace(24, 8, block=8, rule=make_rule(name, {}), watch=Needs())
    store = TraceStore()
    store.bundle("own", trace)
    analysis = analysis_of(Lab(store, load_model, [], model_state))
    own = analysis.settings({"trace": "own"})
    assert own["names"] == list(curve_names(trace.setup.make_rule()))
    for setting in own["names"]:
        told = analysis.curve({"trace": "own", "name": setting})
        assert {told["value"], told["preset"]} <= {value for value, _, _ in told["points"]}
        assert told["value"] == trace.setup.settings[setting] and told["low"] < told["high"] and told["step"] > 0


def test_the_preset_of_the_model_is_marked_unless_it_means_something_else(analysis):
    own = PRESETS["Embedded model"]
    told = analysis.curve({"trace": "embedded", "name": "low"})
    assert (told["label"], told["preset"], told["control"]) == ("preset Embedded model", own.low, "threshold-low")
    assert analysis.curve({"trace": "embedded", "name": "sink"})["preset"] == own.sink
    assert analysis.curve({"trace": "mixed", "name": "sink"})["preset"] is None, "the default level is an absolute one"


def test_sinks_come_with_their_level_and_how_often(analysis):
    rule = Dawn(Thresholds(sink=2.0, sink_mode="relative"))
    told, received = unpacked(analysis.sinks({"trace": "mixed", **plan(rule)})["body"]), received_over_time(MIXED.steps)
    np.testing.assert_array_equal(told["received"].reshape(received.shape), received)
    counts = sink_counts(received, rule.thresholds)
    assert [(p, n) for p, _, n, _, _ in told["counts"]] == [(one.position, one.steps) for one in counts] and counts
    assert told["level"] == 2.0 / MIXED.canvas.length
    assert unpacked(analysis.sinks({"trace": "mixed", **plan(Original())})["body"])["level"] is None


def test_what_was_not_recorded_is_said(analysis):
    assert "no attention was recorded" in analysis.sinks({"trace": "blind", **plan(Dawn())})["error"]
    assert "needs attention" in analysis.replay({"trace": "blind", **plan(Dawn())})["error"]


REQUESTS = [None, [], "x", {}, {"trace": "nobody's"}, {"trace": ["x"]}, {"trace": "mixed"}]
ANSWERS = ("ledger", "replay", "curve", "sinks", "look")


@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize("name", ANSWERS)
def test_strange_requests_are_answered_with_an_error(analysis, name, asked):
    assert set(getattr(analysis, name)(asked)) == {"error"}


@pytest.mark.parametrize(
    "name, more",
    [
        ("ledger", {"from": -1}), ("ledger", {"from": "0"}), ("replay", {"rule": "nope", "settings": {}}),
        ("replay", {"rule": "dawn", "settings": [1]}), ("replay", {"rule": "dawn", "settings": {"high": float("nan")}}),
        ("sinks", {"rule": "dawn", "settings": None}), ("curve", {"name": "seed"}), ("curve", {"name": ["low"]}),
        ("look", {"step": 10**5, "layer": 0, "head": None}), ("look", {"step": 0, "layer": None, "head": None}),
    ],
)  # fmt: skip
def test_strange_fields_are_answered_with_an_error(analysis, name, more):
    assert set(getattr(analysis, name)({"trace": "mixed"} | more)) == {"error"}


def test_a_model_that_is_not_offered_cannot_be_looked_into(analysis):
    assert analysis.model({"trace": "mixed"}) == {
        "ready": False,
        "words": "This trace was made by synthetic, which is not offered here.",
    }
    asked = {"trace": "mixed", "step": 0, "layer": 0, "head": None}
    assert "not offered here" in analysis.look(asked)["error"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Analysis, str, Trace]:
    """A run of a small model that is loaded."""
    folder = str(small_checkpoint(tmp_path_factory.mktemp("model")))
    lab = Lab(TraceStore(), load_model, [folder], model_state)
    settings = settings_of(Dawn(Thresholds(edge=0.05, sink=0.2)))
    name = list(lab.run(Request("2 + 3?", folder, "dawn", 24, 12, 0.0, 0, settings), "me"))[-1]["trace"]
    return analysis_of(lab), name, lab.store.get(name).trace


def test_the_average_gives_the_graph_that_was_recorded(run):
    analysis, name, trace = run
    assert analysis.model({"trace": name}) | {"words": ""} == {"ready": True, "words": "", "layers": 4, "heads": 4}
    for index in (0, len(trace.steps) - 1):
        step = trace.steps[index]
        told = unpacked(analysis.look({"trace": name, "step": index, "layer": 1, "head": None})["body"])
        graph = step.decision.graph
        assert set(zip(told["average"]["source"], told["average"]["target"], strict=True)) == set(
            zip(graph.source, graph.target, strict=True)
        )
        maps = told["average"]["map"].reshape(step.canvas.length, -1) / payload.ATTENTION_UNIT
        seen = step.prediction.attention
        np.testing.assert_allclose(maps[seen.rows], seen.weights, atol=1e-4)


def test_a_head_gives_a_graph_of_its_own(run):
    analysis, name, trace = run
    told = [unpacked(analysis.look({"trace": name, "step": 0, "layer": 3, "head": head})["body"]) for head in (None, 0)]
    window = set(trace.steps[0].canvas.window.tolist())
    for one in told:
        chosen, length = one["chosen"], one["length"]
        assert set(chosen["target"].tolist()) <= window and not set(chosen["source"].tolist()) & set(chosen["sinks"].tolist())
        weights = chosen["map"].reshape(length, length)[chosen["target"], chosen["source"]] / payload.ATTENTION_UNIT
        np.testing.assert_allclose(weights, chosen["weight"], atol=1e-4)
    assert not np.array_equal(told[0]["chosen"]["map"], told[1]["chosen"]["map"])
    assert "layers 0 to 3" in analysis.look({"trace": name, "step": 0, "layer": 4, "head": None})["error"]


def test_a_model_that_is_not_loaded_is_not_loaded_for_a_look(run, tmp_path):
    analysis, name, _ = run
    load_model(str(small_checkpoint(tmp_path / "other", seed=1)))
    state = analysis.model({"trace": name})
    assert not state["ready"] and "not loaded" in state["words"]
    assert "not loaded" in analysis.look({"trace": name, "step": 0, "layer": 0, "head": None})["error"]


def test_a_run_in_progress_has_a_ledger_and_a_replay(tmp_path):
    folder = str(small_checkpoint(tmp_path))
    lab = Lab(TraceStore(), load_model, [folder], model_state)
    running = lab.run(Request("2 + 3?", folder, "confidence", 16, 8, 0.0, 0, {"high": 1.0}), "me")
    name, analysis = next(running)["trace"], analysis_of(lab)
    assert analysis.ledger({"trace": name, "from": 0})["next"] == 1
    assert len(analysis.replay({"trace": name, "rule": "confidence", "settings": {"high": 0.0}})["steps"]) == 1
    assert gzip.decompress(base64.b64decode(analysis.csv({"trace": name})["body"])).startswith(b"step,")
    running.close()
