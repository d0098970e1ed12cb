"""What the page asks for, without a browser: runs, branches, stops, and requests that nobody should send."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest

from dawn.errors import DawnError
from dawn.models import load_model, model_state
from dawn.models.resident import State
from dawn.thresholds import THRESHOLD_NAMES, Thresholds
from dawn.trace import from_file, to_bytes
from tests.dawn.models.small import small_checkpoint
from viz.lab import Lab
from viz.limits import Limits
from viz.link import Request
from viz.store import TraceStore

SETTINGS = {name: getattr(Thresholds(), name) for name in THRESHOLD_NAMES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def lab(folder) -> Lab:
    return Lab(TraceStore(Limits(traces=3)), load_model, [folder], model_state)


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
    last = list(lab.decode_again(request(folder, rule="original"), {"trace": first["trace"], "step": 2}, "me"))[-1]
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
    assert "removed to make room" in lab.fetch({"trace": names[0], "from": 0})["error"]
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


def finished(lab, folder, visitor="me") -> tuple[str, object]:
    """A run's name and trace."""
    name = list(lab.run(request(folder), visitor))[-1]["trace"]
    return name, lab.store.get(name).trace


def again(lab, folder, name: str, step: int, edit: dict | None = None, visitor="me") -> dict:
    """The last value of a branch."""
    asked = {"trace": name, "step": step} | ({"edit": edit} if edit is not None else {})
    return list(lab.decode_again(request(folder), asked, visitor))[-1]


def written_before(trace, step: int) -> int:
    """A position of the answer that was written before the step."""
    canvas = trace.steps[step].canvas
    return next(p for p in range(canvas.prompt_length, canvas.length) if not canvas.masked[p])


def test_a_branch_begins_with_another_token_or_with_a_mask(lab, folder):
    name, trace = finished(lab, folder)
    step = len(trace.steps) - 1
    before, position = trace.steps[step].canvas, written_before(trace, step)
    token = next(t for t in trace.pieces if t not in (before.tokens[position], before.mask_id))
    value = again(lab, folder, name, step, {"position": position, "token": token})
    child = lab.store.get(value["trace"]).trace
    assert from_file(io.BytesIO(to_bytes(child))).edits == ((position, token),)  # and a saved branch says so too
    assert value["title"].startswith(f"Decoded again from step {step + 1}, {position} ‘")
    assert child.canvas.tokens[position] == token and child.canvas.committed_confidence[position] == 1
    assert (np.delete(child.canvas.tokens, position) == np.delete(before.tokens, position)).all()
    child = lab.store.get(again(lab, folder, name, step, {"position": position, "mask": True})["trace"]).trace
    assert child.edits == ((position, None),)
    assert child.canvas.masked[position] and child.canvas.committed_confidence[position] == 0
    assert child.final.is_complete


def test_a_typed_token_must_be_one(lab, folder):
    name, trace = finished(lab, folder)
    model, position = load_model(folder), int(trace.steps[0].canvas.candidates[0])
    text = next(t for t in map(chr, range(33, 127)) if len(model.encode_text(t)) == 1)
    child = lab.store.get(again(lab, folder, name, 0, {"position": position, "text": text})["trace"]).trace
    assert child.canvas.tokens[position] == model.encode_text(text)[0]
    notice = again(lab, folder, name, 0, {"position": position, "text": "1 + 2 = 3?"})["notice"]
    assert "tokens of this model" in notice and "type one of them" in notice


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"position": 0, "token": None}, "token"),
        ({"position": 0, "mask": True}, "belongs to the prompt"),
        ({"position": 9999, "mask": True}, "outside the canvas"),
        ({"position": -1, "mask": True}, "position"),
        ({"position": "first", "mask": True}, "still masked before this step"),
        ({"position": "first", "token": 10**5}, "does not occur in this run"),
        ({"position": "first", "token": "mask"}, "mask token cannot be written"),
        ({"position": "first", "text": ""}, "type a token"),
        ({"position": "first", "text": "x" * 65}, "type a token"),
        ({"position": "first"}, "token"),
        ([], "position"),
        ("x", "position"),
    ],
)
def test_an_impossible_edit_is_a_notice(lab, folder, edit, words):
    name, trace = finished(lab, folder)
    canvas = trace.canvas
    meant = {"first": canvas.prompt_length, "mask": canvas.mask_id}
    edit = {k: meant.get(v, v) if isinstance(v, str) else v for k, v in edit.items()} if isinstance(edit, dict) else edit
    last = again(lab, folder, name, 0, edit)
    assert words in last["notice"] and "trace" not in last


