"""DAWN Lab: `python app.py` serves the page. Also the entry of a Hugging Face Space."""

from __future__ import annotations

import os
import threading
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from dawn.models import EMBEDDED, known_models, load_model
from dawn.trace import load
from viz.lab import EXAMPLE, Lab, shortened
from viz.page import STYLE, page_theme
from viz.store import TraceStore
from viz.tabs.explore import build_explore, stopping

ASSETS = Path(__file__).parent / "assets"
TITLE = "DAWN Lab"


def build() -> gr.Blocks:
    """The page, with the recorded example on it and the embedded model loading in the background."""
    store = TraceStore()
    example = load(ASSETS / "traces" / "example.npz")
    store.bundle(EXAMPLE, example)
    lab = Lab(store, load_model)
    first = {
        "trace": EXAMPLE,
        "steps": len(example.steps),
        "done": True,
        "title": "Recorded example: " + shortened(example.prompt),
    }
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.HTML("<h1>DAWN Lab</h1><p>Watch a diffusion language model decide, token by token.</p>", elem_id="masthead")
        with gr.Tabs(), gr.Tab("Explore"):
            build_explore(lab, known_models(), first)
        page.unload(stopping(lab))
    threading.Thread(target=load_model, args=(EMBEDDED,), daemon=True).start()
    return page


def main() -> None:
    """Serve; host and port follow GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."""
    build().queue(default_concurrency_limit=4).launch(theme=page_theme(), css=STYLE, show_error=False)


if __name__ == "__main__":
    main()
