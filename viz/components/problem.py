"""The card of a drawn problem: one gr.HTML with a static template. Its value is that of `viz.problem`, written as text."""

from __future__ import annotations

import gradio as gr

from viz.scripts import text


def ProblemCard() -> gr.HTML:
    """Nothing is shown before a problem is drawn."""
    return gr.HTML(
        value={},
        html_template=text("problem.html"),
        js_on_load="window.mountDawnProblem(element, {props, watch});",
        head=f"<script>{text('problem.js')}</script>",
        apply_default_css=False,
        padding=False,
        elem_id="problem-host",
    )
