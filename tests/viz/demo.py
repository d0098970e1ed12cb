"""A small app around the explorer, with made-up runs: what the browser tests look at."""

from __future__ import annotations

import gradio as gr

from dawn.errors import DawnError
from dawn.replay import replay
from dawn.rules import make_rule
from dawn.trace import Trace
from viz import payload
from viz.components.explorer import NOTHING, Explorer
from viz.exports import graphs

ON_EDGE = "(edge) => { window.dawnExplorer.propose('dawn', {edge}); }"


def value(name: str, trace: Trace, steps: int | None = None, **more) -> dict:
    """The explorer's value for a run."""
    count = len(trace.steps) if steps is None else steps
    return {"trace": name, "steps": count, "done": count == len(trace.steps), "title": trace.prompt, **more}


def answers(traces: dict[str, Trace]):
    """The functions that answer the script."""

    def fetch(request):
        if not isinstance(request, dict) or request.get("trace") not in traces:
            return {"error": "this run is gone"}
        trace = traces[request["trace"]]
        return payload.answer(payload.Facts.of(trace), trace.steps, int(request["from"]))

    def what_if(request):
        step = traces[request["trace"]].steps[request["step"]]
        try:
            rule = make_rule(request["rule"], request["settings"])
            return payload.what_if(step, replay(step, rule), rule)
        except DawnError as error:
            return {"error": str(error)}

    def changes(request):
        trace = traces[request["trace"]]
        return payload.changes(trace.steps[request["step"]], trace.setup.make_rule(), request["position"])

    def graph_file(request):
        trace, step = traces[request["trace"]], traces[request["trace"]].steps[request["step"]]
        return graphs.file_of(payload.Facts.of(trace), step, step.decision, trace.setup.make_rule(), request["kind"])

    return fetch, what_if, changes, graph_file


def demo(traces: dict[str, Trace], first: str | None = None) -> gr.Blocks:
    """Explorer, an edge slider, a choice of runs, a run that grows, and what the fork event brought."""
    functions = answers(traces)

    def grow():
        trace = traces["growing"]
        for steps in range(1, len(trace.steps) + 1):
            yield value("growing", trace, steps)

    with gr.Blocks(title="Explorer") as app:
        with gr.Row():
            edge = gr.Slider(0.01, 0.3, value=0.05, step=0.01, label="edge", elem_id="edge")
            pick = gr.Dropdown([*traces, "missing"], value=first, label="run", elem_id="pick")
        with gr.Row():
            run, forked = gr.Button("Grow", elem_id="grow"), gr.Textbox(label="fork", elem_id="forked")
        explorer = Explorer(*functions, value=value(first, traces[first]) if first else NOTHING)
        edge.input(None, edge, None, js=ON_EDGE, trigger_mode="always_last")
        pick.input(
            lambda name: value(name, traces[name]) if name in traces else dict(NOTHING, trace=name, steps=3), pick, explorer
        )
        run.click(grow, None, explorer, show_progress="hidden")
        explorer.fork(on_fork, None, forked)
    return app


def on_fork(event: gr.EventData) -> str:
    return " ".join(map(str, event._data.values()))
