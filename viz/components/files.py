"""The buttons that save and copy the trace which the explorer shows. `download` answers {"trace", "kind", "step"} with {"name",
"body"}, {"busy"} or {"error"}; `recipe` answers {"trace", "form"} with {"text"} or {"error"}.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from viz.components.explorer import named
from viz.scripts import PARTS, text

SCRIPT = text("files.js")
TEMPLATE = text("files.html")


def SaveButtons(download: Callable[[dict], dict], recipe: Callable[[dict], dict]) -> gr.HTML:
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load="window.mountDawnFiles(element, {server});",
        head=f"<script>{PARTS}{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named("download", download), named("recipe", recipe)],
        elem_id="save-host",
    )
