"""The page's own scripts, styles and templates, joined from `assets/`: for the components of the page, and for the file that
keeps a run without a server.
"""

from __future__ import annotations

import json
from pathlib import Path

from viz import theme

ASSETS = Path(__file__).resolve().parents[1] / "assets"


def text(name: str) -> str:
    """A file of `assets/`."""
    return (ASSETS / name).read_text(encoding="utf-8")


def scope(names: tuple[str, ...]) -> str:
    """Scripts as one scope: nothing of them is global but what is handed out."""
    joined = "\n".join(map(text, names))
    return f"(() => {{\n'use strict';\n{joined}}})();"


EXPLORER_FILES = (
    "tools", "run", "proposal", "paint", "tokens", "map", "graph", "timeline", "selection", "card", "branches", "picture",
    "main",
)  # fmt: skip
ANALYSIS_FILES = ("tools", "ledger", "replay", "curves", "sinks", "attention", "main")

ADDRESS = text("address.js")
FRAMES = text("frames.js")
PARTS = text("parts.js")
THEME = "window.dawnTheme = " + json.dumps(theme.script_values(), ensure_ascii=False) + ";"
EXPLORER = scope(tuple(f"explorer/{name}.js" for name in EXPLORER_FILES))
ANALYSIS = scope(("explorer/tools.js", *(f"analysis/{name}.js" for name in ANALYSIS_FILES)))
EXPLORER_STYLE = theme.css_variables() + "\n" + text("explorer/style.css")
EXPLORER_TEMPLATE = text("explorer/template.html")
ANALYSIS_STYLE = text("analysis/style.css")
ANALYSIS_TEMPLATE = text("analysis/template.html")
