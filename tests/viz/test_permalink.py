"""What an address asks for, and who owns what after a reload; without a browser."""

from __future__ import annotations

import pytest

from dawn.errors import TraceError
from dawn.rules import Confidence, settings_of
from tests.viz.synthetic import RULE, synthetic_trace
from viz import permalink
from viz.lab import Lab
from viz.store import MOST_SESSIONS, TraceStore

TRACE = synthetic_trace(32, 16)
KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def lab() -> Lab:
    lab = Lab(TraceStore(), None, ["synthetic"], None)
    lab.store.bundle("example", TRACE)
    return lab


def shown(lab: Lab, **asked: str) -> dict:
    """The explorer's first value for an address."""
    return next(permalink.shown(lab, asked, "me"))


def test_an_address_gives_back_trace_step_position_and_settings(lab):
    name = lab.store.keep(TRACE, "me")
    asked = {"trace": name, "step": "3", "position": "20", "rule": "dawn", "set.low": "0.4", "set.sink_mode": "relative"}
    value = shown(lab, **asked)
    assert value["trace"] == name and "notice" not in value
    settings = settings_of(RULE) | {"low": 0.4}
    assert value["back"] == {"step": 2, "position": 20, "rule": "dawn", "settings": settings}


def test_another_rule_takes_its_own_defaults_for_what_is_left_out(lab):
    value = shown(lab, rule="klass", **{"set.history": "3"})
    assert value["back"]["settings"]["history"] == 3 and value["back"]["rule"] == "klass"


def test_a_trace_that_is_gone_is_said_and_the_example_shown_without_the_rest(lab):
    value = shown(lab, trace="gone", step="3", position="5")
    assert value["trace"] == "example" and "no longer on this server" in value["notice"]
    assert value["back"] == {"step": None, "position": None}


@pytest.mark.parametrize(
    "asked, words",
    [
        ({"step": "0"}, "there is no step '0'"),
        ({"step": "<img src=x onerror=alert(1)>"}, "there is no step '<img"),
        ({"step": "9" * 50}, "there is no step '999"),
        ({"step": "٣"}, "there is no step"),
        ({"step": "1000"}, "step 1000 is beyond the last of"),
        ({"position": "-1"}, "there is no position '-1'"),
        ({"position": "48"}, "position 48 is beyond the last of 48"),
        ({"tab": "admin"}, "there is no tab 'admin'"),
        ({"rule": "no-rule"}, "unknown rule 'no-rule'"),
        ({"rule": "dawn", "set.low": "nan"}, "low must be a number"),
        ({"rule": "dawn", "set.low": "1e999"}, "low must be a number"),
        ({"rule": "dawn", "set.low": "wide"}, "low must be a number"),
        ({"rule": "dawn", "set.__class__": "1"}, "no setting __class__"),
    ],
)
def test_what_is_wrong_in_an_address_is_said_and_the_rest_shown(lab, asked, words):
    value = shown(lab, trace="example", **asked)
    assert value["trace"] == "example" and words in value["notice"] and len(value["notice"]) < 400


@pytest.mark.parametrize("asked", [None, [], "x", {"trace": 3}, {"trace": ["a"]}, {3: "x"}])
def test_what_is_no_address_at_all_shows_the_example(lab, asked):
    assert permalink.find(lab, asked)[0] == "example"


def test_a_run_in_progress_is_followed_to_its_end(lab, monkeypatch):
    name = lab.store.keep(TRACE, "me")
    entry = lab.store.get(name)
    entry.done = False
    monkeypatch.setattr("viz.lab.time.sleep", lambda _: setattr(entry, "done", True))
    told = list(permalink.shown(lab, {"trace": name, "step": "2"}, "me"))
    assert [value["done"] for value in told] == [False, True] and [("back" in value) for value in told] == [True, False]


def test_a_tab_that_shows_its_key_again_has_its_traces_again():
    store = TraceStore()
    early = store.keep(TRACE, "first session")
    store.meet("first session", KEY)
    late = store.keep(TRACE, "first session")
    assert set(store.shown_to("second session")) == set()
    store.meet("second session", KEY)
    for session in ("first session", "second session"):
        assert set(store.shown_to(session)) == set(store.seen_by(session)) == {early, late}
    assert store.remove(late, "second session") is not None


def test_a_name_is_enough_to_look_but_not_to_own():
    store = TraceStore()
    store.meet("me", KEY), store.meet("them", OTHER)
    name = store.keep(TRACE, "me")
    assert store.get(name).trace is TRACE and name not in store.shown_to("them")
    with pytest.raises(TraceError, match="only your own"):
        store.remove(name, "them")


@pytest.mark.parametrize("key", [None, 3, "", "short", "x" * 65, ["a" * 32]])
def test_what_is_no_key_changes_nothing(key):
    store = TraceStore()
    store.meet("me", key)
    assert store.owner("me") == "me" and not store.keys


def test_sessions_are_bounded():
    store = TraceStore()
    for number in range(MOST_SESSIONS + 5):
        store.meet(f"session {number}", KEY)
    assert len(store.keys) == MOST_SESSIONS and store.owner("session 0") == "session 0"


def test_a_rule_without_thresholds_of_dawn_is_kept(lab):
    lab.store.bundle("other", synthetic_trace(16, 8, rule=Confidence(0.6)))
    assert shown(lab, trace="other", rule="confidence", **{"set.high": "0.5"})["back"]["settings"] == {"high": 0.5}
