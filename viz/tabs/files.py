"""Files, below the explorer: save the shown trace in many forms, open one by drag and drop. Wiring only; `viz.lab` answers."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from viz.components.files import SaveButtons
from viz.lab import Lab
from viz.tabs.explore import visitor

OPEN = "Open a trace (.npz): drop it here or click"


def build_files(lab: Lab, explorer: gr.HTML) -> None:
    """Buttons that save and copy, and a place to drop a file."""

    def opened(path: str | None, request: gr.Request):
        if path is None:
            return gr.skip()
        try:
            return lab.upload(path, visitor(request)), None
        finally:
            Path(path).unlink(missing_ok=True)  # it is in the store now, for its visitor alone

    with gr.Accordion("Files", open=False, elem_id="files"):
        SaveButtons(lab.download, lab.recipe)
        upload = gr.File(label=OPEN, file_types=[".npz"], height=120, elem_id="open-trace")
    once = {"concurrency_id": "upload", "concurrency_limit": 1, "show_progress": "minimal"}
    upload.upload(opened, upload, [explorer, upload], api_name=False, **once)
