"""What the browser gets: exact, small, and text that shows what it holds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dawn.prediction import Needs
from dawn.replay import replay
from dawn.rules import Confidence, Dawn, Original
from dawn.thresholds import Thresholds
from tests.visitor import unpacked
from tests.viz.synthetic import RULE, synthetic_trace
from viz import payload

TRACE = synthetic_trace(96, 40)
FACTS = payload.Facts.of(TRACE)


DOCUMENT = unpacked(payload.answer(FACTS, TRACE.steps, 0)["body"])


def test_the_header_tells_how_the_run_was_made():
    header = DOCUMENT["header"]
    assert header["tokens"].tolist() == TRACE.canvas.tokens.tolist()
    assert (header["length"], header["prompt"], header["block"]) == (136, 40, 32)
    assert Dawn(Thresholds(**header["settings"])) == RULE


@pytest.mark.parametrize("index", [0, 7, len(TRACE.steps) - 1])
def test_numbers_arrive_as_they_were_compared(index):
    record, step = TRACE.steps[index], DOCUMENT["steps"][index]
    _, end = record.canvas.block_span(record.block)
    assert np.array_equal(step["confidence"], record.prediction.confidence[:end])
    assert np.array_equal(step["received"], record.prediction.attention.received)
    assert np.array_equal(step["decision"]["graph"]["weight"], record.decision.graph.weight)
    assert np.array_equal(step["probabilities"].reshape(-1, 5), record.prediction.alternatives[1])
    assert np.array_equal(step["predicted"], record.prediction.tokens[record.canvas.window])


def test_attention_is_exact_to_the_four_digits_shown():
    record, step = TRACE.steps[5], DOCUMENT["steps"][5]
    seen = record.prediction.attention
    rows = seen.weights[np.searchsorted(seen.rows, record.canvas.window)].ravel()
    for exact, sent in zip(rows[:2000].tolist(), step["attention"][:2000].tolist(), strict=True):
        assert f"{exact:.4f}" == f"{sent / payload.ATTENTION_UNIT:.4f}"


def test_the_decision_arrives_whole():
    for record, step in zip(TRACE.steps, DOCUMENT["steps"], strict=True):
        selection = record.decision.selection
        assert [one[:2] for one in step["decision"]["committed"]] == [[c.position, c.tier.value] for c in selection.committed]
        assert [one[2] for one in step["decision"]["committed"]] == [[list(e) for e in c.evidence] for c in selection.committed]
        assert step["decision"]["refused"] == [[r.position, r.reason.value, r.blocker, r.weight] for r in selection.refused]


def test_steps_come_from_where_they_are_asked_for_and_bounded(monkeypatch):
    tail = unpacked(payload.answer(FACTS, TRACE.steps, 3)["body"])
    assert tail["header"] is None and tail["steps"][0]["index"] == 3
    assert payload.answer(FACTS, TRACE.steps, len(TRACE.steps))["next"] == len(TRACE.steps)
    monkeypatch.setattr(payload, "LARGEST_ANSWER", 1)
    assert payload.answer(FACTS, TRACE.steps, 3)["next"] == 4


def test_a_run_over_256_positions_is_small():
    trace = synthetic_trace(208, 48)
    size = len(payload.answer(payload.Facts.of(trace), trace.steps, 0)["body"])
    assert trace.canvas.length == 256 and size < 2 * 2**20, size


def test_every_token_named_has_its_text():
    for step in DOCUMENT["steps"]:
        assert {str(i) for i in payload.ids_of(step)} <= set(DOCUMENT["pieces"])


def test_a_run_without_attention_says_so():
    trace = synthetic_trace(16, 16, rule=Original(), watch=Needs())
    step = unpacked(payload.answer(payload.Facts.of(trace), trace.steps, 0)["body"])["steps"][0]
    assert step["attention"] is None and step["received"] is None and step["choices"] is None
    assert step["decision"]["graph"] is None and step["decision"]["sinkLevel"] is None


def test_what_if_is_json_and_says_what_changes():
    record, rule = TRACE.steps[6], Dawn(Thresholds(low=0.3, sink=4.0, sink_mode="relative", edge=0.2))
    answered = replay(record, rule)
    sent = json.loads(json.dumps(payload.what_if(record, answered, rule)))
    assert (sent["step"], sent["added"], sent["dropped"]) == (6, list(answered.added), list(answered.dropped))
    assert sent["decision"]["sinkLevel"] == 4.0 / record.canvas.length
    graph = answered.decision.graph
    assert np.array_equal(np.array(sent["decision"]["graph"]["weight"], dtype=np.float32), graph.weight)
    assert sent["decision"]["graph"]["target"] == graph.target.tolist()


def test_nodes_keep_their_places_under_other_thresholds():
    record, rule = TRACE.steps[6], Dawn(Thresholds(sink=4.0, sink_mode="relative", edge=0.1))
    before, after = DOCUMENT["steps"][6]["decision"]["graph"], payload.what_if(record, replay(record, rule), rule)
    places = dict(zip(before["nodes"].tolist(), before["plane"].reshape(-1, 2).tolist(), strict=True))
    graph = after["decision"]["graph"]
    for node, place in zip(graph["nodes"], np.array(graph["plane"]).reshape(-1, 2).tolist(), strict=True):
        assert node not in places or places[node] == place


def test_what_if_of_a_rule_without_graph():
    sent = payload.what_if(TRACE.steps[2], replay(TRACE.steps[2], Confidence(0.5)), Confidence(0.5))
    assert sent["decision"]["graph"] is None


SHOWN = {
    " ": "␣",
    " 7": "·7",
    "\n\n": "↵↵",
    "a\tb": "a⇥b",
    "\u202ex": "⟨202e⟩x",
    "👩\u200d👧": "👩\u200d👧",
    "שלום": "שלום",
    "\0": "⟨0000⟩",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_readable_text(text, shown):
    assert payload.readable(text) == shown


def test_special_tokens_have_names():
    assert [payload.piece(FACTS, i) for i in (0, 1, 2, 99_999)] == ["⟨s⟩", "⟨mask⟩", "⟨end⟩", "⟨99999⟩"]
