"""The analysis panels below the explorer: ledger, what if over the whole trace, curves, sinks, attention of one layer or head.

One gr.HTML with a static template and its own script, which follows the explorer's events and asks for what an open panel
needs. Its value is an answer of `Analysis.look`, which came through the queue. Events: `look`, with what that asks for.
"""

from __future__ import annotations

import gradio as gr

from viz.analysis import Analysis
from viz.components import explorer

FOLDER = explorer.ASSETS / "analysis"
PANELS = ("tools", "ledger", "replay", "curves", "sinks", "attention", "main")
FILES = (explorer.FOLDER / "tools.js", *(FOLDER / f"{part}.js" for part in PANELS))
SCRIPT = "\n".join(file.read_text(encoding="utf-8") for file in FILES)
SCRIPT = f"{explorer.PARTS}(() => {{\n'use strict';\n{SCRIPT}}})();"
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
TEMPLATE = (FOLDER / "template.html").read_text(encoding="utf-8")
ON_LOAD = "window.mountDawnAnalysis(element, {trigger, props, server, watch, theme: window.dawnTheme, look: 'look'});"


def AnalysisPanels(answers: Analysis, **more) -> gr.HTML:
    """The panels, answered by `answers`."""
    asked = (answers.ledger, answers.csv, answers.replay, answers.settings, answers.curve, answers.sinks, answers.model)
    return gr.HTML(
        value={},
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{STYLE}</style><script>{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[explorer.named(one.__name__, one) for one in asked],
        elem_id="analysis-host",
        **more,
    )
