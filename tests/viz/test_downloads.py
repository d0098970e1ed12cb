"""The lab's files: every kind, within limits, one large one at a time, and nothing kept."""

from __future__ import annotations

import base64

import pytest

from dawn.trace import to_bytes
from tests.viz.synthetic import synthetic_trace
from viz import exports
from viz.lab import Lab
from viz.limits import Limits
from viz.store import TraceStore

TRACE = synthetic_trace(24, 12)


def lab_of(**limits) -> Lab:
    """A lab that holds TRACE as `one`, and no model."""
    lab = Lab(TraceStore(), None, ["synthetic"], None, limits=Limits(**limits))
    lab.store.bundle("one", TRACE)
    return lab


@pytest.mark.parametrize("kind", ["npz", *exports.FORMATS])
def test_a_download_is_the_file_under_the_traces_name(kind):
    answer = lab_of().download({"trace": "one", "kind": kind, "step": 1})
    made = to_bytes(TRACE) if kind == "npz" else exports.made(TRACE, kind, 1)
    assert base64.b64decode(answer["body"]) == made or kind == "mp4"
    of = "step-2" if kind in ("png", "svg", "graphml", "json") else f"{TRACE.forwards}-steps"
    assert answer["name"] == f"dawn-{of}.{kind}"


@pytest.mark.parametrize(
    "asked, words",
    [
        (None, "lacks"),
        ({"trace": "two"}, "no longer"),
        ({"trace": "one", "kind": "exe"}, "no file of the kind"),
        ({"trace": "one", "kind": ["gif"]}, "no file of the kind"),
        ({"trace": "one", "kind": "png", "step": 999}, "steps 0 to"),
        ({"trace": "one", "kind": "png", "step": "1"}, "whole number"),
        ({"trace": "one", "kind": "html", "step": -1}, "whole number"),
    ],
)
def test_what_is_no_request_is_refused_in_words(asked, words):
    assert words in lab_of().download(asked)["error"]


def test_one_large_file_is_made_at_a_time_and_small_ones_do_not_wait():
    lab = lab_of(files_at_once=1)
    with lab.making:
        assert lab.download({"trace": "one", "kind": "gif"}) == {"busy": True}
        assert "body" in lab.download({"trace": "one", "kind": "csv"})
    assert "body" in lab.download({"trace": "one", "kind": "html"})


def test_a_file_that_fails_gives_its_turn_back(monkeypatch):
    lab = lab_of(files_at_once=1)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
    assert "no MP4" in lab.download({"trace": "one", "kind": "mp4"})["error"]
    assert "body" in lab.download({"trace": "one", "kind": "html"})


def test_a_run_with_too_many_steps_is_told_the_limit():
    lab = lab_of(film_steps=TRACE.forwards - 1)
    assert "python -m dawn export" in lab.download({"trace": "one", "kind": "gif"})["error"]
    assert "body" in lab.download({"trace": "one", "kind": "svg"})


def test_nothing_of_a_deleted_trace_stays_behind(tmp_path, monkeypatch):
    lab = lab_of()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    name = lab.store.keep(synthetic_trace(16, 8), "me")
    for kind in ("gif", "mp4", "html"):
        assert "body" in lab.download({"trace": name, "kind": kind})
    lab.store.remove(name, "me")
    assert "error" in lab.download({"trace": name, "kind": "gif"}) and not list(tmp_path.iterdir())


def test_a_recipe_is_given_or_refused_in_words():
    for form, words in (("command", "python -m dawn run"), ("python", "load_model")):
        assert words in lab_of().recipe({"trace": "one", "form": form})["text"]
    for asked in ([], {"trace": "one"}, {"trace": "one", "form": ["python"]}):
        assert "lacks" in (said := lab_of().recipe(asked)["error"]) or "must be command or python" in said
