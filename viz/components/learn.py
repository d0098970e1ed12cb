"""The lesson: one gr.HTML with a static template and its own script, the method in scenes and as a presentation.

It has no value: the script asks for what its scenes show when the tab is first seen. Nothing of a run goes through the
template: the script writes text as text.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from viz.components.explorer import named
from viz.scripts import ADDRESS, ASSETS, PARTS, THEME

FOLDER = ASSETS / "learn"
RESULTS = ASSETS / "results"
FILES = ("figure", "scenes", "anatomy", "exercises", "present", "main")
SCRIPT = "\n".join((FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in FILES)
SCRIPT = f"{ADDRESS}{PARTS}(() => {{\n'use strict';\n{SCRIPT}}})();"
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
TEMPLATE = (FOLDER / "template.html").read_text(encoding="utf-8")
ON_LOAD = "window.mountDawnLearn(element, {server, theme: window.dawnTheme});"

Answer = Callable[[dict], dict]


def Learn(lesson: Answer, anatomy: Answer, check: Answer, fetch: Answer) -> gr.HTML:
    """The first three as in `viz.lessons.Lessons`; `fetch` answers with steps as for the explorer."""
    answers = {"lesson": lesson, "anatomy": anatomy, "check": check, "fetch": fetch}
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=f"<style>{STYLE}</style><script>{THEME}{SCRIPT}</script>",
        apply_default_css=False,
        server_functions=[named(name, one) for name, one in answers.items()],
        elem_id="learn-host",
    )
