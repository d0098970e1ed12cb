"""The Explore tab: ask, set, run; the explorer beside it. Components and wiring only; `viz.lab` answers."""

from __future__ import annotations

import html
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace

import gradio as gr

from dawn.errors import DawnError
from dawn.pretrain.data import Problem
from dawn.rules import RULES, Dawn, Rule, make_rule, rule_help, rule_specs, settings_of
from dawn.settings import Choice, Spec, Whole, specs
from dawn.thresholds import PRESETS, RELATIVE_SINK_SHOWN, THRESHOLD_NAMES, Thresholds, preset_of
from viz import permalink
from viz.analysis import Analysis
from viz.components.analysis import AnalysisPanels
from viz.components.explorer import Explorer
from viz.components.problem import ProblemCard
from viz.lab import Lab, facts_of
from viz.line import in_turn, threaded
from viz.link import Request
from viz.problem import card as problem_card
from viz.problem import judged
from viz.store import Entry

SINK_RANGES = {"absolute": (0.2, 0.001), "relative": RELATIVE_SINK_SHOWN[1:]}
SINK_START = {"absolute": 0.01, "relative": 3.0}
FIRST_PRESET = next(iter(PRESETS))
QUIET = {"queue": False, "show_progress": "hidden", "api_name": False}  # answered at once, and nothing said of it
TURNS = {"concurrency_limit": None, "show_progress": "hidden", "trigger_mode": "once", "api_name": False}  # see viz.line

EXAMPLES = (
    "Emily is trying to decide whether to do her financial planning herself or hire an financial advisor. If she does it "
    "herself, she'll be able to do 4 fewer hours of part-time work, losing £38/hour in missed income. The financial advisor "
    "charges £129. How much more money will she have if she hires the financial advisor?",
    "A tower is made out of 8 white bricks, 2 times as many black bricks, and an unknown number of purple bricks. "
    "If there are 40 bricks in the tower in total, how many purple bricks are there?",
    "Charlotte sliced an peach into 25 pieces. She ate 3 slice, her cousin ate 8 more than her, and her friend ate 3 more "
    "than her cousin. How many slices of peach did they all eat?",
    "A pizza has 18 portions. If Elijah can eat 3 portions a day while Noah can eat 2 times as much, how "
    "many days will the pizza last?",
)
SUPPRESS = "Large blocks can end an answer too early; this ranks end-of-text tokens behind all others."
FIXED = "One per line, `position: text`: `5: therefore` writes it from the answer's position 5 on. In the question, [MASK] or "
FIXED += "[MASK x 5] are positions to fill in."
UNREADABLE = "the settings could not be read: reload the page and set them again"
LIMITS = {  # by model: what visitors who type their own questions should know
    "embedded": "The embedded model knows about a hundred forms of short English word problem, with numbers up to 200, and "
    "gets about one in twenty of these wrong. It answers every other question with fluent nonsense."
}
OF_THIS = "(question, problem) => (problem && problem.question === question ? problem : {})"

KEYS = (
    *(("dawn", name) for name in THRESHOLD_NAMES),
    *((name, key) for name, rule in RULES.items() for key in specs(rule)),
)  # whose setting each control is, in the controls' order

PROPOSE = """(rule, ...values) => {
  const settings = {};
  for (const [i, name] of TAKES[rule] || []) settings[name] = values[i];
  for (const part of [window.dawnExplorer, window.dawnAnalysis]) part && part.propose(rule, settings);
}"""


def takes(rule: str) -> list[tuple[int, str]]:
    """The controls that a rule reads: their places and the settings' names. DAWN's controls share its thresholds."""
    owners = {rule, "dawn"} if rule in RULES and issubclass(RULES[rule], Dawn) else {rule}
    return [(place, name) for place, (owner, name) in enumerate(KEYS) if owner in owners]


def propose_script() -> str:
    """The script that hands the rule's settings to the explorer, which asks what they would change at the shown step."""
    return PROPOSE.replace("TAKES", json.dumps({rule: takes(rule) for rule in RULES}))


def build_explore(lab: Lab, analysis: Analysis, first: dict, draw: Callable[[], Problem]) -> gr.HTML:
    """Fill the current tab; the explorer. first: its value before anything has run. draw: a held-out problem."""
    with gr.Row(elem_id="explore"):
        with gr.Column(scale=2, min_width=300, elem_id="controls"):
            prompt, run, stop, new, card = ask(lab.models[0])
            with gr.Column(elem_id="settings"):
                model, state, rule, lengths = choose(lab)
                preset, controls, groups = tune(preset_of(lab.models[0]) or FIRST_PRESET)
        with gr.Column(scale=7, min_width=320):
            home = permalink.home(os.environ.get("SPACE_ID"))
            explorer = Explorer(lab.fetch, lab.what_if, lab.changes, lab.export, home, value=first)
            panels = AnalysisPanels(analysis)
    shown = wire_runs(lab, [explorer, state], prompt, run, stop, [prompt, model, rule, *lengths, *controls])
    wire_problem(lab, draw, prompt, new, card, explorer, shown)
    wire_look(lab, analysis, panels)
    wire_model(lab, model, state, preset, rule, controls)
    wire_limits(model, prompt)
    wire_settings(preset, rule, controls, groups)
    wire_address(lab, [explorer, state], groups, [prompt, model, rule, *lengths, *controls])
    return explorer


