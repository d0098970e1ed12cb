"""The checks before a release, on texts that keep and break them; and what this tree must keep at any time."""

from __future__ import annotations

import pytest

import dawn
from tests import release
from tests.release import COMMANDS, ROOT, changelog_gaps, checks, lock_gaps, locked, told, too_large, version_gaps

PROJECT = '[project]\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = { attr = "dawn.__version__" }\n'
CITATION = "cff-version: 1.2.0\nversion: 1.2.3\ndate-released: 2026-01-02\n"
CHANGES = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n\n- A change\n\n[1.2.3]: https://example.org\n"
REQUIREMENTS = "one==1.0\ntwo>=2,<3; python_version >= '3.11'\ntwo==1.5; python_version < '3.11'\n"
LOCK = """# made by a tool
one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r requirements.txt
Two==1.5 ; python_full_version < '3.11' \\
    --hash=sha256:cc
two==2.5 ; python_full_version >= '3.11' \\
    --hash=sha256:dd
"""


@pytest.mark.parametrize("name", ["one version", "lock"])
def test_this_tree_keeps(name):
    assert checks(dawn.__version__)[name]() == []


def test_this_tree_tells_of_its_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{dawn.__version__}] - " in text and "## [Unreleased]" in text


def test_versions_that_agree():
    assert version_gaps("1.2.3", PROJECT, CITATION) == []


@pytest.mark.parametrize(
    ("version", "project", "citation", "message"),
    [
        ("1.2", PROJECT, CITATION.replace("1.2.3", "1.2"), "not three numbers"),
        ("1.2.4", PROJECT, CITATION, "CITATION.cff has version 1.2.3, not 1.2.4"),
        ("1.2.3", PROJECT, "cff-version: 1.2.3", "CITATION.cff has version none"),
        ("1.2.3", "[project]\n", CITATION, "pyproject.toml does not take"),
        ("1.2.3", PROJECT + 'version = "1.2.3"\n', CITATION, "pyproject.toml does not take"),
    ],
)
def test_versions_that_differ(version, project, citation, message):
    (gap,) = version_gaps(version, project, citation)
    assert message in gap


def test_a_changelog_that_is_ready():
    assert changelog_gaps("1.2.3", CHANGES, CITATION) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1.2.3] - 2026-01-02", "[1.2.3]", "needs one entry"),
        ("[1.2.3] - 2026-01-02", "[1x2.3] - 2026-01-02", "needs one entry"),
        ("- A change\n", "", "needs one entry"),
        ("- 2026-01-02", "- 2026-01-03", "was not released on 2026-01-03"),
        ("## [Unreleased]\n", "", "needs a section"),
        ("## [Unreleased]\n", "## [Unreleased]\n\n- More\n", "unreleased changes"),
    ],
)
def test_a_changelog_that_is_not(old, new, message):
    (gap,) = changelog_gaps("1.2.3", CHANGES.replace(old, new, 1), CITATION)
    assert message in gap


def test_pins_and_hashes_are_counted():
    assert [(str(pin.specifier), hashes) for pin, hashes in locked(LOCK)] == [("==1.0", 2), ("==1.5", 1), ("==2.5", 1)]


def test_a_lock_that_is_up_to_date():
    assert lock_gaps(REQUIREMENTS, LOCK) == []


@pytest.mark.parametrize(
    ("requirements", "lock", "message"),
    [
        (REQUIREMENTS + "three>=1\n", LOCK, "three>=1 on Python 3.10: the lock has nothing"),
        (REQUIREMENTS.replace("one==1.0", "one==1.1"), LOCK, "one==1.1 on Python 3.13: the lock has 1.0"),
        (REQUIREMENTS, LOCK.replace(">= '3.11'", ">= '3.12'"), "on Python 3.11: the lock has nothing"),
        (REQUIREMENTS, LOCK.replace(">= '3.11'", ">= '3.10'"), "on Python 3.10: the lock has 1.5, 2.5"),
        (REQUIREMENTS, LOCK.replace("one==1.0", "one==1.0+cpu"), "one==1.0+cpu is of one machine's build"),
        (REQUIREMENTS, LOCK.replace(" \\\n    --hash=sha256:dd", ""), "two has no hash"),
        (REQUIREMENTS, LOCK + "# https://example.org\n", "it names an address"),
    ],
)
def test_a_lock_that_is_not(requirements, lock, message):
    assert any(message in gap for gap in lock_gaps(requirements, lock))


def test_large_files():
    sizes = [("a.npz", 25_000_000), ("b.npz", 25_000_001), ("c.safetensors", 16_000_000), ("d.safetensors", 17_250_000)]
    assert too_large(sizes) == ["b.npz has 25.0 MB; at most 25", "d.safetensors has 17.2 MB; at most 16"]


def test_lines_say_what_is_wrong(capsys):
    assert told("good", []) and not told("bad", ["this", "that"])
    assert capsys.readouterr().out == "ok      good\nfailed  bad\n        this\n        that\n"


@pytest.mark.parametrize("wrong", [[], ["this"]])
def test_commands_are_listed_and_not_run(monkeypatch, capsys, wrong):
    monkeypatch.setattr(release, "checks", lambda version: {"first": lambda: [], version: lambda: wrong})
    assert release.main(["--files"]) == len(wrong)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok      first" and lines[1].split() == ["failed" if wrong else "ok", dawn.__version__]
    assert lines[-len(COMMANDS) :] == [f"to run  {command}" for command in COMMANDS]


@pytest.mark.parametrize("failing", [None, COMMANDS[0], COMMANDS[-1]])
def test_a_command_that_fails_fails_the_release(monkeypatch, capsys, failing):
    monkeypatch.setattr(release, "checks", lambda version: {})
    monkeypatch.setattr(release, "succeeds", lambda command: command != failing)
    assert release.main([]) == (failing is not None)
    assert capsys.readouterr().out.count("failed") == (failing is not None)
