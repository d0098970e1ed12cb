"""The Explore tab: ask, set, run; the explorer beside it. Components and wiring only; `viz.lab` answers."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import gradio as gr

from dawn.errors import DawnError
from dawn.rules import RULES, make_rule, setting_names, settings_of
from dawn.thresholds import ANCHOR_CONFIDENCES, ATTENTION_ROWS, HELP, PRESETS, SINK_MODES, THRESHOLD_NAMES, VARIANTS, preset_of
from viz.components.explorer import Explorer
from viz.lab import LONGEST_GENERATION, Lab, Request

SINK_RANGES = {"absolute": (0.2, 0.001), "relative": (20.0, 0.1)}
SINK_START = {"absolute": 0.01, "relative": 4.0}
FIRST_PRESET = next(iter(PRESETS))

EXAMPLES = (
    "A tower is made out of 8 white bricks, 2 times as many black bricks, and an unknown number of purple bricks. "
    "If there are 40 bricks in the tower in total, how many purple bricks are there?",
    "Charlotte sliced an peach into 25 pieces. She ate 3 slice, her cousin ate 8 more than her, and her friend ate 3 more "
    "than her cousin. How many slices of peach did they all eat?",
    "James is 22 years old. In 7 years his sister Jennifer will be 2 times as old as James is now. "
    "How old is Jennifer right now?",
    "A cup of tea is 7 ounces of tea. James drinks 6 cups of tea. If tea has 3 calories per ounce how many calories did he "
    "consume?",
)
LIMITS = "The embedded model has learned one kind of text: short word problems like these. Other questions get nonsense."

PROPOSE = """(rule, ...values) => {
  const names = NAMES, takes = TAKES[rule] || [];
  const settings = {};
  names.forEach((name, i) => { if (takes.includes(name)) settings[name] = values[i]; });
  window.dawnExplorer && window.dawnExplorer.propose(rule, settings);
}"""


def propose_script() -> str:
    """The script that hands the page's thresholds to the explorer, which asks what they would change at the shown step."""
    takes = {rule: setting_names(rule) for rule in RULES}
    return PROPOSE.replace("NAMES", json.dumps(THRESHOLD_NAMES)).replace("TAKES", json.dumps(takes))


def build_explore(lab: Lab, first: dict) -> None:
    """Fill the current tab. first: the explorer's value before anything has run."""
    with gr.Row(elem_id="explore"):
        with gr.Column(scale=2, min_width=300, elem_id="controls"):
            prompt, run, stop = ask()
            with gr.Column(elem_id="settings"):
                model, state, rule, lengths = choose(lab)
                preset, thresholds = tune(preset_of(lab.models[0]) or FIRST_PRESET)
        with gr.Column(scale=7, min_width=320):
            explorer = Explorer(lab.fetch, lab.what_if, value=first)
    wire_runs(lab, [explorer, state], prompt, run, stop, [prompt, model, rule, *lengths, *thresholds])
    wire_model(lab, model, state, preset, rule, thresholds)
    wire_thresholds(preset, rule, thresholds)


def ask() -> tuple[gr.Textbox, gr.Button, gr.Button]:
    """Question, examples, Run and Stop."""
    prompt = gr.Textbox(EXAMPLES[0], label="Question", lines=4, max_lines=8, elem_id="prompt", info=LIMITS)
    with gr.Row(elem_id="buttons"):
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=80)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=80)
    gr.Examples([[text] for text in EXAMPLES], [prompt], label="Examples", elem_id="examples")
    return prompt, run, stop


def choose(lab: Lab):
    """Model, how it stands, rule, and how much to generate: generation length, block length, temperature, seed."""
    model = gr.Dropdown(list(lab.models), value=lab.models[0], label="Model", elem_id="model", min_width=120)
    state = gr.HTML(line(lab.state(lab.models[0]).words), elem_id="model-state")
    first = next(iter(RULES))
    rule = gr.Dropdown(list(RULES), value=first, label="Rule", info=rule_help(first), elem_id="rule", min_width=120)
    with gr.Accordion("Length and sampling", open=False):
        generated = gr.Slider(8, LONGEST_GENERATION, 96, step=8, label="Generation length", elem_id="gen-length")
        block = gr.Slider(4, 64, 32, step=4, label="Block length", elem_id="block-length")
        temperature = gr.Slider(0, 2, 0, step=0.05, label="Temperature", elem_id="temperature")
        seed = gr.Number(0, precision=0, label="Seed", elem_id="seed")
    return model, state, rule, (generated, block, temperature, seed)


def tune(first: str) -> tuple[gr.Dropdown, list]:
    """The preset and the nine settings, in the order of THRESHOLD_NAMES."""
    start = PRESETS[first]
    preset = gr.Dropdown(list(PRESETS), value=first, label="Preset", elem_id="preset")
    sliders = [
        gr.Slider(
            0.01 if name == "edge" else 0,
            1,
            getattr(start, name),
            step=0.01,
            label=label,
            info=HELP[name],
            elem_id=f"threshold-{name}",
        )
        for name, label in (("high", "τ high"), ("induced", "τ induced"), ("low", "τ low"), ("edge", "τ edge"))
    ]
    largest, step = SINK_RANGES[start.sink_mode]
    sliders.append(gr.Slider(0, largest, start.sink, step=step, label="τ sink", info=HELP["sink"], elem_id="threshold-sink"))
    with gr.Accordion("What the thresholds mean", open=False):
        choices = [
            gr.Radio(
                list(options),
                value=getattr(start, name),
                label=name.replace("_", " "),
                info=HELP[name],
                elem_id=f"setting-{name}",
            )
            for name, options in (
                ("sink_mode", SINK_MODES),
                ("variant", VARIANTS),
                ("anchor_confidence", ANCHOR_CONFIDENCES),
                ("attention_row", ATTENTION_ROWS),
            )
        ]
    return preset, sliders + choices


