"""The command line as other programs call it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from dawn.cli import main, rule_from
from dawn.cli import parser as build_parser
from dawn.rules import RULES, Entropy, EntropyBounded, Factor, Klass, LocalLeap, Margin, Random, rule_specs
from dawn.terminal import loading
from dawn.thresholds import PRESETS
from dawn.trace import load
from tests.dawn.models.small import small_checkpoint

QUESTION = "Mia has 17 apples and buys 7 more. How many apples does she have?"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a command in this process."""
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_run_prints_one_json_object_with_the_agreed_keys(capsys, model):
    code, out, _ = call(capsys, "run", QUESTION, "--model", model, "--gen-length", "24", "--block-length", "8", "--json")
    run = json.loads(out)
    assert code == 0
    assert set(run) == {"model", "rule", "settings", "prompt", "output", "forwards", "tokens", "seconds", "steps"}
    assert run["prompt"] == QUESTION and run["forwards"] == len(run["steps"]) and run["rule"] == "dawn"
    for step in run["steps"]:
        assert set(step) == {"index", "block", "committed", "refused"}
        assert all(set(one) == {"position", "token", "text", "tier", "confidence"} for one in step["committed"])
        assert all(set(one) == {"position", "reason"} for one in step["refused"])
    assert run["tokens"] == sum(len(step["committed"]) for step in run["steps"])


def test_a_saved_trace_can_be_shown_and_checked(capsys, model, tmp_path):
    file = str(tmp_path / "t.npz")
    code, out, _ = call(capsys, "run", QUESTION, "--model", model, "--gen-length", "16", "--save", file)
    assert code == 0 and "forward passes" in out and "tokens per forward" in out
    trace = load(file)
    code, out, _ = call(capsys, "show", file)
    assert code == 0 and f"{trace.forwards} forward passes" in out
    code, out, _ = call(capsys, "show", file, "--step", "0")
    assert code == 0 and "because" in out
    code, out, _ = call(capsys, "check", file)
    assert code == 0 and out.startswith("valid")


def test_the_settings_given_are_the_settings_used(capsys, model):
    arguments = ("--high", ".8", "--induced", ".6", "--low", ".65", "--edge", ".1", "--sink", "3", "--sink-mode", "relative")
    code, out, _ = call(
        capsys, "run", "x", "--model", model, "--gen-length", "4", "--variant", "published", *arguments, "--json"
    )
    settings = json.loads(out)["settings"]
    assert code == 0 and settings["variant"] == "published" and settings["sink_mode"] == "relative"
    assert [settings[name] for name in ("high", "induced", "low", "edge", "sink")] == [0.8, 0.6, 0.65, 0.1, 3.0]


def test_the_embedded_model_starts_from_its_own_preset():
    options = build_parser().parse_args(["run", "x", "--low", ".6"])
    rule = rule_from(options)
    preset = PRESETS["Embedded model"]
    assert (rule.thresholds.sink_mode, rule.thresholds.low) == (preset.sink_mode, 0.6)


@pytest.mark.parametrize(
    ("name", "preset"),
    [("GSAI-ML/LLaDA-1.5", "LLaDA · GSM8K, MATH"), ("Dream-org/Dream-v0-Instruct-7B", "Dream Instruct · all tasks")],
)
def test_a_model_of_the_paper_starts_from_its_preset(name, preset):
    assert rule_from(build_parser().parse_args(["run", "x", "--model", name])).thresholds == PRESETS[preset]


def test_placement_is_handed_on_and_loading_is_shown_on_a_terminal_alone(monkeypatch, capsys, model):
    options = ["--dtype", "bfloat16", "--device", "cpu"]
    code, out, err = call(capsys, "run", "x", "--model", model, "--gen-length", "4", *options, "--json")
    assert code == 0 and json.loads(out)["output"] is not None and err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with loading() as report:
        report("downloading", 0.25)
        time.sleep(0.2)
    assert "downloading 25%" in capsys.readouterr().err


def test_text_with_markup_is_printed_as_text(capsys, model, tmp_path):
    file = str(tmp_path / "t.npz")
    call(capsys, "run", "[bold red]hi[/] <b>x</b>", "--model", model, "--gen-length", "4", "--save", file)
    _, out, _ = call(capsys, "show", file)
    assert "[bold red]hi[/] <b>x</b>" in out