def ask(model: str) -> tuple[gr.Textbox, gr.Button, gr.Button, gr.Button, gr.HTML]:
    """Question, Run, Stop, New problem and its card, examples."""
    prompt = gr.Textbox(EXAMPLES[0], label="Question", lines=4, max_lines=10, elem_id="prompt", info=limits_of(model))
    with gr.Row(elem_id="buttons"):
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=80)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=80)
        new = gr.Button("New problem", elem_id="new-problem", min_width=140)
    card = ProblemCard()
    gr.Examples([[text] for text in EXAMPLES], [prompt], label="Examples", elem_id="examples", api_visibility="private")
    return prompt, run, stop, new, card


def limits_of(model: str) -> str:
    """What a model cannot do, where people type their questions; empty if that is not known."""
    return LIMITS.get(model, "")


def choose(lab: Lab):
    """Model, how it stands, rule, and how much to generate: lengths, temperature, seed, end of text."""
    model = gr.Dropdown(list(lab.models), value=lab.models[0], label="Model", elem_id="model", min_width=120)
    state = gr.HTML(line(lab.state(lab.models[0]).words), elem_id="model-state", padding=False)
    first, longest = next(iter(RULES)), lab.limits.generation_length
    rule = gr.Dropdown(list(RULES), value=first, label="Rule", info=rule_help(first), elem_id="rule", min_width=120)
    with gr.Accordion("Length and sampling", open=False):
        generated = gr.Slider(0, longest, min(96, longest), step=8, label="Generation length", elem_id="gen-length")
        block = gr.Slider(4, min(64, longest), min(32, longest), step=4, label="Block length", elem_id="block-length")
        temperature = gr.Slider(0, 2, 0, step=0.05, label="Temperature", elem_id="temperature")
        seed = gr.Number(0, precision=0, label="Seed", elem_id="seed")
        stop_at_end = gr.Checkbox(True, label="Stop when the answer has ended", elem_id="stop-at-end")
        suppress_end = gr.Checkbox(False, label="Take end of text last", info=SUPPRESS, elem_id="suppress-end")
        fixed = gr.Textbox("", label="Fixed tokens", lines=2, info=FIXED, elem_id="fixed")
    return model, state, rule, (generated, block, temperature, seed, stop_at_end, suppress_end, fixed)


def tune(first: str) -> tuple[gr.Dropdown, list, dict[str, gr.Column]]:
    """The preset, the controls in the order of KEYS, and the group of each rule that has controls of its own."""
    with gr.Column(elem_id="settings-dawn") as thresholds:
        preset = gr.Dropdown(list(PRESETS), value=first, label="Preset", elem_id="preset")
        controls = threshold_controls(PRESETS[first])
    groups = {"dawn": thresholds}
    for name, rule in RULES.items():
        if own := specs(rule):
            with gr.Column(visible=False, elem_id=f"settings-{name}") as groups[name]:
                controls += [control(f"{name}-{key}", key, spec, default_of(rule, key)) for key, spec in own.items()]
    return preset, controls, groups


def threshold_controls(start: Thresholds) -> list:
    """The sliders of the five thresholds, then the choices of what they mean."""
    every = specs(Thresholds)
    choices = {name: spec for name, spec in every.items() if isinstance(spec, Choice)}
    every["sink"] = replace(every["sink"], shown=(0.0, *SINK_RANGES[start.sink_mode]))
    sliders = [
        control(f"threshold-{name}", f"τ {name}", spec, getattr(start, name))
        for name, spec in every.items()
        if name not in choices
    ]
    with gr.Accordion("What the thresholds mean", open=False):
        return sliders + [control(f"setting-{name}", name, spec, getattr(start, name)) for name, spec in choices.items()]


def default_of(rule: type, key: str) -> object:
    """A setting's default."""
    return next(one.default for one in fields(rule) if one.name == key)


def control(elem_id: str, name: str, spec: Spec, value):
    """The slider or radio of a setting."""
    common = {"label": name.replace("_", " "), "info": spec.help, "elem_id": elem_id}
    if isinstance(spec, Choice):
        return gr.Radio(list(spec.options), value=value, **common)
    low, high, step = spec.shown
    return gr.Slider(low, high, value, step=step, **common)


