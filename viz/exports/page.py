"""A run as one HTML file: the page's explorer and ledger with everything that they would ask a server for, opened from disk
with no network.

Nothing remote can be loaded: the policy allows this one script and style, by their hashes, and pictures that the page itself
made. What the run's text says is JSON in a data block, in which `<` cannot occur, or escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html as markup
import json
from collections.abc import Callable

from dawn.errors import DawnError
from dawn.trace import Trace
from viz import answers, payload, scripts
from viz.exports.drawing import one_line

TITLE = 90  # characters
SCRIPT = "\n".join([scripts.THEME, scripts.PARTS, scripts.EXPLORER, scripts.ANALYSIS, scripts.text("standalone/host.js")])
STYLE = "\n".join([scripts.EXPLORER_STYLE, scripts.ANALYSIS_STYLE, scripts.text("standalone/style.css")])
NEEDS_APP = "This needs a server: open the trace in DAWN Lab (python app.py)."
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header class="sx-head"><div><h1>DAWN Lab</h1><p>{made}</p></div>
<button type="button" id="sx-theme" aria-pressed="false">Dark</button></header>
<noscript><p>This file draws itself and needs JavaScript. The question: {prompt}</p><p>The answer: {output}</p></noscript>
<main>{explorer}{analysis}</main>
<footer class="sx-foot"><p>A recorded run, complete in this file. Deciding again with other thresholds, decoding on from a step
and other layers of the model need the program: <code>python app.py</code>, then open the trace under Files.</p></footer>
<script type="application/json" id="dawn-run">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def html(trace: Trace) -> bytes:
    """The file."""
    setup, title = trace.setup, one_line(trace.prompt)
    parts = {
        "policy": policy(),
        "title": f"{title if len(title) <= TITLE else title[: TITLE - 1] + '…'} · DAWN Lab",
        "made": f"{setup.rule} · {payload.readable(setup.model)} · {trace.forwards} steps",
        "prompt": trace.prompt,
        "output": trace.output,
    }
    own = {"style": STYLE, "script": SCRIPT, "explorer": scripts.EXPLORER_TEMPLATE, "analysis": scripts.ANALYSIS_TEMPLATE}
    texts = {name: markup.escape(text) for name, text in parts.items()}
    return FRAME.format(**texts, **own, data=data_block(held(trace))).encode("utf-8", "replace")


def policy() -> str:
    """What the file may load and run: itself."""
    own = f"script-src {digest(SCRIPT)}; style-src {digest(STYLE)}"
    return f"default-src 'none'; {own}; img-src data: blob:; base-uri 'none'; form-action 'none'"


def digest(text: str) -> str:
    """A script or style as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def data_block(document: dict) -> str:
    """JSON that no HTML parser takes for markup."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def held(trace: Trace) -> dict:
    """The explorer's value, and the answers to what its scripts ask: by the step from which they begin, or one for all."""
    facts, steps, rule = payload.Facts.of(trace), trace.steps, trace.setup.make_rule()
    return {
        "value": {"trace": "run", "steps": len(steps), "done": True, "fork": False, "at": 0, "title": trace.prompt},
        "needsApp": NEEDS_APP,
        "parts": {
            "fetch": in_parts(lambda start: payload.answer(facts, steps, start), len(steps)),
            "ledger": in_parts(lambda start: answers.ledger_part(facts, steps, start), len(steps)),
        },
        "whole": {
            "csv": answers.csv(facts, steps),
            "settings": answers.settings(facts),
            "sinks": answered(lambda: answers.sinks(facts, steps, rule)),
        },
    }


def in_parts(answer: Callable[[int], dict], end: int) -> dict[str, dict]:
    """The answers that follow each other, by their first step."""
    found, start = {}, 0
    while start < end:
        found[str(start)] = answer(start)
        start = found[str(start)]["next"]
    return found


def answered(answer: Callable[[], dict]) -> dict:
    """The answer, or why there is none."""
    try:
        return answer()
    except DawnError as error:
        return {"error": str(error)}
