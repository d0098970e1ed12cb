"""What a rule decided about every candidate: committed, with tier and evidence, or refused, with reason and blocker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from dawn.graph import DependencyGraph


class Tier(Enum):
    """Why a position was committed. Trace files number the tiers in this order: new ones go to the end.

    high: confident enough alone; induced: leans on an anchor; conflict_free: in the greedy set; forced: a step must commit
    one; quota: first in a ranking of fixed length; ranked: within the bound that its rank sets; nearby: close to a
    position that is `high`, where less confidence is enough; stable: confident, and no longer changing.
    """

    HIGH = "high"
    INDUCED = "induced"
    CONFLICT_FREE = "conflict_free"
    FORCED = "forced"
    QUOTA = "quota"
    RANKED = "ranked"
    NEARBY = "nearby"
    STABLE = "stable"


class Reason(Enum):
    """Why a position was refused: below every threshold that applied to it; in conflict with a position committed before any
    scheduling; dropped from the independent set by a more confident neighbour; ranked behind those that filled the step, up to
    its quota or its bound; confident, but still changing from one forward pass to the next."""

    BELOW = "below"
    CONFLICT = "conflict"
    DROPPED = "dropped"
    OUTRANKED = "outranked"
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed position. evidence: (anchor, edge weight), heaviest first; only for tier `induced`."""

    position: int
    tier: Tier
    evidence: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused position; for conflicts and drops the blocker and the weight of the edge between the two."""

    position: int
    reason: Reason
    blocker: int | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """A decision about every candidate: committed (never empty) and refused, each ascending by position."""

    committed: tuple[Commit, ...]
    refused: tuple[Refusal, ...]

    @property
    def positions(self) -> np.ndarray:
        """[n] int64, ascending."""
        return np.array([commit.position for commit in self.committed], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule's answer: the selection, and the graph it was read from (None for rules that read none)."""

    selection: Selection
    graph: DependencyGraph | None = None
