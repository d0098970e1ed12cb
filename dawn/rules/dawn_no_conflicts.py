"""Control, the paper's ablation "w/o conflict-based scheduling": no conflict-free set. Source: DAWN, ablation study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dawn.rules.dawn import Dawn


@dataclass(frozen=True, slots=True)
class DawnNoConflicts(Dawn):
    """A control, the paper's second ablation: DAWN that commits high and induced positions alone; τ_low is not read."""

    name: ClassVar[str] = "dawn-no-conflicts"

    def low(self) -> float:
        return np.inf
