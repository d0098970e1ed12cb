"""Slow oracles, written in sets from the published definitions. They share no code with the rules they judge.

Sets follow the papers' notation: M masked positions of the window, H high, K anchors, I induced, U = H ∪ I, F excluded,
C candidates of the greedy set, S the set. Numbers are compared as float32, like the rules' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dawn.canvas import Canvas
from dawn.prediction import Prediction
from dawn.thresholds import Thresholds


@dataclass
class Verdict:
    """tiers: position → tier; reasons: position → reason; blockers: position → {admissible blocker: weight};
    evidence: induced position → {anchor: weight}; edges: {(source, target): weight} into M; sinks."""

    tiers: dict[int, str]
    reasons: dict[int, str]
    blockers: dict[int, dict[int, float]]
    evidence: dict[int, dict[int, float]]
    edges: dict[tuple[int, int], float]
    sinks: set[int]


def end_of_block(canvas: Canvas) -> int:
    """e: one past the end of the first block that holds a mask; masks in the prompt belong to the first block."""
    first = min(i for i in range(canvas.length) if canvas.tokens[i] == canvas.mask_id)
    e = canvas.prompt_length
    while True:
        e += canvas.block_length
        if first < e:
            return min(e, canvas.length)


def masked_window(canvas: Canvas) -> set[int]:
    """M."""
    return {i for i in range(end_of_block(canvas)) if canvas.tokens[i] == canvas.mask_id}


def most_confident(positions: set[int], c: dict[int, float]) -> int:
    return min(positions, key=lambda i: (-c[i], i))


def confidence(canvas: Canvas, prediction: Prediction, tau: float) -> set[int]:
    """{i ∈ M : c_i ≥ τ} ∪ {argmax c}."""
    c = dict(enumerate(prediction.confidence.tolist()))
    M, tau = masked_window(canvas), float(np.float32(tau))
    return {i for i in M if c[i] >= tau} | {most_confident(M, c)}


def original(canvas: Canvas, prediction: Prediction, k: int) -> set[int]:
    """The top k of M by confidence."""
    c = dict(enumerate(prediction.confidence.tolist()))
    left, chosen = masked_window(canvas), set()
    while left and len(chosen) < k:
        best = most_confident(left, c)
        left.remove(best)
        chosen.add(best)
    return chosen


def quota(masks: int, steps: int, t: int) -> int:
    """k_t for m masks in S steps: what is left over goes to the first steps, one each."""
    shares = [0] * steps
    for token in range(masks):
        shares[token % steps] += 1
    return shares[t] if t < steps else 0


def dependency_edges(canvas: Canvas, prediction: Prediction, th: Thresholds) -> tuple[set[int], dict[tuple[int, int], float]]:
    """Sinks, and {(j, i): A[row of i, j]} for i in M: edges j → i."""
    L = canvas.length
    s = prediction.attention.received.tolist()
    level = float(np.float32(th.sink if th.sink_mode == "absolute" else th.sink / L))
    sinks = {j for j in range(L) if s[j] > level}
    row_of = {int(q): row.tolist() for q, row in zip(prediction.attention.rows, prediction.attention.weights, strict=True)}
    back = {"position": 0, "predictor": 1}[th.attention_row]
    edges = {}
    for i in masked_window(canvas):
        row = row_of[max(i - back, 0)]
        for j in range(L):
            if j not in sinks and j != i and row[j] >= float(np.float32(th.edge)):
                edges[j, i] = row[j]
    return sinks, edges


def dawn(canvas: Canvas, prediction: Prediction, th: Thresholds) -> Verdict:
    """Algorithm 1, or the published code's looser exclusion."""
    M, e = masked_window(canvas), end_of_block(canvas)
    high, induced, low = (float(np.float32(t)) for t in (th.high, th.induced, th.low))
    c = dict(enumerate(prediction.confidence.tolist()))
    now = c if th.anchor_confidence == "current" else dict(enumerate(canvas.committed_confidence.tolist()))
    sinks, edges = dependency_edges(canvas, prediction, th)

    def conflict(i: int, j: int) -> float:
        return max(edges.get((i, j), 0.0), edges.get((j, i), 0.0))

    H = {i for i in M if c[i] >= high}
    K = {j for j in range(e) if j not in M and now[j] >= high}
    evidence = {i: {j: edges[j, i] for j in K if (j, i) in edges} for i in M if c[i] >= induced}
    I = {i for i in evidence if evidence[i]}  # noqa: E741 - the paper's name
    U = H | I
    if th.variant == "paper":
        blocked = {i: {j: conflict(i, j) for j in U if conflict(i, j)} for i in M - U}
    else:
        blocked = {i: {j: edges[j, i] for j in I & H if (j, i) in edges} for i in M - U}
    F = {i for i in blocked if blocked[i]}
    able = {i for i in M if c[i] >= low} - U
    left, S, dropped = able - F, set(), {}
    while left:
        best = most_confident(left, c)
        lost = {i for i in left - {best} if conflict(i, best)}
        dropped |= {i: {best: conflict(i, best)} for i in lost}
        S.add(best)
        left -= lost | {best}

    tiers = {i: "conflict_free" for i in S} | {i: "induced" for i in I} | {i: "high" for i in H}
    tiers = tiers or {most_confident(M, c): "forced"}
    reasons, blockers = {}, {}
    for i in M - set(tiers):
        if i in dropped:
            reasons[i], blockers[i] = "dropped", dropped[i]
        elif i in able:
            heaviest = max(blocked[i].values())
            reasons[i], blockers[i] = "conflict", {j: w for j, w in blocked[i].items() if w == heaviest}
        else:
            reasons[i] = "below"
    return Verdict(tiers, reasons, blockers, {i: evidence[i] for i in I - H}, edges, sinks)


