"""The command line, `python -m dawn`: every command but those that `__main__` adds.

Errors are one line and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NoReturn

from dawn.decode import Options
from dawn.errors import DawnError, RuleError
from dawn.files import write_whole
from dawn.ledger import to_csv
from dawn.plain import trace_json
from dawn.prediction import EVERYTHING, Needs
from dawn.rules import RULES, Rule, make_rule, rule_specs, settings_of, standard_rule
from dawn.run import BLOCK, GENERATED
from dawn.settings import Choice, Whole, require_number
from dawn.trace import Trace, load, save

ROUNDS, QUICK_ROUNDS = 240, 24  # samples of the benchmark; its large cases take fewer


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: list[str], more: Sequence[Callable] = ()) -> int:
    """Run a command; the process's exit code. more: functions that add further commands."""
    try:
        options = parser(more).parse_args(arguments)
        return options.command(options)
    except DawnError as error:
        print(f"dawn: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dawn: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def parser(more: Sequence[Callable] = ()) -> Parser:
    """All commands with their options. more: functions that add others."""
    top = Parser(prog="dawn", description="Dependency-aware decoding of diffusion language models, step by step.")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    add_run(commands)
    add_show(commands)
    add_golden(commands)
    add_eval(commands)
    add_table(commands)
    add_calibrate(commands)
    add_preset(commands)
    add_operands(commands)
    add_bench(commands)
    add_pretrain(commands)
    for add in more:
        add(commands)
    return top


def add_run(commands) -> None:
    run = commands.add_parser("run", help="decode an answer and draw the steps")
    run.add_argument("prompt", metavar="QUESTION", help="may hold [MASK] or [MASK x 5]: positions to fill in")
    add_model_and_rule(run)
    run.add_argument("--gen-length", type=int, default=GENERATED, help="positions to generate (default %(default)s)")
    run.add_argument("--block-length", type=int, default=BLOCK, help="positions per block (default %(default)s)")
    run.add_argument("--temperature", type=float, default=0.0, help="0 is greedy (default)")
    run.add_argument("--seed", type=int, default=0, help="of the sampling noise (default %(default)s)")
    add_end_of_text(run)
    run.add_argument(
        "--fix", action="append", default=[], metavar='"5: therefore"', help="write this from position 5 of the answer on"
    )
    run.add_argument("--save", type=Path, metavar="FILE", help="write the trace as an .npz file")
    run.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    run.set_defaults(command=run_command)


def add_end_of_text(command) -> None:
    """What to do about end-of-text, for every rule."""
    command.add_argument("--no-stop-at-end", action="store_true", help="decode on when the answer has ended")
    command.add_argument("--suppress-end", action="store_true", help="commit end-of-text tokens last (large blocks end early)")


def decoding_of(options) -> Options:
    """How the command's options say to decode."""
    ends = {"stop_at_end": not options.no_stop_at_end, "suppress_end": options.suppress_end}
    return Options(getattr(options, "temperature", 0.0), options.seed, **ends)


def add_model_and_rule(command) -> None:
    """--model, --rule and the rules' settings."""
    add_model(command)
    command.add_argument("--rule", default="dawn", choices=list(RULES), help="decision rule (default %(default)s)")
    add_settings(command)


def add_settings(command) -> None:
    """A flag for every setting of any rule."""
    for name, (spec, takers) in settings_by_name().items():
        kinds = {"choices": spec.options} if isinstance(spec, Choice) else {"type": int if isinstance(spec, Whole) else float}
        words = f"{spec.help} Rules: {', '.join(takers)}." if "dawn" not in takers else spec.help
        command.add_argument(
            flag_of(name), dest=f"setting_{name}", metavar=None if "choices" in kinds else "X", help=words, **kinds
        )


def settings_by_name() -> dict[str, tuple]:
    """Every setting of any rule: its spec in the first rule that has it, and the rules that take it."""
    found: dict[str, tuple] = {}
    for rule in RULES:
        for name, spec in rule_specs(rule).items():
            found.setdefault(name, (spec, []))[1].append(rule)
    return found


def flag_of(setting: str) -> str:
    """The flag of a setting; a rule's seed is not that of the sampling noise."""
    return "--rule-seed" if setting == "seed" else "--" + setting.replace("_", "-")


def add_model(command) -> None:
    """Which model, where, and in which numbers."""
    command.add_argument(
        "--model",
        default="embedded",
        metavar="NAME",
        help="embedded, a hub name such as GSAI-ML/LLaDA-8B-Instruct, or a checkpoint's folder (default %(default)s)",
    )
    command.add_argument(
        "--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"), help="default %(default)s"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0 …, mps (default %(default)s)")
    command.add_argument("--load-in", choices=("8bit", "4bit"), help="quantise the weights (needs bitsandbytes and accelerate)")
    command.add_argument(
        "--device-map",
        choices=("auto", "balanced", "sequential"),
        help="spread a large model over all devices (needs accelerate)",
    )


def load_from(options):
    """The model that the options name; its loading is shown on a terminal."""
    from dawn.models import load_model
    from dawn.terminal import loading

    placement = {name: getattr(options, name) for name in ("dtype", "device", "load_in", "device_map")}
    with loading() as report:
        return load_model(options.model, **placement, report=report)


def add_show(commands) -> None:
    show = commands.add_parser("show", help="print a trace file, or one of its steps")
    show.add_argument("file", type=Path)
    show.add_argument("--step", type=int, metavar="K", help="every decision of step K, counted from 0")
    show.add_argument("--csv", type=Path, metavar="OUT", help="write the ledger: every position of every step, counted from 1")
    show.set_defaults(command=show_command)
    check = commands.add_parser("check", help="say whether a trace file is valid, or why not")
    check.add_argument("file", type=Path)
    check.set_defaults(command=check_command)


def add_golden(commands) -> None:
    golden = commands.add_parser("golden", help="compare the rules with selections of the published code")
    golden.add_argument("files", type=Path, nargs="+", metavar="FILE")
    golden.set_defaults(command=golden_command)


def add_eval(commands) -> None:
    evaluate = commands.add_parser("eval", help="accuracy and cost on held-out problems")
    evaluate.add_argument("--task", default="gsm_symbolic", help="default %(default)s")
    add_problems(evaluate)
    add_model_and_rule(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    evaluate.set_defaults(command=eval_command)


def add_table(commands) -> None:
    table = commands.add_parser("table", help="every rule on the same held-out problems; goes on where it was stopped")
    table.add_argument("--task", default="gsm_symbolic", help="default %(default)s")
    add_problems(table)
    table.add_argument("--model", default="embedded", help="`embedded`, or the folder of a checkpoint (default %(default)s)")
    place = table.add_mutually_exclusive_group(required=True)
    place.add_argument("--save", type=Path, metavar="FILE", help="run, and write each rule's outcome here when it is done")
    place.add_argument("--show", type=Path, metavar="FILE", help="run nothing: print what FILE holds")
    table.add_argument("--picture", type=Path, metavar="FILE", help="draw accuracy over forward passes as an SVG file")
    table.set_defaults(command=table_command)


def add_calibrate(commands) -> None:
    calibrate = commands.add_parser("calibrate", help="are confidences honest? Every committed token against what is right")
    calibrate.add_argument("--task", default="gsm_symbolic", help="default %(default)s")
    add_problems(calibrate)
    add_model(calibrate)
    names = {"nargs": "+", "default": ["dawn"], "choices": list(RULES), "metavar": "RULE"}
    calibrate.add_argument("--rule", help="decision rules, one or more (default dawn)", **names)
    add_settings(calibrate)
    calibrate.add_argument("--save", type=Path, metavar="FILE", help="keep every token here; goes on with what it holds")
    calibrate.add_argument("--picture", type=Path, metavar="FILE", help="draw the reliability diagram as an SVG file")
    calibrate.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    calibrate.set_defaults(command=calibrate_command)


def add_preset(commands) -> None:
    words = "choose DAWN's thresholds and layers on some held-out problems and report on others; goes on where it was stopped"
    preset = commands.add_parser("preset", help=words)
    preset.add_argument("--task", default="gsm_symbolic", help="default %(default)s")
    add_problems(preset, words=" to choose on")
    add_problems(preset, "--report-n", "--report-seed", " to report on", seed=1_000_000)
    add_model(preset)
    words = "points of accuracy that it may lose to `original` (default %(default)g)"
    preset.add_argument("--points", type=float, default=1.0, metavar="D", help=words)
    words = 'a dial\'s values, as in "low=.75,.8,.85", "high=.9" or "layers=5,0+3,2-5,all"; instead of the usual ones'
    preset.add_argument("--try", dest="tried", action="append", default=[], metavar="NAME=VALUES", help=words)
    words = "keep every setting's outcomes here when it is done; goes on with what it holds"
    preset.add_argument("--save", type=Path, metavar="FILE", help=words)
    preset.add_argument("--picture", type=Path, metavar="FILE", help="draw all settings, and the frontier, as an SVG file")
    preset.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    preset.set_defaults(command=preset_command)


def add_problems(command, number: str = "--n", seed_flag: str = "--seed", words: str = "", seed: int = 0) -> None:
    """How many held-out problems, and which; words: what they are for."""
    command.add_argument(number, type=int, default=400, help=f"number of problems{words} (default %(default)s)")
    command.add_argument(seed_flag, type=int, default=seed, help="which held-out problems (default %(default)s)")


def add_operands(commands) -> None:
    operands = commands.add_parser("operands", help="where the edges into computed numbers come from, layer by layer")
    add_problems(operands)
    add_model_and_rule(operands)
    operands.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    operands.add_argument("--save", type=Path, metavar="FILE", help="write that object here")
    operands.add_argument("--picture", type=Path, metavar="FILE", help="draw the shares of edges as an SVG file")
    operands.set_defaults(command=operands_command)


def add_bench(commands) -> None:
    bench = commands.add_parser("bench", help="what looking costs: ratios to the model's bare forward pass")
    bench.add_argument("--model", default="embedded", help="`embedded`, or the folder of a checkpoint (default %(default)s)")
    bench.add_argument("--quick", action="store_true", help="fewer samples: a look, with wide intervals")
    bench.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    bench.set_defaults(command=bench_command)


def add_pretrain(commands) -> None:
    pretrain = commands.add_parser("pretrain", help="train the embedded model; resumes where it stopped")
    pretrain.add_argument("--directory", type=Path, default=Path("runs/embedded"), help="checkpoints (default %(default)s)")
    pretrain.add_argument(
        "--recipe", type=Path, metavar="FILE", help="JSON with what is not standard, or a model's training.json"
    )
    pretrain.add_argument("--steps", type=int, help="steps of the whole recipe (default: the recipe's, else 6000)")
    pretrain.add_argument("--seed", type=int, help="of weights and data (default: the recipe's, else 0)")
    pretrain.add_argument("--processes", type=int, help="side by side, one a core (default: the recipe's, else 1)")
    pretrain.add_argument("--start-from", type=Path, metavar="FOLDER", help="begin with the weights of an exported model")
    pretrain.add_argument("--export", type=Path, metavar="FOLDER", help="write the model here when done")
    pretrain.add_argument("--picture", type=Path, metavar="FILE", help="draw the learning curve as an SVG file when done")
    pretrain.set_defaults(command=pretrain_command)


def rule_from(options) -> Rule:
    """The rule that the options describe: explicit settings over the model's preset (for DAWN) or the rule's defaults."""
    return standard_rule(options.rule, options.model, settings_given(options))


def settings_given(options) -> dict:
    """The rules' settings that the command names."""
    given = {name: getattr(options, f"setting_{name}") for name in settings_by_name()}
    return {name: value for name, value in given.items() if value is not None}


def run_command(options) -> int:
    from dawn.run import start

    rule = rule_from(options)
    decoding = decoding_of(options)
    model = load_from(options)
    watch = (
        EVERYTHING if options.save or options.temperature else Needs()
    )  # noise is drawn for what is watched: one seed, one run
    run = start(
        model, options.prompt, rule, options.gen_length, options.block_length, decoding, "\n".join(options.fix), watch=watch
    )
    for _ in run.iterate() if options.json else drawn(run, model):
        pass
    trace = run.trace()
    if options.save:
        save_to(trace, options.save)
    print_run(trace, options.json)
    return 0


def drawn(run, model):
    """The run's records, each drawn in place as it comes."""
    from rich.live import Live

    from dawn.terminal import live_view

    with Live(refresh_per_second=30, transient=True) as live:
        for step in run.iterate():
            live.update(live_view(step, model.pieces(set(step.after.tokens.tolist())), model.special_ids))
            yield step


def save_to(trace: Trace, path: Path) -> None:
    try:
        save(trace, path)
    except OSError as error:
        raise DawnError(f"cannot write {path}: {error.strerror}") from None


def print_run(trace: Trace, as_json: bool) -> None:
    if as_json:
        print(json.dumps(trace_json(trace)))
        return
    from rich.console import Console

    from dawn.terminal import summary

    Console().print(summary(trace))


def show_command(options) -> int:
    from rich.console import Console

    from dawn.terminal import step_table, trace_table

    trace = load(options.file)
    if options.step is not None and not 0 <= options.step < len(trace.steps):
        raise RuleError(f"the trace has steps 0 to {len(trace.steps) - 1}, not {options.step}")
    if options.csv:
        write_text(options.csv, to_csv(trace.steps, trace.pieces))
        return 0
    Console().print(trace_table(trace) if options.step is None else step_table(trace, options.step))
    return 0


def check_command(options) -> int:
    trace = load(options.file)
    print(
        f"valid: {len(trace.steps)} steps, {trace.canvas.length} positions, rule {trace.setup.rule}, model {trace.setup.model}"
    )
    return 0


def golden_command(options) -> int:
    from rich.console import Console

    from dawn.golden import check, unpublished
    from dawn.terminal import golden_table

    results = check(options.files)
    Console().print(golden_table(results, unpublished(results)))
    return 0 if all(result.passed for result in results) else 1


def require_count(flag: str, n: int) -> None:
    """Refuse what is no number of problems."""
    if not 1 <= n <= 1_000_000:
        raise DawnError(f"{flag} must be from 1 to 1000000, not {n}")


def eval_command(options) -> int:
    from dawn.evaluate import outcomes, report
    from dawn.models import embedded_tokenizer

    require_count("--n", options.n)
    rule = rule_from(options)
    stream = outcomes(load_from(options), rule, options.n, options.seed, embedded_tokenizer(), options.task)
    result = asdict(report(list(with_progress(stream, options.n))))
    if options.json:
        facts = {"task": options.task, "seed": options.seed, "model": options.model, "rule": rule.name}
        print(json.dumps(facts | {"settings": settings_of(rule)} | result))
        return 0
    low, high = result["ci95"]
    print(f"{rule.name}: accuracy {result['accuracy']:.1%} (95 % interval {low:.1%} to {high:.1%}, n = {result['n']})")
    print(
        f"{result['forwards_per_item']:.1f} forward passes per problem, {result['tokens_per_forward']:.2f} tokens per forward"
    )
    print(f"{result['tokens_per_second']:.0f} tokens per second")
    return 0


def table_command(options) -> int:
    from dawn.chart import svg
    from dawn.table import markdown, read

    if options.save:
        fill_table(options)
    table = read(options.show or options.save)
    if options.picture:
        write_text(options.picture, svg(table))
    print(markdown(table))
    return 0


def fill_table(options) -> None:
    """Run the rules that the file does not hold yet."""
    from dawn.evaluate import outcomes
    from dawn.models import embedded_tokenizer, load_model
    from dawn.table import Setting, fill, probe

    require_count("--n", options.n)
    model, tokenizer = load_model(options.model), embedded_tokenizer()
    rules = [standard_rule(name, options.model) for name in RULES]

    def run(rule: Rule):
        stream = outcomes(model, rule, options.n, options.seed, tokenizer, options.task)
        return list(with_progress(stream, options.n, rule.name))

    fill(options.save, Setting(options.task, options.seed, options.n, options.model, probe(model)), rules, run)


def calibrate_command(options) -> int:
    from dawn.calibration import CALIBRATION, without_tokens
    from dawn.diagram import svg, text

    require_count("--n", options.n)
    given = settings_given(options)
    rules = [standard_rule(name, options.model, given) for name in dict.fromkeys(options.rule)]
    record = calibrated(options, rules)
    shown = record | {CALIBRATION.entries: {rule.name: record[CALIBRATION.entries][rule.name] for rule in rules}}
    if options.picture:
        write_text(options.picture, svg(shown))
    figures = shown | {CALIBRATION.entries: without_tokens(shown[CALIBRATION.entries])}
    print(json.dumps(figures) if options.json else text(shown))
    return 0


def calibrated(options, rules: list[Rule]) -> dict:
    """The file of `calibrate` with these rules in it; kept on disk rule by rule if it has a place there."""
    from dawn.calibration import CALIBRATION, commitments, fill, reference_equations
    from dawn.evaluate import held_out
    from dawn.models import embedded_tokenizer
    from dawn.table import Setting, begun, probe, write

    problems = list(islice(held_out(options.seed, embedded_tokenizer(), options.task), options.n))
    model = load_from(options)
    setting = Setting(options.task, options.seed, options.n, options.model, probe(model))
    record = begun(options.save, setting, CALIBRATION)
    record["reference_equations"] = reference_equations(problems)

    def run(rule: Rule) -> list[list]:
        return list(with_progress((commitments(model, rule, one) for one in problems), len(problems), rule.name))

    def done() -> None:
        if options.save:
            write(options.save, record)

    fill(record[CALIBRATION.entries], rules, run, done)
    return record


def preset_command(options) -> int:
    from dawn.preset import markdown, without_items
    from dawn.scatter import svg

    require_count("--n", options.n)
    require_count("--report-n", options.report_n)
    require_number("--points", options.points, 0, 100)
    record = preset_found(options)
    if options.picture:
        write_text(options.picture, svg(record))
    print(json.dumps(without_items(record)) if options.json else markdown(record))
    return 0


def preset_found(options) -> dict:
    """The file of `preset` with its choice and report; kept on disk setting by setting if it has a place there."""
    from dawn.evaluate import held_out
    from dawn.models import embedded_tokenizer
    from dawn.models.detail import layers_and_heads
    from dawn.preset import PRESET, Point, Splits, dials_of, fill, splits
    from dawn.table import begun, probe, write

    tokenizer = embedded_tokenizer()
    asked = (options.seed, options.n), (options.report_seed, options.report_n)
    tuning, reporting = splits(lambda seed: held_out(seed, tokenizer, options.task), *asked)
    model = load_from(options)
    sizes = {"report_seed": options.report_seed, "report_n": options.report_n}
    setting = Splits(options.task, options.seed, options.n, options.model, probe(model), **sizes)
    dials = dials_of(options.tried, layers_and_heads(model)[0])
    record = {"report": {}} | begun(options.save, setting, PRESET)
    start = Point(standard_rule("dawn", options.model).thresholds, tuple(sorted(model.tapped)))

    def keep() -> None:
        if options.save:
            write(options.save, record)

    fill(record, start, dials, options.points, (runner(model, tuning), runner(model, reporting)), keep)
    return record


def runner(model, problems: list):
    """What decodes the problems with a point's thresholds and layers, or with `original`."""
    from dawn.evaluate import outcome

    def run(point) -> list:
        rule = make_rule("dawn", asdict(point.thresholds)) if point else make_rule("original", {})
        before, words = model.tapped, point.name if point else rule.name
        model.average(point.layers if point else before)
        try:
            return list(with_progress((outcome(model, rule, one) for one in problems), len(problems), words))
        finally:
            model.average(before)

    return run


def operands_command(options) -> int:
    from dawn.models import embedded_tokenizer
    from dawn.models.layers import attention_by_layer
    from dawn.operands import markdown, measure, report
    from dawn.operands_chart import svg

    require_count("--n", options.n)
    rule, model = rule_from(options), load_from(options)
    layers = partial(attention_by_layer, model)
    found = report(list(with_progress(measure(model, rule, options.n, options.seed, embedded_tokenizer(), layers), options.n)))
    facts = {"seed": options.seed, "model": options.model, "averaged": [layer + 1 for layer in sorted(model.tapped)]}
    document = json.dumps(facts | {"rule": rule.name, "settings": settings_of(rule)} | asdict(found))
    if options.save:
        write_text(options.save, document + "\n")
    if options.picture:
        write_text(options.picture, svg(found))
    print(document if options.json else markdown(found))
    return 0


def write_text(path: Path, text: str) -> None:
    write_files({path: text.encode("utf-8", "replace")})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write each file whole or not at all; DawnError where one cannot be written."""
    for path, data in files.items():
        try:
            write_whole(path, data)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            raise DawnError(f"cannot write {path!s:.200}: {getattr(error, 'strerror', None) or 'no such file name'}") from None


def bench_command(options) -> int:
    from rich.console import Console

    from dawn.bench.report import bench_json, bench_tables
    from dawn.models import load_model
    from dawn.models.cost import run_bench

    bench = run_bench(load_model(options.model, device="cpu"), QUICK_ROUNDS if options.quick else ROUNDS)
    if options.json:
        print(json.dumps(bench_json(bench)))
    else:
        Console().print(bench_tables(bench))
    return 0


def with_progress(stream, total: int, words: str = "problems"):
    """The stream's items, with a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import track

    hidden = not sys.stderr.isatty()
    return track(stream, total=total, description=words, console=Console(stderr=True), transient=True, disable=hidden)


def pretrain_command(options) -> int:
    from dawn.pretrain.curve import read, svg
    from dawn.pretrain.recipe import Recipe, read_recipe
    from dawn.pretrain.train import train

    given = {name: getattr(options, name) for name in ("steps", "seed", "processes")}
    written = read_recipe(options.recipe) if options.recipe else {}
    recipe = Recipe(**written | {name: value for name, value in given.items() if value is not None})
    with training_bar(recipe.steps) as report:
        training = train(recipe, options.directory, options.start_from, report)
    if options.export:
        training.export(options.export)
        print(f"exported to {options.export}")
    if options.picture:
        write_text(options.picture, svg(read(options.directory)))
    return 0


@contextmanager
def training_bar(steps: int):
    """A progress bar with the running figures: what is told of each step."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("training", total=steps)

        def report(progress):
            speed = progress.tokens / progress.seconds
            bar.update(task, completed=progress.step, description=f"loss {progress.loss:.3f}, {speed:.0f} tokens/s")

        yield report
