"""The analysis panels below the explorer: ledger, what if over the whole trace, curves, sinks, attention of one layer or head.

One gr.HTML with a static template and its own script, which follows the explorer's events and asks for what an open panel
needs. Its value is an answer of `Analysis.look`, which came through the queue. Events: `look`, with what that asks for.
"""

from __future__ import annotations

import gradio as gr

from viz.analysis import Analysis
from viz.components.explorer import named
from viz.scripts import ANALYSIS, ANALYSIS_STYLE, ANALYSIS_TEMPLATE, PARTS

SCRIPT = f"{PARTS}{ANALYSIS}"
ON_LOAD = "window.mountDawnAnalysis(element, {trigger, props, server, watch, theme: window.dawnTheme, look: 'look'});"


def AnalysisPanels(answers: Analysis, **more) -> gr.HTML:
    """The panels, answered by `answers`."""
    asked = (answers.ledger, answers.csv, answers.replay, answers.settings, answers.curve, answers.sinks, answers.model)
    return gr.HTML(
        value={},
        html_template=ANALYSIS_TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{ANALYSIS_STYLE}</style><script>{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named(one.__name__, one) for one in asked],
        elem_id="analysis-host",
        **more,
    )
