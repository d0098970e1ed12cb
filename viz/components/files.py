"""The button that saves the trace which the explorer shows. `download` answers {"trace"} with {"name", "body"} or {"error"}."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from viz.components.explorer import ASSETS, PARTS, named

SCRIPT = (ASSETS / "files.js").read_text(encoding="utf-8")
TEMPLATE = (ASSETS / "files.html").read_text(encoding="utf-8")


def SaveButton(download: Callable[[dict], dict]) -> gr.HTML:
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load="window.mountDawnFiles(element, {server});",
        head=f"<script>{PARTS}{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named("download", download)],
        elem_id="save-host",
    )
