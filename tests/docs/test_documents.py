"""The documents hold together: links lead somewhere, files that they name exist, the map is of the code as it is."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from dawn.chart import svg
from dawn.rules import RULES
from dawn.table import markdown, read
from tests import map as modules
from tests.docs.blocks import DOCS, ROOT
from tests.pictures import FOLDER, RESULTS

PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
TO_BE_WRITTEN = {"dawn/rules/falling.py", "dawn/models/families/sketch.py"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if not re.match(r"https?:|#", link)]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    named = set(re.findall(r"\b(?:dawn|viz|tests|docs|assets)/[\w/.-]+\.(?:py|md|svg)", page.read_text(encoding="utf-8")))
    assert [file for file in named - TO_BE_WRITTEN if not (ROOT / file).exists()] == []


def test_the_method_names_what_the_code_has():
    text = (DOCS / "method.md").read_text(encoding="utf-8")
    source = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("dawn/**/*.py"))
    for name in ("find_sinks", "build_graph", "sort", "exclusion", "independent_set", "select", "ended", "decode"):
        assert f"`{name}`" in text and f"def {name}(" in source
    for path in re.findall(r"`(\w+\.py)`", text.partition("## The other rules")[2]):
        assert (ROOT / "dawn" / "rules" / path).exists()


def test_every_document_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page.resolve())
        links = re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8"))
        waiting += [there for link in links if (there := (page.parent / link).resolve()) not in reached and there.exists()]
    assert {page.resolve() for page in DOCS.glob("*.md")} <= reached


def test_the_map_is_of_the_code_as_it_is():
    assert modules.FILE.read_text(encoding="utf-8") == modules.svg(), "draw it again: python -m tests.map"
    ElementTree.parse(modules.FILE)


def test_the_map_shows_every_package_and_what_imports_what():
    graph = modules.import_graph()
    assert {"app", "viz.tabs", "viz.components", "dawn.rules", "dawn.models", "dawn.decode", "dawn.trace"} <= set(graph)
    assert graph.has_edge("dawn.decode", "dawn.rules") and not graph.has_edge("dawn.rules", "dawn.decode")
    assert all(a.split(".")[0] != "dawn" or b.split(".")[0] == "dawn" for a, b in graph.edges)


def test_the_measured_rules_stand_in_the_readme_as_they_were_measured():
    table = read(RESULTS)
    assert {"dawn", "original"} <= set(table["rules"]) <= set(RULES) and table["setting"]["n"] == 1000
    assert markdown(table) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (FOLDER / "rules.svg").read_text(encoding="utf-8") == svg(table), "draw it again: python -m tests.pictures"
