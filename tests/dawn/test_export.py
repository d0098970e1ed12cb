"""`python -m dawn export`: what it writes, and that a mistake is one line and writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dawn.__main__ import FORMATS as EXPORTS
from dawn.__main__ import add_export
from dawn.cli import main
from dawn.rules import Confidence
from dawn.trace import load, save
from tests.viz.synthetic import synthetic_trace
from viz.exports import FORMATS, made


@pytest.fixture(scope="module")
def trace_file(tmp_path_factory):
    """A made-up trace, as a file."""
    path = tmp_path_factory.mktemp("export") / "run.npz"
    save(synthetic_trace(24, 12), path)
    return str(path)


def export(capsys, *arguments: str):
    """Exit code, standard output and standard error of `python -m dawn …`, as it is put together."""
    code = main(list(map(str, arguments)), [add_export])
    return code, *capsys.readouterr()


def test_export_offers_what_there_is_to_make():
    assert set(EXPORTS) == set(FORMATS)


def test_export_writes_every_format_at_once(capsys, trace_file, tmp_path):
    wanted = {name: tmp_path / f"out.{name}" for name in EXPORTS}
    flags = [part for name, path in wanted.items() for part in (f"--{name}", path)]
    code, out, err = export(capsys, "export", trace_file, *flags, "--step", "1")
    assert (code, out, err) == (0, "", "")
    for name, path in wanted.items():
        assert path.read_bytes() == made(load(trace_file), name, 1) or name == "mp4"
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in wanted.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["FILE"], "nothing to export"),
        (["FILE", "--exe", "x"], "unrecognized"),
        (["FILE", "--gif"], "expected one argument"),
        (["FILE", "--png", "OUT", "--step", "999"], "steps 0 to"),
        (["FILE", "--png", "OUT", "--step", "-1"], "steps 0 to"),
        (["FILE", "--png", "OUT", "--step", "x"], "invalid int"),
        (["FILE", "--png", "OUT", "--svg", "OUT"], "same file"),
        (["FILE", "--csv", "/nowhere/at/all.csv"], "cannot write"),
        (["FILE", "--csv", "/"], "cannot write"),
        (["FILE", "--csv", "a\0b"], "cannot write"),
        (["/nowhere.npz", "--csv", "OUT"], "cannot read"),
        ([__file__, "--html", "OUT"], "not a trace"),
        (["a\0b", "--html", "OUT"], "zero byte"),
    ],
)
def test_a_mistake_in_export_is_one_line_and_writes_nothing(capsys, trace_file, tmp_path, arguments, words):
    named = {"FILE": trace_file, "OUT": str(tmp_path / "out")}
    try:
        code, out, err = export(capsys, "export", *(named.get(one, one) for one in arguments))
    except SystemExit as stopped:
        code, (out, err) = stopped.code, capsys.readouterr()
    assert code == 2 and out == "" and words in err and err.count("\n") == 1 and "Traceback" not in err
    assert os.listdir(tmp_path) == []


def test_if_one_format_cannot_be_made_none_is_written(capsys, tmp_path):
    save(synthetic_trace(24, 12, rule=Confidence(0.5)), tmp_path / "run.npz")
    code, _, err = export(capsys, "export", tmp_path / "run.npz", "--csv", tmp_path / "a", "--graphml", tmp_path / "b")
    assert code == 2 and "reads no dependency graph" in err and os.listdir(tmp_path) == ["run.npz"]


def test_export_as_a_program(trace_file, tmp_path):
    command = [sys.executable, "-m", "dawn", "export", trace_file, "--svg", tmp_path / "x.svg"]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "x.svg").read_bytes().startswith(b"<svg")
