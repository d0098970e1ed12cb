"""What programs ask for, without a server: runs, recorded runs asked again, files, and requests that nobody should send."""

from __future__ import annotations

import base64
import json

import pytest

from dawn.cli import main
from dawn.errors import DawnError, LimitError
from dawn.models import load_model, model_state
from dawn.rules import RULES, make_rule
from dawn.trace import to_bytes
from tests.dawn.models.small import small_checkpoint
from tests.viz.synthetic import synthetic_trace
from viz import programs
from viz.lab import EXAMPLE, Lab
from viz.limits import Limits
from viz.store import TraceStore

MORE = (0.0, 0, True, False, "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def lab(folder) -> Lab:
    store = TraceStore()
    store.bundle(EXAMPLE, synthetic_trace(24, 12), "Recorded example")
    return Lab(store, load_model, [folder], model_state, limits=Limits(generation_length=128))


def ask(lab: Lab, question="2 + 3?", rule="dawn", settings=None, model="", lengths=(16, 8), more=MORE, who="me") -> list[dict]:
    return list(programs.decoded(lab, who, question, rule, settings, model, lengths, more))


def test_a_run_is_what_the_command_line_prints(lab, folder, capsys):
    *going, last = ask(lab, settings={"low": 0.3})
    said = ["--gen-length", "16", "--block-length", "8", "--low", "0.3", "--json"]
    assert main(["run", "2 + 3?", "--model", folder, *said]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {name: last[name] for name in printed} | {"seconds": 0} == printed | {"seconds": 0}
    assert set(last) == {*printed, "trace", "notice"} and last["notice"] == ""
    assert [one["forwards"] for one in going] == list(range(1, last["forwards"] + 1))
    assert lab.store.get(last["trace"]).trace.output == last["output"]


def test_runs_of_a_session_do_not_stop_one_another_and_leave_the_pages_alone(lab):
    first = programs.decoded(lab, "me", "2 + 3?", "original", None, "", (16, 8), MORE)
    next(first)
    assert not ask(lab)[-1]["notice"]
    lab.stop("me")
    *_, last = first
    assert last["forwards"] == 16 and not lab.store.running


def test_a_caller_who_goes_leaves_nothing_running(lab):
    run = programs.decoded(lab, "me", "2 + 3?", "original", None, "", (16, 8), MORE)
    next(run), next(run)
    run.close()
    assert not lab.store.running and all(entry.done for entry in lab.store.entries.values())


def test_what_ends_a_run_early_is_its_notice(folder):
    lab = Lab(TraceStore(), load_model, [folder], model_state, limits=Limits(steps=3))
    last = ask(lab, rule="original")[-1]
    assert last["forwards"] == 3 and last["notice"].startswith("the run was stopped after 3 forward passes")


def test_every_rule_is_told_with_settings_that_make_it():
    for told in programs.told_rules():
        defaults = {name: spec["default"] for name, spec in told["settings"].items()}
        assert make_rule(told["name"], defaults) == RULES[told["name"]]() and told["help"]
        assert all(spec["help"] and spec["kind"] in ("number", "whole", "choice") for spec in told["settings"].values())
    assert json.dumps(programs.told_rules())


def test_a_recorded_run_is_asked_again(lab):
    same = programs.asked_again(lab, EXAMPLE, "", None)
    assert not any(step["added"] or step["dropped"] for step in same["steps"]) and same["rule"] == "dawn"
    looser = programs.asked_again(lab, EXAMPLE, "", {"low": 0.0, "induced": 0.0})
    assert looser["tokens_per_step"] > same["tokens_per_step"] and 0 <= looser["agreement"] <= 1
    assert programs.asked_again(lab, EXAMPLE, "confidence", {"high": 0.5})["settings"] == {"high": 0.5}


def test_every_candidate_of_a_step_is_explained(lab):
    step = lab.store.get(EXAMPLE).trace.steps[1]
    told = programs.explained(lab, EXAMPLE, 1, "", None)
    positions = sorted(one["position"] for one in told["committed"] + told["refused"])
    assert positions == step.canvas.candidates.tolist()
    assert told["edges"] == len(step.decision.graph.source) and all("blocker" in one for one in told["refused"])
    assert "edges" not in programs.explained(lab, EXAMPLE, 1, "confidence", None)


def test_a_file_goes_out_and_comes_back(lab):
    saved = programs.file_of(lab, EXAMPLE)
    kept = programs.opened(lab, saved["file"], "me")
    assert kept["rule"] == "dawn" and lab.store.own(kept["trace"], "me")
    assert to_bytes(lab.store.get(kept["trace"]).trace) == base64.b64decode(saved["file"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": 7}, "'question' must be a text, not int"),
        ({"question": " "}, "the prompt is empty"),
        ({"question": "x" * 20_001}, "the prompt has 20,001 characters"),
        ({"question": "\ud800"}, "half of a character"),
        ({"rule": "nope"}, "unknown rule 'nope'"),
        ({"rule": ["dawn"]}, "'rule' must be a text"),
        ({"settings": [1]}, "'settings' must be an object"),
        ({"settings": {"low": "high"}}, "low must be a number"),
        ({"settings": {"nope": 1}}, "has no setting nope"),
        ({"model": "/etc"}, "is not offered here"),
        ({"lengths": (129, 8)}, "whole numbers up to 128"),
        ({"lengths": (8.5, 8)}, "whole numbers up to 128"),
        ({"lengths": (16, 0)}, "block length must be at least 1"),
        ({"more": ("hot", 0, True, False, "")}, "temperature must be a number"),
        ({"more": (0.0, None, True, False, "")}, "seed must be a whole number"),
        ({"more": (0.0, 0, True, False, 5)}, "'fixed' must be a text"),
        ({"more": (0.0, 0, True, False, "x: y")}, "position: text"),
    ],
)
def test_what_is_no_request_is_refused_in_words(lab, changes, words):
    with pytest.raises(DawnError, match=words):
        ask(lab, **changes)
    assert not lab.store.entries and not lab.store.running


def test_what_is_no_trace_is_refused_in_words(lab):
    for trace in ("", "nope", None, 7, ["example"], {"$": 1}):
        with pytest.raises(DawnError, match="no longer on the server"):
            programs.file_of(lab, trace)
    for step in (-1, 99, 1.5, "0", True, None):
        with pytest.raises(DawnError, match="step"):
            programs.explained(lab, EXAMPLE, step, "", None)
    for file in ("?", "AAAA", "", 5, None):
        with pytest.raises(DawnError):
            programs.opened(lab, file, "me")
    with pytest.raises(LimitError, match="at most 16 MB"):
        programs.opened(lab, "A" * (23 * 2**20), "me")