def wire_runs(lab: Lab, outputs: list, prompt, run, stop, inputs: list) -> None:
    """Run, Stop, and "decode again from here"; outputs: the explorer and the model's state."""

    def decode(request: gr.Request, *values):
        asked = request_of(values)
        yield from with_loading(lab, asked.model, lab.run(asked, visitor(request)))

    def decode_again(request: gr.Request, event: gr.EventData, *values):
        asked = request_of(values)
        model = lab.model_of(event.trace, asked.model)
        yield from with_loading(lab, model, lab.decode_again(asked, event.trace, event.step, visitor(request)))

    once = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress": "hidden", "trigger_mode": "once"}
    gr.on([run.click, prompt.submit], decode, inputs, outputs, api_name=False, **once)
    outputs[0].fork(decode_again, inputs, outputs, api_name=False, **once)
    stop.click(stopping(lab), None, None, queue=False, show_progress="hidden", api_name=False)


def with_loading(lab: Lab, model: str, values: Iterator[dict]) -> Iterator[tuple]:
    """What the explorer and the line below the model show while the model is loaded, and then while it runs."""
    try:
        for words in lab.loading(model):
            yield gr.skip(), line(words)
    except DawnError as error:
        yield {"notice": str(error)}, line(lab.state(model).words)
        return
    for value in values:
        yield value, gr.skip()
    yield gr.skip(), line(lab.state(model).words)


def line(words: str) -> str:
    """How a model stands, as a line that screen readers announce."""
    return f'<p role="status">{html.escape(words)}</p>'


def stopping(lab: Lab) -> Callable:
    """What Stop and a closed tab do: the visitor's run ends after its step and gives its place free."""

    def stop(request: gr.Request):
        lab.stop(visitor(request))

    return stop


def wire_model(lab: Lab, model, state, preset, rule, thresholds: list) -> None:
    """How the chosen model stands, when the page opens too; choosing one chooses its preset."""

    def watch(name: str):
        yield from map(line, lab.watching(name))

    quiet = {"show_progress": "hidden", "api_name": False}
    gr.on(None, watch, model, state, concurrency_limit=None, **quiet)
    chosen = model.input(model_values, model, [preset, *thresholds], queue=False, **quiet)
    chosen.then(None, [rule, *thresholds], None, js=propose_script())


def wire_thresholds(preset, rule, thresholds: list) -> None:
    """Every move of a threshold proposes it to the explorer, without a request of its own."""
    propose = propose_script()
    inputs = [rule, *thresholds]
    gr.on([one.input for one in thresholds] + [rule.input], None, inputs, None, js=propose)
    sink, mode = thresholds[4], thresholds[5]
    mode.input(
        lambda name: sink_update(name, SINK_START[name]), mode, sink, show_progress="hidden", api_name=False, queue=False
    )
    rule.input(lambda name: gr.update(info=rule_help(name)), rule, rule, show_progress="hidden", api_name=False, queue=False)
    chosen = preset.input(preset_values, preset, thresholds, show_progress="hidden", api_name=False, queue=False)
    chosen.then(None, inputs, None, js=propose)


def rule_help(name: str) -> str:
    """What a rule does, in its own words, and the settings it runs with that have no slider here."""
    settings = settings_of(make_rule(name, {}))
    fixed = [f"{key.replace('_', ' ')} {value:g}" for key, value in settings.items() if key not in THRESHOLD_NAMES]
    return " ".join([RULES[name].__doc__.strip(), *([f"Runs with {', '.join(fixed)}."] if fixed else [])])


def sink_update(mode: str, level: float) -> dict:
    """The sink slider for a sink mode: its range differs."""
    largest, step = SINK_RANGES[mode]
    return gr.update(value=level, maximum=largest, step=step)


def preset_values(name: str) -> list:
    """The nine settings of a preset."""
    values = asdict(PRESETS[name])
    return [sink_update(values["sink_mode"], value) if key == "sink" else value for key, value in values.items()]


def model_values(name: str) -> list:
    """The preset of a model and its nine settings; nothing changes if it has none."""
    preset = preset_of(name)
    return [preset, *preset_values(preset)] if preset else [gr.skip()] * (1 + len(THRESHOLD_NAMES))


def request_of(values: tuple) -> Request:
    """The controls' values, in their order, as a Request."""
    prompt, model, rule, generated, block, temperature, seed, *settings = values
    named = dict(zip(THRESHOLD_NAMES, settings, strict=True))
    return Request(prompt, model, rule, int(generated), int(block), temperature, seed or 0, named)


def visitor(request: gr.Request) -> str:
    """Who asks: one browser tab."""
    return request.session_hash or ""
