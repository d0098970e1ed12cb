"""The library examples of the documents, run as they stand, in the order in which a reader meets them."""

from __future__ import annotations

from tests.docs.blocks import DOCS, blocks


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, second, third = blocks(DOCS / "library.md", "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    exec(first, {})
    assert "'high')" in capsys.readouterr().out and (tmp_path / "run.npz").exists()
    exec(second, names := {})
    assert names["trace"].setup.settings["low"] == 0.6
    assert len(names["looser"]) == names["trace"].forwards and "below" in capsys.readouterr().out
    exec(third, names := {})
    assert "plotly" in (tmp_path / "graph.html").read_text(encoding="utf-8") and names["graph"].data