def wire_runs(lab: Lab, outputs: list, prompt, run, stop, inputs: list) -> list:
    """Run, Stop, and "decode again from here"; the events after which another trace may be shown. outputs: the explorer and the
    model's state."""

    async def decode(request: gr.Request, *values):
        async for value in in_turn(lab.line, visitor(request), lambda: decoding(lab, values, visitor(request)), notice):
            yield value

    async def decode_again(request: gr.Request, event: gr.EventData, *values):
        who, asked = visitor(request), told(event)
        async for value in in_turn(lab.line, who, lambda: decoding(lab, values, who, asked), notice):
            yield value

    def organise(request: gr.Request, event: gr.EventData):
        return lab.organise(told(event), visitor(request))

    stop.click(stopping(lab), None, None, **QUIET)
    return [
        gr.on([run.click, prompt.submit], decode, inputs, outputs, **TURNS),
        outputs[0].fork(decode_again, inputs, outputs, **TURNS),
        outputs[0].organise(organise, None, outputs[0], **QUIET),
    ]


def wire_problem(lab: Lab, draw: Callable[[], Problem], prompt, new, card, explorer, shown: list) -> None:
    """A held-out problem as the question, judged when a run of it is shown; another question takes card and verdict away."""

    def drawn():
        problem = draw()
        return problem.question, problem_card(problem)

    def judge(problem: object, value: object):
        return judged(lab.store, problem, value)

    new.click(drawn, None, [prompt, card], **QUIET)
    prompt.change(None, [prompt, card], card, js=OF_THIS, api_name=False)
    for event in shown:
        event.then(judge, [card, explorer], card, **QUIET)


def decoding(lab: Lab, values: tuple, who: str, again: dict | None = None) -> Iterator[tuple]:
    """What the explorer and the line below the model show of a run. values: of all controls; again: what to decode again."""
    try:
        asked = request_of(values)
    except DawnError as error:
        yield notice(str(error))
        return
    if again is None:
        yield from with_loading(lab, asked.model, lab.run(asked, who))
    else:
        model = lab.model_of(again.get("trace"), asked.model)
        yield from with_loading(lab, model, lab.decode_again(asked, again, who))


def told(event: gr.EventData) -> dict:
    """What the page's script told with an event; nothing if that is not what a script tells."""
    return event._data if isinstance(event._data, dict) else {}


def wire_look(lab: Lab, analysis: Analysis, panels: gr.HTML) -> None:
    """Attention of one layer or head: in the line of whatever runs a model."""

    async def look(request: gr.Request, event: gr.EventData):
        asked = told(event)
        once = (analysis.look(asked) for _ in range(1))
        async for value in in_turn(lab.line, visitor(request), lambda: once, lambda words: {"waiting": words}):
            yield value

    panels.look(look, None, panels, **TURNS)


def notice(words: str) -> tuple:
    """What the explorer, or the race, shows of words about a run that has no steps yet."""
    return {"notice": words}, gr.skip()


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
    """What Stop and a closed tab do: the visitor's run ends after its step and frees its place."""

    def stop(request: gr.Request):
        lab.stop(visitor(request))

    return stop


def wire_model(lab: Lab, model, state, preset, rule, controls: list) -> None:
    """How the chosen model stands, when the page opens too; choosing one chooses its preset."""

    def watch(name: str):
        yield from map(line, lab.watching(name))

    quiet = {"show_progress": "hidden", "api_name": False}
    gr.on(None, watch, model, state, concurrency_limit=None, **quiet)
    chosen = model.input(of_chosen(model_values), model, [preset, *controls[: len(THRESHOLD_NAMES)]], queue=False, **quiet)
    chosen.then(None, [rule, *controls], None, js=propose_script())


def wire_limits(model: gr.Dropdown, prompt: gr.Textbox, words: Callable[[str], str] = limits_of) -> None:
    """What is said below the question is about the chosen model."""
    model.change(of_chosen(lambda name: gr.update(info=words(name))), model, prompt, **QUIET)


def wire_settings(preset, rule, controls: list, groups: dict) -> None:
    """Every move of a control proposes it to the explorer, without a request of its own; a rule shows its own controls."""
    propose = propose_script()
    inputs = [rule, *controls]
    gr.on([one.input for one in controls] + [rule.input], None, inputs, None, js=propose)
    sink, mode = controls[THRESHOLD_NAMES.index("sink")], controls[THRESHOLD_NAMES.index("sink_mode")]
    mode.input(of_chosen(lambda name: sink_update(name, SINK_START[name])), mode, sink, **QUIET)
    rule.input(of_chosen(lambda name: shown_for(name, groups)), rule, [rule, *groups.values()], **QUIET)
    chosen = preset.input(of_chosen(preset_values), preset, controls[: len(THRESHOLD_NAMES)], **QUIET)
    chosen.then(None, inputs, None, js=propose)


