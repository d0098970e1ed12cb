"""Comparison with published selections: decode states in, and what the published code selected for them. Source: tests/data.

A golden file is an .npz without pickles whose `manifest` lists its cases as JSON; arrays of case `007` are named `007/<name>`.
Three kinds are told apart by those names: single steps of LLaDA, single steps of Dream (whose logits predict the next
position), and whole decodes of a scripted model. Nothing here knows a rule but the table KNOWN: one line adds one. Of a rule
that no line makes there is nothing to compare, which is said: see `unpublished`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import DataError, DawnError
from dawn.prediction import Attention, Needs, Prediction, attention_rows
from dawn.rules import RULES, Dawn, Rule
from dawn.rules.base import Moment, by_confidence
from dawn.rules.confidence import Confidence
from dawn.rules.factor import Factor
from dawn.rules.klass import Klass
from dawn.rules.localleap import LocalLeap
from dawn.rules.original import Original
from dawn.thresholds import Thresholds

LARGEST_BYTES = 256 * 2**20
SEVERAL_PER_STEP = Original(steps_per_block=1)  # its quota is then the moment's `masks_at_start`


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """One published rule in one file.

    known: False if this program has no such rule; its cases are then counted as skipped and nothing else is.
    forwards: forward passes compared. differences: one line for each case that differs without an explanation.
    explained: cases that differ only by a known quirk of the published code. paper_differs: information, not a failure:
    cases in which the paper's Algorithm 1 decides otherwise than the published code; None for rules without variants.
    """

    file: str
    rule: str
    cases: int
    known: bool = True
    forwards: int = 0
    differences: tuple[str, ...] = ()
    explained: int = 0
    paper_differs: int | None = None

    @property
    def passed(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Known:
    """The rule that a published one is here, how to make it from a case's parameters, and which differing positions its
    published code explains."""

    rule: type
    make: Callable[[dict], Rule]
    explains: Callable[[Case, set[int]], bool] = lambda case, differing: False


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its parameters as the manifest has them, and its arrays by name."""

    parameters: dict
    arrays: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        return self.parameters["id"]

    def canvas(self, tokens: np.ndarray) -> Canvas:
        """The canvas over `tokens` [L] with the case's prompt and blocks."""
        given = self.parameters
        return Canvas.of(tokens, given["prompt"], given["block_length"], given["mask_id"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case compared: positions that differ, forward passes, and a sentence for what positions cannot say."""

    differing: set[int]
    forwards: int
    remark: str = ""


def published_dawn(parameters: dict) -> Dawn:
    """DAWN as published, with a case's thresholds."""
    given = parameters["dawn"]
    return Dawn(
        Thresholds(
            high=given.get("tau_high", 0.9),
            induced=given["tau_induce"],
            low=given["tau_low"],
            edge=given["tau_edge"],
            sink=given["tau_sink"],
            variant="published",
        )
    )


def only_prompt_token_0(case: Case, differing: set[int]) -> bool:
    """The published greedy loop runs on after its candidates are exhausted and then writes position 0."""
    start = case.arrays["x"] if "x" in case.arrays else case.arrays["states"][0]
    return differing == {0} and bool(start[0] != case.parameters["mask_id"])


def published_localleap(parameters: dict) -> LocalLeap:
    """LocalLeap with a case's thresholds and radius."""
    given = parameters["localleap"]
    return LocalLeap(given["threshold"], given["relaxed"], given["radius"])


def published_klass(parameters: dict) -> Klass:
    """KLASS with a case's thresholds; without anything ready one token a step."""
    return Klass(0, parameters["conf_threshold"], parameters["kl_threshold"], parameters["history"])


def only_the_last_rank(case: Case, differing: set[int]) -> bool:
    """The published factor rule accepts a first failure at the very last rank: it then takes every candidate."""
    canvas = case.canvas(case.arrays["x"])
    candidates = canvas.candidates
    _, confidence = most_likely(case.arrays["logits"], canvas.mask_id)
    last = int(by_confidence(candidates, confidence)[-1])
    return differing == {last} and len(candidates) > 1 and set(candidates.tolist()) == positions(case.arrays["factor"])


KNOWN: dict[str, Known] = {
    "dawn": Known(Dawn, published_dawn, only_prompt_token_0),
    "threshold": Known(Confidence, lambda parameters: Confidence(parameters["threshold"])),
    "original": Known(Original, lambda parameters: SEVERAL_PER_STEP),
    "factor": Known(Factor, lambda parameters: Factor(parameters["factor"]), only_the_last_rank),
    "localleap": Known(LocalLeap, published_localleap),
    "klass": Known(Klass, published_klass),
}


def check(paths: Iterable[str | Path]) -> list[GoldenResult]:
    """Compare every known rule with the published selections in golden files; DataError for a file that is not one."""
    return [result for path in paths for result in check_file(Path(path))]


def unpublished(results: Iterable[GoldenResult]) -> list[str]:
    """The rules of this program, by name, of which no published selection was compared."""
    compared = {KNOWN[result.rule].rule.name for result in results if result.known}
    return [name for name in RULES if name not in compared]


def check_file(path: Path) -> Iterator[GoldenResult]:
    """One result per published rule of a file."""
    cases = read_cases(path)
    kind = kind_of(cases[0].arrays)
    if kind is None:
        raise DataError(f"{path.name}: case {cases[0].name} has none of the array sets of a golden file")
    for rule in kind.rules(cases[0]):
        try:
            yield check_rule(path.name, rule, cases, kind)
        except (DawnError, KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(f"{path.name}: rule {rule}: a case is malformed ({type(error).__name__}: {error!s:.120})") from None


def check_rule(file: str, name: str, cases: list[Case], kind: Kind) -> GoldenResult:
    """All cases of a file for one published rule."""
    if name not in KNOWN:
        return GoldenResult(file, name, len(cases), known=False)
    known = KNOWN[name]
    outcomes = [kind.compare(case, known.make(case.parameters), name) for case in cases]
    explained = [known.explains(case, outcome.differing) for case, outcome in zip(cases, outcomes, strict=True)]
    wrong = [
        describe(case, outcome)
        for case, outcome, excused in zip(cases, outcomes, explained, strict=True)
        if outcome.remark or (outcome.differing and not excused)
    ]
    variants = sum(paper_differs(kind, case, known.make(case.parameters)) for case in cases) if name == "dawn" else None
    forwards = sum(outcome.forwards for outcome in outcomes)
    return GoldenResult(file, name, len(cases), True, forwards, tuple(wrong), sum(explained), variants)


def describe(case: Case, outcome: Outcome) -> str:
    """One line about a case that differs."""
    where = ", ".join(map(str, sorted(outcome.differing)[:10]))
    return f"case {case.name}: " + (outcome.remark or f"differs at {where}")


def paper_differs(kind: Kind, case: Case, rule: Dawn) -> bool:
    """Whether the paper's variant leads to other tokens than the published one."""
    paper = Dawn(replace(rule.thresholds, variant="paper"))
    ours, theirs = kind.run(case, rule), kind.run(case, paper)
    return len(ours) != len(theirs) or any(not np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of golden file: its arrays with their dimensions, the rules it holds, the states [L] a rule leads to in a case,
    and the comparison of those with the published ones."""

    shapes: dict[str, str]
    rules: Callable[[Case], list[str]]
    run: Callable[[Case, Rule], list[np.ndarray]]
    compare: Callable[[Case, Rule, str], Outcome]


def llada_step(case: Case, rule: Rule) -> list[np.ndarray]:
    """The tokens after one step on LLaDA's logits."""
    return [one_step(case, case.arrays["logits"], rule)]


def dream_step(case: Case, rule: Rule) -> list[np.ndarray]:
    """The tokens after one step on Dream's logits, shifted right by one: l'_i = l_{i-1}, l'_0 = l_0."""
    logits = case.arrays["network_logits"]
    return [one_step(case, np.concatenate([logits[:1], logits[:-1]]), rule)]


def one_step(case: Case, logits: np.ndarray, rule: Rule) -> np.ndarray:
    """[L] the tokens after `rule` has decided once on logits [L, V]."""
    canvas = case.canvas(case.arrays["x"])
    if "block" in case.parameters and canvas.block != case.parameters["block"]:
        raise DataError(f"case {case.name}: the active block is {canvas.block}, not {case.parameters['block']}")
    prediction = predict(canvas, logits, case.arrays["attn"])
    moment = Moment(0, case.parameters.get("original_k", len(canvas.candidates)))
    chosen = rule.decide(canvas, prediction, moment).selection.positions
    return canvas.commit(chosen, prediction.tokens[chosen], prediction.confidence[chosen]).tokens


def whole_decode(case: Case, rule: Rule) -> list[np.ndarray]:
    """The tokens after each forward pass of a whole decode, as far as the script goes."""
    canvas, logits = case.canvas(case.arrays["states"][0]), case.arrays["logits"]
    script = Script(case.parameters["mask_id"], logits, case.arrays.get("attn"))
    options = Options(step_limit=len(logits), stop_at_end=False)
    return [record.after.tokens for record in decode(script, rule, canvas, options)]


def compare_llada(case: Case, rule: Rule, name: str) -> Outcome:
    """Selected positions against the published selection [L], and the tokens there."""
    before, (after,) = case.arrays["x"], llada_step(case, rule)
    published = case.arrays[name]
    selected = after != before
    tokens = np.where(published & selected, case.arrays["predicted"], after)
    return Outcome(positions((selected != published) | (tokens != after)), 1)


def compare_dream(case: Case, rule: Rule, name: str) -> Outcome:
    """Tokens after the step against the published ones."""
    (after,) = dream_step(case, rule)
    return Outcome(positions(after != case.arrays["after"]), 1)


def compare_decode(case: Case, rule: Rule, name: str) -> Outcome:
    """Tokens after each forward pass against the published ones, and the number of forward passes."""
    ours, published = whole_decode(case, rule), case.arrays["states"][1:]
    differing = set().union(*(positions(a != b) for a, b in zip(ours, published, strict=False)))
    counts_agree = len(ours) == len(published) == case.parameters["forwards"]
    remark = "" if counts_agree else f"{len(ours)} forward passes, published {len(published)}"
    return Outcome(differing, len(published), remark)


def positions(where: np.ndarray) -> set[int]:
    """The positions of a [L] bool."""
    return set(np.flatnonzero(where).tolist())


def step_rules(case: Case) -> list[str]:
    """The published rules of a LLaDA case: one boolean selection each."""
    return [name for name, array in case.arrays.items() if array.dtype == bool]


LLADA = Kind({"x": "L", "logits": "LV", "attn": "LL", "predicted": "L"}, step_rules, llada_step, compare_llada)
DREAM = Kind({"x": "L", "network_logits": "LV", "attn": "LL", "after": "L"}, lambda case: ["dawn"], dream_step, compare_dream)
DECODE = Kind({"logits": "TLV", "attn": "TLL", "states": "NL"}, lambda case: ["dawn"], whole_decode, compare_decode)
KLASS = Kind({"logits": "TLV", "states": "NL"}, lambda case: ["klass"], whole_decode, compare_decode)


def kind_of(arrays: dict[str, np.ndarray]) -> Kind | None:
    """The kind of file whose arrays a case has."""
    return next((kind for kind in (LLADA, DREAM, DECODE, KLASS) if set(kind.shapes) <= set(arrays)), None)


@dataclass(slots=True)
class Script:
    """A denoiser whose call t answers with logits[t] and attention[t], whatever the canvas."""

    mask_id: int
    logits: np.ndarray
    attention: np.ndarray | None
    calls: int = 0
    end_ids: tuple[int, ...] = ()

    def predict(self, canvas: Canvas, needs: Needs, temperature: float, random: np.random.Generator) -> Prediction:
        call, self.calls = self.calls, self.calls + 1
        seen = predict(canvas, self.logits[call], None if self.attention is None else self.attention[call])
        return replace(seen, kl=np.stack([self.change(t) for t in range(call - needs.kl + 1, call + 1)])) if needs.kl else seen

    def change(self, call: int) -> np.ndarray:
        """[L] float32: the divergence of call `call` from the one before it; before the first call all is 0."""
        if call < 0:
            return np.full(self.logits.shape[1], np.nan, dtype=np.float32)
        now = shares(self.logits[call])
        before = shares(self.logits[call - 1]) if call else np.zeros_like(now)
        return (now * (np.log(now + 1e-12) - np.log(before + 1e-12))).sum(axis=1).astype(np.float32)


def predict(canvas: Canvas, logits: np.ndarray, attention: np.ndarray | None) -> Prediction:
    """The prediction that logits [L, V] and an attention map [L, L] amount to."""
    tokens, confidence = most_likely(logits, canvas.mask_id)
    return Prediction(tokens, confidence, None if attention is None else window_attention(canvas, attention))


def most_likely(logits: np.ndarray, mask_id: int) -> tuple[np.ndarray, np.ndarray]:
    """tokens [L] int32 and their probability [L] float32; the mask token is never predicted.

    The published code leaves the mask token its share in the softmax; so does this. A denoiser of this program does not.
    """
    logits = logits.astype(np.float64)
    possible = np.where(np.arange(logits.shape[1]) == mask_id, -np.inf, logits)
    best = possible.max(axis=1)
    confidence = 1 / np.exp(logits - best[:, None]).sum(axis=1)
    return possible.argmax(axis=1).astype(np.int32), confidence.astype(np.float32)


def shares(logits: np.ndarray) -> np.ndarray:
    """The softmax of logits [L, V] in float64."""
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def window_attention(canvas: Canvas, attention: np.ndarray) -> Attention:
    """What a decision reads of a whole map [L, L]."""
    rows = attention_rows(canvas.window)
    return Attention(rows, attention[rows], attention.mean(axis=0))


def read_cases(path: Path) -> list[Case]:
    """The cases of a golden file."""
    arrays = read_arrays(path)
    if "manifest" not in arrays:
        raise DataError(f"{path.name} is not a golden file: it has no array 'manifest'")
    try:
        manifest = json.loads(str(arrays["manifest"]))
    except (ValueError, RecursionError):
        raise DataError(f"{path.name}: its manifest is not JSON") from None
    if not isinstance(manifest, list) or not manifest or not all(is_case(entry) for entry in manifest):
        raise DataError(f"{path.name}: its manifest must be a list of cases, each with an id")
    return [checked_case(path, entry, arrays) for entry in manifest]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz without pickles."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST_BYTES:
            raise DataError(f"{path.name} unpacks to {size / 2**20:.0f} MB; at most {LARGEST_BYTES / 2**20:.0f} MB are read")
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except OSError as error:
        raise DataError(f"cannot read {path.name}: {error.strerror or error!s:.120}") from None
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many kinds for broken data
        raise DataError(f"{path.name} is not a golden file: {type(error).__name__}: {error!s:.120}") from None


def is_case(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str)


def checked_case(path: Path, parameters: dict, arrays: dict[str, np.ndarray]) -> Case:
    """A case with its own arrays, whose dimensions agree."""
    start = parameters["id"] + "/"
    own = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
    kind = kind_of(own)
    sizes: dict[str, int] = {}
    for name, letters in (kind.shapes if kind else {}).items():
        expected = tuple(sizes.setdefault(letter, n) for letter, n in zip(letters, own[name].shape, strict=False))
        if own[name].shape != expected or len(letters) != own[name].ndim:
            raise DataError(f"{path.name}: array {start + name!r} has shape {own[name].shape}, not {letters} of {sizes}")
    return Case(parameters, own)
