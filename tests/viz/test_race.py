"""Races without a browser: order, what is recorded, stopping, refusals, answers."""

from __future__ import annotations

import pytest

from dawn.models import load_model, model_state
from dawn.pretrain.data import is_held_out
from tests.dawn.models.small import small_checkpoint
from viz.lab import Lab
from viz.link import Request
from viz.race import ANSWERS, MOST_LANES, race
from viz.store import TraceStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def lab(folder) -> Lab:
    return Lab(TraceStore(), load_model, [folder], model_state)


def entrants(folder: str, *rules: str, **changes) -> list:
    values = {"prompt": "2 + 3?", "model": folder, "generated": 16, "block_length": 8} | changes
    return [(rule, Request(rule=rule, temperature=0.0, seed=0, settings={}, **values)) for rule in rules]


def states(value: dict) -> list[str]:
    return [lane["state"] for lane in value["lanes"]]


def test_lanes_run_one_after_another_each_warmed_up_first(lab, folder):
    values = list(race(lab, entrants(folder, "dawn", "original"), "me"))
    seen = [pair for i, pair in enumerate(map(tuple, map(states, values))) if i == 0 or pair != tuple(states(values[i - 1]))]
    assert seen == [
        ("warming up", "waiting"),
        ("running", "waiting"),
        ("done", "warming up"),
        ("done", "running"),
        ("done", "done"),
    ]
    assert [v["done"] for v in values] == [False] * (len(values) - 1) + [True]


def test_a_lane_grows_and_ends_as_its_trace(lab, folder):
    values = list(race(lab, entrants(folder, "original"), "me"))
    counts = [sum(text is not None for text in value["lanes"][0]["texts"]) for value in values]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == 16
    lane = values[-1]["lanes"][0]
    trace = lab.store.get(lane["trace"]).trace
    assert (lane["forwards"], lane["tokens"], lane["output"]) == (trace.forwards, trace.tokens_committed, trace.output)
    assert lane["seconds"] == pytest.approx(trace.seconds) and sum(lane["tiers"].values()) == lane["tokens"]


def test_nothing_is_recorded_beyond_what_the_rule_reads(lab, folder):
    last = list(race(lab, entrants(folder, "original", "dawn"), "me"))[-1]
    plain, dawn = (lab.store.get(lane["trace"]).trace.steps[0].prediction for lane in last["lanes"])
    assert plain.attention is None and plain.alternatives is None and plain.entropy is None
    assert dawn.attention is not None and dawn.alternatives is None and dawn.entropy is None


def test_the_warm_up_changes_nothing(lab, folder):
    last = list(race(lab, entrants(folder, "klass"), "me"))[-1]
    alone = list(lab.run(entrants(folder, "klass")[0][1], "me"))[-1]["trace"]
    one, other = (lab.store.get(name).trace for name in (last["lanes"][0]["trace"], alone))
    assert (one.final.tokens == other.final.tokens).all() and one.forwards == other.forwards


def test_stop_ends_the_lane_that_runs_and_those_behind_it(lab, folder):
    running = race(lab, entrants(folder, "original", "dawn"), "me")
    for _ in range(4):
        next(running)
    lab.stop("somebody else")
    assert states(next(running)) == ["running", "waiting"]
    lab.stop("me")
    last = list(running)[-1]
    assert states(last) == ["stopped", "stopped"] and last["done"]
    assert last["lanes"][0]["trace"] and last["lanes"][1]["trace"] is None and lab.store.running == {}
    assert len(lab.store.entries) == 1


def test_a_race_that_is_left_keeps_what_there_is_and_gives_the_place_free(lab, folder):
    running = race(lab, entrants(folder, "original", "dawn"), "me")
    for _ in range(4):
        next(running)
    running.close()
    assert lab.store.running == {} and [entry.done for entry in lab.store.entries.values()] == [True]


@pytest.mark.parametrize(
    "rules, changes, words",
    [
        ((), {}, "1 to 4 lanes"),
        (("dawn",) * (MOST_LANES + 1), {}, "1 to 4 lanes"),
        (("dawn",), {"prompt": " "}, "empty"),
        (("dawn",), {"generated": 10**6}, "generation"),
        (("nope",), {}, "unknown rule"),
        (("dawn",), {"model": "elsewhere"}, "not offered"),
        (("dawn", "original"), {"prompt": "x" * 50_000}, "shorten"),
    ],
)
def test_what_is_not_given_here_is_refused_before_anything_runs(lab, folder, rules, changes, words):
    values = list(race(lab, entrants(folder, *rules, **changes), "me"))
    assert len(values) == 1 and words in values[0]["notice"] and not lab.store.entries


def test_a_lane_that_fails_says_so_and_the_next_one_runs(lab, folder, monkeypatch):
    network = load_model(folder).network.model
    calls, forward = [], network.forward

    def once(*arguments, **named):
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError
        return forward(*arguments, **named)

    monkeypatch.setattr(network, "forward", once)
    last = list(race(lab, entrants(folder, "original", "dawn"), "me"))[-1]
    assert states(last) == ["failed", "done"] and "out of memory" in last["lanes"][0]["note"]


def test_known_answers_are_judged_and_others_are_not(lab, folder, monkeypatch):
    question = next(iter(ANSWERS))
    assert all(map(is_held_out, ANSWERS)) and len(ANSWERS) >= 5
    judged = list(race(lab, entrants(folder, "original", prompt=question), "me"))[-1]
    assert judged["answer"] == ANSWERS[question] and judged["lanes"][0]["right"] is False
    monkeypatch.setattr("viz.race.final_answer", lambda text: ANSWERS[question] + ".0")
    assert list(race(lab, entrants(folder, "original", prompt=question), "me"))[-1]["lanes"][0]["right"] is True
    assert list(race(lab, entrants(folder, "original"), "me"))[-1]["lanes"][0]["right"] is None


def test_a_lane_whose_tab_is_closed_in_the_middle_is_written_down(lab, folder):
    values = race(lab, entrants(folder, "original", "dawn"), "me")
    assert states(next(value for value in values if value["lanes"][0]["forwards"] == 2)) == ["running", "waiting"]
    values.close()
    assert lab.journal.figures()["events"]["run stopped"] == 1
