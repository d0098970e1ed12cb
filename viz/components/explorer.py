"""The explorer: one gr.HTML with a static template and its own script, for scrubbing through the steps of a run.

Its value is {"trace": id, "steps": n, "done": bool, "title": str} and, if wanted, "at": the step to show first, "fork": False
to disable decoding again, "branches": the rows of viz/branches.py, "back": the step, position, rule and settings that an
address asks for. Nothing of a run goes through the template: the script fetches steps and writes them as text. Events: `fork`,
with `trace`, `step` and perhaps `edit`, when somebody wants to decode again from the shown step; `restore`, with `address` and
`key`, when the page opens; `organise`, with `do` (show, rename, delete), `trace`, `shown` and `label`, about branches.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import gradio as gr

from viz.scripts import ADDRESS, EXPLORER, EXPLORER_STYLE, EXPLORER_TEMPLATE, PARTS, THEME

SCRIPT = f"{ADDRESS}{PARTS}{EXPLORER}"
EVENTS = "fork: 'fork', organise: 'organise', restore: 'restore'"  # Gradio looks for the quoted names
ON_LOAD = f"window.mountDawnExplorer(element, {{trigger, props, server, watch, theme: window.dawnTheme, {EVENTS}}});"
NOTHING = {"trace": None, "steps": 0, "done": True, "title": ""}


def Explorer(
    fetch: Callable[[dict], dict],
    what_if: Callable[[dict], dict],
    changes: Callable[[dict], dict],
    export: Callable[[dict], dict],
    home: str = "",
    **more,
) -> gr.HTML:
    """The functions answer the script's requests, or {"error": message}; they may also take a gr.Request. home: where links
    lead if the page is in a frame; empty: to the page's own address.

    A function rather than a subclass: Gradio would put a subclass's own arguments, these callables, into the page.
    """
    answers = {"fetch": fetch, "what_if": what_if, "changes": changes, "export": export}
    return gr.HTML(
        value=more.pop("value", NOTHING),
        html_template=EXPLORER_TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{EXPLORER_STYLE}</style><script>{THEME}window.dawnHome = {json.dumps(home)};{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named(name, one) for name, one in answers.items()],
        elem_id=more.pop("elem_id", "explorer-host"),
        **more,
    )


def named(name: str, function: Callable) -> Callable:
    """The function under the name by which the script calls it."""

    @functools.wraps(function)
    def call(*arguments):
        return function(*arguments)

    call.__name__ = name
    return call
