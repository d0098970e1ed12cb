"""The document of the trace file, against the schema that the program holds files to, and against a file."""

from __future__ import annotations

import re

from dawn import trace
from dawn.trace import META_CHECKS, SCHEMAS, TIERS, arrays_of, meta_of, save
from tests.docs.blocks import DOCS, block
from tests.viz.synthetic import synthetic_trace

PAGE = DOCS / "trace-schema.md"
TEXT = PAGE.read_text(encoding="utf-8")
MIB = 2**20


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]


def shape_of(words: str) -> list[str]:
    return words.strip("[]").split(", ")


def test_every_array_with_its_type_and_dimensions():
    told = {name.strip("`"): (kind, len(shape_of(shape))) for name, kind, shape, *_ in rows("Arrays")}
    assert told == trace.DTYPES and list(told) == list(trace.DTYPES)


def test_which_arrays_are_always_there():
    always = tuple(name.strip("`") for name, *_, there in rows("Arrays") if there == "always")
    assert always == trace.REQUIRED
    assert tuple(name.strip("`") for name, *_, there in rows("Arrays") if there == "if recorded") == trace.OPTIONAL


def test_the_shapes_are_those_of_a_file():
    run = synthetic_trace(24, 12)
    sizes = {"L": run.canvas.length, "T": len(run.steps), "3": 3}
    for name, array in arrays_of(run).items():
        told = shape_of(next(shape for one, _, shape, *_ in rows("Arrays") if one == f"`{name}`"))
        for letter, size in zip(told, array.shape, strict=True):
            assert sizes.setdefault(letter, size) == size, (name, letter)


def test_every_field_of_the_metadata():
    told = {name for cell, _ in rows("Metadata") for name in re.findall(r"`(\w+)`", cell)}
    assert told == {"schema", *META_CHECKS} and told - {"edits"} == set(meta_of(synthetic_trace(16, 8)))


def test_tiers_schemas_and_limits():
    assert f"Tiers in `committed`: {', '.join(tier.value for tier in TIERS)}." in TEXT
    assert dict(rows("Metadata"))["`schema`"] == f"{SCHEMAS[0]}, or {SCHEMAS[1]} if there are `edits`"
    for limits in (trace.OWN, trace.UPLOADED):
        assert f"{limits.unpacked // MIB} MiB and {limits.positions:,} positions" in TEXT


def test_the_example_reads_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = synthetic_trace(16, 8)
    save(run, "run.npz")
    exec(block(PAGE, "np.load"), {})
    assert f"{run.forwards} {run.canvas.length}" in capsys.readouterr().out
