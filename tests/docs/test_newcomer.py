"""A newcomer who follows docs/ alone: the file of a document, put in its place, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dawn.models.published import write_json
from tests.dawn.models.small import small_checkpoint
from tests.docs.blocks import DOCS, ROOT, block

NAME, SETTINGS = "falling", ("high", "fall")
APP = """
import os
import app
page = app.build(app.open_lab())
parts = {one["props"].get("elem_id"): one for one in page.get_config_file()["components"]}
menus = [parts[name]["props"]["choices"] for name in ("rule", "race-rule-1")]
print([[value for _, value in menu] for menu in menus])
print([(parts[f"falling-{name}"]["type"], parts[f"falling-{name}"]["props"]["value"]) for name in ("high", "fall")], flush=True)
os._exit(0)  # the first model is still being loaded in a thread
"""
BENCH = "from dawn.bench.selection import costs_at; print([cost.rule for cost in costs_at(64, 16, 2)])"


def copied(folder: Path) -> Path:
    """The project's source in a folder of its own, with the assets of this one."""
    for name in ("dawn", "viz"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    (folder / "assets").symlink_to(ROOT / "assets")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project with the rule of docs/add-a-rule.md in it."""
    folder = copied(tmp_path_factory.mktemp("rule"))
    (folder / named_place("add-a-rule.md")).write_text(block(DOCS / "add-a-rule.md", "class Falling"), encoding="utf-8")
    return folder


def named_place(document: str) -> str:
    """Where a document says that its file is to be saved."""
    return re.search(r"[Ss]ave this as `([^`]+)`", (DOCS / document).read_text(encoding="utf-8")).group(1)


def python(folder: Path, *arguments: str) -> str:
    """What a Python process in a folder prints; an AssertionError with what it complains of if it fails."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "160"}
    run = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


def test_the_documents_rule_has_at_most_thirty_lines():
    assert len(block(DOCS / "add-a-rule.md", "class Falling").splitlines()) <= 30
    assert len(block(DOCS / "add-a-model-family.md", "SPEC =").splitlines()) <= 30


def test_a_new_rule_is_on_the_command_line(project):
    told = ["-m", "dawn", "run", "What is 3 plus 4?", "--rule", NAME, "--fall", "0.1", "--gen-length", "16", "--json"]
    found = json.loads(python(project, *told))
    assert found["rule"] == NAME and found["settings"] == {"high": 0.9, "fall": 0.1}
    assert sum(len(step["committed"]) for step in found["steps"]) == found["tokens"] > 0


def test_a_new_rule_is_in_the_golden_check(project):
    said = python(project, "-m", "dawn", "golden", str(ROOT / "tests" / "data" / "llada_rules.npz"))
    assert NAME in said.partition("No published selections of:")[2]


def test_a_new_rule_is_in_the_bench(project):
    assert f"'{NAME}'" in python(project, "-c", BENCH)


def test_a_new_rule_is_on_the_page_with_its_sliders(project):
    menus, sliders = python(project, "-c", APP).splitlines()[-2:]
    assert menus.count(f"'{NAME}'") == 2 and sliders == "[('slider', 0.9), ('slider', 0.05)]"


def test_a_new_rule_is_in_the_table(project):
    python(project, "-m", "dawn", "table", "--n", "1", "--save", "rules.json")
    assert NAME in json.loads((project / "rules.json").read_text())["rules"]


def test_a_rule_whose_name_is_taken_is_refused(project, tmp_path):
    folder = copied(tmp_path)
    text = (project / named_place("add-a-rule.md")).read_text(encoding="utf-8")
    (folder / "dawn/rules/other.py").write_text(text.replace('"falling"', '"dawn"'), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"dawn\.rules\.dawn and dawn\.rules\.other both have a rule 'dawn'"):
        python(folder, "-c", "import dawn.rules")


def sketch_checkpoint(folder: Path) -> Path:
    """A small random checkpoint as docs/add-a-model-family.md supposes it."""
    from safetensors.torch import load_file, save_file

    small_checkpoint(folder)
    tensors = load_file(folder / "model.safetensors")
    renamed = {re.sub(r"^model\.", "net.", name): tensor for name, tensor in tensors.items()}
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    for file, fact in (("config.json", "mask_token_id"), ("tokenizer_config.json", "mask_token")):
        facts = json.loads((folder / file).read_text())
        del facts[fact]
        write_json(folder / file, facts | ({"model_type": "sketch"} if fact == "mask_token_id" else {}))
    return folder


def test_a_new_family_loads_its_checkpoint(tmp_path):
    folder = copied(tmp_path)
    checkpoint = sketch_checkpoint(tmp_path / "checkpoint")
    told = ["-m", "dawn", "run", "x", "--model", str(checkpoint), "--gen-length", "8", "--json"]
    with pytest.raises(AssertionError, match="'sketch' is not supported"):
        python(folder, *told)
    place = folder / named_place("add-a-model-family.md")
    place.write_text(block(DOCS / "add-a-model-family.md", "SPEC ="), encoding="utf-8")
    found = json.loads(python(folder, *told))
    assert found["tokens"] > 0 and found["model"] == str(checkpoint)