def test_branches_form_a_tree_with_names(lab, folder):
    name, _ = finished(lab, folder)
    child = again(lab, folder, name, 1)["trace"]
    value = again(lab, folder, child, 0)
    rows = {row["trace"]: row for row in value["branches"]}
    assert [row["depth"] for row in value["branches"]] == [0, 1, 2]
    assert rows[child]["step"] == 1 and rows[child]["rule"] == "dawn" and rows[name]["step"] is None
    assert rows[child]["label"] == "from step 2, dawn" and rows[name]["label"] == "2 + 3?" and rows[child]["own"]
    renamed = lab.organise({"do": "rename", "trace": child, "shown": name, "label": "  my\nbranch "}, "me")
    assert renamed["trace"] == name and [row["label"] for row in renamed["branches"]][1] == "my branch"
    assert lab.organise({"do": "show", "trace": child, "shown": name}, "me")["trace"] == child
    deleted = lab.organise({"do": "delete", "trace": child, "shown": child}, "me")
    assert deleted["trace"] == name and [row["depth"] for row in deleted["branches"]] == [0, 0]
    assert "no longer" in lab.fetch({"trace": child, "from": 0})["error"]


def test_nobody_else_sees_or_changes_a_branch(lab, folder):
    name, _ = finished(lab, folder, "me")
    mine = again(lab, folder, name, 1, None, "me")["trace"]
    theirs, _ = finished(lab, folder, "you")
    listed = lab.organise({"do": "show", "trace": theirs, "shown": theirs}, "you")["branches"]
    assert [row["trace"] for row in listed] == [theirs]
    for do in ("rename", "delete"):
        asked = {"do": do, "trace": mine, "shown": theirs, "label": "x"}
        assert (
            lab.organise(asked, "you")
            == lab.organise(asked, "")
            == {"notice": "only your own branches can be renamed or deleted"}
        )
    assert lab.store.get(mine).label == "from step 2, dawn"


@pytest.mark.parametrize("asked", [None, [], "x", {}, {"do": "delete"}, {"do": "rename", "trace": ["x"], "shown": 3}])
def test_strange_wishes_about_branches_are_notices(lab, asked):
    assert set(lab.organise(asked, "me")) == {"notice"}


@pytest.mark.parametrize("label", [None, 3, "", "  ", "x" * 61])
def test_a_branch_needs_a_name(lab, folder, label):
    name, _ = finished(lab, folder)
    asked = {"do": "rename", "trace": name, "shown": name, "label": label}
    assert lab.organise(asked, "me") == {"notice": "a branch needs a name of 1 to 60 characters"}


def test_changes_and_files_are_answered_for_steps_that_are_there(lab, folder):
    name, trace = finished(lab, folder)
    position = int(trace.steps[0].canvas.candidates[0])
    answer = lab.changes({"trace": name, "step": 0, "position": position})
    assert answer["changes"] and {"name", "now", "value", "shown", "taken", "why", "control"} == set(answer["changes"][0])
    assert "did not decide" in lab.changes({"trace": name, "step": 0, "position": 0})["error"]
    assert "steps 0 to" in lab.changes({"trace": name, "step": 10**5, "position": 0})["error"]
    assert "graphml or json" in lab.export({"trace": name, "step": 0, "kind": "exe"})["error"]
    assert (
        "no dependency graph"
        in lab.export({"trace": name, "step": 0, "kind": "json", "rule": "original", "settings": {}})["error"]
    )
    strange = {"trace": name, "step": 0, "kind": "json", "rule": "nope", "settings": {}}
    assert "unknown rule" in lab.export(strange)["error"]
    for asked in (None, [], {}, {"trace": "nobody's", "step": 0}):
        assert set(lab.changes(asked)) == set(lab.export(asked)) == {"error"}