def of_chosen(answer: Callable) -> Callable:
    """What `answer` says of a chosen name; nothing changes where none is chosen."""
    return lambda name: answer(name) if name else gr.skip()


def wire_address(lab: Lab, outputs: list, groups: dict, inputs: list) -> None:
    """What the page shows when it opens with an address: a trace, or a link's run made again, and its own settings among the
    controls. outputs: the explorer and the model's state. The tab is turned by the script: see address.js."""
    rest = [*groups.values(), *inputs]
    unchanged = [gr.skip()] * len(rest)

    async def restore(request: gr.Request, event: gr.EventData):
        who, asked = visitor(request), told(event).get("address")
        lab.store.meet(who, told(event).get("key"))
        async for value, state in coming_back(lab, asked, who):
            there = asked and value.get("back")
            yield value, state, *(restored(lab, lab.store.get(value["trace"]), there, groups) if there else unchanged)

    outputs[0].restore(restore, None, [*outputs, *rest], **TURNS)


def coming_back(lab: Lab, asked: object, who: str) -> AsyncIterator[tuple]:
    """What the explorer and the line below the model show of an address. A run that is made again waits its turn; looking
    does not."""
    try:
        request = permalink.again(lab, asked)
    except DawnError as error:
        return threaded(iter([(permalink.refused(lab, str(error), who), gr.skip())]))
    if request is None:
        return threaded((value, gr.skip()) for value in permalink.shown(lab, asked, who))
    return in_turn(lab.line, who, lambda: made_again(lab, request, asked, who), notice)


def made_again(lab: Lab, request: Request, asked: object, who: str) -> Iterator[tuple]:
    """What they show of a run that is made again; the bundled example, and why, if it cannot be made."""
    came, why = False, ""
    for value, state in with_loading(lab, request.model, permalink.rerun(lab, request, asked, who)):
        came, why = came or "trace" in value, value.get("notice", why)
        yield value, state
    if not came:
        yield permalink.refused(lab, why, who), gr.skip()


def restored(lab: Lab, entry: Entry, back: dict, groups: dict) -> list:
    """The groups of controls that show, and every control as the run was asked for; the fixed tokens stay. back: the rule and
    settings that the address asks for, if others."""
    facts, rule = facts_of(entry), make_rule(back["rule"], back["settings"]) if "rule" in back else entry.setup.make_rule()
    setup, canvas = facts.setup, facts.canvas
    generated = min(canvas.length - canvas.prompt_length, lab.limits.generation_length)
    sampling = (setup.temperature, setup.seed, bool(setup.end_ids), setup.suppress_end)
    model = setup.model if setup.model in lab.models else gr.skip()
    words, *shown = shown_for(rule.name, groups)
    lengths, controls = (generated, canvas.block_length, *sampling, gr.skip()), controls_of(rule)
    return [*shown, entry.prompt, model, words | {"value": rule.name}, *lengths, *controls]


def controls_of(rule: Rule) -> list:
    """The controls as they stand for a rule and its settings; those that it does not read stay."""
    values, settings = [gr.skip()] * len(KEYS), settings_of(rule)
    for place, name in takes(rule.name):
        values[place] = sink_update(settings["sink_mode"], settings[name]) if name == "sink" else settings[name]
    return values


def shown_for(name: str, groups: dict) -> list:
    """The rule's own words, and which groups of controls show."""
    shown = {name, "dawn"} if issubclass(RULES[name], Dawn) else {name}
    return [gr.update(info=rule_help(name)), *(gr.update(visible=owner in shown) for owner in groups)]


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
    """The controls' values, in their order, as a Request; DawnError for what no control gives."""
    prompt, model, rule, generated, block, temperature, seed, stop_at_end, suppress_end, fixed, *settings = values
    try:
        lengths, own = (int(generated), int(block)), settings_from(rule, settings)
    except (TypeError, ValueError, OverflowError):
        raise DawnError(UNREADABLE) from None
    ends = (stop_at_end, suppress_end)
    return Request(prompt or "", model, rule, *lengths, temperature, seed or 0, own, *ends, fixed)


def settings_from(rule: str, values: Sequence) -> dict:
    """The settings of `rule` among the values of all controls; sliders of whole numbers may hand over floats."""
    named = {name: values[place] for place, name in takes(rule)}
    whole = {name for name, spec in rule_specs(rule).items() if isinstance(spec, Whole)}
    return {name: int(value) if name in whole and isinstance(value, float) else value for name, value in named.items()}


def visitor(request: gr.Request) -> str:
    """Who asks: one browser tab."""
    return request.session_hash or ""
