"""One Gradio tab a file: components and wiring, nothing computed. `build_tabs` puts them on the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import gradio as gr

from dawn.pretrain.data import Problem
from viz.analysis import Analysis
from viz.lab import Lab
from viz.tabs.about import build_about
from viz.tabs.compare import build_compare
from viz.tabs.explore import build_explore, stopping
from viz.tabs.files import build_files
from viz.tabs.learn import build_learn
from viz.tabs.race import build_race


def build_tabs(lab: Lab, analysis: Analysis, machine: Mapping[str, str], first: dict, draw: Callable[[], Problem]) -> None:
    """All tabs. machine: what the server runs on; first: the explorer's value before anything has run; draw: a held-out
    problem."""
    with gr.Tabs():
        with gr.Tab("Explore", id="explore") as explore:
            explorer = build_explore(lab, analysis, first, draw)
            build_files(lab, explorer)
        with gr.Tab("Compare", id="compare") as compare:
            comparison = build_compare(lab, compare)
        with gr.Tab("Race", id="race") as race:
            build_race(lab, explorer, comparison)
        with gr.Tab("Learn", id="learn") as learn:
            build_learn(lab)
        with gr.Tab("About", id="about") as about:
            build_about(lab, machine)
    for tab in (explore, compare, race, learn, about):
        tab.select(None, js=f"() => {{ window.dawnAddress.tab({json.dumps(tab.id)}); }}", api_name=False)


__all__ = ["build_tabs", "stopping"]
