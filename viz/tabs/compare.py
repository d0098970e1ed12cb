"""The Compare tab: two traces of the visitor's own or bundled ones. Wiring only; `viz.comparison` answers."""

from __future__ import annotations

import gradio as gr

from viz.comparison import choices, compare
from viz.components.compare import Compare
from viz.lab import Lab
from viz.tabs.explore import visitor


def build_compare(lab: Lab, tab: gr.Tab) -> gr.HTML:
    """Fill the tab; whoever opens it is shown the traces that they have by now."""
    first = {"choices": choices(lab.store, "")}
    component = Compare(lab.fetch, lambda request: compare(lab.store, request), first)
    tab.select(choosing(lab), None, component, queue=False, show_progress="hidden", api_name=False)
    return component


def choosing(lab: Lab):
    """The value that shows a visitor their own traces."""

    def value(request: gr.Request) -> dict:
        return {"choices": choices(lab.store, visitor(request)), "own": True}

    return value