MISTAKES = [
    ([], "required"),
    (["nonsense"], "invalid choice"),
    (["run"], "QUESTION"),
    (["run", ""], "empty"),
    (["run", "x" * 50_000], "shorten"),
    (["run", "x", "--gen-length", "-5"], "at least 1"),
    (["run", "x", "--gen-length", "100000"], "shorten"),
    (["run", "x", "--block-length", "0"], "at least 1"),
    (["run", "x", "--high", "7"], "high must be"),
    (["run", "x", "--high", "nan"], "high must be"),
    (["run", "x", "--edge", "0"], "above 0"),
    (["run", "x", "--temperature", "-1"], "temperature"),
    (["run", "x", "--seed", "-1"], "seed"),
    (["run", "x", "--rule", "nope"], "invalid choice"),
    (["run", "x", "--rule", "confidence", "--edge", ".1"], "no setting edge"),
    (["run", "x", "--rule", "original", "--rule-seed", "1"], "no setting seed"),
    (["run", "x", "--rule", "factor", "--factor", "-1"], "factor must be a number"),
    (["run", "x", "--rule", "eb", "--radius", "3"], "no setting radius"),
    (["run", "x", "--model", "nowhere"], "unknown model"),
    (["run", "x", "--device", "toaster"], "unknown device"),
    (["run", "x", "--dtype", "int3"], "invalid choice"),
    (["run", "x", "--load-in", "3bit"], "invalid choice"),
    (["eval", "--device", "toaster"], "unknown device"),
    (["run", "x", "--gen-length", "4", "--save", "/nowhere/at/all.npz"], "cannot write"),
    (["show", "/nowhere.npz"], "cannot read"),
    (["check", __file__], "not a trace"),
    (["check", "/"], "cannot read"),
    (["golden", __file__], "golden"),
    (["golden", "/nowhere.npz"], "nowhere"),
    (["eval", "--n", "0"], "--n"),
    (["eval", "--task", "chess"], "unknown task"),
    (["calibrate", "--n", "0"], "--n"),
    (["calibrate", "--rule", "nope"], "invalid choice"),
    (["calibrate", "--task", "chess"], "unknown task"),
    (["preset", "--report-n", "0"], "--report-n"),
    (["preset", "--points", "nan"], "--points must be a number"),
    (["preset", "--task", "chess"], "unknown task"),
    (["operands", "--n", "0"], "--n"),
    (["operands", "--rule", "original"], "no dependency graph"),
]


@pytest.mark.parametrize(
    "arguments, words", MISTAKES, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else ""
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(capsys, model, arguments, words):
    if arguments[:1] in (["run"], ["eval"], ["operands"]) and "--model" not in arguments:
        arguments = [*arguments, "--model", model]
    code, out, err = call(capsys, *arguments)
    assert code == 2 and out == "" and words in err
    assert err.count("\n") == 1 and "Traceback" not in err and len(err) < 400


def test_eval_prints_the_agreed_keys(capsys, model):
    code, out, _ = call(capsys, "eval", "--model", model, "--n", "2", "--rule", "confidence", "--high", "0.5", "--json")
    result = json.loads(out)
    keys = {"accuracy", "ci95", "n", "forwards_per_item", "tokens_per_forward", "tokens_per_second"}
    assert code == 0 and keys <= set(result) and result["n"] == 2 and result["settings"] == {"high": 0.5}


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--rule", "factor", "--factor", "0.5"], Factor(0.5)),
        (["--rule", "localleap", "--high", ".8", "--relaxed", ".6", "--radius", "2"], LocalLeap(0.8, 0.6, 2)),
        (["--rule", "eb", "--gamma", "0.3"], EntropyBounded(0.3)),
        (["--rule", "random", "--steps-per-block", "4", "--rule-seed", "7", "--seed", "3"], Random(4, 7)),
        (["--rule", "random", "--seed", "3"], Random(0, 0)),
        (["--rule", "entropy", "--steps-per-block", "4"], Entropy(4)),
        (["--rule", "margin"], Margin()),
        (["--rule", "klass", "--kappa", ".7", "--epsilon", ".01", "--history", "3"], Klass(0, 0.7, 0.01, 3)),
    ],
)
def test_every_numeric_setting_has_a_flag(arguments, rule):
    options = build_parser().parse_args(["run", "x", *arguments])
    assert rule_from(options) == rule


def test_every_rule_can_be_run_and_every_setting_given():
    options = vars(build_parser().parse_args(["run", "x"]))
    for name in RULES:
        assert {f"setting_{setting}" for setting in rule_specs(name)} <= set(options)
        assert rule_from(build_parser().parse_args(["run", "x", "--rule", name])).name == name


def test_golden_agrees(capsys):
    code, out, _ = call(capsys, "golden", "tests/data/llada_rules.npz", "tests/data/dream_rules.npz")
    assert code == 0 and "threshold" in out


def test_as_a_program():
    """The real entry: module, exit code, nothing on standard output, no traceback."""
    done = subprocess.run([sys.executable, "-m", "dawn", "check", "/nowhere"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
