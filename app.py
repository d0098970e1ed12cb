"""DAWN Lab: `python app.py` serves the page. Also the entry of a Hugging Face Space."""

from __future__ import annotations

import os
import threading
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from dawn.models import EMBEDDED, load_model, model_state
from dawn.models.detail import layers_and_heads
from dawn.models.zerogpu import decoder, look_into
from dawn.trace import load
from viz.analysis import Analysis, Reader
from viz.lab import EXAMPLE, Lab
from viz.page import STYLE, page_theme
from viz.store import TraceStore
from viz.tabs import LARGEST_FILE, build_tabs, stopping

ASSETS = Path(__file__).parent / "assets"
TITLE = "DAWN Lab"


def offered(names: str) -> tuple[str, ...]:
    """The models that visitors may choose, from names and folders parted by commas; the embedded one if none is named."""
    return tuple(name.strip() for name in names.split(",") if name.strip()) or (EMBEDDED,)


def build() -> gr.Blocks:
    """The page, with the recorded example on it and the first model loading in the background."""
    store = TraceStore()
    for path in sorted((ASSETS / "traces").glob("*.npz"), key=lambda path: path.stem):
        store.bundle(path.stem, load(path), "Recorded example")
    lab = Lab(store, load_model, offered(os.environ.get("DAWN_MODELS", "")), model_state, decoder())
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 600), fill_width=True) as page:
        gr.HTML("<h1>DAWN Lab</h1><p>Watch a diffusion language model decide, token by token.</p>", elem_id="masthead")
        build_tabs(lab, Analysis(lab, Reader(layers_and_heads, look_into)), lab.there(EXAMPLE, ""))
        page.unload(stopping(lab))
    threading.Thread(target=lab.warm_up, daemon=True).start()
    return page


def main() -> None:
    """Serve; host and port follow GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, the models DAWN_MODELS."""
    page = build().queue(default_concurrency_limit=4)
    page.launch(theme=page_theme(), css=STYLE, show_error=False, max_file_size=LARGEST_FILE)


if __name__ == "__main__":
    main()
