"""The Race tab: a question, up to four rules, Start and Stop; lanes and their table beside it. `viz.race` answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import gradio as gr

from dawn.rules import RULES, Dawn
from dawn.thresholds import PRESETS, preset_of
from viz.comparison import choices
from viz.components.race import RaceView
from viz.lab import Lab
from viz.line import in_turn
from viz.link import Request
from viz.race import ANSWERS, MOST_LANES, race
from viz.tabs.explore import (
    FIRST_PRESET,
    QUIET,
    TURNS,
    UNREADABLE,
    limits_of,
    line,
    notice,
    stopping,
    told,
    visitor,
    wire_limits,
    with_loading,
)

EMPTY = "(no lane)"
FIRST_RULES = ("dawn", "localleap", "confidence", EMPTY)
KNOWN = "The right answers of the questions below are known, and the embedded model was not trained on them."


def build_race(lab: Lab, explorer: gr.HTML, comparison: gr.HTML) -> None:
    """Fill the current tab. explorer, comparison: where the traces of lanes can be opened."""
    longest = lab.limits.generation_length
    with gr.Row(elem_id="race-row"):
        with gr.Column(scale=2, min_width=300, elem_id="race-controls"):
            info = words_for(lab.models[0])
            prompt = gr.Textbox(next(iter(ANSWERS)), label="Question", lines=4, max_lines=8, elem_id="race-prompt", info=info)
            with gr.Row():
                start = gr.Button("Start", variant="primary", elem_id="race-start", min_width=80)
                stop = gr.Button("Stop", variant="stop", elem_id="race-stop", min_width=80)
            model = gr.Dropdown(list(lab.models), value=lab.models[0], label="Model", elem_id="race-model")
            state = gr.HTML(line(lab.state(lab.models[0]).words), elem_id="race-state", padding=False)
            lanes = [control for place in range(MOST_LANES) for control in lane_controls(place, lab.models[0])]
            with gr.Accordion("Length", open=False):
                generated = gr.Slider(0, longest, min(96, longest), step=8, label="Generation length", elem_id="race-length")
                block = gr.Slider(4, min(64, longest), min(32, longest), step=4, label="Block length", elem_id="race-block")
            held_out = [[question] for question in ANSWERS]
            quiet = {"elem_id": "race-examples", "api_visibility": "private"}
            gr.Examples(held_out, [prompt], label="Held-out questions", **quiet)
        with gr.Column(scale=7, min_width=320):
            view = RaceView()
    wire_race(lab, view, state, start, stop, [prompt, model, generated, block, *lanes])
    wire_limits(model, prompt, words_for)
    opened = view.view(opening(lab), None, [explorer, comparison], queue=False, show_progress="hidden", api_name=False)
    opened.then(None, js="() => { window.dawnAddress.turn(); }", api_name=False)


def words_for(model: str) -> str:
    """What is said below the question."""
    return f"{KNOWN} {limits_of(model)}".strip()


def lane_controls(place: int, model: str) -> tuple[gr.Dropdown, gr.Dropdown]:
    """The rule of a lane and, for rules of the DAWN family, the preset of its thresholds."""
    start = preset_of(model) or FIRST_PRESET
    with gr.Row(elem_classes="race-lane"):
        name = f"race-rule-{place + 1}"
        rule = gr.Dropdown([EMPTY, *RULES], value=FIRST_RULES[place], label=f"Lane {place + 1}", elem_id=name, min_width=120)
        shown = has_thresholds(FIRST_RULES[place])
        preset = gr.Dropdown(
            [*PRESETS], value=start, label="Preset", visible=shown, elem_id=f"race-preset-{place + 1}", min_width=180
        )
    rule.input(lambda chosen: gr.update(visible=has_thresholds(chosen)), rule, preset, **QUIET)
    return rule, preset


def has_thresholds(rule: object) -> bool:
    """Whether this names a rule of the DAWN family."""
    return isinstance(rule, str) and rule in RULES and issubclass(RULES[rule], Dawn)


def wire_race(lab: Lab, view: gr.HTML, state: gr.HTML, start: gr.Button, stop: gr.Button, inputs: list) -> None:
    """Start, which waits its turn with everything else that runs a model, and Stop."""

    async def run(request: gr.Request, *values):
        async for value in in_turn(lab.line, visitor(request), lambda: racing(lab, values, visitor(request)), notice):
            yield value

    start.click(run, inputs, [view, state], **TURNS)
    stop.click(stopping(lab), None, None, queue=False, show_progress="hidden", api_name=False)


def racing(lab: Lab, values: tuple, who: str) -> Iterator[tuple]:
    """What the race and the line below the model show. values: of all controls."""
    prompt, model, generated, block, *lanes = values
    try:
        entrants = entrants_of(prompt or "", model, int(generated), int(block), lanes)
    except (KeyError, TypeError, ValueError, OverflowError):
        yield notice(UNREADABLE)
        return
    yield from with_loading(lab, model, race(lab, entrants, who))


def entrants_of(prompt: str, model: str, generated: int, block: int, lanes: Sequence[str]) -> list[tuple[str, Request]]:
    """A label and a request for every lane that has a rule; lanes: rule and preset in turn."""
    pairs = [(rule, preset) for rule, preset in zip(lanes[::2], lanes[1::2], strict=True) if rule != EMPTY]
    return [(label_of(rule, preset), request_of(prompt, model, generated, block, rule, preset)) for rule, preset in pairs]


def label_of(rule: str, preset: str) -> str:
    return f"{rule} · {preset}" if has_thresholds(rule) else rule


def request_of(prompt: str, model: str, generated: int, block: int, rule: str, preset: str) -> Request:
    """Greedy, with the preset's thresholds for rules of the DAWN family and every other rule's defaults."""
    settings = asdict(PRESETS[preset]) if has_thresholds(rule) else {}
    return Request(prompt, model, rule, generated, block, temperature=0.0, seed=0, settings=settings)


def opening(lab: Lab):
    """What opens a lane's trace: the explorer, or one side of the comparison."""

    def view(request: gr.Request, event: gr.EventData):
        place, trace = told(event).get("place"), told(event).get("trace")
        if place == "explore":
            return lab.shown(trace, visitor(request)), gr.skip()
        side = {place: trace} if place in ("left", "right") else {}
        return gr.skip(), {"choices": choices(lab.store, visitor(request)), "own": True, **side}

    return view
