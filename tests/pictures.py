"""Every picture of README and docs, from the code as it is: `python -m tests.pictures`. Of the modules: `tests.map`.

Of the page: the recorded example, its step with the most tiers, the token selected that says most: one that was refused for a
conflict, else one that leans on an anchor, else any that was taken.
"""

from __future__ import annotations

from pathlib import Path

import app
from dawn.chart import svg
from dawn.decode import StepRecord
from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain import curve
from dawn.selection import Reason
from dawn.table import read
from dawn.trace import load
from tests.browser import PAINTED, launch, serve_app
from tests.map import draw
from viz.exports.film import gif
from viz.lessons import variety

FOLDER = Path(app.ASSETS) / "pictures"
RESULTS = Path(app.ASSETS) / "results" / "rules.json"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LONGEST = 3800  # pixels of a picture


def telling(step: StepRecord) -> int:
    """The position to select."""
    chosen = step.decision.selection
    refused = [one.position for one in chosen.refused if one.reason in (Reason.CONFLICT, Reason.DROPPED)]
    leaning = [one.position for one in chosen.committed if one.evidence]
    return (refused + leaning + [one.position for one in chosen.committed])[0]


def main() -> None:
    """Writes the map of the modules, the measured rules, the learning curve, the film of the recorded example, then one picture
    of the page a size and theme."""
    draw()
    (FOLDER / "rules.svg").write_text(svg(read(RESULTS)), encoding="utf-8")
    (FOLDER / "learning.svg").write_text(curve.svg(curve.read(EMBEDDED_FOLDER)), encoding="utf-8")
    example = load(Path(app.ASSETS) / "traces" / "example.npz")
    (FOLDER / "example.gif").write_bytes(gif(example))
    best = max(example.steps, key=variety)
    with serve_app() as url, launch() as browser:
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}?__theme={theme}")
                page.wait_for_function(PAINTED)
                page.wait_for_function("document.querySelector('#model-state').innerText.startsWith('ready')")
                page.evaluate(f"dawnExplorer.show({best.index}); dawnExplorer.select({telling(best)}, true)")
                page.mouse.move(0, 0)
                page.wait_for_timeout(800)
                tall = min(page.evaluate("document.documentElement.scrollHeight"), LONGEST)
                page.set_viewport_size({"width": width, "height": tall})
                page.wait_for_timeout(800)
                page.screenshot(path=FOLDER / f"{size}-{theme}.png")
                page.close()


if __name__ == "__main__":
    main()
