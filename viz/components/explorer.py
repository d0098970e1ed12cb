"""The explorer: one gr.HTML with a static template and its own script, for scrubbing through the steps of a run.

Its value is {"trace": id, "steps": n, "done": bool, "title": str} and, if wanted, "at": the step to show first, "fork": False
to disable decoding again. Nothing of a run goes through the template: the script fetches steps and writes them as text.
Events: `fork`, with `trace` and `step`, when somebody wants to decode again from the shown step.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import gradio as gr

from viz import theme

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "explorer"
PARTS = ("tools", "run", "proposal", "paint", "tokens", "map", "graph", "selection", "card", "main")
SCRIPT = "\n".join((ASSETS / f"{part}.js").read_text(encoding="utf-8") for part in PARTS)
SCRIPT = f"(() => {{\n'use strict';\n{SCRIPT}}})();"  # one scope: nothing of it is global but what main.js hands out
STYLE = theme.css_variables() + "\n" + (ASSETS / "style.css").read_text(encoding="utf-8")
TEMPLATE = (ASSETS / "template.html").read_text(encoding="utf-8")
THEME = "window.dawnTheme = " + json.dumps(theme.script_values(), ensure_ascii=False) + ";"
ON_LOAD = "window.mountDawnExplorer(element, {trigger, props, server, watch, theme: window.dawnTheme, fork: 'fork'});"
NOTHING = {"trace": None, "steps": 0, "done": True, "title": ""}


def Explorer(fetch: Callable[[dict], dict], what_if: Callable[[dict], dict], **more) -> gr.HTML:
    """`fetch` and `what_if` answer the script's requests, or {"error": message}; they may also take a gr.Request.

    A function rather than a subclass: Gradio would put a subclass's own arguments, these callables, into the page.
    """
    return gr.HTML(
        value=more.pop("value", NOTHING),
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{STYLE}</style><script>{THEME}{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named("fetch", fetch), named("what_if", what_if)],
        elem_id=more.pop("elem_id", "explorer-host"),
        **more,
    )


def named(name: str, function: Callable) -> Callable:
    """The function under the name by which the script calls it."""

    @functools.wraps(function)
    def call(*arguments):
        return function(*arguments)

    call.__name__ = name
    return call
