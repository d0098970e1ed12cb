"""What the page asks for, without a browser: runs, branches, stops, and requests that nobody should send."""

from __future__ import annotations

import threading

import pytest

from dawn.errors import DawnError
from dawn.models import load_model, model_state
from dawn.models.resident import State
from dawn.thresholds import THRESHOLD_NAMES, Thresholds
from tests.dawn.models.small import small_checkpoint
from viz.lab import Lab, Request
from viz.store import TraceStore

SETTINGS = {name: getattr(Thresholds(), name) for name in THRESHOLD_NAMES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def lab(folder) -> Lab:
    return Lab(TraceStore(most=3), load_model, [folder], model_state)


def request(folder: str, **changes) -> Request:
    values = {"prompt": "2 + 3?", "model": folder, "rule": "dawn", "generated": 16, "block_length": 8} | changes
    settings = SETTINGS if values["rule"] == "dawn" else {}
    return Request(temperature=0.0, seed=0, settings=settings, **values)


def test_each_step_is_handed_on_as_it_is_made(lab, folder):
    values = list(lab.run(request(folder), "me"))
    assert [v["steps"] for v in values[:-1]] == list(range(1, len(values)))
    assert values[-1]["done"] and not any(v["done"] for v in values[:-1])
    assert lab.fetch({"trace": values[-1]["trace"], "from": 0})["next"] == values[-1]["steps"]


def test_steps_can_be_fetched_while_it_runs(lab, folder):
    run = lab.run(request(folder), "me")
    value = next(run)
    assert lab.fetch({"trace": value["trace"], "from": 0})["next"] == 1
    run.close()
    assert lab.store.get(value["trace"]).done


def test_stop_keeps_what_there_is(lab, folder):
    run = lab.run(request(folder), "me")
    next(run), next(run)
    lab.stop("somebody else")
    assert not next(run)["done"]
    lab.stop("me")
    last = list(run)[-1]
    assert last["done"] and 3 <= last["steps"] <= 4
    assert len(lab.store.get(last["trace"]).trace.steps) == last["steps"]


def test_decoding_again_starts_before_the_step_and_names_its_parent(lab, folder):
    first = list(lab.run(request(folder), "me"))[-1]
    last = list(lab.decode_again(request(folder, rule="original"), first["trace"], 2, "me"))[-1]
    parent, child = lab.store.get(first["trace"]).trace, lab.store.get(last["trace"]).trace
    assert child.parent == (first["trace"], 2) and child.setup.rule == "original"
    assert (child.canvas.tokens == parent.steps[2].canvas.tokens).all()


def test_the_same_thresholds_change_nothing_and_others_do(lab, folder):
    trace = list(lab.run(request(folder), "me"))[-1]["trace"]
    same = lab.what_if({"trace": trace, "step": 0, "rule": "dawn", "settings": SETTINGS})
    assert same["added"] == same["dropped"] == []
    loose = lab.what_if({"trace": trace, "step": 0, "rule": "confidence", "settings": {"high": 0.0}})
    assert len(loose["added"]) == 7


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": "x" * 50_000}, "shorten"),
        ({"model": "nowhere"}, "not offered here"),
        ({"model": "embedded"}, "not offered here"),
        ({"model": "/etc"}, "not offered here"),
        ({"model": ["x"]}, "not offered here"),
        ({"rule": "nope"}, "unknown rule"),
        ({"generated": -1}, "generation"),
        ({"generated": 10**9}, "generation"),
        ({"block_length": 0}, "block length"),
    ],
)
def test_a_bad_run_is_a_notice(lab, folder, changes, words):
    values = list(lab.run(request(folder, **changes), "me"))
    assert len(values) == 1 and words in values[0]["notice"] and "trace" not in values[0]


@pytest.mark.parametrize(
    "asked",
    [None, [], "x", {}, {"trace": "nobody's", "from": 0}, {"trace": ["x"], "from": 0}, {"trace": {}, "from": 0}],
)
def test_strange_requests_are_answered_with_an_error(lab, asked):
    assert set(lab.fetch(asked)) == set(lab.what_if(asked)) == {"error"}


