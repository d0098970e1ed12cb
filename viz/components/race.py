"""The race's view: one gr.HTML with a static template and its own script. Its value is what `viz.race.race` yields.

Events: `view`, with `trace` and `place` (explore, left or right), when somebody wants to open a lane's trace.
"""

from __future__ import annotations

import gradio as gr

from viz.components.compare import STYLE as TABLES
from viz.race import NOTHING
from viz.scripts import ADDRESS, PARTS, THEME, text

SCRIPT = text("race.js")
STYLE = text("race.css")
TEMPLATE = text("race.html")
ON_LOAD = "window.mountDawnRace(element, {trigger, props, watch, theme: window.dawnTheme, view: 'view'});"


def RaceView() -> gr.HTML:
    """Lanes and table, empty at first."""
    return gr.HTML(
        value=NOTHING,
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{TABLES}{STYLE}</style><script>{THEME}{ADDRESS}{PARTS}{SCRIPT}</script>",
        apply_default_css=False,
        elem_id="race-host",
    )
