"""A trace as files for others: one page, films, pictures, tables. Each format is one function from a trace to bytes; the
command line and the page offer what FORMATS names, and write or send it as it is.

No gradio, no torch: the command line comes here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dawn.errors import DawnError
from dawn.ledger import to_csv
from dawn.trace import Trace
from viz import payload
from viz.exports import graphs
from viz.exports.drawing import GROUND, SIZE, Pictures, one_line
from viz.exports.film import gif, mp4
from viz.exports.page import html
from viz.exports.raster import png
from viz.exports.vector import svg


@dataclass(frozen=True, slots=True)
class Format:
    """make: (trace, step) → the file's bytes; one_step: whether it is of that step alone; large: whether it takes long."""

    make: Callable[[Trace, int], bytes]
    one_step: bool = False
    large: bool = False


def csv(trace: Trace) -> bytes:
    """The ledger: every window position at every step."""
    return to_csv(trace.steps, trace.pieces).encode("utf-8", "replace")


def picture_png(trace: Trace, step: int) -> bytes:
    """The picture of a step, 2560 × 1440."""
    return png(Pictures(trace).cells(step), SIZE, GROUND)


def picture_svg(trace: Trace, step: int) -> bytes:
    """The picture of a step."""
    return svg(Pictures(trace).cells(step), SIZE, GROUND, f"{one_line(trace.prompt)}: step {step + 1} of {trace.forwards}")


def graph(kind: str) -> Callable[[Trace, int], bytes]:
    """The dependency graph of a step; DawnError if the rule reads none."""

    def make(trace: Trace, step: int) -> bytes:
        facts, record = payload.Facts.of(trace), trace.steps[step]
        return graphs.file_of(facts, record, record.decision, trace.setup.make_rule(), kind)["text"].encode("utf-8", "replace")

    return make


FORMATS = {
    "html": Format(lambda trace, _: html(trace), large=True),
    "gif": Format(lambda trace, _: gif(trace), large=True),
    "mp4": Format(lambda trace, _: mp4(trace), large=True),
    "png": Format(picture_png, one_step=True),
    "svg": Format(picture_svg, one_step=True),
    "csv": Format(lambda trace, _: csv(trace)),
    "graphml": Format(graph("graphml"), one_step=True),
    "json": Format(graph("json"), one_step=True),
}


def made(trace: Trace, kind: str, step: int) -> bytes:
    """The file of a format; step counts from 0. DawnError for a step or a format that there is not."""
    if kind not in FORMATS:
        raise DawnError(f"there is no file of the kind {kind!r:.40}: choose one of {', '.join(FORMATS)}")
    if not 0 <= step < trace.forwards:
        raise DawnError(f"the trace has steps 0 to {trace.forwards - 1}, not {step}")
    return FORMATS[kind].make(trace, step)


def name_of(trace: Trace, kind: str, step: int) -> str:
    """What the file is called for people, who count steps from 1."""
    of = f"step-{step + 1}" if kind in FORMATS and FORMATS[kind].one_step else f"{trace.forwards}-steps"
    return f"{trace.setup.rule}-{of}.{kind}"
