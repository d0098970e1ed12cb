"""Every format of a trace: frames, sizes, what a hostile trace's text becomes, and that a file is whole or not there."""

from __future__ import annotations

import io
import json
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import imageio_ffmpeg
import networkx as nx
import numpy as np
import pytest
from PIL import Image

from dawn.errors import DawnError
from dawn.files import write_whole
from dawn.rules import Confidence
from dawn.trace import Trace
from tests.viz.synthetic import FIRST, PIECES, synthetic_trace
from viz import exports, theme
from viz.exports import drawing, film, lettering, page
from viz.exports.raster import Raster
from viz.exports.shapes import Box, Cell

TRACE = synthetic_trace(48, 24)
MEGABYTE = 10**6
EVIL = '</script><img src=x onerror="document.title=`owned`">\u202e\uffff\x1b ${alert(1)} {{x}} 日本 é'


def hostile() -> Trace:
    """A trace all of whose text is markup."""
    pieces = {token: EVIL if token >= FIRST else text for token, text in PIECES.items()}
    trace = synthetic_trace(24, 12, pieces=pieces)
    setup = replace(trace.setup, model=EVIL)
    return replace(trace, prompt=EVIL, output=EVIL, setup=setup)


def frames_of(data: bytes) -> list[Image.Image]:
    """The frames of a GIF."""
    image = Image.open(io.BytesIO(data))
    found = []
    for index in range(image.n_frames):
        image.seek(index)
        found.append(image.convert("RGB"))
    return found


@pytest.mark.parametrize("steps", [1, 2, None])
def test_a_film_has_a_frame_for_every_step(tmp_path, steps):
    trace = synthetic_trace(48, 24, steps=steps)
    assert Image.open(io.BytesIO(exports.made(trace, "gif", 0))).n_frames == trace.forwards
    (tmp_path / "film.mp4").write_bytes(exports.made(trace, "mp4", 0))
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))[0] == trace.forwards
    facts = next(imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4")))
    assert facts["size"] == drawing.SIZE and facts["codec"] == "h264"


def test_the_frames_of_a_gif_are_the_pictures_of_the_steps():
    pictures, shown = drawing.Pictures(TRACE), frames_of(exports.made(TRACE, "gif", 0))
    for index in (0, 1, TRACE.forwards // 2, TRACE.forwards - 1):
        drawn = Raster(drawing.SIZE, drawing.GROUND).draw(pictures.cells(index))
        differs = np.abs(np.asarray(drawn, dtype=int) - np.asarray(shown[index], dtype=int)).mean()
        others = np.abs(np.asarray(drawn, dtype=int) - np.asarray(shown[index - 1], dtype=int)).mean()
        assert differs < 0.1 < others


def test_a_large_run_stays_small_in_every_format():
    trace = synthetic_trace(960, 64, pace=1.0, steps=200)
    assert (trace.canvas.length, trace.forwards) == (1024, 200)
    for kind in exports.FORMATS:
        assert 0 < len(exports.made(trace, kind, 100)) <= 25 * MEGABYTE, kind


def test_a_run_with_more_steps_is_not_slower_to_watch():
    assert film.pace(1) == film.SLOWEST and film.pace(10_000) == film.FASTEST
    assert film.FASTEST < film.pace(200) < film.SLOWEST


def test_a_picture_shows_each_tier_in_its_colour():
    step = TRACE.steps[3]
    shapes = [shape for cell in drawing.Pictures(TRACE).cells(3) for shape in cell.shapes]
    fills = {shape.fill for shape in shapes if isinstance(shape, Box)}
    assert {theme.colours("light")[one.tier.value] for one in step.decision.selection.committed} <= fills


def test_cells_are_drawn_anew_only_where_they_changed_and_leave_nothing_behind():
    raster = Raster((40, 20), "#ffffff")
    left, right = (Cell(x, 0, 20, 20, "#ffffff", (Box(x, 0, 20, 20, "#000000"),)) for x in (0, 20))
    raster.draw((left, right))
    raster.image.paste("#ff0000", (0, 0, 20, 20))
    assert raster.draw((left, replace(right, shapes=()))).getpixel((5, 5)) == (255, 0, 0)
    assert raster.image.getpixel((30, 5)) == (255, 255, 255)
    assert raster.draw((Cell(0, 0, 40, 20, "#ffffff"),)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("kind", exports.FORMATS)
def test_a_rule_without_a_graph_has_every_format_but_the_graph(kind):
    trace = synthetic_trace(24, 12, rule=Confidence(0.5))
    if kind in ("graphml", "json"):
        with pytest.raises(DawnError, match="reads no dependency graph"):
            exports.made(trace, kind, 0)
    else:
        assert exports.made(trace, kind, 0)


def test_hostile_text_stays_text():
    trace = hostile()
    text = exports.made(trace, "html", 0).decode()
    assert "<img src=x" not in text and text.count("</script>") == 2 and text.count("<script") == 2
    svg = ET.fromstring(exports.made(trace, "svg", 0))
    assert any("onerror" in "".join(node.itertext()) for node in svg)
    assert {node.tag.rpartition("}")[2] for node in svg.iter()} <= {"svg", "title", "style", "rect", "text", "path", "circle"}
    graph = nx.read_graphml(io.BytesIO(exports.made(trace, "graphml", 0)))
    assert "onerror" in graph.graph["model"] and json.loads(exports.made(trace, "json", 0))
    for kind in ("png", "gif", "mp4", "csv"):
        assert exports.made(trace, kind, 0)


def test_text_that_is_no_unicode_fails_in_no_format():
    trace = replace(TRACE, prompt="\ud800", output="\udfff", pieces=dict.fromkeys(TRACE.pieces, "a\ud800\x00"))
    for kind in exports.FORMATS:
        assert exports.made(trace, kind, 0)


def test_the_page_allows_nothing_but_itself():
    text = exports.made(TRACE, "html", 0).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#x27;none&#x27;; script-src &#x27;sha256-") and "unsafe" not in policy
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    assert "</script" not in page.SCRIPT and "<!--" not in page.SCRIPT and "</style" not in page.STYLE


def test_what_the_font_lacks_is_drawn_as_its_number():
    for text in ("\U0001f9ff", "\ud800", "\U00012000"):
        assert lettering.drawable(text).isascii() and lettering.drawable(text)
    assert lettering.drawable("A tower") == "A tower"
    assert (
        lettering.fitted("a long answer", 14, 40).endswith("…")
        and lettering.width(lettering.fitted("w" * 99, 14, 80), 14) <= 80
    )


def test_a_step_or_format_that_is_not_there_is_refused():
    for kind, step, words in (
        ("exe", 0, "no file of the kind"),
        ("png", TRACE.forwards, "steps 0 to"),
        ("png", -1, "steps 0 to"),
    ):
        with pytest.raises(DawnError, match=words):
            exports.made(TRACE, kind, step)


def test_no_ffmpeg_is_told(monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
    with pytest.raises(DawnError, match="no MP4 could be made"):
        exports.made(TRACE, "mp4", 0)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "out.bin"
    write_whole(target, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["out.bin"]


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"x"
    reading, writing = os.pipe()
    write_whole(f"/dev/fd/{writing}", b"y")
    assert os.read(reading, 9) == b"y"
