"""DAWN Lab: `python app.py` serves the page. Also the entry of a Hugging Face Space."""

from __future__ import annotations

import os
import threading
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")  # else a table of 10,000 events is made at each

import gradio as gr

from dawn.models import EMBEDDED, load_model, model_state
from dawn.models.detail import layers_and_heads
from dawn.models.device import leave_a_core, machine
from dawn.models.zerogpu import decoder, look_into
from dawn.pretrain.held_out import draw
from dawn.trace import load
from viz.analysis import Analysis, Reader
from viz.endpoints import add_endpoints
from viz.journal import Journal
from viz.lab import EXAMPLE, Lab
from viz.limits import Limits
from viz.server import options, serve
from viz.store import TraceStore
from viz.tabs import build_tabs, stopping

ASSETS = Path(__file__).parent / "assets"


def open_lab(limits: Limits = Limits()) -> Lab:
    """What answers the page: the recorded examples, and the models of DAWN_MODELS, of which the first begins to load."""
    store, journal = TraceStore(limits), Journal(prompts=os.environ.get("DAWN_LOG_PROMPTS") == "1")
    for path in sorted((ASSETS / "traces").glob("*.npz"), key=lambda path: path.stem):
        store.bundle(path.stem, load(path), "Recorded example")
    names = [name.strip() for name in os.environ.get("DAWN_MODELS", "").split(",")]
    lab = Lab(store, load_model, [*filter(None, names)] or [EMBEDDED], model_state, decoder(), limits, journal)
    threading.Thread(target=lambda: (lab.warm_up(), draw()), daemon=True).start()
    return lab


def build(lab: Lab) -> gr.Blocks:
    """The page."""
    with gr.Blocks(title="DAWN Lab", analytics_enabled=False, delete_cache=(600, 600), fill_width=True) as page:
        gr.HTML("<h1>DAWN Lab</h1><p>Watch a diffusion language model decide, token by token.</p>", elem_id="masthead")
        build_tabs(lab, Analysis(lab, Reader(layers_and_heads, look_into)), machine(), lab.there(EXAMPLE, ""), draw)
        add_endpoints(lab)
        page.unload(stopping(lab))
    return page


def main() -> None:
    """Serve; host and port follow GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, everything else the options."""
    limits, mcp = options()
    leave_a_core()
    lab = open_lab(limits)
    serve(build(lab), lab, mcp)


if __name__ == "__main__":
    main()
