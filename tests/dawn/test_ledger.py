"""The ledger against the records it is made from, and its CSV."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.cli import main
from dawn.decode import Options, decode
from dawn.ledger import OUTCOMES, ledger, safe, to_csv
from dawn.prediction import EVERYTHING
from dawn.rules import Original
from dawn.trace import save
from tests.dawn.fakes import MASK, RandomDenoiser, ScriptedDenoiser, canvases, rules
from tests.viz.synthetic import synthetic_trace


@given(canvases(), rules(), st.integers(0, 999))
def test_every_window_position_of_every_step_has_one_row_that_says_what_the_record_says(canvas, rule, seed):
    for step in decode(RandomDenoiser(seed, end_ids=(3,)), rule, canvas):
        rows = list(ledger([step]))
        assert [row.position for row in rows] == sorted({*step.canvas.window.tolist(), *step.filled.tolist()})
        assert {row.outcome for row in rows} <= set(OUTCOMES)
        selection = step.decision.selection
        made = {one.position: one for one in (*selection.committed, *selection.refused)}
        for row in rows:
            one = made.get(row.position)
            said = one and (one.tier.value if hasattr(one, "tier") else one.reason.value)
            assert row.outcome == (said or ("filled" if row.position in step.filled else "written"))
            assert row.end == (row.position in step.filled)
            assert (row.blocker, row.weight) == (getattr(one, "blocker", None), getattr(one, "weight", None))
            assert row.evidence == getattr(one, "evidence", ())
            if one:
                assert row.token == step.prediction.tokens[row.position]
                assert np.float32(row.confidence) == step.prediction.confidence[row.position]


def test_what_was_filled_is_named_and_a_refusal_stays_one():
    end = np.array([5, 5, 2, 1, 1, 1, 1, 1])
    denoiser = ScriptedDenoiser([end], [np.linspace(1, 0.3, 8)], end_ids=(2,))
    steps = list(decode(denoiser, Original(), Canvas.blank([5, 5], 6, 3, MASK)))
    rows = list(ledger(steps[:1]))
    assert [(row.position, row.outcome, row.end) for row in rows] == [
        (2, "quota", False), (3, "outranked", True), (4, "outranked", True),
        (5, "filled", True), (6, "filled", True), (7, "filled", True),
    ]  # fmt: skip
    assert rows[3].token == 2 and np.isnan(rows[3].confidence)


def test_the_csv_gives_the_rows_again():
    trace = synthetic_trace(48, 16, watch=EVERYTHING)
    table = list(csv.DictReader(io.StringIO(to_csv(trace.steps, trace.pieces), newline="")))
    rows = list(ledger(trace.steps))
    assert len(table) == len(rows)
    for cells, row in zip(table, rows, strict=True):
        assert [int(cells[name]) for name in ("step", "block", "position", "token", "end")] == [
            row.step, row.block, row.position, row.token, row.end,
        ]  # fmt: skip
        assert cells["outcome"] == row.outcome and cells["text"] == safe(trace.pieces[row.token])
        assert np.float32(cells["confidence"] or "nan") == np.float32(row.confidence) or np.isnan(row.confidence)
        assert cells["blocker"] == ("" if row.blocker is None else str(row.blocker))
        pairs = [pair.split(":") for pair in cells["evidence"].split()]
        assert [(int(a), np.float32(w)) for a, w in pairs] == [(a, np.float32(w)) for a, w in row.evidence]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "  =1", "\t1", "\r1", "\n=1", "＝1", "\u00a0@x"])
def test_no_text_begins_a_formula(text):
    assert safe(text) == "'" + text


@pytest.mark.parametrize("text", ["a=1", " a", "", "1-1", "'='"])
def test_other_text_stays_as_it_is(text):
    assert safe(text) == text


def test_hostile_text_survives_the_csv():
    hostile = ['a,b"c', "x\ny", "x\ry", "x\r\ny", "=cmd|'/c calc'!A0", "שלום"]
    trace = synthetic_trace(24, 8, pieces={0: "<s>", 1: "[MASK]", 2: "<|end|>"} | {10 + i: t for i, t in enumerate(hostile)})
    texts = {cells["text"] for cells in csv.DictReader(io.StringIO(to_csv(trace.steps, trace.pieces), newline=""))}
    assert texts == {safe(text) for text in hostile}


def test_show_writes_it(tmp_path, capsys):
    trace = synthetic_trace(24, 8)
    save(trace, tmp_path / "a.npz")
    assert main(["show", str(tmp_path / "a.npz"), "--csv", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").read_bytes().decode() == to_csv(trace.steps, trace.pieces)
    assert main(["show", str(tmp_path / "a.npz"), "--csv", str(tmp_path)]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_stopped_run_has_one():
    steps = list(decode(RandomDenoiser(), Original(), Canvas.blank([5], 8, 8, MASK), Options(step_limit=3)))
    assert {row.step for row in ledger(steps)} == {1, 2, 3}
