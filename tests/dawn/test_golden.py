"""The golden data: every known rule agrees, every quirk is counted, a wrong rule is caught, a strange file is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dawn import golden
from dawn.errors import DataError
from dawn.golden import GoldenResult, check, unpublished
from dawn.rules import Confidence, Dawn, Factor, Original

DATA = Path(__file__).parent.parent / "data"
FILES = [DATA / f"{name}.npz" for name in ("llada_rules", "dream_rules", "dawn_trajectories", "klass_trajectories")]


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str], GoldenResult]:
    return {(result.file, result.rule): result for result in check(FILES)}


@pytest.mark.parametrize(
    ("file", "rule", "cases", "forwards", "explained", "paper_differs"),
    [
        ("llada_rules.npz", "dawn", 80, 80, 11, 22),
        ("llada_rules.npz", "threshold", 80, 80, 0, None),
        ("llada_rules.npz", "original", 80, 80, 0, None),
        ("llada_rules.npz", "factor", 80, 80, 10, None),
        ("llada_rules.npz", "localleap", 80, 80, 0, None),
        ("dream_rules.npz", "dawn", 40, 40, 9, 22),
        ("dawn_trajectories.npz", "dawn", 16, 107, 6, 9),
        ("klass_trajectories.npz", "klass", 16, 195, 0, None),
    ],
)
def test_agrees_with_the_published_selections(results, file, rule, cases, forwards, explained, paper_differs):
    assert results[file, rule] == GoldenResult(file, rule, cases, True, forwards, (), explained, paper_differs)
    assert results[file, rule].passed


def test_every_rule_of_the_files_is_compared_or_visibly_skipped(results):
    assert {rule for _, rule in results} == {"dawn", "threshold", "original", "factor", "localleap", "klass"}
    for (_, rule), result in results.items():
        assert result.known == (rule in golden.KNOWN)
        assert result.cases in (16, 40, 80)


@pytest.mark.parametrize(
    ("file", "rule", "wrong"),
    [
        ("llada_rules", "threshold", lambda parameters: Confidence(0.8)),
        ("llada_rules", "original", lambda parameters: Original()),
        ("llada_rules", "factor", lambda parameters: Factor(parameters["factor"] + 0.2)),
        ("llada_rules", "localleap", lambda parameters: replace(golden.published_localleap(parameters), radius=0)),
        ("llada_rules", "dawn", lambda parameters: Dawn(replace(golden.published_dawn(parameters).thresholds, edge=0.3))),
        ("dream_rules", "dawn", lambda parameters: Confidence(0.75)),
        ("klass_trajectories", "klass", lambda parameters: replace(golden.published_klass(parameters), history=1)),
        ("dawn_trajectories", "dawn", lambda parameters: Dawn(replace(golden.published_dawn(parameters).thresholds, low=1.0))),
    ],
)
def test_a_wrong_rule_is_caught(monkeypatch, file, rule, wrong):
    monkeypatch.setitem(golden.KNOWN, rule, replace(golden.KNOWN[rule], make=wrong))
    monkeypatch.setattr(golden, "paper_differs", lambda kind, case, rule: False)
    result = next(result for result in check([DATA / f"{file}.npz"]) if result.rule == rule)
    assert not result.passed and result.differences[0].startswith("case ")


def test_rules_that_had_nothing_to_be_compared_with_are_named(results):
    assert {"eb", "margin", "dawn-no-anchors"} <= set(unpublished(results.values()))
    assert not {"dawn", "confidence", "original", "factor", "localleap", "klass"} & set(unpublished(results.values()))
    assert "klass" in unpublished(check(FILES[:1]))


def test_without_its_explanation_the_quirk_is_a_difference(monkeypatch):
    monkeypatch.setitem(golden.KNOWN, "dawn", golden.Known(golden.Dawn, golden.published_dawn))
    result = next(iter(check([DATA / "llada_rules.npz"])))
    assert len(result.differences) == 11 and all(line.endswith("differs at 0") for line in result.differences)


def write(path, manifest, **arrays):
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    np.savez(path, manifest=np.array(text), **arrays)
    return path


def case(**changes):
    with np.load(DATA / "llada_rules.npz") as file:
        manifest = json.loads(str(file["manifest"]))[0]
        arrays = {name: file[name] for name in file.files if name.startswith("000/")}
    return [manifest], arrays | changes


def test_a_golden_file_of_one_case_is_read(tmp_path):
    manifest, arrays = case()
    results = check([write(tmp_path / "one.npz", manifest, **arrays)])
    assert [result.cases for result in results] == [1] * 5 and all(result.passed for result in results)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"000/logits": np.zeros(3)}, "'000/logits' has shape"),
        ({"000/logits": np.zeros((3, 6))}, "'000/logits' has shape"),
        ({"000/attn": np.zeros((37, 6))}, "'000/attn' has shape"),
        ({"000/x": np.ones(37, dtype=np.int64)}, "malformed"),
    ],
)
def test_a_malformed_case_is_refused(tmp_path, changes, message):
    manifest, arrays = case()
    with pytest.raises(DataError, match=message):
        check([write(tmp_path / "bad.npz", manifest, **arrays | changes)])


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "not JSON"),
        ("[]", "list of cases"),
        ("[1]", "list of cases"),
        ('[{"id": 3}]', "list of cases"),
        ('[{"id": "000"}]', "malformed"),
        ('[{"id": "999"}]', "none of the array sets"),
    ],
)
def test_a_malformed_manifest_is_refused(tmp_path, manifest, message):
    with pytest.raises(DataError, match=message):
        check([write(tmp_path / "bad.npz", manifest, **case()[1])])


def test_what_is_not_a_golden_file_is_refused(tmp_path, monkeypatch):
    for name, data in (("empty.npz", b""), ("text.npz", b"hello"), ("cut.npz", FILES[1].read_bytes()[:5000])):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=f"{name} is not a golden file"):
            check([tmp_path / name])
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "pickle.npz", manifest=np.array([{}], dtype=object))
    for name in ("array.npy", "other.npz", "pickle.npz"):
        with pytest.raises(DataError, match=f"{name} is not a golden file"):
            check([tmp_path / name])
    for path in (tmp_path, tmp_path / "missing.npz"):
        with pytest.raises(DataError, match="cannot read"):
            check([path])
    monkeypatch.setattr(golden, "LARGEST_BYTES", 1000)
    with pytest.raises(DataError, match="unpacks to"):
        check([FILES[1]])
