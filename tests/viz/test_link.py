"""A link makes its run again, to the last bit; what is no such link is refused in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dawn.errors import DawnError
from dawn.models import load_model, model_state
from dawn.rules import Original, settings_of
from tests.dawn.models.small import small_checkpoint
from tests.viz.synthetic import synthetic_trace
from viz import link, permalink
from viz.lab import Lab, facts_of
from viz.link import Request
from viz.store import TraceStore

PLAIN = {"run.prompt": "2 + 3?", "run.model": "small", "run.rule": "dawn", "run.generated": "16", "run.block": "8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def lab(folder) -> Lab:
    lab = Lab(TraceStore(), load_model, [folder], model_state)
    lab.store.bundle("example", synthetic_trace(16, 8))
    return lab


def asked(folder: str, **changes) -> Request:
    sampling = {"temperature": 0.0, "seed": 0, "settings": {}}
    return Request(
        **{"prompt": "2 + 3?", "model": folder, "rule": "dawn", "generated": 16, "block_length": 8, **sampling, **changes}
    )


def parts_of(lab: Lab, name: str) -> dict[str, str]:
    entry = lab.store.get(name)
    return link.parts_of(entry.prompt, facts_of(entry))


def last(values) -> str:
    """The name of the trace that a stream of values ends with."""
    return list(values)[-1]["trace"]


def same_steps(one, other) -> bool:
    return one.output == other.output and len(one.steps) == len(other.steps) and all(map(same_step, one.steps, other.steps))


def same_step(one, other) -> bool:
    canvases = ((one.canvas, other.canvas), (one.after, other.after))
    same = [
        np.array_equal(getattr(a, name), getattr(b, name)) for a, b in canvases for name in ("tokens", "committed_confidence")
    ]
    return all(same) and one.decision.selection == other.decision.selection


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rule": "klass", "settings": {"history": 3}},
        {"settings": {"low": 0.123456789, "variant": "published"}, "block_length": 16},
        {"temperature": 0.7, "seed": 2**32 - 1, "stop_at_end": False},
        {"fixed": "3: x\n9: 5", "suppress_end": True},
        {"prompt": "2 + [MASK x 3] = 7 & <b>?", "generated": 0},
    ],
)
def test_a_run_is_made_again_by_its_link(lab, folder, changes):
    name = last(lab.run(asked(folder, **changes), "me"))
    again = last(lab.run(link.request_of(parts_of(lab, name)), "them"))
    assert again != name and same_steps(lab.store.get(name).trace, lab.store.get(again).trace)


def test_a_branch_is_made_again_with_what_its_parent_was_sure_of(lab, folder):
    root = last(lab.run(asked(folder, rule="original"), "me"))
    edit = {"position": lab.store.get(root).trace.canvas.length - 1, "text": "x"}
    branch = last(lab.decode_again(asked(folder), {"trace": root, "step": 5, "edit": edit}, "me"))
    made = lab.store.get(branch).trace
    assert np.count_nonzero((made.canvas.committed_confidence > 0) & (made.canvas.committed_confidence < 1)) == 5
    assert same_steps(made, lab.store.get(last(lab.run(link.request_of(parts_of(lab, branch)), "them"))).trace)


def test_a_link_to_a_branch_of_an_infill_names_the_prompts_own_tokens(lab, folder):
    root = last(lab.run(asked(folder, prompt="1 [MASK x 4] 2", rule="original"), "me"))
    branch = last(lab.decode_again(asked(folder), {"trace": root, "step": 2}, "me"))
    again = link.request_of(parts_of(lab, branch))
    assert len(again.written) > 2 and same_steps(lab.store.get(branch).trace, lab.store.get(last(lab.run(again, "them"))).trace)


def test_the_first_value_says_what_the_address_asks_to_see(lab, folder):
    parts = parts_of(lab, last(lab.run(asked(folder, rule="original"), "me")))
    address = parts | {"trace": "gone", "step": "3", "position": "12", "rule": "original"}
    values = list(permalink.rerun(lab, permalink.again(lab, address), address, "them"))
    assert values[0]["back"] == {"step": 2, "position": 12, "rule": "original", "settings": settings_of(Original())}
    assert not any("back" in value for value in values[1:]) and values[-1]["done"]


def test_a_trace_that_is_here_is_shown_and_not_run_again(lab, folder):
    name = last(lab.run(asked(folder), "me"))
    assert permalink.again(lab, parts_of(lab, name) | {"trace": name}) is None
    assert permalink.again(lab, parts_of(lab, name) | {"trace": "gone"}) == permalink.again(lab, parts_of(lab, name))
    assert permalink.again(lab, {"trace": "gone"}) is None is permalink.again(lab, None)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"run.model": None}, "it lacks run.model"),
        ({"run.generated": "many"}, "run.generated is 'many', which is no number"),
        ({"run.block": "1e3"}, "run.block is '1e3'"),
        ({"run.seed": "9" * 5000}, "seed must be"),
        ({"run.temperature": "nan"}, "temperature must be a number"),
        ({"run.rule": "<b>"}, "unknown rule '<b>'"),
        ({"run.set.low": "nan"}, "low must be a number"),
        ({"run.set.__class__": "1"}, "no setting __class__"),
        ({"run.model": "/etc/passwd"}, "is not offered here"),
        ({"run.generated": "100000"}, "generation and block length"),
        ({"run.generated": "-1"}, "generation and block length"),
        ({"run.prompt": " "}, "the prompt is empty"),
        ({"run.canvas": "5"}, "run.canvas holds '5'"),
        ({"run.canvas": "1-2-7fc00000"}, "run.canvas holds '1-2-7fc00000'"),
        ({"run.canvas": "999-2-3f800000"}, "position 999 is outside the canvas"),
        ({"run.canvas": "0-9-3f800000"}, "position 0 holds another token"),
        ({"run.canvas": "20-9999999-3f800000"}, "these tokens are not of the model"),
        ({"run.canvas": "_".join(f"{p}-2-3f800000" for p in range(8, 200))}, "outside the canvas"),
    ],
)
def test_what_is_wrong_with_a_link_is_said(lab, folder, changes, words):
    parts = PLAIN | {"run.model": folder} | changes
    parts = {name: text for name, text in parts.items() if text is not None}
    try:
        said = list(permalink.rerun(lab, permalink.again(lab, parts), parts, "me"))[-1]["notice"]
    except DawnError as error:
        said = str(error)
    assert words in said and len(said) < 400


def test_a_refused_link_shows_the_example_and_says_why(lab):
    value = permalink.refused(lab, "it lacks run.model", "me")
    assert value["trace"] == "example" and value["notice"].startswith(
        "This link's run cannot be made here: it lacks run.model."
    )


def test_only_runs_of_visitors_carry_a_recipe(lab, folder, monkeypatch):
    told = []
    monkeypatch.setattr("viz.payload.pack", lambda document: told.append(document["header"]["again"]))
    lab.fetch({"trace": "example", "from": 0})
    lab.fetch({"trace": last(lab.run(asked(folder), "me")), "from": 0})
    assert told[0] == {} and told[1]["run.prompt"] == "2 + 3?"


@pytest.mark.parametrize(
    "space, link", [("lab/dawn", "https://huggingface.co/spaces/lab/dawn"), ("", ""), ("a/b?<", ""), (None, "")]
)
def test_links_lead_to_the_space(space, link):
    assert permalink.home(space) == link


def test_panels_are_named_or_refused():
    assert permalink.read({"panels": "ledger.sinks"}).panels == ("ledger", "sinks")
    assert "there is no panels 'ledger.x'" in permalink.read({"panels": "ledger.x"}).wrong


def test_a_request_keeps_what_is_written():
    one = link.request_of(PLAIN | {"run.canvas": "12-5-3f000000"})
    assert one.written == ((12, 5, 0.5),) and replace(one, written=()) == link.request_of(PLAIN)
