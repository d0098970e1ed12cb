"""The Learn tab: the method in scenes, and presented full screen. Wiring only; `viz.lessons` answers."""

from __future__ import annotations

import gradio as gr

from viz.components.learn import RESULTS, Learn
from viz.lab import Lab
from viz.lessons import Lessons


def build_learn(lab: Lab) -> gr.HTML:
    """Fill the current tab."""
    lessons = Lessons(lab, RESULTS)
    return Learn(lessons.lesson, lessons.anatomy, lessons.check, lab.fetch)
