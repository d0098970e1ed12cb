"""The learning curve: what training writes is drawn, and nothing else is taken for one."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from dawn.errors import DataError
from dawn.pretrain.curve import CURVE, append, read, svg, write
from dawn.pretrain.train import mean_of

LINES = [
    {"step": 100, "tokens": 400_000, "loss_right_digits": {"single": [2.0, 0.5, 0.25], "equation": [3.0, 0.25, None]}},
    {"step": 200, "tokens": 800_000, "loss_right_digits": {"single": [1.0, 1.0, 0.75]}},
]
OTHER = '{"step": 1, "tokens": 2, "loss_right_digits": {"single": ["a", "b", "c"]}}'
SVG = "{http://www.w3.org/2000/svg}"


def test_a_curve_is_written_added_to_and_replaced(tmp_path):
    assert read(tmp_path) == []
    write(tmp_path, LINES[:1])
    append(tmp_path, LINES[1])
    assert read(tmp_path) == LINES
    write(tmp_path, LINES[1:])
    assert read(tmp_path) == LINES[1:]


def test_the_picture_has_a_panel_for_each_kind_and_a_point_for_each_mean():
    picture = ElementTree.fromstring(svg(LINES))
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"single rows", "equation rows"} <= set(words) and "block rows" not in words
    points = [line.get("points").split() for line in picture.iter(f"{SVG}polyline")]
    assert [len(line) for line in points] == [2, 2, 1, 0]
    heights = [float(point.split(",")[1]) for point in points[1]]  # of the whole numbers: .25, then .75 right
    assert heights[0] - heights[1] == pytest.approx(75)


def test_there_is_no_picture_of_nothing():
    with pytest.raises(DataError, match="train for a step"):
        svg([])


@pytest.mark.parametrize(
    "content", ["no JSON", "[]", '{"step": 1}', '{"step": 1, "tokens": 2, "loss_right_digits": {"single": 3}}', OTHER]
)
def test_another_file_of_that_name_is_refused(tmp_path, content):
    (tmp_path / CURVE).write_text(content)
    with pytest.raises(DataError, match="no learning curve"):
        read(tmp_path)


def test_what_had_no_number_has_no_mean():
    assert mean_of([0.5, float("nan"), 1.0]) == 0.75 and mean_of([float("nan")]) is None
