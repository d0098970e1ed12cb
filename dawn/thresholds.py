"""The five thresholds of DAWN and the choices that change what they mean. Source: DAWN, section 4 and Table 3.

Thresholds are compared as float32, like the numbers they meet: `.9 >= .9` holds for a confidence stored as float32.
"""

from __future__ import annotations

from dataclasses import dataclass

from dawn.errors import ThresholdError
from dawn.settings import Choice, Number, Settings, require_number, setting, specs

SINK_MODES = ("absolute", "relative")
VARIANTS = ("paper", "published")
ANCHOR_CONFIDENCES = ("current", "at_commit")
ATTENTION_ROWS = ("position", "predictor")
LARGEST_RELATIVE_SINK = 1000.0
RELATIVE_SINK_SHOWN = (0, 20.0, 0.1)  # a slider's ends and step
SMALLEST_EDGE = 1e-6  # below it a float32 0 could be an edge that weighs nothing


@dataclass(frozen=True, slots=True)
class Thresholds(Settings):
    """high, induced, low in [0, 1]; edge in [1e-6, 1]; sink in [0, 1], or κ in [0, 1000] for sink_mode relative: s_j > κ/L."""

    high: float = setting(0.9, Number("τ_high: a masked position at least this confident is committed at once."))
    induced: float = setting(0.7, Number("τ_induced: enough confidence for a position that depends on an anchor."))
    low: float = setting(0.75, Number("τ_low: enough confidence for a position that conflicts with no other one taken."))
    edge: float = setting(
        0.07, Number("τ_edge: attention from i to j at least this large makes i depend on j.", shown=(0.01, 1, 0.01))
    )
    sink: float = setting(
        0.01,
        Number(
            "τ_sink: a column that receives more than this on average is a sink and is removed.",
            high=LARGEST_RELATIVE_SINK,
            shown=(0, 0.2, 0.001),
        ),
    )
    sink_mode: str = setting(
        "absolute",
        Choice("absolute: compare received attention with τ_sink; relative: with τ_sink divided by the length.", SINK_MODES),
    )
    variant: str = setting(
        "paper",
        Choice("paper: Algorithm 1 of the paper; published: the looser exclusion in the published code.", VARIANTS),
    )
    anchor_confidence: str = setting(
        "current",
        Choice("An anchor's confidence: of this forward pass, or of the step that committed it.", ANCHOR_CONFIDENCES),
    )
    attention_row: str = setting(
        "position",
        Choice(
            "The row that speaks for position i: its own, or that of i-1, which predicts it in shifted models.", ATTENTION_ROWS
        ),
    )

    def __post_init__(self):
        Settings.__post_init__(self)
        if self.edge < SMALLEST_EDGE:
            raise ThresholdError(f"edge must be above 0 (at least {SMALLEST_EDGE:g}): at 0 all positions would depend on all")
        require_number("sink", self.sink, 0.0, 1.0 if self.sink_mode == "absolute" else LARGEST_RELATIVE_SINK)
        for name in ("high", "induced", "low", "edge", "sink"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def sink_level(self, length: int) -> float:
        """The received attention above which a column of a canvas of `length` positions is a sink."""
        return self.sink if self.sink_mode == "absolute" else self.sink / length


THRESHOLD_NAMES = tuple(specs(Thresholds))

PRESETS = {
    "Embedded model": Thresholds(high=0.95, induced=0.8, low=0.85, edge=0.07, sink=3.0, sink_mode="relative"),
    "LLaDA · GSM8K, MATH": Thresholds(),
    "LLaDA · HumanEval": Thresholds(low=0.8),
    "LLaDA-8B · MBPP": Thresholds(low=0.7),
    "Dream Base · GSM8K": Thresholds(induced=0.75, low=0.75, edge=0.05, sink=0.03),
    "Dream Base · MATH, HumanEval, MBPP": Thresholds(induced=0.75, low=0.8, edge=0.05, sink=0.03),
    "Dream Instruct · all tasks": Thresholds(induced=0.75, low=0.8, edge=0.10, sink=0.03),
}

PRESET_OF = {
    "embedded": "Embedded model",
    "LLaDA-8B": "LLaDA · GSM8K, MATH",
    "LLaDA-1.5": "LLaDA · GSM8K, MATH",
    "Dream-v0-Base": "Dream Base · GSM8K",
    "Dream-v0-Instruct": "Dream Instruct · all tasks",
}


def preset_of(model: str) -> str | None:
    """The preset that belongs to a model, by the beginning of its name's or folder's last part; None if there is none."""
    last = model.rstrip("/").rpartition("/")[2]
    return next((preset for start, preset in PRESET_OF.items() if last.startswith(start)), None)
