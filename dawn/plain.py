"""A trace and its steps as plain values, for JSON: what `python -m dawn run --json` prints and the API answers."""

from __future__ import annotations

from dawn.decode import StepRecord
from dawn.selection import Commit, Refusal, Selection
from dawn.trace import Trace


def trace_json(trace: Trace) -> dict:
    """The run: how it was made, what it wrote, and every step."""
    return {
        "model": trace.setup.model,
        "rule": trace.setup.rule,
        "settings": trace.setup.settings,
        "prompt": trace.prompt,
        "output": trace.output,
        "forwards": trace.forwards,
        "tokens": trace.tokens_committed,
        "seconds": trace.seconds,
        "steps": [step_json(trace, step) for step in trace.steps],
    }


def step_json(trace: Trace, step: StepRecord) -> dict:
    """One step: its index, from 0, and its decision in short."""
    selection = step.decision.selection
    refused = [{"position": refusal.position, "reason": refusal.reason.value} for refusal in selection.refused]
    return {"index": step.index, "block": step.block, "committed": committed_json(trace, step, selection), "refused": refused}


def committed_json(trace: Trace, step: StepRecord, selection: Selection) -> list[dict]:
    """What a decision about a step commits."""
    return [{**candidate_json(trace, step, commit), "tier": commit.tier.value} for commit in selection.committed]


def candidate_json(trace: Trace, step: StepRecord, one: Commit | Refusal) -> dict:
    """A candidate's position, its predicted token and text, and how confident the model is of it."""
    token = int(step.prediction.tokens[one.position])
    confidence = float(step.prediction.confidence[one.position])
    return {"position": one.position, "token": token, "text": trace.pieces.get(token, ""), "confidence": confidence}


def decision_json(trace: Trace, step: StepRecord, selection: Selection) -> dict:
    """A decision about a step with all its reasons: evidence of commits as [anchor, weight], blocker and weight of refusals."""
    committed = [
        {**candidate_json(trace, step, commit), "tier": commit.tier.value, "evidence": [list(pair) for pair in commit.evidence]}
        for commit in selection.committed
    ]
    refused = [
        {
            **candidate_json(trace, step, refusal),
            "reason": refusal.reason.value,
            "blocker": refusal.blocker,
            "weight": refusal.weight,
        }
        for refusal in selection.refused
    ]
    return {"index": step.index, "block": step.block, "committed": committed, "refused": refused}