@pytest.mark.parametrize("start", [-1, 1.5, "0", None, True, 10**12])
def test_strange_numbers_are_answered_with_an_error(lab, folder, start):
    trace = list(lab.run(request(folder), "me"))[-1]["trace"]
    assert set(lab.fetch({"trace": trace, "from": start})) == {"error"}
    assert set(lab.what_if({"trace": trace, "step": start, "rule": "dawn", "settings": {}})) == {"error"}


@pytest.mark.parametrize("settings", [None, [], {"high": "x"}, {"high": float("nan")}, {"nope": 1}, {"high": [1]}, {1: 2}])
def test_strange_settings_are_answered_with_an_error(lab, folder, settings):
    trace = list(lab.run(request(folder), "me"))[-1]["trace"]
    assert set(lab.what_if({"trace": trace, "step": 0, "rule": "dawn", "settings": settings})) == {"error"}


def test_the_store_is_bounded_and_names_cannot_be_guessed(lab, folder):
    names = [list(lab.run(request(folder), f"visitor {i}"))[-1]["trace"] for i in range(4)]
    assert len(set(names)) == 4 and all(len(name) > 20 for name in names)
    assert "no longer" in lab.fetch({"trace": names[0], "from": 0})["error"]
    assert "body" in lab.fetch({"trace": names[3], "from": 0})


def test_a_run_that_ended_is_held_by_its_name_alone(lab, folder):
    """So that evicting the name frees the trace, also while its visitor stays."""
    list(lab.run(request(folder), "me"))
    assert lab.store.running == {}


def test_a_trace_does_not_keep_its_model(lab, folder):
    """So that another model finds room."""
    trace = list(lab.run(request(folder), "me"))[-1]["trace"]
    assert lab.store.get(trace).run is None and lab.model_of(trace, "x") == folder and lab.model_of("gone", "x") == "x"


def test_a_run_that_fails_at_once_leaves_nothing_but_its_notice(lab, folder, monkeypatch):
    model = load_model(folder)
    monkeypatch.setattr(model.network.model, "forward", lambda *_, **__: (_ for _ in ()).throw(MemoryError()))
    assert list(lab.run(request(folder), "me")) == [{"notice": OUT_OF_MEMORY}] and not lab.store.entries
    monkeypatch.undo()
    assert list(lab.run(request(folder), "me"))[-1]["done"], "the next run works"


OUT_OF_MEMORY = "out of memory: shorten the prompt or the generation length, or choose a smaller model"


def states(*words: str):
    """A model's state that goes through `words`, the last of which stays."""
    left = list(words)
    return lambda name: State(left.pop(0), busy=True) if len(left) > 1 else State(left[0])


def test_loading_is_watched_until_it_is_settled(folder, monkeypatch):
    monkeypatch.setattr("viz.lab.GLANCE", 0.001)
    lab = Lab(TraceStore(), load_model, [folder], states("downloading … 50%", "loading …", "ready on cpu"))
    assert list(lab.watching(folder)) == ["downloading … 50%", "loading …", "ready on cpu"]
    slow = threading.Event()
    lab = Lab(TraceStore(), lambda name: slow.wait(60), [folder], states("loading …"))
    lines = lab.loading(folder)
    assert next(lines) == "loading …" and next(lines) == "loading …"
    slow.set()
    assert set(lines) <= {"loading …"}


def test_a_load_that_fails_is_told_and_the_next_may_work(folder):
    lab = Lab(TraceStore(), load_model, ["/nowhere", folder], model_state)
    lab.warm_up()
    assert lab.state("/nowhere").words.startswith("failed: unknown model")
    with pytest.raises(DawnError, match="unknown model"):
        list(lab.loading("/nowhere"))
    with pytest.raises(DawnError, match="not offered"):
        list(lab.loading("/etc"))
    list(lab.loading(folder))
    assert list(lab.run(request(folder), "me"))[-1]["done"]