def factor(canvas: Canvas, prediction: Prediction, f: float) -> set[int]:
    """The largest prefix of the ranking in which every rank r ≥ 2 has c ≥ 1 − f / (r + 1)."""
    c = dict(enumerate(prediction.confidence.tolist()))
    left, chosen = masked_window(canvas), set()
    while left:
        best, rank = most_confident(left, c), len(chosen) + 1
        if rank > 1 and c[best] < float(np.float32(1 - f / (rank + 1))):
            break
        left.remove(best)
        chosen.add(best)
    return chosen


def localleap(canvas: Canvas, prediction: Prediction, high: float, relaxed: float, radius: int) -> dict[int, str]:
    """Position → tier: anchors, what they let in, or the argmax."""
    c = dict(enumerate(prediction.confidence.tolist()))
    M, high, relaxed = masked_window(canvas), float(np.float32(high)), float(np.float32(relaxed))
    anchors = {i for i in M if c[i] >= high}
    near = {i + d for i in anchors for d in range(-radius, radius + 1)}
    tiers = {i: "nearby" for i in M & near if c[i] >= relaxed} | {i: "high" for i in anchors}
    return tiers or {most_confident(M, c): "forced"}


def first_by(canvas: Canvas, key: dict[int, float], k: int) -> set[int]:
    """The k positions of M with the smallest key; ties to the lowest index."""
    left, chosen = masked_window(canvas), set()
    while left and len(chosen) < k:
        first = min(left, key=lambda i: (key[i], i))
        left.remove(first)
        chosen.add(first)
    return chosen


def lowest_entropy(canvas: Canvas, prediction: Prediction, k: int) -> set[int]:
    return first_by(canvas, dict(enumerate(prediction.entropy.tolist())), k)


def largest_margin(canvas: Canvas, prediction: Prediction, k: int) -> set[int]:
    return first_by(canvas, {i: -m for i, m in enumerate(prediction.margin.tolist())}, k)


def entropy_bounded(canvas: Canvas, prediction: Prediction, gamma: float) -> set[int]:
    """Position by position, as long as what is chosen holds at most γ of entropy."""
    H = dict(enumerate(prediction.entropy.tolist()))
    M, chosen = masked_window(canvas), set()
    while M - chosen:
        spent = float(np.float32(sum(H[i] for i in chosen)))
        if chosen and spent > float(np.float32(gamma)):
            break
        chosen.add(min(M - chosen, key=lambda i: (H[i], i)))
    return chosen


def klass(canvas: Canvas, prediction: Prediction, kappa: float, epsilon: float, h: int, t: int) -> dict[int, str]:
    """Candidate → "ready", "below" or "unstable" at step t of its block; nothing "ready" before the block has had h steps."""
    verdict = {}
    for i in masked_window(canvas):
        last = [float(row[i]) for row in prediction.kl[len(prediction.kl) - h :]]
        still = t >= h - 1 and all(value < float(np.float32(epsilon)) for value in last)
        confident = float(prediction.confidence[i]) > float(np.float32(kappa))
        verdict[i] = "below" if not confident else "ready" if still else "unstable"
    return verdict


def dapd(canvas: Canvas, prediction: Prediction, tau: float, high: float) -> tuple[set[int], dict[int, int]]:
    """What DAPD takes, and for each position that it does not take in the scan, the first taken one it is joined to."""
    M = masked_window(canvas)
    c = dict(enumerate(prediction.confidence.tolist()))
    generated = range(canvas.prompt_length, canvas.length)
    if sum(canvas.tokens[i] == canvas.mask_id for i in range(canvas.length)) < len(generated) / 2:
        return {i for i in M if c[i] > float(np.float32(high))} or {most_confident(M, c)}, {}
    row_of = dict(zip(prediction.attention.rows.tolist(), prediction.attention.weights, strict=True))
    s = {(i, j): (row_of[i][j] + row_of[j][i]) / np.float32(2) for i in M for j in M if i != j}
    total = {i: np.array([s.get((i, j), np.float32(0)) for j in sorted(M)], dtype=np.float32).sum() for i in M}
    weight = {i: total[i] * prediction.confidence[i] for i in M}
    taken, blocked = [], {}
    for i in sorted(M, key=lambda i: (-weight[i], i)):
        joined = [j for j in taken if s[i, j] > np.float32(tau)]
        if joined:
            blocked[i] = joined[0]
        else:
            taken.append(i)
    return set(taken), blocked
