"""The comparison: one gr.HTML with a static template and its own script, two traces at the same moment.

Its value is {"choices": [{"trace", "title", "rule", "model", "steps"}]} and, to choose for the visitor, "left" and "right";
"own" says that the visitor's own traces are among them. Nothing of a run goes through the template: the script fetches steps
and writes them as text.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from viz.components.explorer import named
from viz.scripts import ADDRESS, PARTS, THEME, text

SCRIPT = text("compare.js")
STYLE = text("compare.css")
TEMPLATE = text("compare.html")
ON_LOAD = "window.mountDawnCompare(element, {props, server, watch, theme: window.dawnTheme});"


def Compare(fetch: Callable[[dict], dict], compare: Callable[[dict], dict], value: dict) -> gr.HTML:
    """`fetch` answers with steps as for the explorer, `compare` with what holds of a pair, or {"error": message}."""
    return gr.HTML(
        value=value,
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{STYLE}</style><script>{THEME}{ADDRESS}{PARTS}{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named("fetch", fetch), named("compare", compare)],
        elem_id="compare-host",
    )
