"""A run as a command and as Python: both make the run again; text from a trace stays text in a shell and in Python."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
from dataclasses import replace

import pytest

from dawn.cli import main
from dawn.decode import Options
from dawn.errors import DawnError, TraceError
from dawn.models import load_model
from dawn.recipe import command, python, quoted
from dawn.rules import RULES, make_rule
from dawn.run import fork, start
from dawn.trace import Trace
from tests.viz.synthetic import synthetic_trace

TRACE = synthetic_trace(24, 12)
HOSTILE = ["$(touch owned)", "`id`; rm -rf x", "a'b\"c\\d", "-rf", "--help", "!x", "*", "~", "a\tb", "\u202eabc", "é 日本 😀"]
HOSTILE += ["a\nb\x1b[201~\x07"]  # what ends a paste, and would be typed after it
NAMES = {"Options", "load_model", "make_rule", "start", "model", "rule", "options", "run", "step", "iterate", "print", "trace"}
NAMES |= {
    "output",
    "dawn.decode",
    "dawn.models",
    "dawn.rules",
    "dawn.run",
    "index",
    "len",
    "decision",
    "selection",
    "committed",
}


def recorded(rule: str = "dawn", **more) -> Trace:
    """A run of the embedded model."""
    more = {"prompt": "Ann has 3 apples and buys 4. How many has she?", "fixed": "", "options": Options(seed=3)} | more
    run = start(load_model("embedded"), more["prompt"], make_rule(rule, {}), 24, 8, more["options"], more["fixed"])
    for _ in run.iterate():
        pass
    return run.trace()


RUNS = [
    {},
    {"rule": "klass", "options": Options(0.7, 11, suppress_end=True)},
    {"rule": "random", "options": Options(seed=2, stop_at_end=False)},
    {"prompt": "Two and [MASK x 3] make\n'four'", "fixed": "2: therefore\n5: 7"},
]


@pytest.mark.parametrize("made", RUNS, ids=["default", "sampled", "to the end", "masks and fixed tokens"])
def test_the_command_and_the_program_make_the_run_again(made, capsys):
    trace = recorded(**made)
    arguments = subprocess.run(["bash", "-c", f'printf "%s\\0" {command(trace)}'], capture_output=True, check=True).stdout
    words = arguments.decode().split("\0")[:-1]
    assert words[:4] == ["python", "-m", "dawn", "run"]
    assert main([*words[3:], "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["output"] == trace.output and again["forwards"] == trace.forwards
    assert [[one["position"] for one in step["committed"]] for step in again["steps"]] == [
        step.decision.selection.positions.tolist() for step in trace.steps
    ]
    program: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(python(trace), program)
    assert program["trace"].output == trace.output and program["trace"].forwards == trace.forwards
    assert program["trace"].setup == trace.setup


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_reads_text_as_that_text(text):
    line, locale = f"printf %s {quoted(text)}", {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, env=locale)
    assert done.stdout.decode() == text
    assert quoted(text).isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_trace_gives_one_harmless_line(text):
    trace = replace(TRACE, prompt=text, setup=replace(TRACE.setup, model=text))
    line = command(trace)
    assert line.isprintable()
    if text.isprintable():
        words = shlex.split(line)
        assert f"--model={text}" in words and (words[-1] if text.startswith("-") else words[4]) == text
    assert set(compile(python(trace), "snippet", "exec").co_names) <= NAMES


def test_what_no_command_line_holds_is_refused_but_python_holds_it():
    for text in ("a\0b", "\ud800"):
        trace = replace(TRACE, prompt=text)
        with pytest.raises(DawnError, match="copy the run as Python"):
            command(trace)
        compile(python(trace), "snippet", "exec")


def test_a_branch_has_no_command_but_a_program():
    run = fork(load_model("embedded"), recorded(), "name", 1, make_rule("dawn", {}))
    for _ in run.iterate():
        pass
    trace, program = run.trace(), {}
    with pytest.raises(TraceError, match="a branch begins"):
        command(trace)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(python(trace), program)
    assert program["trace"].output == trace.output and program["trace"].forwards == trace.forwards


def test_every_rule_can_be_written():
    for name in RULES:
        rule = make_rule(name, {})
        trace = replace(TRACE, setup=replace(TRACE.setup, rule=name, settings={}))
        assert f"--rule {rule.name}" in command(trace) and repr(name) in python(trace)
